// The points of a scatter plot as discs: a few on the canvas, with their letters inside; thousands by the graphics card, under the canvas.

import { drawRing } from "../overlays.js";
import { makeWebglDiscs } from "./webgl_discs.js";

const MANY = 2000; // items, from which on the graphics card draws them
const MOST_LETTERS = 1500; // written inside discs that the graphics card draws
const DIMMED = 0.3; // opacity of what is outside the group that is emphasised
const FORWARD = 1.45; // magnification of the disc under the pointer

/** Make the points of a plot in an element. */
export function makePoints(area) {
  let webgl = null;
  let hasTried = false;
  let opacity = null;
  let opacityFor = null;

  /** Return the layer of the graphics card for so many items, or null where there is none. */
  function layer(n) {
    if (n >= MANY && !hasTried) {
      hasTried = true;
      webgl = makeWebglDiscs(area);
    }
    if (webgl?.isLost || (webgl && n < MANY)) {
      webgl.destroy();
      webgl = null;
      hasTried = n >= MANY;
    }
    return webgl;
  }

  function opacities(n, emphasised) {
    if (!opacity || opacity.length !== n || opacityFor !== emphasised) {
      opacity = new Float32Array(n).fill(emphasised ? DIMMED : 1);
      if (emphasised) for (const i of emphasised) opacity[i] = 1;
      opacityFor = emphasised;
    }
    return opacity;
  }

  function paintOnCanvas(context, plot) {
    const { panel, seen, doubt, order, radiusOf, width, height, theme, discs, isMember, emphasised } = plot;
    for (const i of order) {
      const [x, y, r] = [seen.x[i], seen.y[i], radiusOf(i)];
      if (!(x > -r && x < width + r && y > -r && y < height + r)) continue;
      context.globalAlpha = emphasised && !emphasised.has(i) ? DIMMED : 1;
      if (discs.fitsInside(panel.labels[i], r)) {
        discs.labelled(context, x, y, r, panel.colors[i], doubt[i], panel.labels[i]);
        if (isMember.has(i)) drawRing(context, seen, i, r, theme.text, Math.max(1, 0.12 * r));
      } else discs.plain(context, x, y, r, panel.colors[i], doubt[i]);
    }
    context.globalAlpha = 1;
  }

  function writeLetters(context, { panel, seen, doubt, order, radius, radiusOf, width, height, discs, emphasised }) {
    if (!discs.fitsInside("i", 1.5 * radius)) return;
    let count = 0;
    for (let k = order.length - 1; k >= 0 && count < MOST_LETTERS; k -= 1) {
      const i = order[k];
      const [x, y, r] = [seen.x[i], seen.y[i], radiusOf(i)];
      if (!(x > 0 && x < width && y > 0 && y < height) || !discs.fitsInside(panel.labels[i], r)) continue;
      context.globalAlpha = emphasised && !emphasised.has(i) ? DIMMED : 1;
      discs.letter(context, x, y, r, panel.colors[i], doubt[i], panel.labels[i]);
      count += 1;
    }
    context.globalAlpha = 1;
  }

  return {
    /** Set the colours of the items and the order in which they are drawn, for `paint`. */
    setItems(panel, order) {
      layer(panel.labels.length)?.setItems(panel.colors, order);
      opacity = null;
    },
    /** Paint all discs; `plot` is what `scatter.js` knows of this frame. */
    paint(context, plot) {
      const card = layer(plot.panel.labels.length);
      if (!card) {
        paintOnCanvas(context, plot);
        return;
      }
      const { seen, doubt, order, radius, width, height, theme, emphasised, isSpace } = plot;
      card.draw({ seen, doubt, opacity: opacities(order.length, emphasised), n: order.length, radius, width, height, ground: theme.panel, isSpace });
      if (!isSpace) writeLetters(context, plot);
    },
    /** Paint the disc under the pointer again, larger and in front of all others; returns its radius. */
    bringForward(context, { panel, seen, doubt, radiusOf, discs }, i) {
      const r = Math.max(radiusOf(i) * FORWARD, 5);
      const large = Math.max(r, 13);
      context.textAlign = "center";
      context.textBaseline = "alphabetic";
      if (discs.fitsInside(panel.labels[i], large)) discs.labelled(context, seen.x[i], seen.y[i], large, panel.colors[i], doubt[i], panel.labels[i]);
      else discs.plain(context, seen.x[i], seen.y[i], r, panel.colors[i], doubt[i]);
      return discs.fitsInside(panel.labels[i], large) ? large : r;
    },
    destroy: () => webgl?.destroy(),
  };
}
