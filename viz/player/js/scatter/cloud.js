// The point cloud of a layout over steps: places and doubt at a snapshot or between two.

import { unpack } from "../drawing.js";

const MISSING = 65535; // the level of an item that is missing from a snapshot

/**
 * Read a scatter panel's layout.
 *
 * Places are in levels of its quantisation, centred on the bounding box of all items at all steps, so that the limits never change.
 * `half` is half of that box along each axis, `radius` that of the ball around its centre that contains all items.
 */
export function readCloud(panel) {
  const levels = unpack(panel.layout);
  const [nSteps, n, axes] = levels.shape;
  const trust = panel.trust ? unpack(panel.trust) : null;
  const places = new Float32Array(levels.length);
  const half = [0, 0, 0];
  for (let i = 0; i < levels.length; i += 1) if (levels[i] !== MISSING) half[i % axes] = Math.max(half[i % axes], levels[i] / 2);
  let radius = 0;
  for (let i = 0; i < levels.length; i += axes) {
    let square = 0;
    for (let a = 0; a < axes; a += 1) {
      places[i + a] = levels[i + a] === MISSING ? NaN : levels[i + a] - half[a];
      square += places[i + a] ** 2;
    }
    if (square > radius) radius = square;
  }
  const size = n * axes;

  /** Write the places at a view, (item, axis): those of a snapshot, or on a monotone cubic between two, as in the films. */
  function at({ from, to, between }, out) {
    if (!between || from === to) {
      const index = between ? from : Math.min(from, nSteps - 1);
      out.set(places.subarray(index * size, (index + 1) * size));
      return out;
    }
    const one = from * size;
    const two = to * size;
    if (to - from > 1) {
      for (let i = 0; i < size; i += 1) out[i] = places[one + i] + (places[two + i] - places[one + i]) * between;
      return out;
    }
    const t = between;
    const [h00, h10] = [(1 + 2 * t) * (1 - t) ** 2, t * (1 - t) ** 2];
    const [h01, h11] = [t * t * (3 - 2 * t), t * t * (t - 1)];
    const hasBefore = from > 0;
    const hasAfter = to < nSteps - 1;
    for (let i = 0; i < size; i += 1) {
      const p = places[one + i];
      const q = places[two + i];
      const difference = q - p;
      const before = hasBefore ? p - places[one - size + i] : NaN;
      const after = hasAfter ? places[two + size + i] - q : NaN;
      out[i] = h00 * p + h10 * slope(before, difference, after) + h01 * q + h11 * slope(after, difference, before);
    }
    return out;
  }

  /** Write the doubt in each item at a view, (item,), from 0 to 1. */
  function doubtAt({ from, to, between }, out) {
    if (!trust) return out.fill(0);
    for (let i = 0; i < n; i += 1) {
      const before = trust[from * n + i];
      out[i] = 1 - (before + (between ? (trust[to * n + i] - before) * between : 0)) / 255;
    }
    return out;
  }

  return { nSteps, n, axes, half, radius: Math.sqrt(radius) || 1, hasDoubt: Boolean(trust?.some((share) => share < 255)), at, doubtAt };
}

/** Compute the slope of a monotone cubic (Fritsch & Carlson 1980) from the differences on both sides, one of which is NaN at an end. */
function slope(before, difference, beyond) {
  if (before === before) return before * difference > 0 ? (2 * before * difference) / (before + difference) : 0;
  if (beyond !== beyond) return difference;
  const end = (3 * difference - beyond) / 2;
  if (end * difference <= 0) return 0;
  return beyond * difference < 0 && Math.abs(end) > 3 * Math.abs(difference) ? 3 * difference : end;
}
