// A lasso: the points inside a line drawn by hand.

const FEWEST_CORNERS = 3;

/** Return the items that stand inside a polygon of `{ x, y }`, in pixels; a line that encloses nothing holds none. */
export function inside(polygon, seen, n) {
  if (polygon.length < FEWEST_CORNERS) return [];
  const found = [];
  for (let i = 0; i < n; i += 1) if (holds(polygon, seen.x[i], seen.y[i])) found.push(i);
  return found;
}

/** Draw the line, closed by a dashed one from its end to its beginning. */
export function drawLasso(context, polygon, theme) {
  if (polygon.length < 2) return;
  context.beginPath();
  polygon.forEach(({ x, y }, i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.fillStyle = `${theme.accent}1F`;
  context.fill();
  context.strokeStyle = theme.accent;
  context.lineWidth = 2;
  context.lineJoin = "round";
  context.stroke();
  const [first, last] = [polygon[0], polygon[polygon.length - 1]];
  context.setLineDash([4, 4]);
  context.beginPath();
  context.moveTo(last.x, last.y);
  context.lineTo(first.x, first.y);
  context.stroke();
  context.setLineDash([]);
}

/** Say whether a ray from the point to the right crosses the outline an odd number of times. */
function holds(polygon, x, y) {
  let odd = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i, i += 1) {
    const [a, b] = [polygon[i], polygon[j]];
    if (a.y > y !== b.y > y && x < ((b.x - a.x) * (y - a.y)) / (b.y - a.y) + a.x) odd = !odd;
  }
  return odd;
}
