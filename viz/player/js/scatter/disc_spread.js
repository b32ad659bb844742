// Discs that would hide each other's letters are moved apart by a little, with a line to their place; as in the films.

const NEAREST = 0.96; // how near two discs may come, in sums of their radii
const LONGEST_PUSH = 0.35; // how far a disc moves in a round at most, in radii
const FARTHEST = 2.6; // and in all: farther off a disc would no longer show where its point is
const ROUNDS = 60;
const LEGIBLE_PX = 8; // radius of a disc whose letter is easily read
const LEAST_SHARE = 0.72; // of the usual radius, that of crowded discs
const MANY_DISCS = 150; // fewer rounds for more
export const MOST_SPREAD = 400; // discs; of more, hardly any carries its letter inside
const LEADER_FROM = 0.6; // radii, from which on a moved disc has a line to its place

/**
 * Compute how far each disc is moved, in pixels: `{ x, y }`, so that no disc hides another's letter where that can be.
 *
 * `seen` are the places in pixels, `radius` that of all discs. Moves do not depend on where the picture is panned.
 */
export function spreadDiscs(seen, n, radius) {
  const x = Float32Array.from(seen.x.subarray(0, n), (place, i) => place + 0.1 * Math.cos(2.4 * i)); // items at one place have directions
  const y = Float32Array.from(seen.y.subarray(0, n), (place, i) => place + 0.1 * Math.sin(2.4 * i));
  const least = 2 * NEAREST * radius;
  const push = { x: new Float32Array(n), y: new Float32Array(n) };
  for (let round = 0; round < (n > MANY_DISCS ? ROUNDS / 2 : ROUNDS); round += 1) {
    if (!pushApart(x, y, n, least, push)) break;
    for (let i = 0; i < n; i += 1) {
      const length = Math.hypot(push.x[i], push.y[i]);
      if (!(length > 0)) continue;
      const share = Math.min(1, (LONGEST_PUSH * radius) / length);
      x[i] += push.x[i] * share;
      y[i] += push.y[i] * share;
      hold(x, y, seen, i, FARTHEST * radius);
    }
  }
  const moved = { x: new Float32Array(n), y: new Float32Array(n) };
  for (let i = 0; i < n; i += 1) {
    const [dx, dy] = [x[i] - seen.x[i], y[i] - seen.y[i]];
    if (Math.hypot(dx, dy) < 0.25) continue; // the jitter
    moved.x[i] = dx;
    moved.y[i] = dy;
  }
  return moved;
}

/** Write the pushes of all overlapping pairs; false if there are none. */
function pushApart(x, y, n, least, push) {
  push.x.fill(0);
  push.y.fill(0);
  let isCrowded = false;
  for (let i = 0; i < n; i += 1) {
    for (let j = i + 1; j < n; j += 1) {
      const dx = x[i] - x[j];
      if (!(dx < least && dx > -least)) continue;
      const dy = y[i] - y[j];
      const distance = Math.hypot(dx, dy);
      if (!(distance < least)) continue;
      const missing = least - distance;
      if (missing > 0.02 * least) isCrowded = true;
      const share = (0.35 * missing) / Math.max(distance, 1e-6);
      push.x[i] += dx * share;
      push.y[i] += dy * share;
      push.x[j] -= dx * share;
      push.y[j] -= dy * share;
    }
  }
  return isCrowded;
}

/** Keep a disc within a distance of its place. */
function hold(x, y, seen, i, most) {
  const [dx, dy] = [x[i] - seen.x[i], y[i] - seen.y[i]];
  const distance = Math.hypot(dx, dy);
  if (distance <= most) return;
  x[i] = seen.x[i] + (dx * most) / distance;
  y[i] = seen.y[i] + (dy * most) / distance;
}

/**
 * Make the spread of a plot: radius and moves are computed once for a snapshot at a magnification, and interpolated between snapshots.
 * `project(index)` are the places at a snapshot.
 */
export function makeSpread(project) {
  let key = "";
  let byIndex = new Map();

  function at(index, n, usual) {
    if (!byIndex.has(index)) {
      const places = project(index);
      const radius = crowdedRadius(places, n, usual);
      byIndex.set(index, { radius, ...spreadDiscs(places, n, radius) });
    }
    return byIndex.get(index);
  }

  return {
    /**
     * Move discs apart at a view. `usual` is their radius where they are not crowded, and `now` a text that changes with the magnification.
     * Returns the radius and the moves, which are null if none was made.
     */
    apply(view, seen, n, usual, now, frame) {
      if (now !== key) [key, byIndex] = [now, new Map()];
      const before = at(view.from, n, usual);
      const after = view.between ? at(view.to, n, usual) : before;
      const radius = before.radius + (after.radius - before.radius) * view.between;
      const moved = { x: new Float32Array(n), y: new Float32Array(n) };
      let isMoved = false;
      for (let i = 0; i < n; i += 1) {
        moved.x[i] = within(seen.x[i], before.x[i] + (after.x[i] - before.x[i]) * view.between || 0, radius, frame.width);
        moved.y[i] = within(seen.y[i], before.y[i] + (after.y[i] - before.y[i]) * view.between || 0, radius, frame.height);
        seen.x[i] += moved.x[i];
        seen.y[i] += moved.y[i];
        isMoved ||= Math.hypot(moved.x[i], moved.y[i]) > LEADER_FROM * radius;
      }
      return { radius, moved: isMoved ? moved : null };
    },
  };
}

/** Shorten a move that would lead out of the panel, of a disc that is inside. */
function within(place, move, radius, size) {
  if (!(place > radius && place < size - radius)) return move;
  return Math.min(size - radius, Math.max(radius, place + move)) - place;
}

/** Whether a disc was moved so far that it has a line to its place. */
export function isMovedFar(moved, i, radius) {
  return moved !== null && Math.hypot(moved.x[i], moved.y[i]) > LEADER_FROM * radius;
}

/** Draw lines from moved discs to their places, which are dots. */
export function drawLeaders(context, seen, moved, n, radius, theme) {
  context.strokeStyle = theme.muted;
  context.fillStyle = theme.muted;
  context.lineWidth = 1;
  for (let i = 0; i < n; i += 1) {
    if (!isMovedFar(moved, i, radius)) continue;
    const [x, y] = [seen.x[i] - moved.x[i], seen.y[i] - moved.y[i]];
    context.beginPath();
    context.moveTo(seen.x[i], seen.y[i]);
    context.lineTo(x, y);
    context.stroke();
    context.beginPath();
    context.arc(x, y, 1.8, 0, 2 * Math.PI);
    context.fill();
  }
}

/** Choose a smaller radius where discs are crowded, so that half of them have room where they are; letters stay legible. */
function crowdedRadius(seen, n, radius) {
  const nearest = new Float32Array(n).fill(Infinity);
  for (let i = 0; i < n; i += 1) {
    for (let j = i + 1; j < n; j += 1) {
      const square = (seen.x[i] - seen.x[j]) ** 2 + (seen.y[i] - seen.y[j]) ** 2;
      if (square < nearest[i]) nearest[i] = square;
      if (square < nearest[j]) nearest[j] = square;
    }
  }
  const known = nearest.filter((square) => square < Infinity).sort();
  if (!known.length) return radius;
  const least = Math.min(radius, Math.max(LEGIBLE_PX, LEAST_SHARE * radius));
  return Math.min(radius, Math.max(least, Math.sqrt(known[known.length >> 1]) / (2 * NEAREST)));
}
