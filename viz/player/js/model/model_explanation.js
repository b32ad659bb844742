// The panel beside the picture: where the clicked number comes from, in sums whose printed numbers add up.

import { addButton, element, setName } from "../drawing.js";

/** Add the panel. `show(explanation)` writes it; `open()` opens it where it covers the picture, as on a phone. */
export function addExplanation(host, { pick, closed }) {
  const box = host.appendChild(element("aside", "explanation"));
  const head = box.appendChild(element("div", "head"));
  const name = head.appendChild(element("h4"));
  const close = addButton(head, "close", () => {
    box.classList.remove("open");
    closed();
  }, "×");
  const content = box.appendChild(element("div", "content"));
  content.setAttribute("aria-live", "polite");
  let written = "";
  return {
    box,
    open: () => box.classList.add("open"),
    show(found, words) {
      const state = JSON.stringify(found);
      if (state === written) return;
      written = state;
      name.textContent = words.derivation;
      box.setAttribute("aria-label", words.derivation);
      setName(close, words.close);
      const active = content.getRootNode().activeElement; // of the shadow root, where there is one
      const focused = active && content.contains(active) ? active.dataset.row : undefined;
      content.replaceChildren(element("h5", "", found.title), element("p", "", found.lead), ...found.blocks.map((block, i) => blockOf(block, i, pick)), ...found.links.map(linkOf));
      content.querySelector(`[data-row="${focused}"]`)?.focus();
    },
  };
}

function blockOf({ title, rows, total, notes }, i, pick) {
  const block = element("div", "block");
  if (title) block.appendChild(element("h6", "", title));
  const table = block.appendChild(element("table"));
  rows.forEach((row, j) => rowOf(table, row, `${i}:${j}`, pick));
  rowOf(table, total, "", pick).className = "total";
  for (const note of notes) block.appendChild(element("div", "note", note));
  return block;
}

function rowOf(table, { label, value, part }, name, pick) {
  const row = table.appendChild(element("tr"));
  const cell = row.appendChild(element("th"));
  cell.scope = "row";
  if (part) addButton(cell, "", () => pick(part), label).dataset.row = name;
  else cell.textContent = label;
  row.appendChild(element("td", "", value));
  return row;
}

function linkOf({ text, href }) {
  const link = element("a", "", `${text} →`);
  link.href = href;
  link.target = "_self";
  return link;
}
