// Drawing of heat maps: a grid of all heads, or one head with its tokens and weights.

import { formatFixed, textOn, truncate, withAlpha } from "./drawing.js";

const LABEL_PX = 13;
const MAX_TOKEN_PX = 110;
const MIN_LABELLED_CELL_PX = 10; // in smaller cells, the tokens of a grid are in the tooltip alone
const MIN_PRINTED_CELL_PX = 24;
const MAX_SKIPPED = 2; // if only every third token or fewer would fit, indices are written instead

/** Draw the maps of all heads in a grid; return their tiles. */
export function drawAll({ context, width, height, theme, panel, maps }, view, hovered) {
  const { nLayers, nHeads, side } = maps;
  context.font = `${LABEL_PX}px ${theme.font}`;
  const gap = Math.max(2, Math.min(14, Math.round(120 / Math.max(nLayers, nHeads))));
  const layerNames = Array.from({ length: nLayers }, (_, i) => `${panel.layer_name} ${i}`);
  const headNames = Array.from({ length: nHeads }, (_, i) => `${panel.head_name} ${i}`);
  const margin = Math.max(...layerNames.map((name) => context.measureText(name).width)) + 10;
  const top = LABEL_PX + 9;
  const longest = Math.max(...panel.tokens.map((text) => context.measureText(text).width)) + 6;
  const roomFor = (left, over) => Math.min((width - left) / nHeads, (height - over) / nLayers) - gap;
  // The tokens are written at the left and top of the grid where its cells are large enough.
  const isLabelled = longest <= MAX_TOKEN_PX && roomFor(margin + longest, top + longest) / side >= MIN_LABELLED_CELL_PX;
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
      drawMap(context, source, [head * side, layer * side, side], tile, theme);
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
    for (let layer = 0; layer < nLayers; layer += 1) writeRows(context, panel.tokens, tiles[layer * nHeads], size / side, theme, 1, -1);
    for (let head = 0; head < nHeads; head += 1) writeColumns(context, panel.tokens, tiles[head], size / side, theme, 1, -1, isUpright);
  }
  if (hovered) outline(context, tiles[hovered.layer * nHeads + hovered.head], theme);
  return tiles;
}

/** Draw the map of one head with its tokens, and its weights where they fit; return its tile. */
export function drawOne({ context, width, height, theme, panel, maps }, view, head, hovered, language) {
  const n = maps.side;
  const font = (px) => `${px}px ${theme.font}`;
  const px = Math.max(11, Math.min(16, Math.round((0.72 * (height - 60)) / n)));
  context.font = font(px);
  const tokens = panel.tokens.map((text) => truncate(context, text, MAX_TOKEN_PX));
  const longest = Math.max(...tokens.map((text) => context.measureText(text).width));
  const guess = (Math.min(width, height) - longest) / n;
  const isUpright = longest <= Math.max(2 * px, guess - 4);
  const margin = longest + 12;
  const over = (isUpright ? px : longest) + 12;
  const size = wholeCells(Math.max(8, Math.min(width - margin, height - over - 2)), n);
  const cell = size / n;
  const tile = { layer: head[0], head: head[1], left: snapped(margin + Math.max(0, (width - margin - size) / 2)), top: snapped(over), side: size };
  drawMap(context, maps.paint(view, head), [0, 0, n], tile, theme);
  const tall = Math.max(1, Math.ceil((1.15 * px) / cell));
  const wide = isUpright ? Math.max(1, Math.ceil((longest + 5) / cell)) : tall;
  const inside = hovered && maps.exists(hovered.query, hovered.key) ? hovered : null;
  const [query, at] = inside ? [inside.query, inside.key] : [-1, -1];
  if (Math.max(tall, wide) <= MAX_SKIPPED) {
    writeRows(context, tokens, tile, cell, theme, tall, query);
    writeColumns(context, tokens, tile, cell, theme, wide, at, isUpright);
  } else {
    // Every n-th token of a text is meaningless; indices are not. The hovered tokens are written out.
    const every = [5, 10, 20, 25, 50, 100, 200, 500].find((n) => n * cell >= 34) ?? 1000;
    writeRows(context, tokens.map((text, i) => (i === query ? text : String(i))), tile, cell, theme, every, query);
    writeColumns(context, tokens.map((text, i) => (i === at ? text : String(i))), tile, cell, theme, every, at, true);
  }
  if (cell >= MIN_PRINTED_CELL_PX) writeWeights(context, panel, maps, view, head, tile, cell, language, theme);
  if (inside) outline(context, { left: tile.left + inside.key * cell, top: tile.top + inside.query * cell, side: cell }, theme);
  return [tile];
}

