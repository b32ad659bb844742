// What all panels draw with: unpacked arrays, canvases at the resolution of the screen, truncated text, colours, axis ticks.

const TYPES = { float32: Float32Array, uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array };

/** Unpack an array that Python packed: a typed array with its `shape`. */
export function unpack({ type, shape, data }) {
  const text = atob(data);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = text.charCodeAt(i);
  const values = new TYPES[type](bytes.buffer);
  values.shape = shape;
  return values;
}

/** Add a canvas to an element. `clear()` fits it to the element and returns its context, in CSS pixels, with the size. */
export function addCanvas(host, label) {
  const canvas = host.appendChild(document.createElement("canvas"));
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  const context = canvas.getContext("2d");
  return {
    canvas,
    clear() {
      const { width, height, zoom } = boxOf(host);
      const ratio = (window.devicePixelRatio || 1) * zoom;
      const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
      if (canvas.width !== w || canvas.height !== h) {
        canvas.width = w;
        canvas.height = h;
        canvas.style.width = `${width}px`;
        canvas.style.height = `${height}px`;
      }
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, width, height);
      return { context, width, height };
    },
  };
}

/** Measure an element in its own pixels: where type is enlarged (`zoom`), they are larger than those of the window. */
export function boxOf(host) {
  const zoom = host.currentCSSZoom ?? 1;
  const { left, top, width, height } = host.getBoundingClientRect();
  return { left, top, width: width / zoom, height: height / zoom, zoom };
}

/** Make an element with a class and text; text is never parsed as HTML. */
export function element(tag, className = "", text = "") {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}

/** Truncate a text with an ellipsis where it is wider than `maxWidth` pixels in the context's font. */
export function truncate(context, text, maxWidth) {
  if (context.measureText(text).width <= maxWidth) return text;
  let cut = text;
  while (cut && context.measureText(`${cut}…`).width > maxWidth) cut = cut.slice(0, -1);
  return `${cut.trimEnd()}…`;
}

/** Choose white or black for text on a colour (WCAG 2 contrast of 4.5). */
export function textOn(hex) {
  const channel = (i) => {
    const c = parseInt(hex.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  const luminance = 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
  return 1.05 / (luminance + 0.05) >= 4.5 ? "#FFFFFF" : "#000000";
}

/** Add an opacity from 0 to 1 to a colour. */
export function withAlpha(hex, alpha) {
  const byte = Math.round(Math.min(1, Math.max(0, alpha)) * 255);
  return hex + byte.toString(16).padStart(2, "0");
}

/** Choose about `count` round numbers between two limits. */
export function ticks(low, high, count) {
  const rough = (high - low) / Math.max(1, count);
  if (!(rough > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((s) => s >= rough);
  const found = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-6; n += 1) found.push(Number((n * step).toPrecision(12)) + 0);
  return found.length < 2 && count > 0 && count < 64 ? ticks(low, high, 2 * count) : found; // a single tick shows no scale
}

const FORMATS = new Map(); // making one takes a hundred times as long as using it

/** Format a number in the page's language; what rounds to zero has no sign. */
export function formatNumber(number, language, options = {}) {
  const key = `${language} ${JSON.stringify(options)}`;
  if (!FORMATS.has(key)) FORMATS.set(key, new Intl.NumberFormat(language, { signDisplay: "negative", ...options }));
  return FORMATS.get(key).format(number);
}

/** Format a step or another integer in the page's language. */
export function formatInteger(number, language) {
  return formatNumber(Math.round(number), language);
}

/** Format a number with so many decimals in the page's language. */
export function formatFixed(number, decimals, language) {
  return formatNumber(number, language, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** Format a probability or weight with two decimals; what is smaller than 0.01 is "<0.01", and nothing "0". */
export function formatHundredths(share, language) {
  if (share === 0) return "0";
  return share > 0 && share < 0.01 ? `<${formatFixed(0.01, 2, language)}` : formatFixed(share, 2, language);
}

/** Add a button that calls `action`. */
export function addButton(host, className, action, text = "") {
  const button = host.appendChild(element("button", className, text));
  button.type = "button";
  button.addEventListener("click", action);
  return button;
}

/** Set the accessible name and the hint of a control without text. */
export function setName(control, name) {
  control.setAttribute("aria-label", name);
  control.title = name;
}

/** Draw an open line through points, `x(i)` and `y(i)`; points without a finite `y` interrupt it. */
export function tracePath(context, n, x, y) {
  let drawing = false;
  context.beginPath();
  for (let i = 0; i < n; i += 1) {
    const isKnown = Number.isFinite(y(i));
    if (isKnown && drawing) context.lineTo(x(i), y(i));
    else if (isKnown) context.moveTo(x(i), y(i));
    drawing = isKnown;
  }
}
