// Points that move with the slider: discs in the colours of their groups, trails, and the neighbours in the full space.

import { makeCamera } from "./camera.js";
import { readCloud } from "./cloud.js";
import { drawLeaders, isMovedFar, makeSpread, MOST_SPREAD } from "./disc_spread.js";
import { makeDiscs, radiusFor } from "./discs.js";
import { addCanvas, boxOf, unpack } from "../drawing.js";
import { connectPointer } from "./gestures.js";
import { findAt, findByText, findTowards } from "./item_search.js";
import { paintingOrder, unpackItems } from "./item_texts.js";
import { drawLasso, inside } from "./lasso.js";
import { drawBox, drawNeighbourLines, drawRings, drawThread, drawTrails } from "../overlays.js";
import { PANELS } from "../player.js";
import { scatterControls } from "./scatter_controls.js";
import { makeLabels } from "./scatter_labels.js";
import { linksOf } from "./scatter_links.js";
import { makePoints } from "./scatter_points.js";

const MARGIN_RADII = 1.6; // free space at the edges
const MAX_RADIUS_PX = 26;
const MAX_MARKED = 400; // of the items that the search found
const NO_ITEM = -1;
const REST_MS = 140; // labels are placed again once the camera has rested so long
const NAME_MS = 600; // and the page learns of it, for the link

const emptyPlaces = (n) => ({ x: new Float32Array(n), y: new Float32Array(n), near: new Float32Array(n) });

