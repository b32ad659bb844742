// Colour scales and their colour bars.

import { addCanvas, formatNumber } from "./drawing.js";

const BAR_PX = 132;

/**
 * Make the colour scale of a panel of integers, 0 to `top`, that stand for `low` (0 by default) to `high`. With `curve` "sqrt" small values get more colours.
 *
 * `table` holds the colour of each integer as a pixel of image data; `css(n)` is the same for CSS; `value(n)` is the value of an integer.
 */
export function colorScale({ ramp, low = 0, high, curve }, top) {
  const transform = curve === "sqrt" ? Math.sqrt : (share) => share;
  const pixels = ramp.map(pixel);
  const colorAt = (share) => Math.min(ramp.length - 1, Math.floor(transform(Math.min(1, Math.max(0, share))) * ramp.length));
  const table = new Uint32Array(top + 1);
  for (let n = 0; n <= top; n += 1) table[n] = pixels[colorAt(n / top)];
  return {
    table,
    css: (n) => ramp[colorAt(n / top)],
    value: (n) => low + (n / top) * (high - low),
    /** The values to label on a colour bar, each with its place along the ramp. */
    ticks() {
      const shares = curve === "sqrt" ? [0, 0.1, 0.5, 1] : [0, 0.5, 1];
      return shares.map((share) => ({ value: low + share * (high - low), place: transform(share) }));
    },
    place: (value) => transform(Math.min(1, Math.max(0, (value - low) / (high - low)))),
  };
}

function pixel(hex) {
  const [red, green, blue] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0; // the bytes of image data as a little-endian integer
}

/** Add a colour bar to an element: the ramp with labelled values, and a notch at `mark` if there is one. */
export function addColorBar(host, label) {
  host.style.cssText = `position: relative; width: ${BAR_PX + 26}px; height: 26px; flex: none; margin-left: auto;`;
  const picture = addCanvas(host, label);
  return {
    host,
    paint(scale, ramp, { theme, language }, mark = null) {
      const { context, width } = picture.clear();
      const x = (place) => 12 + place * BAR_PX;
      ramp.forEach((color, i) => {
        context.fillStyle = color;
        context.fillRect(x(i / ramp.length), 1, BAR_PX / ramp.length + 0.6, 9);
      });
      context.strokeStyle = theme.line;
      context.lineWidth = 1;
      context.strokeRect(x(0) - 0.5, 0.5, BAR_PX + 1, 10);
      context.font = `11px ${theme.font}`;
      context.textBaseline = "top";
      context.textAlign = "center";
      context.fillStyle = theme.muted;
      const ticks = scale.ticks().map(({ value, place }) => ({ text: formatShort(value, language), place }));
      for (const { text, place } of ticks) {
        const half = context.measureText(text).width / 2;
        context.fillText(text, Math.min(width - half, Math.max(half, x(place))), 14); // the ends are not cut
      }
      picture.canvas.setAttribute("aria-label", [label, ticks.map(({ text }) => text).join(" – ")].filter(Boolean).join(": "));
      if (mark === null) return;
      context.fillStyle = theme.accent;
      context.fillRect(x(scale.place(mark)) - 1, 0, 2, 12);
    },
  };
}

/** Format a number for a colour bar or a tooltip: two or three significant digits. */
export function formatShort(value, language) {
  return formatNumber(value, language, { maximumSignificantDigits: Math.abs(value) >= 1 ? 3 : 2 });
}
