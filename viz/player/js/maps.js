// Attention: a square map a head, layers downwards and heads across; a click shows one large, with its tokens and weights.

import { atlas } from "./atlas.js";
import { canvasIn, element, fitted, textOn, withAlpha } from "./drawing.js";
import { headsOf } from "./heads.js";
import { keyIn, short } from "./heat.js";
import { PANELS } from "./player.js";
import { placeIn, tipIn } from "./tip.js";

const LABEL_PX = 13;
const WIDEST_TOKEN_PX = 110;
const LEAST_LABELLED_CELL_PX = 10; // below this, a grid's tokens are told by the tip alone
const LEAST_PRINTED_CELL_PX = 24;
const MOST_SKIPPED = 2; // where more tokens than every second would be left out, their places are written instead

PANELS.maps = (host, stage) => {
  host.style.cssText = "display: flex; flex-direction: column; gap: 6px;";
  const bar = host.appendChild(element("div"));
  bar.style.cssText = "display: flex; align-items: center; gap: 8px; min-height: 26px; flex: none;";
  const back = bar.appendChild(element("button", "all-heads"));
  const choice = bar.appendChild(element("select", "head-choice"));
  for (const made of [back, choice]) made.style.cssText = "height: 26px; font-size: 13px;";
  const key = keyIn(bar.appendChild(element("div")), "");
  const area = host.appendChild(element("div"));
  area.style.cssText = "position: relative; flex: 1; min-height: 0;";
  const picture = canvasIn(area, "");
  const tip = tipIn(area);
  const heads = headsOf(stage);
  let panel = null;
  let maps = null;
  let large = null; // one head's map of more tokens, where there is one
  let tiles = []; // where maps stand now: { layer, head, left, top, side }
  let view = null;
  let under = null; // the cell under the pointer: { layer, head, query, key }

  back.type = "button";
  back.addEventListener("click", () => heads.choose(null));
  choice.addEventListener("change", () => heads.choose(choice.value ? choice.value.split(" ").map(Number) : null));
  area.addEventListener("pointermove", (event) => {
    point(placeIn(area, event));
    paint(view);
  });
  area.addEventListener("pointerleave", () => {
    under = null;
    tip.hide();
    paint(view);
  });
  area.addEventListener("click", (event) => {
    const tile = tileAt(placeIn(area, event));
    if (tile && !single()) heads.choose([tile.layer, tile.head]);
  });

  /** The map that is shown large, or null for all of them. */
  function single() {
    if (maps.nLayers * maps.nHeads === 1) return [0, 0];
    const chosen = heads.head();
    return chosen && chosen[0] < maps.nLayers && chosen[1] < maps.nHeads ? chosen : null;
  }

  /** What stands in the picture now: maps, their tokens, and which of them is shown large. */
  function shown() {
    const head = single();
    if (head && large && String(panel.large.head) === String(head)) return { maps: large, tokens: panel.large.tokens, head: [0, 0] };
    return { maps, tokens: panel.tokens, head };
  }

  function tileAt({ x, y }) {
    return tiles.find((tile) => x >= tile.left && y >= tile.top && x < tile.left + tile.side && y < tile.top + tile.side);
  }

  function point({ x, y }) {
    const tile = tileAt({ x, y });
    under = null;
    if (!tile) {
      tip.hide();
      return;
    }
    const cell = tile.side / shown().maps.side;
    const [query, at] = [Math.floor((y - tile.top) / cell), Math.floor((x - tile.left) / cell)];
    under = { layer: tile.layer, head: tile.head, query, key: at, x, y }; // what it is, painting tells
  }

  /** Say what is under the pointer; the slider may have moved beneath it. */
  function tell() {
    const { layer, head, query, key: at, x, y } = under;
    const { words, language } = stage;
    const { maps, tokens } = shown();
    const token = (i) => (panel.causal ? `“${tokens[i]}” (${i})` : tokens[i]);
    const name = single() ? "" : named([layer, head]);
    if (!maps.exists(query, at)) return name ? tip.show(x, y, [name]) : tip.hide();
    const weight = maps.scale.value(maps.at(view, layer, head, query, at));
    const pair = panel.causal ? `${words.query} ${token(query)} ${words.key} ${token(at)}` : `${token(query)}, ${token(at)}`;
    tip.show(x, y, [`${panel.causal ? `${words.weight} ` : ""}${short(weight, language)}`, pair, name]);
  }

  function named([layer, head]) {
    return `${panel.layer_name} ${layer}, ${panel.head_name} ${head}`;
  }

  function fillBar(head) {
    const many = maps.nLayers * maps.nHeads > 1;
    back.textContent = `◂ ${stage.words.back}`;
    back.hidden = !many || !head;
    choice.hidden = !many;
    const value = head ? head.join(" ") : "";
    if (choice.value !== value) choice.value = value;
  }

  function listHeads() {
    const options = [["", stage.words.back]];
    for (let layer = 0; layer < maps.nLayers; layer += 1) for (let head = 0; head < maps.nHeads; head += 1) options.push([`${layer} ${head}`, named([layer, head])]);
    choice.replaceChildren(...options.map(([value, text]) => Object.assign(element("option", "", text), { value })));
    choice.setAttribute("aria-label", `${panel.layer_name}, ${panel.head_name}`);
  }

  function paint(at) {
    view = at;
    const head = single();
    fillBar(head);
    key.paint(maps.scale, panel.ramp, stage);
    area.style.cursor = head ? "default" : "pointer";
    picture.canvas.setAttribute("aria-label", `${panel.title}${head ? `: ${named(head)}` : ""}`);
    const { context, width, height } = picture.begin();
    const now = shown();
    const surface = { context, width, height, theme: stage.theme, panel: { ...panel, tokens: now.tokens }, maps: now.maps };
    tiles = head ? drawOne(surface, view, now.head, under, stage.language) : drawAll(surface, view, under);
    if (under) tell();
  }

  return {
    update(next) {
      panel = next;
      maps = atlas(panel);
      large = panel.large && atlas({ ...panel, ...panel.large });
      under = null;
      tip.hide();
      if (panel.chooses) heads.adopt(panel.chosen);
      listHeads();
    },
    paint,
  };
};

