// Points that move with the slider: discs in the colours of their groups, their trails, and the neighbours they have in the full space.

import { gestures, makeCamera } from "./camera.js";
import { cloudOf } from "./cloud.js";
import { discsIn, radiusFor } from "./discs.js";
import { canvasIn, element, unpack } from "./drawing.js";
import { drawLasso, inside } from "./lasso.js";
import { around, letter, LETTER_PX } from "./lettering.js";
import { furniture } from "./scatter_legend.js";
import { PANELS } from "./player.js";
import { drawCage, drawThread, drawTrails, drawWays, ring } from "./traces.js";

const MARGIN_RADII = 1.6; // free space at the edges
const HIT_PX = 10; // a pointer this near a disc is at it
const PIXELS_A_LABEL = 8500; // of the picture, for each label beside a point
const MOST_MARKED = 400; // of what is searched for
const NOBODY = -1;
const SETTLED_MS = 140; // labels are chosen anew when the camera has rested so long

// Clouds that stand on one stage point at the same item together, and know the neighbours that another panel holds of it.
const companies = new WeakMap();

function companyOf(stage) {
  if (!companies.has(stage)) companies.set(stage, { clouds: new Set(), near: null });
  return companies.get(stage);
}

/** Choose an item in the clouds of a stage. */
export function choose(stage, item) {
  for (const cloud of companyOf(stage).clouds) cloud.pick(item);
}

/** Lend the clouds of a stage the neighbours of an item: `near(item, step)` gives them, or null for another one. */
export function lend(stage, item, near) {
  companyOf(stage).near = near;
  for (const cloud of companyOf(stage).clouds) cloud.adopt(item);
}

