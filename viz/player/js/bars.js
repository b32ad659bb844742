// The model's bets on the next token: a bar a token, each in a place of its own over all steps, so that only lengths move.

import { canvasIn, element, fitted, unpack } from "./drawing.js";
import { PANELS } from "./player.js";
import { placeIn, tipIn } from "./tip.js";

const ROW_PX = 21;
const LEAST_ROW_PX = 16;
const WIDEST_LABEL_PX = 120;
const LEAST_PRINTED = 0.01;

PANELS.bars = (host, stage) => {
  const area = host.appendChild(element("div"));
  area.style.cssText = "position: absolute; inset: 0;";
  const picture = canvasIn(area, "");
  const tip = tipIn(area);
  let panel = null;
  let values = null;
  let longest = 1; // the longest bar of any step: bars keep their scale while the slider moves
  let rows = [];
  let chosenFor = "";
  let view = null;
  let pointer = null;
  let rowPx = ROW_PX;

  area.addEventListener("pointermove", (event) => {
    pointer = placeIn(area, event);
    tell();
  });
  area.addEventListener("pointerleave", () => {
    pointer = null;
    tip.hide();
  });

  const at = (index, label) => values[index * panel.labels.length + label];
  /** The probability of a row on the way between two snapshots; the last row gathers all that have none. */
  const share = (row, index) => (row === "others" ? Math.max(0, 1 - sum(rows.map((other) => (other === "others" ? 0 : at(index, other))))) : at(index, row));

  function tell() {
    const row = rows[Math.floor(pointer.y / rowPx)];
    if (row === undefined) return tip.hide();
    const name = row === "others" ? otherWords() : panel.names[row];
    tip.show(pointer.x, pointer.y, [name, `${stage.words.probability} ${exact(share(row, view.index), stage.language)}`]);
  }

  function otherWords() {
    return `${panel.others} (${(panel.n_tokens - rows.length + 1).toLocaleString(stage.language)})`;
  }

  /** As many labels as fit, the first of those that came, in the order of the last step; then the others. */
  function choose(height) {
    if (chosenFor === `${panel.version} ${height}`) return;
    chosenFor = `${panel.version} ${height}`;
    const n = panel.labels.length;
    rowPx = Math.max(LEAST_ROW_PX, Math.min(ROW_PX, height / (n + 1)));
    const most = Math.max(1, Math.floor(height / rowPx));
    const hasOthers = panel.others && panel.n_tokens > Math.min(n, most);
    const last = values.shape[0] - 1;
    rows = Array.from({ length: Math.min(n, most - (hasOthers ? 1 : 0)) }, (_, i) => i).sort((a, b) => at(last, b) - at(last, a));
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
      const { context, width, height } = picture.begin();
      const { theme, language } = stage;
      choose(height);
      context.font = `14px ${theme.font}`;
      context.textBaseline = "middle";
      const names = rows.map((row) => (row === "others" ? otherWords() : fitted(context, panel.labels[row], WIDEST_LABEL_PX)));
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
        if (shown < LEAST_PRINTED) return;
        context.fillStyle = theme.text;
        context.textAlign = "left";
        const is = shown.toLocaleString(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
        context.fillText(is, left + bar + 5, y);
      });
      if (pointer) tell();
    },
  };
};

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}

function exact(value, language) {
  if (value > 0 && value < 0.001) return value.toExponential(1);
  return value.toLocaleString(language, { maximumSignificantDigits: 3 });
}