function drawAll({ context, width, height, theme, panel, maps }, view, under) {
  const { nLayers, nHeads, side } = maps;
  context.font = `${LABEL_PX}px ${theme.font}`;
  const gap = Math.max(2, Math.min(14, Math.round(120 / Math.max(nLayers, nHeads))));
  const layerNames = Array.from({ length: nLayers }, (_, i) => `${panel.layer_name} ${i}`);
  const headNames = Array.from({ length: nHeads }, (_, i) => `${panel.head_name} ${i}`);
  const margin = Math.max(...layerNames.map((name) => context.measureText(name).width)) + 10;
  const top = LABEL_PX + 9;
  const longest = Math.max(...panel.tokens.map((text) => context.measureText(text).width)) + 6;
  const roomFor = (left, over) => Math.min((width - left) / nHeads, (height - over) / nLayers) - gap;
  // The tokens stand at the left and upper edge of the whole grid where its cells are large enough to be read by them.
  const isLabelled = longest <= WIDEST_TOKEN_PX && roomFor(margin + longest, top + longest) / side >= LEAST_LABELLED_CELL_PX;
  const left = margin + (isLabelled ? longest : 0);
  const isUpright = longest - 6 <= roomFor(left, top + LABEL_PX) / side;
  const over = top + (isLabelled ? (isUpright ? LABEL_PX + 4 : longest) : 0);
  const room = Math.max(4, roomFor(left, over));
  const size = wholeCells(room, side);
  const x0 = left + Math.max(0, (width - left - nHeads * (size + gap) + gap) / 2);
  const tiles = [];
  const source = maps.paint(view, null);
  for (let layer = 0; layer < nLayers; layer += 1) {
    for (let head = 0; head < nHeads; head += 1) {
      const tile = { layer, head, left: snapped(x0 + head * (size + gap)), top: snapped(over + layer * (size + gap)), side: size };
      put(context, source, [head * side, layer * side, side], tile, theme, panel.causal);
      tiles.push(tile);
    }
  }
  context.fillStyle = theme.muted;
  context.textBaseline = "middle";
  const fits = (names, room) => names.every((name) => context.measureText(name).width + 6 <= room);
  const numbers = headNames.map((_, i) => String(i));
  const columns = fits(headNames, size + gap) ? headNames : numbers;
  const every = fits(numbers, size + gap) ? 1 : Math.ceil((context.measureText("00").width + 6) / (size + gap));
  context.textAlign = "center";
  columns.forEach((name, i) => i % every || context.fillText(name, tiles[i].left + size / 2, LABEL_PX / 2 + 2));
  context.textAlign = "right";
  const skip = Math.ceil((LABEL_PX + 1) / (size + gap));
  layerNames.forEach((name, i) => i % skip || context.fillText(name, x0 - (isLabelled ? longest : 0) - 8, tiles[i * nHeads].top + size / 2));
  if (isLabelled) {
    for (let layer = 0; layer < nLayers; layer += 1) writeDown(context, panel.tokens, tiles[layer * nHeads], size / side, theme, 1, -1);
    for (let head = 0; head < nHeads; head += 1) writeAcross(context, panel.tokens, tiles[head], size / side, theme, 1, -1, isUpright);
  }
  if (under) outline(context, tiles[under.layer * nHeads + under.head], theme);
  return tiles;
}

