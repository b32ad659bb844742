// An axis of the chart: values to places from 0 to 1 and back, on a linear or a logarithmic scale, and its ticks.

import { ticks } from "../drawing.js";

/**
 * Make an axis from `low` to `high`. On a logarithmic one, `unit` is the smallest positive value where 0 has a place (log of 1 + value/unit);
 * without it all values must be positive. Labels are round numbers of `factor`, e.g. of minutes on an axis of seconds.
 */
export function makeAxis({ low, high, isLog, unit = 0, factor = 1 }) {
  const transform = !isLog ? (v) => v : unit ? (v) => Math.log1p(Math.max(0, v) / unit) : (v) => Math.log(v);
  const invert = !isLog ? (p) => p : unit ? (p) => Math.expm1(p) * unit : (p) => Math.exp(p);
  const from = transform(low);
  const span = transform(high) - from || 1;
  return {
    low,
    high,
    place: (value) => (transform(value) - from) / span,
    valueAt: (place) => invert(from + place * span),
    /** List values to label, the most important first; about `count` of them have room. */
    ticks: (count) => roundNumbers(low / factor, high / factor, count).map((value) => value * factor),
  };

  function roundNumbers(from, to, count) {
    const inside = (value) => value >= from - 1e-9 * Math.abs(from) && value <= to + 1e-9 * Math.abs(to);
    const least = Math.max(from, unit / factor, Number.MIN_VALUE);
    if (!isLog || to / least < 8) return ticks(from, to, count).filter(inside);
    const first = Math.floor(Math.log10(least));
    const powers = Array.from({ length: Math.ceil(Math.log10(to)) - first + 1 }, (_, i) => 10 ** (first + i));
    const found = [...(from <= 0 ? [0] : []), ...powers, ...powers.flatMap((p) => [2 * p, 5 * p])];
    return found.map((value) => Number(value.toPrecision(12))).filter(inside);
  }
}

/** Choose as many of the candidates, the most important first, as can be labelled without touching; `gap` is in the unit of `place`. */
export function chooseLabels(candidates, place, room) {
  const kept = [];
  for (const value of candidates) {
    if (kept.every((other) => Math.abs(place(other) - place(value)) >= (room(other) + room(value)) / 2)) kept.push(value);
  }
  return kept;
}

/** Choose the unit in which a time is written: its length in seconds, and the key of its name. */
export function timeUnit(seconds) {
  if (seconds < 300) return { factor: 1, key: "in_seconds" };
  return seconds < 3 * 3600 ? { factor: 60, key: "in_minutes" } : { factor: 3600, key: "in_hours" };
}
