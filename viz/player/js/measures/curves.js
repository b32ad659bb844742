// Curves over training, with a cursor at the step of the slider. A click goes to the snapshot there.

import { addCanvas, element, formatInteger, formatNumber, ticks, tracePath, withAlpha } from "../drawing.js";
import { PANELS } from "../player.js";
import { lastIndex, nearest, stepAxis } from "../step_axis.js";
import { addTooltip, pointerIn } from "../tooltip.js";

const LEFT_PX = 44;
const RIGHT_PX = 12;
const BOTTOM_PX = 22;
const TOP_PX = 6;

PANELS.curves = (host, player) => {
  host.style.display = "flex";
  host.style.flexDirection = "column";
  const legend = host.appendChild(element("div", "legend"));
  const area = host.appendChild(element("div"));
  area.style.cssText = "position: relative; flex: 1; min-height: 0; cursor: pointer;";
  const picture = addCanvas(area, "");
  const tooltip = addTooltip(area);
  let panel = null;
  let values = [];
  let pointed = null; // the step under the pointer

  function stepAtPointer(event) {
    const axis = stepAxis(player.steps, player.scale);
    return axis.stepAt((pointerIn(area, event).x - LEFT_PX) / (area.clientWidth - LEFT_PX - RIGHT_PX));
  }

  function goToPointer(event) {
    player.play(false);
    player.go(stepAtPointer(event), "drag");
  }

  /** Show the values of all curves at the step under the pointer. */
  function showValues(event) {
    const steps = [...new Set(panel.series.flatMap((series) => series.steps))].sort((a, b) => a - b);
    if (!steps.length) return;
    pointed = steps[nearest(steps, stepAtPointer(event))];
    const { x, y } = pointerIn(area, event);
    const lines = panel.series.map((series) => ({ color: series.color, text: `${series.name}: ${valueText(series, lastIndex(series.steps, pointed))}` }));
    tooltip.show(x, y, [player.nameStep(pointed), ...lines]);
    player.repaint();
  }
  area.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    area.setPointerCapture(event.pointerId);
    goToPointer(event);
  });
  area.addEventListener("pointermove", (event) => {
    if (area.hasPointerCapture(event.pointerId)) goToPointer(event);
    showValues(event);
  });
  area.addEventListener("pointerleave", () => {
    pointed = null;
    tooltip.hide();
    player.repaint();
  });

  function valueText(series, at) {
    const value = at < 0 ? NaN : series.values[at];
    return Number.isFinite(value) ? formatNumber(value, player.language, { minimumSignificantDigits: 3, maximumSignificantDigits: 3 }) : "–";
  }

  function limits() {
    if (panel.limits) return panel.limits;
    const all = panel.series.flatMap((s) => [...s.values, ...(s.low ?? []), ...(s.high ?? [])]).filter(Number.isFinite);
    const [low, high] = [Math.min(...all), Math.max(...all)];
    return low === high ? [low - 0.5, high + 0.5] : [low - (high - low) * 0.05, high + (high - low) * 0.05];
  }

  /** Write the value of a series at a step into the legend; return its index, -1 where there is none. */
  function writeValue(series, place, step) {
    const at = lastIndex(series.steps, step);
    const text = valueText(series, at);
    if (place.textContent !== text) place.textContent = text;
    return at >= 0 && Number.isFinite(series.values[at]) ? at : -1;
  }

  return {
    update(next) {
      panel = next;
      picture.canvas.setAttribute("aria-label", `${panel.title}: ${panel.series.map((s) => s.name).join(", ")}`);
      legend.replaceChildren();
      values = panel.series.map((series) => {
        const entry = legend.appendChild(element("span"));
        const mark = entry.appendChild(element("i"));
        mark.style.background = series.dashed ? `repeating-linear-gradient(90deg, ${series.color} 0 4px, transparent 4px 7px)` : series.color;
        if (panel.has_names) entry.appendChild(element("span", "", series.name));
        else entry.title = series.name;
        const value = entry.appendChild(element("b"));
        value.style.cssText = "margin-left: 6px; font-weight: 600; font-variant-numeric: tabular-nums; color: var(--text);";
        return value;
      });
    },
    paint({ step }) {
      // The legend comes first: where its values make it wrap, the canvas shrinks.
      const marks = panel.series.map((series, i) => writeValue(series, values[i], step));
      const { context, width, height } = picture.clear();
      const { theme, language } = player;
      const axis = stepAxis(player.steps, player.scale);
      const room = width - LEFT_PX - RIGHT_PX;
      const x = (s) => LEFT_PX + axis.place(s) * room;
      const [low, high] = limits();
      const bottom = height - BOTTOM_PX;
      const y = (v) => bottom - ((v - low) / (high - low)) * (bottom - TOP_PX);
      context.font = `12px ${theme.font}`;
      context.textBaseline = "middle";
      context.lineWidth = 1;
      for (const tick of ticks(low, high, Math.max(2, Math.floor(height / 40)))) {
        context.strokeStyle = theme.line;
        context.beginPath();
        context.moveTo(LEFT_PX, y(tick));
        context.lineTo(width - RIGHT_PX, y(tick));
        context.stroke();
        context.fillStyle = theme.muted;
        context.textAlign = "right";
        context.fillText(formatNumber(tick, language), LEFT_PX - 6, y(tick));
      }
      context.textAlign = "center";
      for (const s of axis.labels(56 / Math.max(1, room))) {
        const text = formatInteger(s, language);
        const half = context.measureText(text).width / 2;
        context.fillText(text, Math.min(width - half - 1, Math.max(half, x(s))), bottom + 12);
      }
      panel.series.forEach((series, i) => {
        drawBand(context, series, x, y);
        drawLine(context, series, x, y);
        if (marks[i] < 0) return;
        context.fillStyle = series.color;
        context.strokeStyle = theme.panel;
        context.lineWidth = 1.5;
        context.beginPath();
        context.arc(x(series.steps[marks[i]]), y(series.values[marks[i]]), 4.5, 0, 2 * Math.PI);
        context.fill();
        context.stroke();
      });
      drawCursor(context, x(step), bottom, withAlpha(theme.text, 0.6));
      if (pointed !== null) drawCursor(context, x(pointed), bottom, theme.muted, [3, 3]);
    },
  };
};

function drawCursor(context, x, bottom, color, dash = []) {
  context.strokeStyle = color;
  context.lineWidth = 1;
  context.setLineDash(dash);
  context.beginPath();
  context.moveTo(x, TOP_PX);
  context.lineTo(x, bottom);
  context.stroke();
  context.setLineDash([]);
}

function drawBand(context, { steps, low, high, color }, x, y) {
  if (!low) return;
  context.beginPath();
  steps.forEach((s, i) => (i ? context.lineTo(x(s), y(high[i])) : context.moveTo(x(s), y(high[i]))));
  for (let i = steps.length - 1; i >= 0; i -= 1) context.lineTo(x(steps[i]), y(low[i]));
  context.fillStyle = withAlpha(color, 0.18);
  context.fill();
}

function drawLine(context, { steps, values, color, dashed }, x, y) {
  tracePath(context, steps.length, (i) => x(steps[i]), (i) => (Number.isFinite(values[i]) ? y(values[i]) : NaN));
  context.strokeStyle = color;
  context.lineWidth = 2.5;
  context.lineJoin = "round";
  context.setLineDash(dashed ? [5, 4] : []);
  context.stroke();
  context.setLineDash([]);
}
