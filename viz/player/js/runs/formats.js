// How the numbers of the table and the chart are written, in the page's language.

import { formatNumber } from "../drawing.js";
import { timeUnit } from "./chart_axis.js";

/** Make the functions that write the ticks and readings of a chart; `last` is the largest value of its x axis. */
export function makeFormats({ language, along, words, measure }, last) {
  const unit = along === "seconds" ? timeUnit(last) : { factor: 1, key: `along_${along}` };
  const isLong = along === "tokens" && last >= 100_000;
  const tickX = (value) => formatNumber(value / unit.factor, language, isLong ? { notation: "compact", maximumFractionDigits: 2 } : { maximumFractionDigits: 2 });
  const isWhole = measure === "tokens";
  const digits = isWhole ? { maximumFractionDigits: 0 } : { minimumSignificantDigits: 4, maximumSignificantDigits: 4 };
  const tickY = (value) => formatNumber(value, language, Math.abs(value) >= 1e5 || (value !== 0 && Math.abs(value) < 1e-5) ? { notation: Math.abs(value) < 1 ? "scientific" : "compact" } : { maximumSignificantDigits: 6 });
  return {
    factor: unit.factor,
    nameX: words[unit.key],
    tickX,
    tickY,
    readX: (value) => `${words[`along_${along}`]} ${formatX(value, along, unit, language)}`,
    readY: (value) => (Number.isNaN(value) ? "–" : formatNumber(value, language, digits)),
  };
}

function formatX(value, along, { factor }, language) {
  if (along !== "seconds") return formatNumber(value, language, { maximumFractionDigits: 0 });
  return `${formatNumber(value / factor, language, { maximumFractionDigits: 2 })} ${{ 1: "s", 60: "min", 3600: "h" }[factor]}`;
}

/** Write a cell of the table; an empty text where a run has no such value. */
export function formatCell(value, kind, language) {
  if (value === null || value === undefined || value === "") return "";
  if (kind === "integer") return formatNumber(value, language);
  if (kind === "loss") return formatNumber(value, language, { minimumFractionDigits: 3, maximumFractionDigits: 3 });
  if (kind === "duration") return formatDuration(value);
  if (kind === "date") return String(value).slice(0, 16).replace("T", " ");
  return typeof value === "number" ? formatNumber(value, language, { maximumSignificantDigits: 12, useGrouping: "min2" }) : String(value);
}

function formatDuration(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}
