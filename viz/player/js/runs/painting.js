// What the chart draws on its two canvases: frame and curves below, the rule and the zoom above.

import { tracePath, withAlpha } from "../drawing.js";
import { chooseLabels } from "./chart_axis.js";

const TOP_PX = 8;
const RIGHT_PX = 14;
const BOTTOM_PX = 40; // tick labels, and the name of the axis below them
const GAP_PX = 14;
const DOT_PX = 5;
const FEW = 12;
const MANY = 40;

/** Choose the ticks that have room, and the place of the plot beside and above their labels. */
export function plotArea(context, { axes, width, height, theme, formats }) {
  context.font = `12px ${theme.font}`;
  const plotHeight = Math.max(20, height - TOP_PX - BOTTOM_PX);
  axes.yTicks = chooseLabels(axes.y.ticks(Math.max(2, Math.floor(plotHeight / 34))), (v) => axes.y.place(v) * plotHeight, () => 22);
  const left = 12 + Math.max(24, ...axes.yTicks.map((v) => context.measureText(formats.tickY(v)).width));
  const plot = { left, top: TOP_PX, width: Math.max(20, width - left - RIGHT_PX), height: plotHeight };
  const inUnits = axes.x.ticks(Math.max(2, Math.floor(plot.width / 90)));
  axes.xTicks = chooseLabels(inUnits, (v) => axes.x.place(v) * plot.width, (v) => context.measureText(formats.tickX(v)).width + GAP_PX);
  return plot;
}

/** Draw the grid, the ticks and the names of the axes. */
export function drawFrame(context, { axes, plot, theme, formats, width }) {
  const { left, top, width: plotWidth, height } = plot;
  const bottom = top + height;
  context.font = `12px ${theme.font}`;
  context.textBaseline = "middle";
  context.textAlign = "right";
  context.lineWidth = 1;
  for (const tick of axes.yTicks) {
    const y = bottom - axes.y.place(tick) * height;
    line(context, theme.line, [left, y], [left + plotWidth, y]);
    context.fillStyle = theme.muted;
    context.fillText(formats.tickY(tick), left - 6, y);
  }
  context.textAlign = "center";
  for (const tick of axes.xTicks) {
    const x = left + axes.x.place(tick) * plotWidth;
    line(context, theme.line, [x, bottom], [x, bottom + 4]);
    const text = formats.tickX(tick);
    const half = context.measureText(text).width / 2;
    context.fillStyle = theme.muted;
    context.fillText(text, Math.min(width - half - 1, Math.max(half, x)), bottom + 13);
  }
  line(context, theme.line, [left, bottom], [left + plotWidth, bottom]);
  context.fillText(formats.nameX, left + plotWidth / 2, bottom + 30);
}

/** Draw the curves, thinner the more there are, with what was measured faint behind what is smoothed. */
export function drawCurves(context, { curves, axes, plot, hasRaw }) {
  const width = curves.length <= FEW ? 2.2 : curves.length <= MANY ? 1.6 : 1.1;
  clipped(context, plot, () => {
    if (hasRaw) for (const curve of curves) drawCurve(context, { curve, values: curve.raw, axes, plot, width: width * 0.7, alpha: curves.length <= FEW ? 0.3 : 0.14 });
    for (const curve of curves) drawCurve(context, { curve, values: curve.y, axes, plot, width, alpha: curves.length <= MANY ? 1 : 0.8 });
  });
}

/** Draw the rule with a dot on each curve, and the curve that is pointed at before the others. */
export function drawRule(context, { axes, theme, at, readings, near }) {
  const { plot } = axes;
  const shown = readings.find(({ curve }) => curve.row.name === near);
  clipped(context, plot, () => {
    if (shown) {
      context.globalAlpha = 0.55;
      context.fillStyle = theme.panel;
      context.fillRect(plot.left, plot.top, plot.width, plot.height);
      context.globalAlpha = 1;
      drawCurve(context, { curve: shown.curve, values: shown.curve.y, axes, plot, width: 3.4, alpha: 1 });
    }
    if (at === null) return;
    const x = plot.left + axes.x.place(at) * plot.width;
    line(context, withAlpha(theme.text, 0.6), [x, plot.top], [x, plot.top + plot.height]);
    for (const { curve, index, value } of readings) {
      if (index < 0 || (shown && curve !== shown.curve)) continue;
      dot(context, curve.row.color, theme.panel, [plot.left + axes.x.place(curve.x[index]) * plot.width, plot.top + plot.height * (1 - axes.y.place(value))]);
    }
  }, DOT_PX);
}

/** Draw the rectangle that a drag will zoom to. */
export function drawZoom(context, { from, to, plot, theme }) {
  const clampX = (v) => Math.min(plot.left + plot.width, Math.max(plot.left, v));
  const clampY = (v) => Math.min(plot.top + plot.height, Math.max(plot.top, v));
  const isBand = Math.abs(to[1] - from[1]) <= 24;
  const [x, x2] = [clampX(from[0]), clampX(to[0])];
  const [y, y2] = isBand ? [plot.top, plot.top + plot.height] : [clampY(from[1]), clampY(to[1])];
  context.fillStyle = withAlpha(theme.accent, 0.15);
  context.strokeStyle = theme.accent;
  context.lineWidth = 1;
  context.fillRect(x, y, x2 - x, y2 - y);
  context.strokeRect(x, y, x2 - x, y2 - y);
}

function drawCurve(context, { curve, values, axes, plot, width, alpha }) {
  const bottom = plot.top + plot.height;
  const xOf = (i) => plot.left + axes.x.place(curve.x[i]) * plot.width;
  const yOf = (i) => (Number.isFinite(values[i]) ? bottom - axes.y.place(values[i]) * plot.height : NaN);
  if (curve.x.length === 1) {
    dot(context, curve.row.color, "transparent", [xOf(0), yOf(0)]);
    return;
  }
  tracePath(context, curve.x.length, xOf, yOf);
  context.strokeStyle = withAlpha(curve.row.color, alpha);
  context.lineWidth = width;
  context.lineJoin = "round";
  context.stroke();
}

function dot(context, fill, around, [x, y]) {
  context.beginPath();
  context.arc(x, y, 4, 0, 2 * Math.PI);
  context.fillStyle = fill;
  context.fill();
  context.strokeStyle = around;
  context.lineWidth = 1.5;
  context.stroke();
}

function line(context, color, from, to) {
  context.strokeStyle = color;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
}

function clipped(context, { left, top, width, height }, draw, beyond = 1) {
  context.save();
  context.beginPath();
  context.rect(left - beyond, top - beyond, width + 2 * beyond, height + 2 * beyond);
  context.clip();
  draw();
  context.restore();
}
