// Finding items of a scatter plot: by text, under the pointer, and in a direction.

const HIT_PX = 10; // a disc is hit by a pointer this near

/** Find the items whose label or name matches a text, best matches first: exact label, exact name, prefix, containing; equal case first. */
export function findByText({ labels, names }, text) {
  const query = text.toLowerCase();
  const isLetter = [...text].length === 1; // hardly a name is without any given letter
  const rank = (i) => {
    if (labels[i] === text) return 0;
    if (names[i] === text) return 1;
    const [label, name] = [labels[i].toLowerCase(), names[i].toLowerCase()];
    if (label === query) return 2;
    if (name === query) return 3;
    if (label === `␣${query}`) return 4;
    if (label.startsWith(query) || label.startsWith(`␣${query}`)) return labels[i].includes(text) ? 5 : 6;
    if (name.startsWith(query) && !isLetter) return 7;
    if (label.includes(query)) return 8;
    return !isLetter && name.includes(query) ? 9 : Infinity;
  };
  const found = [];
  for (let i = 0; i < labels.length; i += 1) {
    const r = rank(i);
    if (r < Infinity) found.push([r, i]);
  }
  return found.sort(([a, i], [b, j]) => a - b || i - j).map(([, i]) => i);
}

/** Find the item at a pixel, or null. Of overlapping discs it is the nearer one, or in two dimensions that with the nearest centre. */
export function findAt(seen, n, radiusOf, isSpace, x, y) {
  let best = null;
  let smallest = Infinity;
  for (let i = 0; i < n; i += 1) {
    const radius = radiusOf(i);
    const distance = Math.hypot(seen.x[i] - x, seen.y[i] - y) - radius;
    const rank = distance + (isSpace ? -4 * seen.near[i] : 0);
    if (distance < Math.max(2, HIT_PX - radius) && rank < smallest) [smallest, best] = [rank, i];
  }
  return best;
}

/** Find the nearest item in a direction of the canvas from an item, or from a place if `from` is null. */
export function findTowards(seen, n, from, place, dx, dy) {
  const [x, y] = from === null ? place : [seen.x[from], seen.y[from]];
  let best = from;
  let smallest = Infinity;
  for (let i = 0; i < n; i += 1) {
    if (i === from) continue;
    const along = (seen.x[i] - x) * dx + (seen.y[i] - y) * dy;
    const aside = Math.abs((seen.x[i] - x) * dy - (seen.y[i] - y) * dx);
    if (from !== null && (along < 2 || aside > along)) continue;
    const distance = from === null ? Math.hypot(along, aside) : along + 2 * aside;
    if (distance < smallest) [smallest, best] = [distance, i];
  }
  return best;
}
