// The leading tokens of a distribution at the step that is shown: a row each, the likeliest first.

import { element, formatHundredths } from "../drawing.js";

/** Add `n` rows to an element; `pick(id)` is called for a click on one, and `tip(id)` returns the lines of its tooltip. */
export function addLeaders(host, n, { part, pick, tip }) {
  const list = host.appendChild(element("div", "leaders"));
  const rows = Array.from({ length: n }, () => {
    const button = list.appendChild(element("button", "leader"));
    button.type = "button";
    const row = { button, label: button.appendChild(element("span", "label")), bar: button.appendChild(element("i")), share: button.appendChild(element("span", "share")), id: null };
    button.addEventListener("click", () => pick(row.id));
    button.tip = () => tip(row.id);
    return row;
  });
  return (leaders, { color, language, most }) => {
    rows.forEach((row, i) => {
      const one = leaders[i];
      row.button.hidden = !one;
      if (!one) return;
      row.id = one.id;
      row.button.dataset.part = part(one.id);
      row.label.textContent = one.word.label;
      row.bar.style.width = `${(100 * Math.max(0, one.moving)) / most}%`;
      row.bar.style.background = color;
      const text = formatHundredths(one.share, language);
      if (row.share.textContent !== text) row.share.textContent = text;
      const name = tip(one.id).slice(0, 2).join(", ");
      if (row.button.getAttribute("aria-label") !== name) row.button.setAttribute("aria-label", name);
    });
  };
}

/** Read the leading tokens after a layer at a snapshot; while the panels move, a bar is between its lengths at both. */
export function leadersAt({ lens, vocabulary }, view, layer, n) {
  const { index, from, to, between } = view;
  const found = [];
  for (let rank = 0; rank < Math.min(n, lens.size("leader", 2)); rank += 1) {
    const id = lens.at("leader", index, layer, rank);
    const share = lens.at("probability", index, layer, rank);
    const [a, b] = [shareOf(lens, from, layer, id) ?? share, shareOf(lens, to, layer, id) ?? share];
    found.push({ id, rank, share, moving: a + (b - a) * between, word: vocabulary[id] });
  }
  return found;
}

/** Find a token among the leaders after a layer; -1 where it is not. */
export function rankOf(lens, index, layer, id) {
  return lens.row("leader", index, layer).indexOf(id);
}

function shareOf(lens, index, layer, id) {
  const rank = rankOf(lens, index, layer, id);
  return rank < 0 ? null : lens.at("probability", index, layer, rank);
}
