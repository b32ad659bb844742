// The table of runs. Only the rows in view are in the document, so that a thousand runs are as quick as ten.

import { addButton, element } from "../drawing.js";
import { formatCell } from "./formats.js";
import { editName, makeRow } from "./row.js";
import { valueOf } from "./selection.js";

const ROW_PX = 34;
const BEYOND = 8; // rows that are made above and below the view
const CELL_PX = 22; // padding of a cell
const WIDTHS_PX = { run: [200, 400], text: [70, 180], setting: [60, 200] };
const NAME_TOOLS_PX = 132;
const ARROW_PX = 18;

/** Make the table in an element; `app` acts on what is pressed. */
export function makeTable(host, app) {
  const box = host.appendChild(element("div", "rows"));
  const table = box.appendChild(element("table"));
  table.setAttribute("role", "grid");
  const widths = table.appendChild(element("colgroup"));
  const head = table.appendChild(element("thead")).appendChild(element("tr"));
  head.setAttribute("aria-rowindex", 1);
  const body = table.appendChild(element("tbody"));
  const none = box.appendChild(element("p", "nothing"));
  const pen = document.createElement("canvas").getContext("2d");
  const known = new Map(); // widths by the key of the column
  let measured = null; // the rows that they were measured with
  let shown = null;
  let active = null; // the name of the run whose row has the focus, or will
  let renaming = null;
  let listed = "";
  let frame = 0;

  box.addEventListener("scroll", () => {
    if (!frame) frame = requestAnimationFrame(() => paint(true));
  });
  const sizes = new ResizeObserver(() => shown && paint());
  sizes.observe(box);

  /** Measure a column, as wide as its longest text in `rows`; it is measured once, however often it is shown. */
  function widthOf(column, rows) {
    if (known.has(column.key)) return known.get(column.key);
    const isSetting = column.kind === "setting";
    pen.font = isSetting ? "600 13px monospace" : `600 14px ${app.theme.font}`;
    const title = pen.measureText(column.title ?? column.key).width + ARROW_PX;
    const longest = rows.map((row) => formatCell(valueOf(row, column), column.kind, app.language)).reduce((a, b) => (b.length > a.length ? b : a), "");
    pen.font = `14px ${app.theme.font}`;
    const [least, most] = WIDTHS_PX[isSetting ? "setting" : column.key] ?? [60, 220];
    const wanted = Math.max(title, pen.measureText(longest).width + (column.key === "run" ? NAME_TOOLS_PX : 0));
    known.set(column.key, Math.round(Math.min(most, Math.max(least, wanted)) + CELL_PX));
    return known.get(column.key);
  }

  function setWidths(columns, rows) {
    const lengths = columns.map((column) => widthOf(column, rows));
    widths.replaceChildren(...lengths.map((px) => Object.assign(element("col"), { style: `width: ${px}px` })));
    table.style.width = `${lengths.reduce((a, b) => a + b, 0)}px`;
    table.style.minWidth = "100%";
  }

  function paintHead({ columns, sort }) {
    const key = sort.replace(/^-/, "");
    const cells = columns.map((column) => {
      const cell = element("th", column.kind);
      cell.scope = "col";
      const isSorted = column.key === key;
      cell.setAttribute("aria-sort", !isSorted ? "none" : sort.startsWith("-") ? "descending" : "ascending");
      const title = column.title ?? column.key;
      const button = addButton(cell, "sort", () => app.sortBy(column.key), title);
      button.title = column.help || (column.kind === "setting" ? app.words.setting_help : app.words.sort.replace("{name}", title));
      button.appendChild(element("span", "arrow", isSorted ? (sort.startsWith("-") ? "↓" : "↑") : "")).setAttribute("aria-hidden", "true");
      return cell;
    });
    head.replaceChildren(...cells);
  }

  function paint(onlyMoved = false) {
    frame = 0;
    const { rows, columns } = shown;
    const first = Math.max(0, Math.floor(box.scrollTop / ROW_PX) - BEYOND);
    const last = Math.min(rows.length, Math.ceil((box.scrollTop + box.clientHeight) / ROW_PX) + BEYOND);
    const key = `${first} ${last} ${active}`;
    if ((onlyMoved && key === listed) || renaming) return;
    listed = key;
    const hadFocus = body.contains(body.getRootNode().activeElement);
    const lines = rows.slice(first, last).map((row, i) => makeRow(row, columns, first + i, standing(row), app));
    body.replaceChildren(gap(first, columns.length), ...lines, gap(rows.length - last, columns.length));
    table.setAttribute("aria-rowcount", rows.length + 1);
    none.hidden = rows.length > 0;
    none.textContent = app.words.none;
    if (hadFocus) lineOf(active)?.focus({ preventScroll: true });
  }

  function standing({ name }) {
    return { pinned: shown.pins.includes(name), hidden: shown.hidden.includes(name), current: name === shown.current, active: name === active };
  }

  function gap(n, span) {
    const line = element("tr", "gap");
    line.setAttribute("aria-hidden", "true");
    const cell = line.appendChild(element("td"));
    cell.colSpan = span;
    line.style.height = `${n * ROW_PX}px`;
    line.hidden = n === 0;
    return line;
  }

  function lineOf(name) {
    return [...body.children].find((line) => line.dataset.run === name);
  }

  function goTo(index) {
    const to = Math.min(shown.rows.length - 1, Math.max(0, index));
    active = shown.rows[to]?.name ?? null;
    const top = to * ROW_PX;
    const room = box.clientHeight - head.offsetHeight - ROW_PX;
    box.scrollTop = Math.min(top, Math.max(box.scrollTop, top - room));
    paint();
    lineOf(active)?.focus({ preventScroll: true });
  }

  body.addEventListener("focusin", (event) => {
    const name = event.target.closest("tr")?.dataset.run;
    if (!name || name === active) return;
    // The row stays in place, since a press on one of its buttons is under way: only the ways of Tab change.
    for (const line of body.children) setReach(line, line.dataset.run === name);
    active = name;
  });

  body.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input")) return;
    const at = shown.rows.findIndex((row) => row.name === active);
    const onRow = event.target.matches("tr");
    const act = {
      ArrowDown: () => goTo(at + 1),
      ArrowUp: () => goTo(at - 1),
      PageDown: () => goTo(at + 10),
      PageUp: () => goTo(at - 10),
      Home: () => goTo(0),
      End: () => goTo(shown.rows.length - 1),
      Enter: onRow && (() => app.open(active)),
      p: () => app.togglePin(active),
      h: () => { active = shown.rows[at + 1]?.name ?? shown.rows[at - 1]?.name ?? null; app.toggleHidden(shown.rows[at].name); },
      F2: () => app.rename(active),
    }[event.key];
    if (!act || at < 0) return;
    act();
    event.preventDefault();
  });

  return {
    /** Show rows; the columns are as wide as their longest text in `all` rows. */
    update(next, all) {
      const isNew = !shown || shown.columns !== next.columns;
      shown = next;
      if (!next.rows.some(({ name }) => name === active)) active = next.rows[0]?.name ?? null;
      table.setAttribute("aria-label", `${app.words.table}. ${app.words.keys}`);
      if (all !== measured) known.clear();
      measured = all;
      if (isNew) setWidths(next.columns, all);
      paintHead(next);
      paint();
    },
    rename(name) {
      const line = lineOf(name);
      if (!line) return;
      renaming = name;
      editName(line, shown.rows.find((row) => row.name === name), app);
    },
    endRename(name) {
      renaming = null;
      active = name;
      paint();
      lineOf(name)?.focus({ preventScroll: true });
    },
    destroy() {
      sizes.disconnect();
      cancelAnimationFrame(frame);
    },
  };
}

function setReach(line, isActive) {
  if (!line.dataset.run) return;
  for (const part of [line, ...line.querySelectorAll("button, a, input")]) part.tabIndex = isActive ? 0 : -1;
}
