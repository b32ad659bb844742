// The labels beside the points of a scatter plot. They are placed once a snapshot while the camera rests, and fade between snapshots.

import { labelBox, LABEL_PX, placeLabels } from "./label_placement.js";

const PIXELS_PER_LABEL = 8500; // of the canvas
const MIN_LABELS = 12;
const MAX_CANDIDATES = 2500; // of the items in view
const MAX_UNCOVERED = 400; // highlighted discs that labels must not cover; more would leave no room

/** Make the labels of a plot: `text(i)`, `fitsInside(i, radius)` of its disc, and `project(index)`, the places at a snapshot. */
export function makeLabels({ text, fitsInside, project }) {
  let widths = new Map();
  let placed = { key: "", byIndex: new Map() };
  let mixed = null; // all items in a pseudo-random order, the same at every step

  function mixedOrder(n) {
    if (mixed?.length !== n) {
      const rank = (i) => Math.imul(i + 1, 0x9e3779b1) >>> 0;
      mixed = [...Array(n).keys()].sort((a, b) => rank(a) - rank(b));
    }
    return mixed;
  }

  function widthOf(context, font, i) {
    if (!widths.has(i)) {
      context.font = `500 ${LABEL_PX}px ${font}`;
      widths.set(i, context.measureText(text(i)).width);
    }
    return widths.get(i);
  }

  function placeAt(context, index, { width, height, radius, font, first, members }) {
    const seen = project(index);
    const radiusOf = (i) => radius * seen.near[i];
    const candidates = first.filter((i) => !fitsInside(i, radiusOf(i)));
    for (const i of mixedOrder(seen.x.length)) {
      if (candidates.length >= first.length + MAX_CANDIDATES) break;
      if (seen.x[i] > 0 && seen.x[i] < width && seen.y[i] > 0 && seen.y[i] < height && !fitsInside(i, radiusOf(i))) candidates.push(i);
    }
    return placeLabels({
      candidates,
      seen,
      width: (i) => widthOf(context, font, i),
      radius: radiusOf,
      uncovered: members.length > MAX_UNCOVERED ? [] : members,
      limit: Math.max(MIN_LABELS, (width * height) / PIXELS_PER_LABEL),
      room: { width, height },
    });
  }

  function labelsAt(context, index, plot) {
    if (plot.key !== placed.key) placed = { key: plot.key, byIndex: new Map() };
    if (!placed.byIndex.has(index)) placed.byIndex.set(index, placeAt(context, index, plot));
    return placed.byIndex.get(index);
  }

  function write(context, i, side, alpha, { seen, radiusOf, theme, opacity }, isBold = false) {
    const { left, top, bottom } = labelBox(seen.x[i], seen.y[i], radiusOf(i) + (isBold ? 3 : 0), widthOf(context, theme.font, i), side);
    context.font = isBold ? `700 ${LABEL_PX + 0.5}px ${theme.font}` : `500 ${LABEL_PX}px ${theme.font}`;
    context.globalAlpha = alpha * opacity(i);
    context.lineJoin = "round";
    context.lineWidth = 3;
    context.strokeStyle = theme.panel;
    context.strokeText(text(i), left, (top + bottom) / 2);
    context.fillStyle = theme.text;
    context.fillText(text(i), left, (top + bottom) / 2);
    context.globalAlpha = 1;
  }

  return {
    /** Measure the labels again, for other items or a font that has been loaded. */
    reset() {
      widths = new Map();
      mixed = null;
    },
    /**
     * Paint the labels at a view. `plot` has the size, `radius` and `key`, which changes with everything that moves labels; the `first` items
     * to label and the highlighted `members`; and of this frame `seen`, `radiusOf`, `opacity`, `theme` and the `emphasised` items.
     */
    paint(context, view, plot) {
      const before = labelsAt(context, view.from, plot);
      const after = view.between ? labelsAt(context, view.to, plot) : before;
      context.textBaseline = "middle";
      context.textAlign = "left";
      const t = view.between;
      const { emphasised } = plot;
      for (const [i, side] of before) if (!emphasised.has(i)) write(context, i, side, after.get(i) === side ? 1 : 1 - t, plot);
      if (t) for (const [i, side] of after) if (!emphasised.has(i) && before.get(i) !== side) write(context, i, side, t, plot);
      for (const i of emphasised) if (!fitsInside(i, plot.radiusOf(i))) write(context, i, before.get(i) ?? 0, 1, plot, true);
    },
  };
}