function drawOne({ context, width, height, theme, panel, maps }, view, head, under, language) {
  const n = maps.side;
  const font = (px) => `${px}px ${theme.font}`;
  const px = Math.max(11, Math.min(16, Math.round((0.72 * (height - 60)) / n)));
  context.font = font(px);
  const tokens = panel.tokens.map((text) => fitted(context, text, WIDEST_TOKEN_PX));
  const longest = Math.max(...tokens.map((text) => context.measureText(text).width));
  const guess = (Math.min(width, height) - longest) / n;
  const isUpright = longest <= Math.max(2 * px, guess - 4);
  const margin = longest + 12;
  const over = (isUpright ? px : longest) + 12;
  const size = wholeCells(Math.max(8, Math.min(width - margin, height - over - 2)), n);
  const cell = size / n;
  const tile = { layer: head[0], head: head[1], left: snapped(margin + Math.max(0, (width - margin - size) / 2)), top: snapped(over), side: size };
  put(context, maps.paint(view, head), [0, 0, n], tile, theme, panel.causal);
  const tall = Math.max(1, Math.ceil((1.15 * px) / cell));
  const wide = isUpright ? Math.max(1, Math.ceil((longest + 5) / cell)) : tall;
  const inside = under && maps.exists(under.query, under.key) ? under : null;
  const [query, at] = inside ? [inside.query, inside.key] : [-1, -1];
  if (Math.max(tall, wide) <= MOST_SKIPPED) {
    writeDown(context, tokens, tile, cell, theme, tall, query);
    writeAcross(context, tokens, tile, cell, theme, wide, at, isUpright);
  } else {
    // Every so manyth token of a text says nothing; their places do, and the pointer's tokens are told by name.
    const every = [5, 10, 20, 25, 50, 100, 200, 500].find((n) => n * cell >= 34) ?? 1000;
    writeDown(context, tokens.map((text, i) => (i === query ? text : String(i))), tile, cell, theme, every, query);
    writeAcross(context, tokens.map((text, i) => (i === at ? text : String(i))), tile, cell, theme, every, at, true);
  }
  if (cell >= LEAST_PRINTED_CELL_PX) print(context, panel, maps, view, head, tile, cell, language, theme);
  if (inside) outline(context, { left: tile.left + inside.key * cell, top: tile.top + inside.query * cell, side: cell }, theme);
  return [tile];
}