PANELS.scatter = (host, stage) => {
  const parts = furniture(host, {
    reset() {
      camera.reset();
      moved(true);
    },
    zoom(factor) {
      camera.zoomBy(factor, frame);
      moved();
    },
    lasso: (on) => parts.area.classList.toggle("lassoing", on),
    trails: () => again(),
    search(text, take) {
      found = text ? matching(text) : [];
      if (take && found.length) pick(found[0]);
      rests += 1;
      again();
      return found.length;
    },
    highlight() {
      stage.trigger("selected", { panel: panel.id, items: lassoed });
      drop();
    },
    drop: () => drop(),
    emphasise(group) {
      emphasised = group && new Set(group.members);
      again();
    },
    escape() {
      drop();
      if (picked !== null) pick(null);
      hover(null);
    },
    toNext: (dx, dy) => hover(nextTowards(dx, dy)),
    take: () => hovered !== null && pick(hovered),
  });
  const picture = canvasIn(parts.area, "");
  const camera = makeCamera();
  let panel = null;
  let cloud = null;
  let near = null;
  let frame = { width: 1, height: 1, fit: 1, reach: 1 };
  let view = null;
  let shown = ""; // what the camera was set up for
  let places = null; // (item, axis) at the view
  let strengths = null;
  let seen = null; // where the items stand, in pixels
  let radius = 6;
  let order = null; // items, those to be painted last at the end
  let members = []; // of highlighted groups
  let hovered = null;
  let picked = null;
  let hasPicked = false;
  let asked = null; // the stage's, when the reader could last choose
  let lassoed = [];
  let polygon = null;
  let found = []; // what the search found
  let emphasised = null; // the group whose legend entry is pointed at
  let discs = null;
  let dressed = "";
  let lettered = { at: "", byIndex: new Map() }; // labels beside points by snapshot
  let rests = 0; // how often the camera has come to rest
  let widths = new Map();
  let waiting = 0;
  let request = 0;
  let destroyed = false;

  // For tests: where the items stand, in pixels of the window.
  parts.area.places = () => {
    const box = parts.area.getBoundingClientRect();
    return panel.labels.map((label, i) => [label, box.left + seen.x[i], box.top + seen.y[i]]);
  };
  gestures(parts.area, {
    camera,
    frame: () => frame,
    isSpace: () => cloud?.axes === 3,
    draws: (event) => event.shiftKey || parts.area.classList.contains("lassoing"),
    drew(points, done) {
      polygon = done ? null : points;
      if (done) {
        lassoed = inside(points, seen, cloud.n);
        parts.offer(lassoed.length, points.length > 2);
      }
      again();
    },
    clicked(x, y) {
      const item = itemAt(x, y);
      if (item === null && lassoed.length) drop();
      pick(item === picked ? null : item);
    },
    hovered: (x, y) => hover(x === null ? null : itemAt(x, y)),
    moved,
  });
  document.fonts?.ready.then(() => {
    if (destroyed) return;
    discs?.forget();
    widths = new Map();
    rests += 1;
    if (view) again();
  });

  function update(next) {
    const subject = `${next.title} ${next.layout.shape.slice(1)}`;
    if (subject !== shown) {
      camera.reset();
      parts.moving(false);
      hovered = null;
      drop();
      found = [];
      shown = subject;
    }
    if (stage.asked !== asked) {
      hasPicked = false;
      picked = null;
      asked = stage.asked;
    }
    const same = (item) => item !== null && panel.labels[item] === next.labels[item];
    if (picked !== null && !same(picked)) pick(null);
    panel = next;
    cloud = cloudOf(next);
    near = next.neighbours ? unpack(next.neighbours) : null;
    places = new Float32Array(cloud.n * cloud.axes);
    strengths = new Float32Array(cloud.n);
    seen = { x: new Float32Array(cloud.n), y: new Float32Array(cloud.n), near: new Float32Array(cloud.n) };
    members = [...new Set(next.groups.flatMap((group) => group.members))];
    const last = new Set(members);
    order = Uint32Array.from([...Array(cloud.n).keys()].sort((a, b) => last.has(a) - last.has(b)));
    sample = null;
    widths = new Map();
    rests += 1;
    parts.update(next, stage.theme, cloud);
    picture.canvas.setAttribute("aria-label", `${next.title}: ${cloud.n}`);
  }

  /** Paint this panel alone, at the view it has. */
  function again() {
    if (!request)
      request = requestAnimationFrame(() => {
        request = 0;
        if (view && !destroyed) paint(view);
      });
  }

  function moved(atOnce = false) {
    clearTimeout(waiting);
    parts.moving(!camera.isHome);
    if (atOnce) rests += 1;
    else
      waiting = setTimeout(() => {
        rests += 1;
        again();
      }, SETTLED_MS);
    again();
  }

  function paint(next) {
    view = next;
    const begun = picture.begin();
    const { context, width, height } = begun;
    if (width < 2 || height < 2) return;
    dress();
    radius = radiusFor(cloud.n, width, height);
    frame = camera.frame(cloud, width, height, MARGIN_RADII * radius + 2);
    radius *= Math.max(1, camera.zoom) ** (cloud.n > 600 ? 0.5 : 0.35);
    radius = Math.min(radius, 26);
    cloud.at(view, places);
    cloud.strength(view, strengths);
    camera.project(cloud, places, frame, seen);
    if (cloud.axes === 3) {
      drawCage(context, cloud, camera, frame, stage.theme);
      order.sort((a, b) => seen.near[a] - seen.near[b]);
    }
    context.textAlign = "center";
    context.textBaseline = "alphabetic";
    if (panel.thread) drawThread(context, seen, cloud.n, stage.theme);
    if (parts.hasTrails()) drawTrails(context, panel.groups, { cloud, camera, frame, view, strengths });
    const focus = hovered ?? picked;
    const close = focus === null ? [] : neighboursOf(focus);
    if (focus !== null) drawWays(context, seen, focus, close, stage.theme);
    paintDiscs(context, width, height);
    paintLabels(context, width, height, focus, close);
    paintMarks(context, focus, close);
    if (polygon) drawLasso(context, polygon, stage.theme);
    parts.tip(hovered === null ? null : tipOf(hovered, close), frame);
  }

  function dress() {
    if (dressed === stage.theme.name) return;
    dressed = stage.theme.name;
    discs = discsIn(stage.theme);
  }

  const radiusOf = (i) => radius * seen.near[i];

  function paintDiscs(context, width, height) {
    for (const i of order) {
      const [x, y, r] = [seen.x[i], seen.y[i], radiusOf(i)];
      if (!(x > -r && x < width + r && y > -r && y < height + r)) continue;
      const strength = emphasised && !emphasised.has(i) ? Math.min(strengths[i], 0.3) : strengths[i];
      if (discs.isInside(panel.labels[i], r)) discs.labelled(context, x, y, r, panel.colors[i], strength, panel.labels[i]);
      else discs.plain(context, x, y, r, panel.colors[i], strength);
    }
  }

  function paintMarks(context, focus, close) {
    const { theme } = stage;
    for (const i of lassoed) ring(context, seen, i, radiusOf(i) + 2, theme.accent, 2);
    for (const i of found.slice(0, MOST_MARKED)) ring(context, seen, i, radiusOf(i) + 2.5, theme.text, 1.5);
    for (const i of close) ring(context, seen, i, radiusOf(i) + 2, theme.text, 1.5);
    if (focus !== null) ring(context, seen, focus, radiusOf(focus) + 3, theme.text, 3);
    if (picked !== null && picked !== focus) ring(context, seen, picked, radiusOf(picked) + 3, theme.text, 3);
  }

  // --- labels beside points

  let sample = null; // all items in an order that mixes them, the same at every step

  function mixed() {
    if (!sample) {
      const rank = (i) => Math.imul(i + 1, 0x9e3779b1) >>> 0;
      sample = [...Array(cloud.n).keys()].sort((a, b) => rank(a) - rank(b));
    }
    return sample;
  }

  function widthOf(context, i) {
    if (!widths.has(i)) {
      context.font = `500 ${LETTER_PX}px ${stage.theme.font}`;
      widths.set(i, context.measureText(panel.labels[i]).width);
    }
    return widths.get(i);
  }

  /** Choose the labels at a snapshot, standing where its points stand. */
  function lettersAt(context, index, width, height) {
    const still = { x: new Float32Array(cloud.n), y: new Float32Array(cloud.n), near: new Float32Array(cloud.n) };
    camera.project(cloud, cloud.at({ from: index, to: index, between: 0 }, new Float32Array(places.length)), frame, still);
    const outside = (i) => !discs.isInside(panel.labels[i], radius * still.near[i]);
    const first = [...(picked === null ? [] : [picked]), ...found.slice(0, MOST_MARKED), ...members];
    return letter({
      wanted: [...first, ...mixed()].filter(outside),
      seen: still,
      width: (i) => widthOf(context, i),
      radius: (i) => radius * still.near[i],
      kept: members.length > MOST_MARKED ? [] : members,
      most: Math.max(12, (width * height) / PIXELS_A_LABEL),
      room: { width, height },
    });
  }

  /** Return the labels at a snapshot, chosen once while the camera rests. */
  function letters(context, index, width, height) {
    const at = `${width} ${height} ${picked} ${found.length} ${rests}`;
    if (at !== lettered.at) lettered = { at, byIndex: new Map() };
    if (!lettered.byIndex.has(index)) lettered.byIndex.set(index, lettersAt(context, index, width, height));
    return lettered.byIndex.get(index);
  }

  function paintLabels(context, width, height, focus, close) {
    const before = letters(context, view.from, width, height);
    const after = view.between ? letters(context, view.to, width, height) : before;
    context.font = `500 ${LETTER_PX}px ${stage.theme.font}`;
    context.textBaseline = "middle";
    context.textAlign = "left";
    const pointed = new Set(focus === null ? [] : [focus, ...close]);
    const t = view.between;
    for (const [i, side] of before) if (!pointed.has(i)) write(context, i, side, after.get(i) === side ? 1 : 1 - t);
    if (t) for (const [i, side] of after) if (!pointed.has(i) && before.get(i) !== side) write(context, i, side, t);
    for (const i of pointed) if (!discs.isInside(panel.labels[i], radiusOf(i))) write(context, i, before.get(i) ?? 0, 1, true);
  }

  function write(context, i, side, alpha, bold = false) {
    const { theme } = stage;
    const { left, top, bottom } = around(seen.x[i], seen.y[i], radiusOf(i) + (bold ? 3 : 0), widthOf(context, i), side);
    context.font = bold ? `700 ${LETTER_PX + 0.5}px ${theme.font}` : `500 ${LETTER_PX}px ${theme.font}`;
    context.globalAlpha = alpha * (emphasised && !emphasised.has(i) ? 0.25 : 1);
    context.lineJoin = "round";
    context.lineWidth = 3;
    context.strokeStyle = theme.panel;
    context.strokeText(panel.labels[i], left, (top + bottom) / 2);
    context.fillStyle = theme.text;
    context.fillText(panel.labels[i], left, (top + bottom) / 2);
    context.globalAlpha = 1;
  }

  // --- what the reader points at

  function itemAt(x, y) {
    if (!seen) return null;
    let best = null;
    let least = Infinity;
    for (let i = 0; i < cloud.n; i += 1) {
      const r = radiusOf(i);
      const far = Math.hypot(seen.x[i] - x, seen.y[i] - y) - r;
      // Of discs that lie over each other the nearer one is meant, else the one whose middle is nearest.
      if (far < Math.max(2, HIT_PX - r) && far + (cloud.axes === 3 ? -4 * seen.near[i] : 0) < least) {
        least = far + (cloud.axes === 3 ? -4 * seen.near[i] : 0);
        best = i;
      }
    }
    return best;
  }

  function hover(item) {
    if (item === hovered) return;
    hovered = item;
    parts.area.style.cursor = item === null ? "" : "pointer";
    again();
    for (const other of companyOf(stage).clouds) if (other !== self) other.point(item === null ? null : panel.labels[item]);
  }

  function pick(item) {
    hasPicked = true;
    picked = item;
    parts.say(item === null ? "" : spoken(item));
    stage.send("item", { item: item ?? NOBODY, asked: stage.asked });
    again();
  }

  // What panels on the same stage do with this one.
  const self = {
    /** Take over the item that the page knows to be chosen, if the reader has not chosen here yet. */
    adopt(item) {
      if (!hasPicked && item !== null) picked = item;
      if (view) again();
    },
    pick: (item) => pick(item < cloud.n ? item : null),
    point(label) {
      const item = label === null ? -1 : panel.labels[hovered] === label ? hovered : panel.labels.indexOf(label);
      hovered = item < 0 ? null : item;
      if (view) again();
    },
  };
  companyOf(stage).clouds.add(self);

  function drop() {
    lassoed = [];
    polygon = null;
    parts.offer(0, false);
    if (view) again();
  }

  /** Return the item nearest to the hovered one in a direction of the picture, for the keys. */
  function nextTowards(dx, dy) {
    const from = hovered ?? picked;
    const [x, y] = from === null ? [frame.width / 2, frame.height / 2] : [seen.x[from], seen.y[from]];
    let best = from;
    let least = Infinity;
    for (let i = 0; i < cloud.n; i += 1) {
      if (i === from) continue;
      const along = (seen.x[i] - x) * dx + (seen.y[i] - y) * dy;
      const aside = Math.abs((seen.x[i] - x) * dy - (seen.y[i] - y) * dx);
      if (from !== null && (along < 2 || aside > along)) continue;
      const far = from === null ? Math.hypot(along, aside) : along + 2 * aside;
      if (far < least) [least, best] = [far, i];
    }
    return best;
  }

  function matching(text) {
    const wanted = text.toLowerCase();
    const of = (i) => [panel.labels[i].toLowerCase(), panel.names[i].toLowerCase()];
    const rank = (i) => {
      if (panel.labels[i] === text || panel.names[i] === text) return 0;
      const [label, name] = of(i);
      if (label === wanted || name === wanted || label === `␣${wanted}`) return 1;
      if (label.startsWith(wanted) || label.startsWith(`␣${wanted}`)) return 2;
      return label.includes(wanted) || name.includes(wanted) ? 3 : 9;
    };
    return [...Array(cloud.n).keys()]
      .map((i) => [rank(i), i])
      .filter(([r]) => r < 9)
      .sort(([a, i], [b, j]) => a - b || i - j)
      .map(([, i]) => i);
  }

  function neighboursOf(item) {
    const lent = companyOf(stage).near?.(item, view.step);
    if (lent) return lent;
    if (!near) return [];
    const [, n, k] = near.shape;
    const start = (view.index * n + item) * k;
    return Array.from(near.subarray(start, start + k));
  }

  function tipOf(item, close) {
    return { x: seen.x[item], y: seen.y[item], radius: radiusOf(item), name: panel.names[item], color: panel.colors[item], close: close.map((i) => panel.names[i]) };
  }

  function spoken(item) {
    const close = view ? neighboursOf(item) : [];
    return close.length ? `${panel.names[item]}: ${panel.words.nearest} ${close.map((i) => panel.names[i]).join(", ")}` : panel.names[item];
  }

  return {
    update,
    paint,
    destroy() {
      destroyed = true;
      companyOf(stage).clouds.delete(self);
      clearTimeout(waiting);
      cancelAnimationFrame(request);
    },
  };
};
