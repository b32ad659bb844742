// The numbers of a prompt's way through a model: arrays over steps by name, sums whose printed terms add up, and texts with blanks.

import { formatFixed, formatNumber, unpack } from "../drawing.js";

/** Unpack arrays, (step, ...) each. A place is the index of the snapshot and those of the further dimensions. */
export function readNumbers(packed) {
  const arrays = new Map(Object.entries(packed).map(([name, one]) => [name, unpack(one)]));
  const start = (array, place) => array.shape.reduce((sum, size, axis) => sum * size + (place[axis] ?? 0), 0);
  const numbers = {
    has: (name) => arrays.has(name),
    size: (name, axis) => arrays.get(name).shape[axis],
    all: (name) => arrays.get(name),
    at: (name, ...place) => arrays.get(name)[start(arrays.get(name), place)],
    row(name, ...place) {
      const array = arrays.get(name);
      const first = start(array, place);
      return array.subarray(first, first + array.shape.slice(place.length).reduce((product, size) => product * size, 1));
    },
    /** The row between two snapshots, while the panels move. */
    mixed(name, { from, to, between }, ...place) {
      const row = numbers.row(name, from, ...place);
      if (!between) return row;
      const next = numbers.row(name, to, ...place);
      return row.map((value, i) => value + (next[i] - value) * between);
    },
  };
  return numbers;
}

export const sum = (values) => values.reduce((total, value) => total + value, 0);

/** Replace `{name}` in a text by values. */
export function fill(text, values = {}) {
  return text.replace(/\{(\w+)\}/g, (blank, name) => (name in values ? String(values[name]) : blank));
}

/** Round the terms of a sum and its total so that what is printed adds up: where rounding is off, the nearest to the other side yields. */
export function roundedSum(values, total, decimals) {
  const unit = 10 ** decimals;
  const exact = values.map((value) => value * unit);
  const rounded = exact.map(Math.round);
  const goal = Math.round(total * unit);
  const off = goal - sum(rounded);
  const sign = Math.sign(off);
  const order = exact.map((_, i) => i).sort((a, b) => sign * (exact[b] - rounded[b] - exact[a] + rounded[a]));
  for (let n = 0; n < Math.abs(off) && order.length; n += 1) rounded[order[n % order.length]] += sign;
  return { values: rounded.map((value) => value / unit), total: goal / unit };
}

/** Choose as many decimals as show so many digits of the largest of some numbers. */
export function decimalsFor(values, digits = 3) {
  const largest = Math.max(...values.map(Math.abs));
  if (largest < 1e-6) return 2; // nothing: at first many layers add nothing
  return Math.max(1, Math.min(6, digits - 1 - Math.floor(Math.log10(largest))));
}

/** Write a number with three digits; tiny ones with a power of ten. */
export function formatDigits(value, language, digits = 3) {
  if (value !== 0 && Math.abs(value) < 1e-4) return formatNumber(value, language, { notation: "scientific", maximumSignificantDigits: 2 });
  return formatNumber(value, language, { minimumSignificantDigits: digits, maximumSignificantDigits: digits });
}

/** Write a norm where there is little room. */
export function formatNorm(value, language) {
  return formatFixed(value, value >= 100 ? 0 : value >= 10 ? 1 : 2, language);
}
