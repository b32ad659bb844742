// The items whose nearest neighbours in two tables differ most, with these neighbours beside each other. A click selects the item.

import { addButton, element, formatInteger, unpack } from "../drawing.js";
import { PANELS } from "../player.js";
import { selectItem, shareNeighbours } from "../scatter/scatter_links.js";

const MAX_NAMED = 6; // neighbours in a cell; more would make the list unreadable

PANELS.neighbourhoods = (host, player) => {
  const note = host.appendChild(element("div", "note"));
  const table = host.appendChild(element("table"));
  let panel = null;
  let arrays = null;
  let rows = [];
  let selected = null;
  let shown = ""; // the step and version of the rows that are written

  function addRow(body) {
    const line = body.appendChild(element("tr"));
    const button = addButton(line.appendChild(element("th")), "item", () => choose(row.item));
    const count = line.appendChild(element("td", "count"));
    const cells = panel.columns.map(() => line.appendChild(element("td")));
    line.firstChild.scope = "row";
    const row = { line, button, count, cells, item: -1 };
    return row;
  }

  function choose(item) {
    selected = item === selected ? null : item;
    selectItem(player, selected ?? Infinity);
    mark();
  }

  function mark() {
    for (const { line, button, item } of rows) {
      line.classList.toggle("now", item === selected);
      button.setAttribute("aria-pressed", item === selected);
    }
  }

  function writeRow(row, at, number) {
    const { items, overlaps, neighbours } = arrays;
    const [, nRows, , k] = neighbours.shape;
    const place = at * nRows + number;
    row.item = items[place];
    row.button.textContent = panel.names[row.item];
    const values = { n: formatInteger(overlaps[place], player.language), k: formatInteger(k, player.language) };
    row.count.textContent = panel.shared.replace(/\{(\w)\}/g, (_, name) => values[name]);
    const of = row.cells.map((_, side) => Array.from(neighbours.subarray((place * 2 + side) * k, (place * 2 + side + 1) * k)));
    row.cells.forEach((cell, side) => {
      const others = new Set(of[1 - side]);
      cell.replaceChildren(...of[side].slice(0, MAX_NAMED).map((item) => element("span", others.has(item) ? "same" : "own", panel.names[item])));
    });
  }

  function writeHead() {
    const head = table.appendChild(element("thead")).appendChild(element("tr"));
    for (const heading of panel.headings) head.appendChild(element("th", "", heading)).scope = "col";
    panel.columns.forEach((name, side) => {
      const cell = head.appendChild(element("th"));
      cell.scope = "col";
      cell.appendChild(element("i")).style.background = panel.colors[side];
      cell.appendChild(element("span", "", name));
    });
  }

  return {
    update(next) {
      panel = next;
      arrays = { items: unpack(next.items), overlaps: unpack(next.overlaps), neighbours: unpack(next.neighbours) };
      note.textContent = next.note;
      note.hidden = !next.note;
      selected = next.selected;
      table.replaceChildren();
      writeHead();
      const body = table.appendChild(element("tbody"));
      rows = Array.from({ length: arrays.items.shape[1] }, () => addRow(body));
      shown = "";
      shareNeighbours(player, selected, () => null);
    },
    paint({ index }) {
      const now = `${index} ${panel.version}`;
      if (now === shown) return;
      shown = now;
      rows.forEach((row, number) => writeRow(row, index, number));
      mark();
    },
    destroy: () => shareNeighbours(player, null, null),
  };
};
