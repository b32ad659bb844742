// Placement of labels beside points: as many as fit without overlap.

const CELL_PX = 80; // of the grid that finds overlaps
const PADDING_PX = { x: 7, y: 3 };
export const LABEL_PX = 12.5;

/**
 * Choose which items get a label, and on which side.
 *
 * `candidates` are items by priority; `seen` their places; `width(i)` of a label and `radius(i)` of a disc, in pixels; `uncovered` are discs
 * that no label may cover; `limit` is the largest number of labels. Returns a map of item to side: 0 right, 1 left, 2 above, 3 below.
 */
export function placeLabels({ candidates, seen, width, radius, uncovered, limit, room }) {
  const taken = new Map();
  const chosen = new Map();
  for (const i of uncovered) occupy(taken, { left: seen.x[i] - radius(i), right: seen.x[i] + radius(i), top: seen.y[i] - radius(i), bottom: seen.y[i] + radius(i) }, i);
  for (const i of candidates) {
    if (chosen.size >= limit) break;
    const [x, y] = [seen.x[i], seen.y[i]];
    if (!(x > -20 && y > -10 && x < room.width + 20 && y < room.height + 10) || chosen.has(i)) continue;
    const w = width(i);
    for (let side = 0; side < 4; side += 1) {
      const box = labelBox(x, y, radius(i), w, side);
      if (box.left < 1 || box.right > room.width - 1 || box.top < 0 || box.bottom > room.height) continue;
      const padded = { left: box.left - PADDING_PX.x, right: box.right + PADDING_PX.x, top: box.top - PADDING_PX.y, bottom: box.bottom + PADDING_PX.y };
      if (isTaken(taken, padded, i)) continue;
      occupy(taken, box, i);
      chosen.set(i, side);
      break;
    }
  }
  return chosen;
}

/** Compute the box of a label beside a point. */
export function labelBox(x, y, radius, width, side) {
  const [gap, half] = [radius + 3, LABEL_PX * 0.58];
  if (side === 0) return { left: x + gap, right: x + gap + width, top: y - half, bottom: y + half };
  if (side === 1) return { left: x - gap - width, right: x - gap, top: y - half, bottom: y + half };
  const top = side === 2 ? y - gap - 2 * half : y + gap;
  return { left: x - width / 2, right: x + width / 2, top, bottom: top + 2 * half };
}

function* cells({ left, right, top, bottom }) {
  for (let column = Math.floor(left / CELL_PX); column <= Math.floor(right / CELL_PX); column += 1)
    for (let row = Math.floor(top / CELL_PX); row <= Math.floor(bottom / CELL_PX); row += 1) yield column * 4096 + row;
}

function occupy(taken, box, owner) {
  for (const cell of cells(box)) {
    if (!taken.has(cell)) taken.set(cell, []);
    taken.get(cell).push({ ...box, owner });
  }
}

function isTaken(taken, box, owner) {
  for (const cell of cells(box))
    for (const other of taken.get(cell) ?? [])
      if (other.owner !== owner && other.left < box.right && other.right > box.left && other.top < box.bottom && other.bottom > box.top) return true;
  return false;
}
