// Probabilities of the next token: the most probable of the slider's step, as bars in their order at that step.

import { boxOf, element, formatFixed, formatHundredths, formatInteger, formatNumber, unpack } from "../drawing.js";
import { PANELS } from "../player.js";
import { fitRows, makeRankedRows, placeRows } from "./ranked_rows.js";
import { addTooltip, pointerIn } from "../tooltip.js";

const TEXT_PX = 14;
const MAX_LABEL_PX = 150;
const ROUNDING = 2e-6; // of a sum of probabilities that were sent as float32
const OTHERS = -1; // the id of the last row

PANELS.bars = (host, player) => {
  const note = host.appendChild(element("div", "note"));
  const area = host.appendChild(element("div", "rows"));
  const rows = makeRankedRows(area);
  const tooltip = addTooltip(area);
  const { context } = addMeasure();
  let panel = null;
  let tokens = null; // (step, rank), indices of labels
  let values = null; // (step, rank), their probabilities
  let nRanks = 0;
  let nShown = 0; // rows of tokens
  let view = null;
  let pointer = null; // { id, x, y }

  area.addEventListener("pointermove", (event) => {
    const row = event.target.closest?.("li");
    pointer = row ? { id: Number(row.dataset.id), ...pointerIn(area, event) } : null;
    showTooltip();
  });
  area.addEventListener("pointerleave", () => {
    pointer = null;
    tooltip.hide();
  });

  const leaders = (index) => tokens.subarray(index * nRanks, index * nRanks + nShown);
  /** The probability of a token at a snapshot; of one that was not sent for it, the last one that was, which is the largest that it can have. */
  const probability = (index, token) => {
    const rank = tokens.subarray(index * nRanks, (index + 1) * nRanks).indexOf(token);
    return { value: values[index * nRanks + (rank < 0 ? nRanks - 1 : rank)], isKnown: rank >= 0 };
  };
  const others = (index) => {
    let sum = 0;
    for (let rank = 0; rank < nShown; rank += 1) sum += values[index * nRanks + rank];
    return { value: 1 - sum > ROUNDING ? 1 - sum : 0, isKnown: true };
  };
  const shareOf = (id, index) => (id === OTHERS ? others(index) : probability(index, id));

  function write({ value, isKnown }) {
    if (isKnown || value === 0) return formatHundredths(value, player.language);
    return `<${formatFixed(Math.max(0.01, Math.ceil(value * 100) / 100), 2, player.language)}`;
  }

  function nameOf(id) {
    return id === OTHERS ? `${panel.others} (${formatInteger(panel.n_tokens - nShown, player.language)})` : panel.labels[id];
  }

  function showTooltip() {
    if (!pointer) return tooltip.hide();
    const { id, x, y } = pointer;
    const { value, isKnown } = shareOf(id, view.index);
    const text = `${isKnown ? "" : "≤ "}${formatExact(value, player.language)}`;
    tooltip.show(x, y, [id === OTHERS ? nameOf(id) : panel.names[id], `${player.words.probability} ${text}`]);
  }

  return {
    update(next) {
      panel = next;
      [tokens, values] = [unpack(panel.tokens), unpack(panel.values)];
      nRanks = tokens.shape[1];
      note.textContent = panel.note;
      note.hidden = !panel.note;
      rows.list.setAttribute("aria-label", panel.title);
      pointer = null;
      tooltip.hide();
    },
    paint(now) {
      view = now;
      const { theme } = player;
      const { width, height } = boxOf(area);
      const hasRest = panel.others && panel.n_tokens > 1;
      const fit = fitRows(height, Math.min(panel.n_tokens, nRanks + 1));
      const hasOthers = hasRest && panel.n_tokens > Math.min(nRanks, fit.n);
      nShown = Math.max(1, Math.min(nRanks, fit.n - (hasOthers ? 1 : 0)));
      const places = placeRows(view, (index) => [...leaders(index)]);
      if (hasOthers) places.push({ id: OTHERS, place: nShown, opacity: 1 });
      context.font = `${TEXT_PX}px ${theme.font}`;
      const widest = Math.max(...panel.labels.map((text) => context.measureText(text).width), hasOthers ? context.measureText(nameOf(OTHERS)).width : 0);
      const shown = places.map(({ id, place, opacity }) => {
        const [a, b] = [shareOf(id, view.from), shareOf(id, view.to)];
        const share = a.value + (b.value - a.value) * view.between;
        return { id, place, opacity, name: nameOf(id), share: id === OTHERS ? 0 : share / panel.high, text: write(shareOf(id, view.index)), color: id === OTHERS ? theme.line : panel.color, isMuted: id === OTHERS };
      });
      const namePx = Math.ceil(Math.min(widest, MAX_LABEL_PX, 0.45 * width)) + 2;
      rows.paint(shown, { rowPx: fit.rowPx, namePx, numberPx: Math.ceil(context.measureText("<0.00").width), width, atRest: view.from === view.to || view.between === 0 });
      if (pointer) showTooltip();
    },
  };
};

/** Make a context that only measures text. */
function addMeasure() {
  return { context: document.createElement("canvas").getContext("2d") };
}

function formatExact(value, language) {
  if (value > 0 && value < 0.001) return formatNumber(value, language, { notation: "scientific", maximumSignificantDigits: 2 });
  return formatNumber(value, language, { maximumSignificantDigits: 3 });
}
