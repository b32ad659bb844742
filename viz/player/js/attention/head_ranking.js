// Heads in the order of a score at the slider's step. A click chooses a head.

import { boxOf, element, formatFixed, unpack } from "../drawing.js";
import { headChoiceOf } from "./head_choice.js";
import { PANELS } from "../player.js";
import { fitRows, makeRankedRows, placeRows } from "../measures/ranked_rows.js";

const TEXT_PX = 14;

PANELS["head-ranking"] = (host, player) => {
  const area = host.appendChild(element("div", "rows"));
  const heads = headChoiceOf(player);
  const rows = makeRankedRows(area, (id) => heads.choose(panel.heads[id]));
  const context = document.createElement("canvas").getContext("2d");
  let panel = null;
  let values = null;
  let orders = []; // by snapshot, the rows from the largest value down; made on first use

  const valueAt = (index, row) => values[index * panel.rows.length + row];

  /** Sort the heads of a snapshot by their values; those without one come last. */
  function order(index) {
    const rank = (row) => (Number.isFinite(valueAt(index, row)) ? valueAt(index, row) : -Infinity);
    return (orders[index] ??= panel.rows.map((_, row) => row).sort((a, b) => rank(b) - rank(a) || a - b));
  }

  /** List the heads that are shown: as many as there is room for, the last of which is the chosen one where it is not among the first. */
  function leaders(index, n, chosen) {
    const all = order(index);
    const first = all.slice(0, n);
    return chosen < 0 || first.includes(chosen) ? first : [...first.slice(0, -1), chosen];
  }

  return {
    update(next) {
      panel = next;
      values = unpack(panel.values);
      orders = [];
      if (panel.chooses) heads.adopt(panel.chosen);
      rows.list.setAttribute("aria-label", panel.title);
    },
    paint(view) {
      const { width, height } = boxOf(area);
      const { language, theme } = player;
      const fit = fitRows(height, panel.rows.length);
      const chosen = panel.heads.findIndex((head) => String(head) === String(heads.value()));
      const rank = new Map(order(view.index).map((row, i) => [row, i + 1]));
      const shown = placeRows(view, (index) => leaders(index, fit.n, chosen)).map(({ id, place, opacity }) => {
        const [a, b] = [valueAt(view.from, id), valueAt(view.to, id)];
        const value = valueAt(view.index, id);
        const text = Number.isFinite(value) ? formatFixed(value, 2, language) : "–";
        const share = (a + (b - a) * view.between) / panel.high || 0;
        return { id, place, opacity, name: `${rank.get(id)}. ${panel.rows[id]}`, share, text, color: panel.color, isChosen: id === chosen };
      });
      context.font = `600 ${TEXT_PX}px ${theme.font}`;
      const namePx = Math.ceil(Math.max(...shown.map(({ name }) => context.measureText(name).width))) + 2;
      const numberPx = Math.ceil(Math.max(...shown.map(({ text }) => context.measureText(text).width)));
      rows.paint(shown, { rowPx: fit.rowPx, namePx: Math.min(namePx, 0.7 * width), numberPx, width, atRest: view.from === view.to || view.between === 0 });
    },
  };
};