/** Draw one map; cells above the diagonal stay empty. */
function drawMap(context, source, [sx, sy, side], tile, theme) {
  const isSmall = tile.side * devicePixelRatio < side;
  context.imageSmoothingEnabled = isSmall;
  context.imageSmoothingQuality = "high";
  context.drawImage(source, sx, sy, side, side, tile.left, tile.top, tile.side, tile.side);
  context.strokeStyle = withAlpha(theme.line, 0.8);
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(tile.left - 0.5, tile.top);
  context.lineTo(tile.left - 0.5, tile.top + tile.side + 0.5);
  context.lineTo(tile.left + tile.side, tile.top + tile.side + 0.5);
  context.stroke();
}

function writeWeights(context, panel, maps, view, head, tile, cell, language, theme) {
  context.font = `${Math.round(Math.min(0.36 * cell, 17))}px ${theme.font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (let query = 0; query < maps.side; query += 1) {
    for (let key = 0; maps.exists(query, key) && key < maps.side; key += 1) {
      const number = maps.at(view, ...head, query, key);
      if (maps.scale.value(number) < 0.005) continue; // an empty cell is as clear as ".00"
      context.fillStyle = textOn(maps.scale.css(number));
      context.fillText(formatWeight(maps.scale.value(number), language), tile.left + (key + 0.5) * cell, tile.top + (query + 0.5) * cell + 1);
    }
  }
}

/** Format a weight as in the films: two decimals, no leading zero. */
function formatWeight(value, language) {
  if (value >= 0.995) return "1";
  return formatFixed(value, 2, language).replace(/^(-?)0(?=\D)/, "$1");
}

function writeRows(context, tokens, tile, cell, theme, every, hovered) {
  context.textAlign = "right";
  context.textBaseline = "middle";
  tokens.forEach((text, i) => {
    if (!isWritten(i, every, hovered)) return;
    context.fillStyle = i === hovered ? theme.accent : theme.text;
    context.fillText(text, tile.left - 6, tile.top + (i + 0.5) * cell + 1);
  });
}

function writeColumns(context, tokens, tile, cell, theme, every, hovered, isUpright) {
  context.textAlign = isUpright ? "center" : "left";
  context.textBaseline = isUpright ? "bottom" : "middle";
  tokens.forEach((text, i) => {
    if (!isWritten(i, every, hovered)) return;
    context.fillStyle = i === hovered ? theme.accent : theme.text;
    context.save();
    context.translate(tile.left + (i + 0.5) * cell, tile.top - 5);
    if (!isUpright) context.rotate(-Math.PI / 2);
    context.fillText(text, 0, 0);
    context.restore();
  });
}

/** Whether a label is written: every n-th, and the hovered one instead of those that it would overlap. */
function isWritten(i, every, hovered) {
  if (hovered < 0 || every === 1) return i % every === 0;
  return i === hovered || (i % every === 0 && Math.abs(i - hovered) >= every);
}

function outline(context, { left, top, side }, theme) {
  context.strokeStyle = theme.palette[0];
  context.lineWidth = 2;
  context.strokeRect(left, top, side, side);
}

/** Compute the side of a map, in CSS pixels, whose cells are a whole number of device pixels; the full space if that would waste much. */
function wholeCells(room, n) {
  const device = Math.floor(room * devicePixelRatio);
  const whole = Math.floor(device / n) * n;
  return (whole > 0.8 * device ? whole : device) / devicePixelRatio;
}

function snapped(place) {
  return Math.round(place * devicePixelRatio) / devicePixelRatio;
}
