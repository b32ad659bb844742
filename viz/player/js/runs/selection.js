// Which runs the table shows and the chart draws, in which order, and in which settings they differ.

import { meets, parseFilter, plain } from "./filter.js";

export const MOST_DRAWN = 100;

/** Prepare the rows of a table for filtering; the columns are its own and one for each setting. */
export function prepareTable({ columns, settings, rows }) {
  const all = [...columns, ...settings.map((key) => ({ key, kind: "setting", names: [] }))];
  all.forEach((column, index) => { column.index = index; });
  for (const row of rows) {
    const texts = row.values.map((value, i) => (i < columns.length ? value : `${all[i].key}=${value}`));
    row.haystack = plain([row.name, row.label, ...texts.filter((value) => value !== null)].join("\n"));
  }
  return { columns: all, rows };
}

/** The value of a row in a column; a run goes by the name that is shown. */
export function valueOf(row, column) {
  return column.key === "run" ? row.label || row.name : row.values[column.index];
}

/**
 * Select the rows: the pinned ones first, then those that meet the filter, sorted; `drawn` are the first of them.
 *
 * `view` holds the texts `filter` and `sort` (a key, with - for descending) and the names `pins` and `hidden`.
 */
export function select(table, view, showsHidden) {
  const parsed = parseFilter(view.filter, table.columns);
  const pins = new Map(view.pins.map((name, i) => [name, i]));
  const hidden = new Set(view.hidden);
  const met = table.rows.filter((row) => pins.has(row.name) || meets(row, parsed.terms, valueOf));
  const pinned = met.filter((row) => pins.has(row.name)).sort((a, b) => pins.get(a.name) - pins.get(b.name));
  const others = sorted(met.filter((row) => !pins.has(row.name)), table.columns, view.sort);
  const visible = [...pinned, ...others.filter((row) => !hidden.has(row.name))];
  const away = others.filter((row) => hidden.has(row.name));
  return { parsed, rows: showsHidden ? [...visible, ...away] : visible, visible, nHidden: away.length, drawn: visible.slice(0, MOST_DRAWN) };
}

/** Split the settings into those in which the rows differ and those that are the same in all. */
export function differences(rows, columns) {
  const settings = columns.filter((column) => column.kind === "setting");
  const differing = settings.filter((column) => rows.some((row) => valueOf(row, column) !== valueOf(rows[0], column)));
  return { differing, same: settings.filter((column) => !differing.includes(column)) };
}

function sorted(rows, columns, sort) {
  const isDescending = sort.startsWith("-");
  const column = columns.find(({ key }) => key === sort.slice(isDescending ? 1 : 0));
  if (!column) return rows; // as they come: the newest first
  const missing = (value) => value === null || value === undefined || value === "";
  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : plain(a).localeCompare(plain(b), undefined, { numeric: true }));
  return [...rows].sort((a, b) => {
    const [x, y] = [valueOf(a, column), valueOf(b, column)];
    if (missing(x) || missing(y)) return missing(x) - missing(y); // last, in either direction
    return isDescending ? compare(y, x) : compare(x, y);
  });
}
