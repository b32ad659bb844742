// The places of the maps of all heads: rows of layers and columns of heads, or another arrangement that fills the panel better.

const WORTH = 1.1; // so much larger must the maps of another arrangement be,
const WORTH_FLOW = 1.25; // and so much those of one in which layers do not begin a line
const MIN_CAPTIONED_PX = 96; // smaller maps have no room for a caption of their own
const LAYER_GAP_PX = 10;

/**
 * Arrange the maps in a panel; `captionPx` is the room for a caption above a map in an arrangement without names of lines and columns.
 *
 * As a table (`isTable`), a line is a layer and a column a head, or the other way round (`isTurned`). Otherwise the heads of a layer may take
 * several lines, layers may stand side by side, or all maps follow each other; each then has a caption. Returns `room`, the side of a
 * map, and `place(layer, head)`, the line and column of each. `names` are the room for the names, see `namesOf`.
 */
export function arrangeMaps({ width, height, nLayers, nHeads, gap, names, captionPx }) {
  const room = ({ before, over }, nLines, nColumns) => Math.min((width - before) / nColumns, (height - over) / nLines) - gap;
  const table = { ...inTable(nLayers, nHeads, false), room: room(names.usual, nLayers, nHeads) };
  const turned = { ...inTable(nLayers, nHeads, true), room: room(names.turned, nHeads, nLayers) };
  const bestTable = turned.room > WORTH * table.room ? turned : table;
  const captioned = (layout) => ({ ...layout, room: Math.min((width - layout.shift) / layout.nColumns - gap, height / layout.nLines - gap - captionPx) });
  const roomiest = (layouts) => layouts.map(captioned).reduce((best, one) => (one.room > best.room + 0.5 ? one : best), { room: 0 });
  const blocks = [];
  for (let across = 1; across <= nLayers; across += 1) {
    for (let lines = 1; lines <= nHeads; lines += 1) blocks.push(lined(nLayers, nHeads, across, lines));
  }
  const best = [roomiest(blocks)].filter(({ room }) => room >= MIN_CAPTIONED_PX && room > WORTH * bestTable.room)[0] ?? bestTable;
  const flow = roomiest(Array.from({ length: nLayers * nHeads }, (_, i) => flowing(nLayers * nHeads, nHeads, i + 1)));
  return flow.room >= MIN_CAPTIONED_PX && flow.room > WORTH_FLOW * best.room ? flow : best;
}

function flowing(n, nHeads, nColumns) {
  const place = (layer, head) => ({ line: Math.floor((layer * nHeads + head) / nColumns), column: (layer * nHeads + head) % nColumns, shift: 0 });
  return { isTable: false, nColumns, nLines: Math.ceil(n / nColumns), shift: 0, place };
}

function inTable(nLayers, nHeads, isTurned) {
  const place = (layer, head) => ({ line: isTurned ? head : layer, column: isTurned ? layer : head, shift: 0 });
  return { isTable: true, isTurned, nLines: isTurned ? nHeads : nLayers, nColumns: isTurned ? nLayers : nHeads, shift: 0, place };
}

function lined(nLayers, nHeads, across, lines) {
  const perLine = Math.ceil(nHeads / lines);
  const place = (layer, head) => {
    const block = layer % across;
    return { line: Math.floor(layer / across) * lines + Math.floor(head / perLine), column: block * perLine + (head % perLine), shift: block * LAYER_GAP_PX };
  };
  return { isTable: false, nColumns: across * perLine, nLines: Math.ceil(nLayers / across) * lines, shift: (across - 1) * LAYER_GAP_PX, place };
}
