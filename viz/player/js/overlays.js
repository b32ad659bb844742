// Lines between and behind the points: thread, trails, lines to neighbours, rings and the box of three dimensions.

import { tracePath, withAlpha } from "./drawing.js";

const TRAIL_SNAPSHOTS = 6;
const SEGMENTS_PER_SNAPSHOT = 4; // of the trails of few points; those of many points are straight
const MANY_TRAILS = 60;
const MOST_TRAILS = 1500; // of more, each would be too faint to see

/** Draw a thin line through the points in their order. */
export function drawThread(context, seen, n, theme) {
  tracePath(context, n, (i) => seen.x[i], (i) => seen.y[i]);
  context.strokeStyle = theme.line;
  context.lineWidth = 2.5;
  context.lineJoin = "round";
  context.stroke();
}

/** Draw the trails of highlighted points, which fade towards the past. */
export function drawTrails(context, groups, { cloud, camera, frame, view }) {
  const count = groups.reduce((sum, group) => sum + group.members.length, 0);
  const now = view.from + (view.to - view.from) * view.between;
  const first = Math.max(0, now - TRAIL_SNAPSHOTS);
  if (!count || count > MOST_TRAILS || now <= first) return;
  const segments = Math.max(1, Math.ceil((now - first) * (count > MANY_TRAILS ? 1 : SEGMENTS_PER_SNAPSHOT)));
  const places = new Float32Array(cloud.n * cloud.axes);
  const projected = [];
  for (let segment = 0; segment <= segments; segment += 1) {
    const time = first + ((now - first) * segment) / segments;
    const from = Math.min(Math.floor(time), cloud.nSteps - 1);
    cloud.at({ from, to: Math.min(from + 1, cloud.nSteps - 1), between: time - from }, places);
    const seen = { x: new Float32Array(cloud.n), y: new Float32Array(cloud.n), near: new Float32Array(cloud.n) };
    projected.push(camera.project(cloud, places, frame, seen));
  }
  const strongest = 0.75 * Math.min(1, Math.sqrt(4 / count)); // many opaque trails would hide the points
  context.lineWidth = 3;
  for (const group of groups) {
    for (let segment = 0; segment < segments; segment += 1) {
      context.strokeStyle = withAlpha(group.color, 0.04 + (strongest - 0.04) * ((segment + 1) / segments));
      context.beginPath();
      for (const i of group.members) {
        context.moveTo(projected[segment].x[i], projected[segment].y[i]);
        context.lineTo(projected[segment + 1].x[i], projected[segment + 1].y[i]);
      }
      context.stroke();
    }
  }
}

/** Draw thin lines from a point to its neighbours in the space; long ones show that the layout separates them. */
export function drawNeighbourLines(context, seen, item, neighbours, theme) {
  context.strokeStyle = withAlpha(theme.text, 0.55);
  context.lineWidth = 1.25;
  context.beginPath();
  for (const other of neighbours) {
    context.moveTo(seen.x[item], seen.y[item]);
    context.lineTo(seen.x[other], seen.y[other]);
  }
  context.stroke();
}

/** Draw a ring around a point. */
export function drawRing(context, seen, item, radius, color, width) {
  context.strokeStyle = color;
  context.lineWidth = width;
  context.beginPath();
  context.arc(seen.x[item], seen.y[item], radius, 0, 2 * Math.PI);
  context.stroke();
}

/** Ring what is marked: items in a lasso, up to `most` found by the search, neighbours, and the items under the pointer and selected. */
export function drawRings(context, { seen, radiusOf, theme }, { lassoed, found, neighbours, focus, focusRadius, selected }, most) {
  if (lassoed.length <= most) for (const i of lassoed) drawRing(context, seen, i, radiusOf(i) + 2, theme.accent, 2);
  for (const i of found.slice(0, most)) drawRing(context, seen, i, radiusOf(i) + 2.5, theme.text, 1.5);
  for (const i of neighbours) drawRing(context, seen, i, radiusOf(i) + 2, theme.text, 1.5);
  if (focus !== null) drawRing(context, seen, focus, focusRadius + 2, theme.text, 3);
  if (selected !== null && selected !== focus) drawRing(context, seen, selected, radiusOf(selected) + 3, theme.text, 3);
}

/** Draw the far walls of the bounding box of a three-dimensional cloud, which make its rotation visible. */
export function drawBox(context, cloud, camera, frame, theme) {
  const [a, b, c] = cloud.half;
  const corners = Float32Array.from([0, 1, 2, 3, 4, 5, 6, 7].flatMap((i) => [i & 1 ? a : -a, i & 2 ? b : -b, i & 4 ? c : -c]));
  const seen = camera.project(cloud, corners, frame, { x: new Float32Array(8), y: new Float32Array(8), near: new Float32Array(8) });
  context.beginPath();
  for (const bit of [1, 2, 4]) {
    const sides = [0, bit].map((on) => [0, 1, 2, 3, 4, 5, 6, 7].filter((i) => (i & bit) === on));
    const nearness = sides.map((side) => side.reduce((sum, i) => sum + seen.near[i], 0));
    const wall = nearness[0] < nearness[1] ? sides[0] : sides[1];
    for (const [i, j] of [[0, 1], [1, 3], [3, 2], [2, 0]]) {
      context.moveTo(seen.x[wall[i]], seen.y[wall[i]]);
      context.lineTo(seen.x[wall[j]], seen.y[wall[j]]);
    }
  }
  context.strokeStyle = theme.line;
  context.lineWidth = 1;
  context.stroke();
}