/** Put one map into its place; where nothing can be looked at, the ground shows. */
function put(context, source, [sx, sy, side], tile, theme, causal) {
  const isSmall = tile.side * devicePixelRatio < side;
  context.imageSmoothingEnabled = isSmall;
  context.imageSmoothingQuality = "high";
  context.drawImage(source, sx, sy, side, side, tile.left, tile.top, tile.side, tile.side);
  context.strokeStyle = withAlpha(theme.line, causal ? 0.8 : 1);
  context.lineWidth = 1;
  context.beginPath();
  if (causal) {
    context.moveTo(tile.left - 0.5, tile.top);
    context.lineTo(tile.left - 0.5, tile.top + tile.side + 0.5);
    context.lineTo(tile.left + tile.side, tile.top + tile.side + 0.5);
  } else context.rect(tile.left - 0.5, tile.top - 0.5, tile.side + 1, tile.side + 1);
  context.stroke();
}

function print(context, panel, maps, view, head, tile, cell, language, theme) {
  context.font = `${Math.round(Math.min(0.36 * cell, 17))}px ${theme.font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (let query = 0; query < maps.side; query += 1) {
    for (let key = 0; maps.exists(query, key) && key < maps.side; key += 1) {
      const number = maps.at(view, ...head, query, key);
      if (maps.scale.value(number) < 0.005 && panel.causal) continue; // ".00" says no more than an empty cell
      context.fillStyle = textOn(maps.scale.css(number));
      context.fillText(twoDigits(maps.scale.value(number), language), tile.left + (key + 0.5) * cell, tile.top + (query + 0.5) * cell + 1);
    }
  }
}

/** Write a weight as the films do: two digits, no leading zero. */
function twoDigits(value, language) {
  if (value >= 0.995) return "1";
  return value.toLocaleString(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 }).replace(/^(-?)0(?=\D)/, "$1");
}

function writeDown(context, tokens, tile, cell, theme, every, strong) {
  context.textAlign = "right";
  context.textBaseline = "middle";
  tokens.forEach((text, i) => {
    if (!isWritten(i, every, strong)) return;
    context.fillStyle = i === strong ? theme.accent : theme.text;
    context.fillText(text, tile.left - 6, tile.top + (i + 0.5) * cell + 1);
  });
}

function writeAcross(context, tokens, tile, cell, theme, every, strong, isUpright) {
  context.textAlign = isUpright ? "center" : "left";
  context.textBaseline = isUpright ? "bottom" : "middle";
  tokens.forEach((text, i) => {
    if (!isWritten(i, every, strong)) return;
    context.fillStyle = i === strong ? theme.accent : theme.text;
    context.save();
    context.translate(tile.left + (i + 0.5) * cell, tile.top - 5);
    if (!isUpright) context.rotate(-Math.PI / 2);
    context.fillText(text, 0, 0);
    context.restore();
  });
}

/** The token that is pointed at is written, and those that would run into it give way. */
function isWritten(i, every, strong) {
  if (strong < 0 || every === 1) return i % every === 0;
  return i === strong || (i % every === 0 && Math.abs(i - strong) >= every);
}

function outline(context, { left, top, side }, theme) {
  context.strokeStyle = theme.palette[0];
  context.lineWidth = 2;
  context.strokeRect(left, top, side, side);
}

/** Return the side, in CSS pixels, of a map whose cells are all the same whole number of the screen's pixels; of all the room, if that wastes much. */
function wholeCells(room, n) {
  const device = Math.floor(room * devicePixelRatio);
  const whole = Math.floor(device / n) * n;
  return (whole > 0.8 * device ? whole : device) / devicePixelRatio;
}

function snapped(place) {
  return Math.round(place * devicePixelRatio) / devicePixelRatio;
}
