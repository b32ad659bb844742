// From numbers to colours, and the key that says which is which.

import { canvasIn } from "./drawing.js";

const KEY_PX = 132;

/**
 * Return the scale of a panel whose numbers are whole, 0 to `top` for `low` to `high`; `curve` "sqrt" gives small ones more colours.
 *
 * `table` holds the colour of each whole number as a pixel of image data; `css(n)` as CSS; `value(n)` is what the number stands for.
 */
export function heatScale({ ramp, low, high, curve }, top) {
  const bend = curve === "sqrt" ? Math.sqrt : (share) => share;
  const pixels = ramp.map(pixel);
  const colorAt = (share) => Math.min(ramp.length - 1, Math.floor(bend(Math.min(1, Math.max(0, share))) * ramp.length));
  const table = new Uint32Array(top + 1);
  for (let n = 0; n <= top; n += 1) table[n] = pixels[colorAt(n / top)];
  return {
    table,
    css: (n) => ramp[colorAt(n / top)],
    value: (n) => low + (n / top) * (high - low),
    /** The values that a key names, each with its place along the ramp. */
    ticks() {
      const shares = curve === "sqrt" ? [0, 0.1, 0.5, 1] : [0, 0.5, 1];
      return shares.map((share) => ({ value: low + share * (high - low), place: bend(share) }));
    },
    place: (value) => bend(Math.min(1, Math.max(0, (value - low) / (high - low)))),
  };
}

function pixel(hex) {
  const [red, green, blue] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0; // the bytes of image data, read as a little-endian number
}

/** Put the key of a scale into an element: the ramp with its values, and a notch at `mark` if one is given. */
export function keyIn(host, label) {
  host.style.cssText = `position: relative; width: ${KEY_PX + 26}px; height: 26px; flex: none; margin-left: auto;`;
  const picture = canvasIn(host, label);
  return {
    paint(scale, ramp, { theme, language }, mark = null) {
      const { context } = picture.begin();
      const x = (place) => 12 + place * KEY_PX;
      ramp.forEach((color, i) => {
        context.fillStyle = color;
        context.fillRect(x(i / ramp.length), 1, KEY_PX / ramp.length + 0.6, 9);
      });
      context.strokeStyle = theme.line;
      context.lineWidth = 1;
      context.strokeRect(x(0) - 0.5, 0.5, KEY_PX + 1, 10);
      context.font = `11px ${theme.font}`;
      context.textBaseline = "top";
      context.textAlign = "center";
      context.fillStyle = theme.muted;
      for (const { value, place } of scale.ticks()) context.fillText(short(value, language), x(place), 14);
      if (mark === null) return;
      context.fillStyle = theme.accent;
      context.fillRect(x(scale.place(mark)) - 1, 0, 2, 12);
    },
  };
}

/** Write a number of a key or a tip: two digits that tell, no more. */
export function short(value, language) {
  return value.toLocaleString(language, { maximumSignificantDigits: value >= 1 ? 3 : 2 });
}
