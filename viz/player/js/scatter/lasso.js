// The lasso: which points are inside a freehand line.

const MIN_CORNERS = 3;

/** Find the items inside a polygon of `{ x, y }`, in pixels. */
export function inside(polygon, seen, n) {
  if (polygon.length < MIN_CORNERS) return [];
  const found = [];
  for (let i = 0; i < n; i += 1) if (contains(polygon, seen.x[i], seen.y[i])) found.push(i);
  return found;
}

/** Draw the line, closed by a dashed one from its end to its start. */
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

/** Test a point: a ray from it to the right crosses the outline an odd number of times. */
function contains(polygon, x, y) {
  let odd = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i, i += 1) {
    const [a, b] = [polygon[i], polygon[j]];
    if (a.y > y !== b.y > y && x < ((b.x - a.x) * (y - a.y)) / (b.y - a.y) + a.x) odd = !odd;
  }
  return odd;
}
