// What every panel draws with: numbers that came as base64, a canvas as sharp as the screen, text that fits, colours between colours.

const KINDS = { float32: Float32Array, uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array };

/** Return the array that Python packed: a typed array with its `shape`. */
export function unpack({ type, shape, data }) {
  const text = atob(data);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = text.charCodeAt(i);
  const values = new KINDS[type](bytes.buffer);
  values.shape = shape;
  return values;
}

/** Put a canvas into an element; `begin()` clears it at the element's size and gives the context, in CSS pixels. */
export function canvasIn(host, label) {
  const canvas = host.appendChild(document.createElement("canvas"));
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  const context = canvas.getContext("2d");
  return {
    canvas,
    begin() {
      const ratio = window.devicePixelRatio || 1;
      const { width, height } = host.getBoundingClientRect();
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

/** Make an element of a class, with text; text is never read as HTML. */
export function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

/** Return `text`, cut and ended by an ellipsis where it is wider than `most` pixels in the context's font. */
export function fitted(context, text, most) {
  if (context.measureText(text).width <= most) return text;
  let cut = text;
  while (cut && context.measureText(`${cut}…`).width > most) cut = cut.slice(0, -1);
  return `${cut.trimEnd()}…`;
}

/** Return white or near-black, whichever can be read on a colour (WCAG 2 contrast). */
export function textOn(hex) {
  const channel = (i) => {
    const c = parseInt(hex.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  const luminance = 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
  return 1.05 / (luminance + 0.05) >= 3 ? "#FFFFFF" : "#10161C";
}

/** Return a colour with an opacity from 0 to 1. */
export function withAlpha(hex, alpha) {
  const byte = Math.round(Math.min(1, Math.max(0, alpha)) * 255);
  return hex + byte.toString(16).padStart(2, "0");
}

/** Return round numbers between two ends, about `most` of them. */
export function ticks(low, high, most) {
  const rough = (high - low) / Math.max(1, most);
  if (!(rough > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((s) => s >= rough);
  const found = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-6; n += 1) found.push(Number((n * step).toPrecision(12)));
  return found.length < 2 && most > 0 && most < 64 ? ticks(low, high, 2 * most) : found; // one alone is no scale
}

/** Write a step or another whole number as the page's language does. */
export function whole(number, language) {
  return Math.round(number).toLocaleString(language);
}
