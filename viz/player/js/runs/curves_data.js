// The curves of the drawn runs as points of the chart: the measure over steps, tokens or time, smoothed.

import { smooth } from "./smoothing.js";

/** Collect the curves of runs that recorded the measure: `x`, `raw` and `y`, without points that a logarithm cannot show. */
export function collect(rows, known, { measure, along, weight, isLogY }) {
  return rows.flatMap((row) => {
    const found = known.get(row.name)?.values;
    if (!found?.[measure] || !found[along]) return [];
    const kept = found[measure].map((_, i) => i).filter((i) => isShown(found[along][i]) && (!isLogY || !isShown(found[measure][i]) || found[measure][i] > 0));
    const x = kept.map((i) => found[along][i]);
    const raw = kept.map((i) => (isShown(found[measure][i]) ? found[measure][i] : NaN));
    const y = weight > 0 ? smooth(raw, weight) : raw;
    return y.some(Number.isFinite) ? [{ row, x, raw, y }] : [];
  });
}

/** The smallest and largest value of the curves between two places on the x axis; null where there is none. */
export function limitsOf(curves, [from, to]) {
  let [low, high] = [Infinity, -Infinity];
  for (const { x, raw, y } of curves) {
    for (let i = 0; i < x.length; i += 1) {
      if (x[i] < from || x[i] > to || !Number.isFinite(y[i])) continue;
      low = Math.min(low, raw[i], y[i]);
      high = Math.max(high, raw[i], y[i]);
    }
  }
  return low <= high ? [low, high] : null;
}

/** The point of a curve at the rule: the last one at or before `x`, or -1 outside of the curve. */
export function pointAt({ x, y }, at) {
  const last = x.length - 1;
  if (at < x[0] || at > x[last]) return -1;
  let i = last;
  while (i > 0 && (x[i] > at || !Number.isFinite(y[i]))) i -= 1;
  return Number.isFinite(y[i]) ? i : -1;
}

/** The last point of a curve. */
export function lastPoint({ y }) {
  let i = y.length - 1;
  while (i > 0 && !Number.isFinite(y[i])) i -= 1;
  return i;
}

/** All places at which some curve has a point, in order. */
export function stops(curves) {
  return [...new Set(curves.flatMap(({ x }) => x))].sort((a, b) => a - b);
}

function isShown(value) {
  return value !== null && Number.isFinite(value);
}
