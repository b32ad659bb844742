// A row of the table: colour, pin, name and the values of a run.

import { addButton, element } from "../drawing.js";
import { formatCell } from "./formats.js";
import { valueOf } from "./selection.js";

// Paths in a box of 24 by 24.
const ICONS = {
  pin: "M8 2h8v2l-1 1 .6 6L19 14v2h-6v5l-1 2-1-2v-5H5v-2l3.400-3L9 5 8 4z",
  hide: "M12 5C6 5 2 12 2 12s4 7 10 7 10-7 10-7-4-7-10-7zm0 11a4 4 0 110-8 4 4 0 010 8zm0-2a2 2 0 100-4 2 2 0 000 4z",
  rename: "M4 20l1-5L15.500 4.500l4 4L9 19zM17 3l1-1 4 4-1 1z",
};

/** Make the row of a run. `app` acts on it, `is` tells how it stands: pinned, hidden, current, active (its controls are reached by Tab). */
export function makeRow(row, columns, index, is, app) {
  const line = element("tr");
  line.dataset.run = row.name;
  line.setAttribute("aria-rowindex", index + 2); // the head is the first
  line.tabIndex = is.active ? 0 : -1;
  for (const name of ["pinned", "hidden", "current"]) line.classList.toggle(`is-${name}`, is[name]);
  if (is.current) line.setAttribute("aria-current", "true");
  for (const column of columns) line.appendChild(column.key === "run" ? nameCell(row, is, app) : valueCell(row, column, app.language));
  line.addEventListener("pointerenter", () => app.point(row.name));
  line.addEventListener("pointerleave", () => app.point(null));
  return line;
}

function valueCell(row, column, language) {
  const value = valueOf(row, column);
  const cell = element("td", column.kind, formatCell(value, column.kind, language));
  cell.title = cell.textContent;
  return cell;
}

function nameCell(row, is, app) {
  const { words } = app;
  const shown = row.label || row.name;
  const cell = element("th", "name");
  cell.scope = "row";
  const box = cell.appendChild(element("div"));
  const color = box.appendChild(element("input", "swatch"));
  Object.assign(color, { type: "color", value: row.color, tabIndex: is.active ? 0 : -1 });
  setHint(color, words.color, shown);
  color.addEventListener("change", () => app.label(row, { color: color.value }));
  const pin = addIcon(box, "pin", is.pinned ? words.unpin : words.pin, shown, is, () => app.togglePin(row.name));
  pin.setAttribute("aria-pressed", is.pinned);
  const link = box.appendChild(element("a", "", shown));
  link.href = app.address(row.name);
  link.title = row.label ? `${row.label} · ${row.name}` : row.name;
  link.tabIndex = is.active ? 0 : -1;
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return; // in a tab of its own
    event.preventDefault();
    app.open(row.name);
  });
  if (row.label) box.appendChild(element("small", "", row.name));
  if (row.live) box.appendChild(element("small", "live", words.live));
  addIcon(box, "rename", words.rename, shown, is, () => app.rename(row.name));
  addIcon(box, "hide", is.hidden ? words.unhide : words.hide, shown, is, () => app.toggleHidden(row.name));
  return cell;
}

/** Replace the name of a row by a field for another; Enter and leaving the field accept it, Escape does not. */
export function editName(line, row, app) {
  const box = line.querySelector(".name div");
  const input = element("input", "rename-field");
  Object.assign(input, { type: "text", value: row.label, maxLength: 80, placeholder: row.name });
  setHint(input, app.words.rename_hint, row.name);
  let isDone = false;
  const end = (accepts) => {
    if (isDone) return;
    isDone = true;
    if (accepts && input.value.trim() !== row.label) app.label(row, { label: input.value.trim() });
    app.endRename(row.name);
  };
  input.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Enter") end(true);
    if (event.key === "Escape") end(false);
  });
  input.addEventListener("blur", () => end(true));
  box.replaceChildren(input);
  input.focus();
  input.select();
}

function addIcon(host, name, text, shown, is, act) {
  const button = addButton(host, name, act);
  button.tabIndex = is.active ? 0 : -1;
  setHint(button, text, shown);
  const svg = button.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "svg"));
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "path")).setAttribute("d", ICONS[name]);
  return button;
}

function setHint(control, text, name) {
  const hint = text.replace("{name}", () => name);
  control.title = hint;
  control.setAttribute("aria-label", hint);
}
