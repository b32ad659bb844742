// Vectors as strips of colours, on one diverging scale for all vectors and all steps.

import { addCanvas, element } from "../drawing.js";
import { formatDigits } from "./model_numbers.js";

const SHARE_WITHIN = 0.998; // beyond it colours do not grow: a few dimensions of a large model are far larger than the others
const MAX_SAMPLED = 200000;

/** Make the scale of some arrays. Colours grow with the root of a number, so that the small vectors of the first steps are visible. */
export function stripScale(arrays, ramp) {
  const n = arrays.reduce((total, array) => total + array.length, 0);
  const every = Math.max(1, Math.floor(n / MAX_SAMPLED));
  const sizes = new Float32Array(arrays.reduce((total, array) => total + Math.ceil(array.length / every), 0));
  let filled = 0;
  for (const array of arrays) for (let i = 0; i < array.length; i += every) sizes[filled++] = Math.abs(array[i]);
  sizes.sort();
  const limit = sizes[Math.floor(SHARE_WITHIN * (sizes.length - 1))] || 1;
  const middle = (ramp.length - 1) / 2;
  return { limit, color: (value) => ramp[Math.round(middle * (1 + Math.sign(value) * Math.sqrt(Math.min(1, Math.abs(value) / limit))))] };
}

/** Add the picture of a strip to an element. */
export function addStrip(host) {
  const picture = addCanvas(host, "");
  picture.canvas.setAttribute("aria-hidden", "true");
  return (values, scale, theme, marked = -1) => {
    const { context, width, height } = picture.clear();
    const cell = width / values.length;
    values.forEach((value, i) => {
      context.fillStyle = scale.color(value);
      context.fillRect(i * cell, 0, cell + 0.6, height);
    });
    if (marked < 0) return;
    context.strokeStyle = theme.text;
    context.lineWidth = 2;
    context.strokeRect(marked * cell, 1, Math.max(2, cell), height - 2);
  };
}

/** Add the key of the colours. */
export function addStripKey(host, name) {
  const key = host.appendChild(element("div", "strip-key"));
  const title = key.appendChild(element("span", "", name));
  const low = key.appendChild(element("span"));
  const bar = key.appendChild(element("i"));
  const high = key.appendChild(element("span"));
  title.className = "name";
  return ({ limit }, ramp, language) => {
    bar.style.background = `linear-gradient(90deg, ${[0, 0.25, 0.5, 0.75, 1].map((share) => ramp[Math.round(share * (ramp.length - 1))]).join(", ")})`;
    low.textContent = formatDigits(-limit, language, 2);
    high.textContent = formatDigits(limit, language, 2);
  };
}

/** Find the cell of a click on a strip; without a pointer, that of the largest number. */
export function cellOf(event, strip, values) {
  if (event.detail === 0) return values.reduce((best, value, i) => (Math.abs(value) > Math.abs(values[best]) ? i : best), 0);
  const box = strip.getBoundingClientRect();
  return Math.max(0, Math.min(values.length - 1, Math.floor(((event.clientX - box.left) / Math.max(1, box.width)) * values.length)));
}
