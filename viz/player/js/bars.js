// Probabilities of the next token: a bar a token, in the same order at all steps, so that only lengths change.

import { addCanvas, element, formatFixed, formatInteger, formatNumber, truncate, unpack } from "./drawing.js";
import { PANELS } from "./player.js";
import { addTooltip, pointerIn } from "./tooltip.js";

const ROW_PX = 21;
const MIN_ROW_PX = 16;
const MAX_LABEL_PX = 120;
const MIN_PRINTED = 0.01;

PANELS.bars = (host, player) => {
  const area = host.appendChild(element("div"));
  area.style.cssText = "position: absolute; inset: 0;";
  const picture = addCanvas(area, "");
  const tooltip = addTooltip(area);
  let panel = null;
  let values = null;
  let longest = 1; // over all steps, so that the scale of the bars does not change
  let rows = [];
  let chosenFor = "";
  let view = null;
  let pointer = null;
  let rowPx = ROW_PX;

  area.addEventListener("pointermove", (event) => {
    pointer = pointerIn(area, event);
    showTooltip();
  });
  area.addEventListener("pointerleave", () => {
    pointer = null;
    tooltip.hide();
  });

  const at = (index, label) => values[index * panel.labels.length + label];
  /** Compute the probability of a row at a snapshot; the last row is the sum of all other tokens. */
  const share = (row, index) => (row === "others" ? Math.max(0, 1 - sum(rows.map((other) => (other === "others" ? 0 : at(index, other))))) : at(index, row));

  function showTooltip() {
    const row = rows[Math.floor(pointer.y / rowPx)];
    if (row === undefined) return tooltip.hide();
    const name = row === "others" ? othersName() : panel.names[row];
    tooltip.show(pointer.x, pointer.y, [name, `${player.words.probability} ${formatExact(share(row, view.index), player.language)}`]);
  }

  function othersName() {
    return `${panel.others} (${formatInteger(panel.n_tokens - rows.length + 1, player.language)})`;
  }

  /** Choose as many labels as fit, from the first ones, in the order of their probabilities at the last step; then the others. */
  function chooseRows(height) {
    if (chosenFor === `${panel.version} ${height}`) return;
    chosenFor = `${panel.version} ${height}`;
    const n = panel.labels.length;
    rowPx = Math.max(MIN_ROW_PX, Math.min(ROW_PX, height / (n + 1)));
    const limit = Math.max(1, Math.floor(height / rowPx));
    const hasOthers = panel.others && panel.n_tokens > Math.min(n, limit);
    const last = values.shape[0] - 1;
    rows = Array.from({ length: Math.min(n, limit - (hasOthers ? 1 : 0)) }, (_, i) => i).sort((a, b) => at(last, b) - at(last, a));
    if (hasOthers) rows.push("others");
    const all = Array.from({ length: values.shape[0] }, (_, index) => rows.map((row) => share(row, index)));
    longest = Math.max(0.05, ...all.map((shares) => Math.max(...shares)));
  }

  return {
    update(next) {
      panel = next;
      values = unpack(panel.values);
      picture.canvas.setAttribute("aria-label", `${panel.title}: ${panel.names.slice(0, 5).join(", ")}`);
    },
    paint(now) {
      view = now;
      const { context, width, height } = picture.clear();
      const { theme, language } = player;
      chooseRows(height);
      context.font = `14px ${theme.font}`;
      context.textBaseline = "middle";
      const names = rows.map((row) => (row === "others" ? othersName() : truncate(context, panel.labels[row], MAX_LABEL_PX)));
      const left = Math.max(...names.map((name) => context.measureText(name).width)) + 12;
      const room = width - left - 44;
      rows.forEach((row, i) => {
        const y = (i + 0.5) * rowPx;
        const [from, to] = [share(row, view.from), share(row, view.to)];
        const value = from + (to - from) * view.between;
        const bar = Math.min(1, value / longest) * room;
        context.fillStyle = row === "others" ? theme.muted : theme.text;
        context.textAlign = "right";
        context.fillText(names[i], left - 8, y);
        context.fillStyle = row === "others" ? theme.line : panel.color;
        context.fillRect(left, y - rowPx / 2 + 2, value > 0 ? Math.max(1, bar) : 0, rowPx - 4);
        const shown = share(row, view.index);
        if (shown < MIN_PRINTED) return;
        context.fillStyle = theme.text;
        context.textAlign = "left";
        context.fillText(formatFixed(shown, 2, language), left + bar + 5, y);
      });
      if (pointer) showTooltip();
    },
  };
};

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}

function formatExact(value, language) {
  if (value > 0 && value < 0.001) return value.toExponential(1);
  return formatNumber(value, language, { maximumSignificantDigits: 3 });
}
