// Square maps over steps as images: one pixel a cell, all heads of a snapshot in one image, which is then scaled up.

import { unpack } from "../drawing.js";
import { colorScale } from "../color_scale.js";

// Up to so many cells are interpolated between snapshots; of more, the nearer snapshot is shown.
const MAX_INTERPOLATED = 400_000;

/**
 * Read a panel of maps: `values` (step, layer, head, cell) are integers of the cells up to the diagonal.
 *
 * Returns `paint(view, head)`, a canvas with all maps or one; `at(view, layer, head, query, key)`, the integer of a cell; and
 * `weights(view, head)`, a function of query and key that is the weight at the view, interpolated while it moves.
 */
export function makeAtlas(panel) {
  const values = unpack(panel.values);
  const [, nLayers, nHeads, nCells] = values.shape;
  const side = panel.tokens.length;
  const scale = colorScale({ ramp: panel.ramp, high: 1, curve: "sqrt" }, values.BYTES_PER_ELEMENT === 1 ? 255 : 65535);
  const perStep = nLayers * nHeads * nCells;
  const between = new Float32Array(perStep <= MAX_INTERPOLATED ? perStep : 0);
  let painted = "";
  const sheets = {}; // made on first use: all maps of a large model take much memory

  const start = (layer, head) => (layer * nHeads + head) * nCells;
  const cell = (query, key) => (query * (query + 1)) / 2 + key;

  /** Compute the integers of a view: those of a snapshot, or interpolated between two. */
  function interpolate({ index, from, to, between: share }) {
    if (from === to || !between.length || share === 0) return values.subarray(index * perStep, (index + 1) * perStep);
    const [a, b] = [from * perStep, to * perStep];
    for (let i = 0; i < perStep; i += 1) between[i] = values[a + i] + share * (values[b + i] - values[a + i]);
    return between;
  }

  function fill(target, numbers, at, left, top) {
    const { table } = scale;
    for (let query = 0, i = at; query < side; query += 1) {
      let p = (top + query) * target.width + left;
      for (const end = p + query + 1; p < end; p += 1, i += 1) target.pixels[p] = table[numbers[i] | 0];
    }
  }

  return {
    side,
    nLayers,
    nHeads,
    scale,
    exists: (query, key) => key >= 0 && key <= query && query < side,
    at: ({ index }, layer, head, query, key) => values[index * perStep + start(layer, head) + cell(query, key)],
    weights({ index, from, to, between: share }, head) {
      const isMoving = from !== to && share > 0 && between.length > 0;
      const [a, b] = (isMoving ? [from, to] : [index, index]).map((at) => at * perStep + start(...head));
      return (query, key) => {
        const i = cell(query, key);
        return scale.value(values[a + i] + share * (values[b + i] - values[a + i]));
      };
    },
    paint(view, head) {
      const now = [view.index, view.from, view.to, view.between, head].join();
      if (now === painted) return sheets[head ? "one" : "all"].canvas;
      painted = now;
      const numbers = interpolate(view);
      if (head) {
        const one = (sheets.one ??= sheet(side, side));
        fill(one, numbers, start(...head), 0, 0);
        return one.show();
      }
      const all = (sheets.all ??= sheet(nHeads * side, nLayers * side));
      for (let layer = 0; layer < nLayers; layer += 1) for (let h = 0; h < nHeads; h += 1) fill(all, numbers, start(layer, h), h * side, layer * side);
      return all.show();
    },
  };
}

function sheet(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  return {
    canvas,
    width,
    pixels: new Uint32Array(image.data.buffer),
    show() {
      context.putImageData(image, 0, 0);
      return canvas;
    },
  };
}
