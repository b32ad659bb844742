// Thousands of discs drawn by the graphics card (WebGL 2). Without one, the canvas draws them.

const VERTEX = `#version 300 es
in float x; in float y; in float near; in float doubt; in vec4 color; in float opacity;
uniform vec2 size; uniform float radius; uniform float ratio;
out vec4 fill; out float hole; out float pixels;
void main() {
  float r = radius * near;
  bool isThere = x == x && y == y;
  gl_Position = isThere ? vec4(2.0 * x / size.x - 1.0, 1.0 - 2.0 * y / size.y, clamp(1.0 - 0.5 * near, -0.99, 0.99), 1.0) : vec4(9.0, 9.0, 0.0, 1.0);
  pixels = r * ratio;
  gl_PointSize = 2.0 * pixels + 2.0;
  fill = vec4(color.rgb, opacity);
  hole = doubt;
}`;

const FRAGMENT = `#version 300 es
precision highp float;
in vec4 fill; in float hole; in float pixels;
uniform vec3 ground; uniform float edge;
out vec4 shown;
void main() {
  float d = length(gl_PointCoord - 0.5) * (2.0 * pixels + 2.0);
  float inside = clamp(pixels + 0.5 - d, 0.0, 1.0);
  if (inside <= 0.0) discard;
  float rim = pixels > 2.0 * edge ? max(0.4, 0.1 * pixels) : 0.0;
  float body = clamp(pixels - rim + 0.5 - d, 0.0, 1.0);
  float open = 0.8 * hole * clamp(0.76 * pixels + 0.5 - d, 0.0, 1.0);
  vec3 color = mix(fill.rgb, ground, max(open, 1.0 - body));
  shown = vec4(color, 1.0) * fill.a * inside;
}`;

const FLOATS = ["x", "y", "near", "doubt", "opacity"];

/** Make the layer in an element, or return null where there is no WebGL 2. */
export function makeWebglDiscs(host) {
  const canvas = document.createElement("canvas");
  canvas.className = "webgl";
  canvas.setAttribute("aria-hidden", "true");
  const gl = canvas.getContext("webgl2", { premultipliedAlpha: true, antialias: false });
  const program = gl && link(gl);
  if (!program) return null;
  host.prepend(canvas);
  const place = Object.fromEntries([...FLOATS, "color"].map((name) => [name, gl.getAttribLocation(program, name)]));
  const uniform = Object.fromEntries(["size", "radius", "ratio", "ground", "edge"].map((name) => [name, gl.getUniformLocation(program, name)]));
  const buffers = Object.fromEntries([...FLOATS, "color", "order"].map((name) => [name, gl.createBuffer()]));
  let isLost = false;
  canvas.addEventListener("webglcontextlost", () => { isLost = true; });

  function send(name, values, isStatic = false) {
    gl.bindBuffer(gl.ARRAY_BUFFER, buffers[name]);
    gl.bufferData(gl.ARRAY_BUFFER, values, isStatic ? gl.STATIC_DRAW : gl.DYNAMIC_DRAW);
    gl.enableVertexAttribArray(place[name]);
    gl.vertexAttribPointer(place[name], name === "color" ? 4 : 1, name === "color" ? gl.UNSIGNED_BYTE : gl.FLOAT, name === "color", 0, 0);
  }

  return {
    get isLost() { return isLost || gl.isContextLost(); },
    /** Set the colours of the items, `#RRGGBB`, and the order in which they are drawn. */
    setItems(colors, order) {
      const bytes = new Uint8Array(4 * colors.length);
      colors.forEach((color, i) => {
        const number = parseInt(color.slice(1), 16);
        bytes.set([number >> 16, (number >> 8) & 255, number & 255, 255], 4 * i);
      });
      gl.useProgram(program);
      send("color", bytes, true);
      gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, buffers.order);
      gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, order, gl.STATIC_DRAW);
    },
    /** Draw `n` discs at `seen`; `opacity` (item,) is from 0 to 1. In space, nearer discs hide those behind. */
    draw({ seen, doubt, opacity, n, radius, width, height, ground, isSpace }) {
      const ratio = window.devicePixelRatio || 1;
      const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
      if (canvas.width !== w || canvas.height !== h) {
        Object.assign(canvas, { width: w, height: h });
        Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
      }
      gl.viewport(0, 0, w, h);
      gl.clearColor(0, 0, 0, 0);
      gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
      (isSpace ? gl.enable : gl.disable).call(gl, gl.DEPTH_TEST);
      gl.enable(gl.BLEND);
      gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
      gl.useProgram(program);
      for (const [name, values] of Object.entries({ x: seen.x, y: seen.y, near: seen.near, doubt, opacity })) send(name, values);
      const number = parseInt(ground.slice(1), 16);
      gl.uniform2f(uniform.size, width, height);
      gl.uniform1f(uniform.radius, radius);
      gl.uniform1f(uniform.ratio, ratio);
      gl.uniform1f(uniform.edge, ratio);
      gl.uniform3f(uniform.ground, (number >> 16) / 255, ((number >> 8) & 255) / 255, (number & 255) / 255);
      gl.drawElements(gl.POINTS, n, gl.UNSIGNED_INT, 0);
    },
    destroy() {
      gl.getExtension("WEBGL_lose_context")?.loseContext();
      canvas.remove();
    },
  };
}

function link(gl) {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  return gl.getProgramParameter(program, gl.LINK_STATUS) ? program : null;
}
