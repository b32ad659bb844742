// Drawing of heat maps: a grid of all heads, or one head with its tokens and weights.

import { formatFixed, textOn, truncate, withAlpha } from "../drawing.js";
import { arrangeMaps } from "./map_grid.js";

const LABEL_PX = 13;
const MAX_TOKEN_PX = 110;
const MIN_LABELLED_MAP_PX = 56; // beside smaller maps the tokens are in the tooltip alone
const MAX_SKIPPED_BESIDE_ALL = 4; // beside the maps of all heads, where the hovered tokens are written out
const ROUND = [5, 10, 20, 25, 50, 100, 200, 500];
const MIN_PRINTED_CELL_PX = 24;
const MAX_SKIPPED = 2; // if only every third token or fewer would fit, indices are written instead: every n-th token of a text is meaningless

/** Draw the maps of all heads; return their tiles. */
export function drawAll({ context, width, height, theme, panel, maps }, view, hovered) {
  const { nLayers, nHeads, side } = maps;
  const names = namesOf(context, panel, maps, theme);
  const gap = Math.max(2, Math.min(10, Math.round(60 / Math.max(nLayers, nHeads))));
  const captionPx = LABEL_PX + 3;
  const arrange = (tokens) => arrangeMaps({ width: width - tokens.before, height: height - tokens.over, nLayers, nHeads, gap, names, captionPx });
  const tokens = axisTokens(context, panel.tokens, theme, (room) => arrange(room).room / side, Math.min(MAX_TOKEN_PX, 0.14 * Math.min(width, height)));
  const grid = arrange(tokens);
  const { isTable, nColumns } = grid;
  const size = wholeCells(Math.max(4, grid.room), side);
  const caption = isTable ? 0 : captionPx;
  const { before, over } = isTable ? names[grid.isTurned ? "turned" : "usual"] : { before: 0, over: 0 };
  const used = nColumns * (size + gap) - gap + grid.shift;
  const x0 = before + tokens.before + Math.max(0, (width - before - tokens.before - used) / 2);
  const y0 = over + tokens.over;
  const source = maps.paint(view, null);
  const tiles = Array.from({ length: nLayers * nHeads }, (_, i) => {
    const [layer, head] = [Math.floor(i / nHeads), i % nHeads];
    const { line, column, shift } = grid.place(layer, head);
    const tile = { layer, head, line, column, left: snapped(x0 + column * (size + gap) + shift), top: snapped(y0 + caption + line * (size + gap + caption)), side: size };
    drawMap(context, source, [head * side, layer * side, side], tile, theme);
    return tile;
  });
  if (isTable) writeNames(context, names, tiles, { size, gap, isTurned: grid.isTurned, right: x0 - tokens.before - 8 }, theme);
  else writeCaptions(context, panel, tiles, size, theme);
  // In the first column and above the first line the axes are labelled for all maps.
  const inside = hovered && tiles[hovered.layer * nHeads + hovered.head];
  const at = (tile, isSame, index) => (isSame && maps.exists(hovered.query, hovered.key) ? index : -1);
  for (const tile of tokens.every ? tiles : []) {
    if (tile.column === 0) writeRows(context, tokens, tile, size / side, theme, at(tile, inside?.line === tile.line, hovered?.query));
    if (tile.line === 0) writeColumns(context, tokens, tile, size / side, theme, at(tile, inside?.column === tile.column, hovered?.key), caption);
  }
  if (inside) outline(context, inside, theme);
  return tiles;
}

/** Measure the names of layers and heads, and the room that they take in a table of layers and heads, or one of heads and layers. */
function namesOf(context, panel, { nLayers, nHeads }, theme) {
  context.font = `${LABEL_PX}px ${theme.font}`;
  const widest = (names) => Math.max(...names.map((name) => context.measureText(name).width)) + 10;
  const layers = Array.from({ length: nLayers }, (_, i) => `${panel.layer_name} ${i}`);
  const heads = Array.from({ length: nHeads }, (_, i) => `${panel.head_name} ${i}`);
  const [layer, head] = [panel.layer_name, panel.head_name];
  return { layers, heads, layer, head, usual: { before: widest([...layers, head]), over: LABEL_PX + 9 }, turned: { before: widest([...heads, layer]), over: LABEL_PX + 9 } };
}

/**
 * Choose how the tokens are written along the shared axes: all, every second or third, or indices where fewer would fit; none beside small maps.
 *
 * `cellAt(room)` is the size of a cell, in pixels, if the labels take that room.
 */
