// What lies between and behind the points: the line through them in their order, the way they have come, the ways to their neighbours.

import { withAlpha } from "./drawing.js";

const TRAIL_SNAPSHOTS = 6;
const BENDS_A_SNAPSHOT = 4; // of a trail that few points leave; many points leave straight ones
const MANY_TRAILS = 60;
const SHARES = 3; // degrees of belief that trails are told apart by

/** Draw a thin line through the points in their order, so that the eye sees whether they lie as a line. */
export function drawThread(context, seen, n, theme) {
  context.beginPath();
  let drawing = false;
  for (let i = 0; i < n; i += 1) {
    const isThere = seen.x[i] === seen.x[i];
    if (isThere && drawing) context.lineTo(seen.x[i], seen.y[i]);
    else if (isThere) context.moveTo(seen.x[i], seen.y[i]);
    drawing = isThere;
  }
  context.strokeStyle = theme.line;
  context.lineWidth = 2.5;
  context.lineJoin = "round";
  context.stroke();
}

/** Draw the way that highlighted points have come: lines that fade towards the past. */
export function drawTrails(context, groups, { cloud, camera, frame, view, strengths }) {
  const count = groups.reduce((sum, group) => sum + group.members.length, 0);
  const now = view.from + (view.to - view.from) * view.between;
  const first = Math.max(0, now - TRAIL_SNAPSHOTS);
  if (!count || now <= first) return;
  const bends = Math.max(1, Math.ceil((now - first) * (count > MANY_TRAILS ? 1 : BENDS_A_SNAPSHOT)));
  const places = new Float32Array(cloud.n * cloud.axes);
  const ways = [];
  for (let bend = 0; bend <= bends; bend += 1) {
    const time = first + ((now - first) * bend) / bends;
    const from = Math.min(Math.floor(time), cloud.nSteps - 1);
    cloud.at({ from, to: Math.min(from + 1, cloud.nSteps - 1), between: time - from }, places);
    const seen = { x: new Float32Array(cloud.n), y: new Float32Array(cloud.n), near: new Float32Array(cloud.n) };
    ways.push(camera.project(cloud, places, frame, seen));
  }
  const strongest = 0.75 * Math.min(1, Math.sqrt(4 / count)); // many trails would hide what they lead to
  context.lineWidth = 3;
  for (const group of groups) {
    for (let share = 1; share <= SHARES; share += 1) {
      const members = group.members.filter((i) => Math.max(1, Math.ceil(strengths[i] * SHARES)) === share);
      if (!members.length) continue;
      for (let bend = 0; bend < bends; bend += 1) {
        const alpha = (0.04 + (strongest - 0.04) * ((bend + 1) / bends)) * (share / SHARES);
        context.strokeStyle = withAlpha(group.color, alpha);
        context.beginPath();
        for (const i of members) {
          context.moveTo(ways[bend].x[i], ways[bend].y[i]);
          context.lineTo(ways[bend + 1].x[i], ways[bend + 1].y[i]);
        }
        context.stroke();
      }
    }
  }
}

/** Draw thin lines from a point to its neighbours in the space: where they are long, the picture has torn them apart. */
export function drawWays(context, seen, item, close, theme) {
  context.strokeStyle = withAlpha(theme.text, 0.55);
  context.lineWidth = 1.25;
  context.beginPath();
  for (const other of close) {
    context.moveTo(seen.x[item], seen.y[item]);
    context.lineTo(seen.x[other], seen.y[other]);
  }
  context.stroke();
}

/** Draw a ring around a point. */
export function ring(context, seen, item, radius, color, width) {
  context.strokeStyle = color;
  context.lineWidth = width;
  context.beginPath();
  context.arc(seen.x[item], seen.y[item], radius, 0, 2 * Math.PI);
  context.stroke();
}

/** Draw the far walls of the box that holds a three-dimensional cloud, so that the eye has something to turn. */
export function drawCage(context, cloud, camera, frame, theme) {
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