PANELS.scatter = (host, player) => {
  const controls = scatterControls(host, player.hasActions, {
    reset() {
      camera.reset();
      cameraMoved(true);
    },
    fit() {
      camera.fitTo(cloud, places, frame, MARGIN_RADII * MAX_RADIUS_PX, emptyPlaces(cloud.n));
      cameraMoved(true);
    },
    zoom(factor) {
      camera.zoomBy(factor, frame);
      cameraMoved();
    },
    lasso: (on) => controls.area.classList.toggle("lassoing", on),
    trails: () => repaint(),
    search(text, select) {
      found = text ? findByText(panel, text) : [];
      if (select && found.length) selectItem(found[0]);
      rests += 1;
      repaint();
      return found.length;
    },
    highlight() {
      player.trigger("selected", { panel: panel.id, items: lassoed });
      dropLasso();
    },
    drop: () => dropLasso(),
    emphasise: (group) => emphasise(group),
    escape() {
      dropLasso();
      if (selected !== null) selectItem(null);
      hover(null);
    },
    toNext: (dx, dy) => hover(findTowards(seen, cloud.n, hovered ?? selected, [frame.width / 2, frame.height / 2], dx, dy)),
    select: () => hovered !== null && selectItem(hovered),
  });
  const points = makePoints(controls.area);
  const picture = addCanvas(controls.area, "");
  const camera = makeCamera();
  let panel = null;
  let cloud = null;
  let nearest = null; // (step, item, k), where the page sent the neighbours of all items
  let frame = { width: 1, height: 1, fit: 1, reach: 1 };
  let view = null;
  let cameraFor = ""; // the table for which the camera was set up, and the link that named it
  let naming = 0;
  let places = null; // (item, axis) at the view
  let doubt = null; // (item,) at the view
  let seen = null; // places of the items, in pixels
  let usual = 6; // radius of discs that are not crowded
  let radius = 6;
  let moved = null; // how far discs were moved apart, in pixels
  let order = null; // items in the order of painting
  let members = []; // of highlighted groups
  let isMember = new Set();
  let hovered = null;
  let selected = null;
  let hasSelected = false;
  let decision = null; // of the player, since when the reader could select
  let lassoed = [];
  let lassoSet = new Set();
  let polygon = null;
  let found = []; // by the search
  let emphasised = null; // the group whose legend entry is hovered
  let discs = null;
  let discsFor = ""; // the theme of `discs`
  let updates = 0;
  let rests = 0; // how often the camera has come to rest
  let resting = 0;
  let request = 0;
  let isDestroyed = false;

  const radiusOf = (i) => radius * seen.near[i];
  const labels = makeLabels({
    text: (i) => panel.labels[i],
    fitsInside: (i, r) => discs.fitsInside(panel.labels[i], r),
    project(index) {
      const at = projectAt(index);
      if (spreads()) spread.apply({ from: index, to: index, between: 0 }, at, cloud.n, usual, spreadKey(), frame);
      return at;
    },
  });
  const spread = makeSpread(projectAt);

  /** Project the places at a snapshot to pixels. */
  function projectAt(index) {
    return camera.project(cloud, cloud.at({ from: index, to: index, between: 0 }, new Float32Array(places.length)), frame, emptyPlaces(cloud.n));
  }

  /** Whether discs are moved apart: in two dimensions, where they carry letters. */
  const spreads = () => cloud.axes === 2 && cloud.n <= MOST_SPREAD && discs.fitsInside("i", usual);
  const spreadKey = () => `${updates} ${frame.width} ${frame.height} ${camera.zoom.toFixed(4)}`;

  // For tests: the places of the items, in pixels of the window.
  controls.area.places = () => {
    const { left, top, zoom } = boxOf(controls.area);
    return panel.labels.map((label, i) => [label, left + zoom * seen.x[i], top + zoom * seen.y[i]]);
  };
  connectPointer(controls.area, {
    camera,
    frame: () => frame,
    isSpace: () => cloud?.axes === 3,
    isLasso: (event) => player.hasActions && (event.shiftKey || controls.area.classList.contains("lassoing")),
    drawLasso(line, done) {
      polygon = done ? null : line;
      if (done) {
        lassoed = inside(line, seen, cloud.n);
        lassoSet = new Set(lassoed);
        controls.offer(lassoed.length, line.length > 2);
      }
      repaint();
    },
    click(x, y) {
      const item = itemAt(x, y);
      if (item === null && lassoed.length) dropLasso();
      selectItem(item === selected ? null : item);
    },
    hover: (x, y) => hover(x === null ? null : itemAt(x, y)),
    moved: cameraMoved,
  });
  document.fonts?.ready.then(() => {
    if (isDestroyed) return;
    discs?.reset();
    labels.reset();
    rests += 1;
    if (view) repaint();
  });

  function update(packed) {
    const next = unpackItems(packed);
    const table = `${next.title} ${next.layout.shape.slice(1)} ${next.camera ?? ""}`;
    if (table !== cameraFor) {
      camera.recall(table, next.camera);
      controls.setMoved(!camera.isHome);
      hovered = null;
      dropLasso();
      found = [];
      cameraFor = table;
    }
    if (player.decision !== decision) {
      hasSelected = false;
      selected = null;
      decision = player.decision;
    }
    if (selected !== null && panel.labels[selected] !== next.labels[selected]) selectItem(null);
    updates += 1;
    panel = next;
    cloud = readCloud(next);
    if (cloud.axes === 2) player.nameCamera(null);
    nearest = next.neighbours ? unpack(next.neighbours) : null;
    places = new Float32Array(cloud.n * cloud.axes);
    doubt = new Float32Array(cloud.n);
    seen = emptyPlaces(cloud.n);
    ({ members, isMember, order } = paintingOrder(next));
    points.setItems(next, order);
    labels.reset();
    rests += 1;
    controls.update(next, cloud);
    picture.canvas.setAttribute("aria-label", `${next.title}: ${cloud.n}`);
  }

  /** Paint this panel alone, at its present view. */
  function repaint() {
    if (!request)
      request = requestAnimationFrame(() => {
        request = 0;
        if (view && !isDestroyed) paint(view);
      });
  }

  function cameraMoved(atOnce = false) {
    clearTimeout(resting);
    clearTimeout(naming);
    controls.setMoved(!camera.isHome);
    camera.remember(cameraFor);
    if (cloud.axes === 3 && panel.id === "points") naming = setTimeout(() => player.nameCamera(camera.isHome ? [] : camera.named), NAME_MS);
    if (atOnce) rests += 1;
    else
      resting = setTimeout(() => {
        rests += 1;
        repaint();
      }, REST_MS);
    repaint();
  }

  function paint(next) {
    view = next;
    const { context, width, height } = picture.clear();
    if (width < 2 || height < 2) return;
    if (discsFor !== player.theme.name) {
      discsFor = player.theme.name;
      discs = makeDiscs(player.theme);
    }
    const whole = radiusFor(cloud.n, width, height);
    frame = camera.frame(cloud, width, height, MARGIN_RADII * whole + 2);
    usual = Math.min(MAX_RADIUS_PX, whole * Math.max(1, camera.zoom) ** (cloud.n > 600 ? 0.5 : 0.35));
    cloud.at(view, places);
    cloud.doubtAt(view, doubt);
    camera.project(cloud, places, frame, seen);
    ({ radius, moved } = spreads() ? spread.apply(view, seen, cloud.n, usual, spreadKey(), frame) : { radius: usual, moved: null });
    if (cloud.axes === 3) {
      drawBox(context, cloud, camera, frame, player.theme);
      order.sort((a, b) => seen.near[a] - seen.near[b]);
    }
    context.textAlign = "center";
    context.textBaseline = "alphabetic";
    if (panel.thread) drawThread(context, seen, cloud.n, player.theme);
    if (controls.hasTrails()) drawTrails(context, panel.groups, { cloud, camera, frame, view });
    const focus = hovered ?? selected;
    const neighbours = focus === null ? [] : neighboursOf(focus);
    if (focus !== null) drawNeighbourLines(context, seen, focus, neighbours, player.theme);
    if (moved) drawLeaders(context, seen, moved, cloud.n, radius, player.theme);
    const plot = { panel, seen, doubt, order, radius, radiusOf, width, height, theme: player.theme, discs, isMember, emphasised: shownAlone(), isSpace: cloud.axes === 3 };
    points.paint(context, plot);
    paintLabels(context, width, height, focus, neighbours);
    const focusRadius = focus === null ? 0 : points.bringForward(context, plot, focus);
    drawRings(context, plot, { lassoed, found, neighbours, focus, focusRadius, selected }, MAX_MARKED);
    if (polygon) drawLasso(context, polygon, player.theme);
    controls.showTooltip(hovered === null ? null : tooltipOf(hovered, neighbours), frame);
  }

  /** The items that stand out while the others are dimmed: a group, or a lasso with too many items to ring each. */
  const shownAlone = () => emphasised ?? (lassoed.length > MAX_MARKED ? lassoSet : null);

  function paintLabels(context, width, height, focus, neighbours) {
    labels.paint(context, view, {
      key: `${width} ${height} ${radius.toFixed(1)} ${selected} ${found.length} ${rests}`,
      width,
      height,
      radius,
      font: player.theme.font,
      first: [...(selected === null ? [] : [selected]), ...found.slice(0, MAX_MARKED), ...members],
      members,
      seen,
      radiusOf,
      theme: player.theme,
      opacity: (i) => (emphasised && !emphasised.has(i) ? 0.25 : 1),
      emphasised: new Set(focus === null ? [] : [focus, ...neighbours]),
    });
  }

  function itemAt(x, y) {
    return seen && findAt(seen, cloud.n, radiusOf, cloud.axes === 3, x, y);
  }

  function hover(item) {
    if (item === hovered) return;
    hovered = item;
    controls.area.style.cursor = item === null ? "" : "pointer";
    repaint();
    for (const other of linksOf(player).plots) if (other !== self) other.hover(item === null ? null : panel.labels[item]);
  }

  function selectItem(item) {
    hasSelected = true;
    selected = item;
    controls.announce(item === null ? "" : describe(item));
    player.send("item", { item: item ?? NO_ITEM, decision: player.decision });
    repaint();
  }

  // What other panels of the player call.
  const self = {
    /** Select the item that the page has selected, unless the reader has selected one here. */
    adopt(item) {
      if (!hasSelected && item !== null) selected = item;
      if (view) repaint();
    },
    select: (item) => selectItem(item < cloud.n ? item : null),
    emphasise: (name) => emphasise(panel && ([...panel.groups, ...panel.classes].find((group) => group.name === name) ?? null)),
    hover(label) {
      const item = label === null ? -1 : panel.labels[hovered] === label ? hovered : panel.labels.indexOf(label);
      hovered = item < 0 ? null : item;
      if (view) repaint();
    },
  };
  linksOf(player).plots.add(self);

  function emphasise(group) {
    emphasised = group && new Set(group.members);
    repaint();
  }

  function dropLasso() {
    lassoed = [];
    polygon = null;
    controls.offer(0, false);
    if (view) repaint();
  }

  function neighboursOf(item) {
    const shared = linksOf(player).neighbours?.(item, view.step);
    if (shared) return shared;
    if (!nearest) return [];
    const [, n, k] = nearest.shape;
    const start = (view.index * n + item) * k;
    return Array.from(nearest.subarray(start, start + k));
  }

  function tooltipOf(item, neighbours) {
    return { x: seen.x[item], y: seen.y[item], radius: radiusOf(item), name: panel.names[item], color: panel.colors[item], neighbours: neighbours.map((i) => panel.names[i]), isMoved: isMovedFar(moved, item, radius) };
  }

  function describe(item) {
    const neighbours = view ? neighboursOf(item) : [];
    return neighbours.length ? `${panel.names[item]}: ${panel.words.nearest} ${neighbours.map((i) => panel.names[i]).join(", ")}` : panel.names[item];
  }

  return {
    update,
    paint,
    destroy() {
      isDestroyed = true;
      linksOf(player).plots.delete(self);
      clearTimeout(resting);
      clearTimeout(naming);
      points.destroy();
      cancelAnimationFrame(request);
    },
  };
};