function axisTokens(context, tokens, theme, cellAt, most) {
  const none = { before: 0, over: 0, every: 0 };
  const n = tokens.length;
  const roomy = cellAt(none);
  if (roomy * n < MIN_LABELLED_MAP_PX) return none;
  const px = Math.round(Math.max(10, Math.min(LABEL_PX, 0.95 * roomy)));
  context.font = `${px}px ${theme.font}`;
  const texts = tokens.map((text) => truncate(context, text, most));
  const longest = Math.max(...texts.map((text) => context.measureText(text).width));
  const byTokens = { px, texts, before: longest + 7, over: longest + 5 };
  const cell = cellAt(byTokens);
  const rows = Math.ceil((px + 1) / cell);
  if (rows <= MAX_SKIPPED_BESIDE_ALL) {
    // Upright where that leaves out no more than if they were turned.
    const isUpright = Math.ceil((longest + 2) / cell) <= rows;
    return { ...byTokens, over: isUpright ? px + 4 : byTokens.over, every: rows, columnsEvery: rows, isUpright };
  }
  const widest = context.measureText(String(n - 1)).width;
  const every = ROUND.find((step) => step * cell >= Math.max(widest + 10, 2 * px)) ?? n;
  const indices = tokens.map((_, i) => String(i));
  return { px, texts: indices, hovered: texts, before: Math.max(widest, Math.min(longest, 60)) + 7, over: px + 4, every, columnsEvery: every, isUpright: true };
}

function writeNames(context, names, tiles, { size, gap, isTurned, right }, theme) {
  const [lines, columns, corner] = isTurned ? [names.heads, names.layers, names.layer] : [names.layers, names.heads, names.head];
  context.font = `${LABEL_PX}px ${theme.font}`;
  context.fillStyle = theme.muted;
  context.textBaseline = "middle";
  const fits = (texts, room) => texts.every((text) => context.measureText(text).width + 6 <= room);
  const numbers = columns.map((_, i) => String(i));
  const isNamed = fits(columns, size + gap);
  const every = isNamed || fits(numbers, size + gap) ? 1 : Math.ceil((context.measureText("00").width + 6) / (size + gap));
  const first = (key) => tiles.filter((tile) => tile[key] === 0);
  context.textAlign = "center";
  first("line").forEach((tile, i) => i % every || context.fillText((isNamed ? columns : numbers)[i], tile.left + size / 2, LABEL_PX / 2 + 2));
  context.textAlign = "right";
  if (!isNamed) context.fillText(corner, right, LABEL_PX / 2 + 2);
  const skip = Math.ceil((LABEL_PX + 1) / (size + gap));
  first("column").forEach((tile, i) => i % skip || context.fillText(lines[i], right, tile.top + size / 2));
}

function writeCaptions(context, { layer_name: layer, head_name: head }, tiles, size, theme) {
  context.font = `${LABEL_PX}px ${theme.font}`;
  context.fillStyle = theme.muted;
  context.textBaseline = "bottom";
  context.textAlign = "left";
  for (const tile of tiles) context.fillText(truncate(context, `${layer} ${tile.layer}, ${head} ${tile.head}`, size), tile.left, tile.top - 2);
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
  const isWritten = Math.max(tall, wide) <= MAX_SKIPPED;
  const every = ROUND.find((step) => step * cell >= 34) ?? 1000;
  const labels = isWritten ? { px, texts: tokens, every: tall, columnsEvery: wide, isUpright } : { px, texts: tokens.map((_, i) => String(i)), hovered: tokens, every, columnsEvery: every, isUpright: true };
  writeRows(context, labels, tile, cell, theme, query);
  writeColumns(context, labels, tile, cell, theme, at);
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

function writeRows(context, { px, texts, hovered: hoveredTexts = texts, every }, tile, cell, theme, hovered) {
  context.font = `${px}px ${theme.font}`;
  context.textAlign = "right";
  context.textBaseline = "middle";
  texts.forEach((text, i) => {
    if (!isWritten(i, every, hovered)) return;
    context.fillStyle = i === hovered ? theme.accent : theme.text;
    context.fillText(i === hovered ? hoveredTexts[i] : text, tile.left - 5, tile.top + (i + 0.5) * cell + 1);
  });
}

function writeColumns(context, { px, texts, hovered: hoveredTexts = texts, columnsEvery, isUpright }, tile, cell, theme, hovered, caption = 0) {
  context.font = `${px}px ${theme.font}`;
  context.textAlign = isUpright ? "center" : "left";
  context.textBaseline = isUpright ? "bottom" : "middle";
  texts.forEach((text, i) => {
    if (!isWritten(i, columnsEvery, hovered)) return;
    context.fillStyle = i === hovered ? theme.accent : theme.text;
    context.save();
    context.translate(tile.left + (i + 0.5) * cell, tile.top - 4 - caption);
    if (!isUpright) context.rotate(-Math.PI / 2);
    context.fillText(i === hovered ? hoveredTexts[i] : text, 0, 0);
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
  return (whole > 0.88 * device ? whole : device) / devicePixelRatio;
}

function snapped(place) {
  return Math.round(place * devicePixelRatio) / devicePixelRatio;
}
