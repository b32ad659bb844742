// A heat map of heads over training: a row a head and a cell a snapshot. A click goes to that snapshot and chooses that head.

import { addCanvas, element, formatFixed, unpack, withAlpha } from "../drawing.js";
import { headChoiceOf } from "./head_choice.js";
import { addColorBar, colorScale, formatShort } from "../color_scale.js";
import { PANELS } from "../player.js";
import { indexAt, stepAxis } from "../step_axis.js";
import { addTooltip, pointerIn } from "../tooltip.js";

const TEXT_PX = 12;
const BOTTOM_PX = 20;
const LAYER_GAP_PX = 4;
const LABEL_GAP_PX = 10;

PANELS["head-timeline"] = (host, player) => {
  host.style.cssText = "display: flex; flex-direction: column; gap: 6px;";
  const bar = host.appendChild(element("div"));
  bar.style.cssText = "display: flex; flex-wrap: wrap; align-items: center; gap: 2px 8px; flex: none;";
  const note = bar.appendChild(element("div", "note"));
  note.style.cssText = "font-size: 13px; line-height: 1.25; color: var(--muted);";
  const colorBar = addColorBar(bar.appendChild(element("div")), "");
  const area = host.appendChild(element("div"));
  area.style.cssText = "position: relative; flex: 1; min-height: 0; cursor: pointer;";
  const picture = addCanvas(area, "");
  const tooltip = addTooltip(area);
  const heads = headChoiceOf(player);
  const cells = document.createElement("canvas"); // drawn once; the cursor moves over them
  let cellsFor = "";
  let panel = null;
  let values = null;
  let scale = null;
  let layout = null;

  area.addEventListener("pointermove", (event) => {
    const { x, y } = pointerIn(area, event);
    const [row, index] = [layout.rowAt(y), layout.indexAt(x)];
    if (row < 0) return tooltip.hide();
    const lines = [index < 0 ? panel.rows[row] : `${panel.rows[row]}: ${formatShort(valueAt(index, row), player.language)}`];
    if (index >= 0) lines.push(player.nameStep(ownSteps()[index]));
    tooltip.show(x, y, lines);
  });
  area.addEventListener("pointerleave", () => tooltip.hide());
  area.addEventListener("click", (event) => {
    const { x, y } = pointerIn(area, event);
    const [row, index] = [layout.rowAt(y), layout.indexAt(x)];
    if (index >= 0) {
      player.play(false);
      player.go(ownSteps()[index]);
    }
    if (row >= 0 && panel.heads) heads.choose(panel.heads[row]);
  });

  const ownSteps = () => panel.steps ?? player.steps;
  const valueAt = (index, row) => values[index * panel.rows.length + row];
  const colorAt = (index, row) => scale.css(Math.round(scale.place(valueAt(index, row)) * 255));

  function drawCells(ratio) {
    const now = [panel.version, player.theme.name, player.scale, player.steps.join(), area.clientWidth, area.clientHeight, ratio].join("|");
    if (now === cellsFor) return;
    cellsFor = now;
    cells.width = picture.canvas.width;
    cells.height = picture.canvas.height;
    const context = cells.getContext("2d");
    context.scale(ratio, ratio);
    const { edges, rowTop, rowHeight } = layout;
    panel.rows.forEach((_, row) => {
      for (let index = 0; index < edges.length - 1; index += 1) {
        if (!Number.isFinite(valueAt(index, row))) continue;
        context.fillStyle = colorAt(index, row);
        context.fillRect(edges[index], rowTop(row), Math.max(0.8, edges[index + 1] - edges[index]) + 0.3, rowHeight - (rowHeight > 8 ? 1 : 0));
      }
    });
  }

  return {
    update(next) {
      panel = next;
      values = unpack(panel.values);
      scale = colorScale({ ...panel, curve: "linear" }, 255);
      note.textContent = panel.note;
      if (panel.chooses) heads.adopt(panel.chosen);
      picture.canvas.setAttribute("aria-label", `${panel.title}: ${panel.rows.length}`);
      tooltip.hide();
    },
    paint({ index, step }) {
      colorBar.paint(scale, panel.ramp, player, panel.uniform);
      const { context, width, height } = picture.clear();
      const { theme, language } = player;
      const ratio = picture.canvas.width / Math.max(1, width);
      layout = arrange(context, panel, ownSteps(), player, width, height);
      drawCells(ratio);
      context.drawImage(cells, 0, 0, width, height);
      writeRows(context, panel, layout, theme, heads.value());
      writeSteps(context, layout, player, height);
      const { left, right, rowHeight, rowTop, bottom } = layout;
      const x = layout.x(step);
      context.strokeStyle = withAlpha(theme.text, 0.75);
      context.lineWidth = 1.5;
      context.beginPath();
      context.moveTo(x, 0);
      context.lineTo(x, bottom);
      context.stroke();
      context.textBaseline = "middle";
      if (rowHeight >= TEXT_PX) {
        context.font = `${TEXT_PX}px ${theme.font}`;
        context.fillStyle = theme.text;
        context.textAlign = "right";
        panel.rows.forEach((_, row) => context.fillText(formatValue(valueAt(index, row), language), width, rowTop(row) + rowHeight / 2));
      }
      const chosen = panel.heads ? panel.heads.findIndex((head) => String(head) === String(heads.value())) : -1;
      if (chosen >= 0) {
        context.strokeStyle = theme.palette[0];
        context.lineWidth = rowHeight < TEXT_PX ? 1 : 2; // a thick line would cover thin rows
        context.strokeRect(left - 1, rowTop(chosen) - 1, right - left + 2, rowHeight + 1);
      }
    },
  };
};

/** Lay out rows and snapshots: a gap between layers, and cells that extend midway to the neighbouring snapshots. */
function arrange(context, panel, steps, player, width, height) {
  context.font = `${TEXT_PX}px ${player.theme.font}`;
  const left = Math.max(...panel.rows.map((name) => context.measureText(name).width)) + 8;
  const n = panel.rows.length;
  const perLayer = panel.heads ? panel.heads.filter(([layer]) => layer === panel.heads[0][0]).length : n;
  const nGaps = Math.max(0, Math.ceil(n / perLayer) - 1);
  const bottom = height - BOTTOM_PX;
  const rowHeight = Math.max(1, (bottom - nGaps * LAYER_GAP_PX) / n);
  const right = width - (rowHeight >= TEXT_PX ? 40 : 4);
  const axis = stepAxis(player.steps, player.scale);
  const x = (step) => left + axis.place(step) * (right - left);
  const places = steps.map(x);
  const middle = places.slice(1).map((place, i) => (place + places[i]) / 2);
  const ends = places.length > 1 ? [2 * places[0] - middle[0], 2 * places.at(-1) - middle.at(-1)] : [left, right];
  const edges = [Math.max(left, ends[0]), ...middle, Math.min(right, ends[1])];
  const rowTop = (row) => row * rowHeight + Math.floor(row / perLayer) * LAYER_GAP_PX;
  return {
    left,
    right,
    bottom,
    axis,
    x,
    edges,
    rowTop,
    rowHeight,
    perLayer,
    rowAt(y) {
      for (let row = 0; row < n; row += 1) if (y >= rowTop(row) && y < rowTop(row) + rowHeight) return row;
      return -1;
    },
    indexAt: (at) => (at < edges[0] || at > edges.at(-1) ? -1 : indexAt(edges.slice(0, -1), at)),
  };
}

function writeRows(context, panel, { left, rowTop, rowHeight, perLayer }, theme, chosen) {
  context.font = `${TEXT_PX}px ${theme.font}`;
  context.textBaseline = "middle";
  context.textAlign = "right";
  panel.rows.forEach((name, row) => {
    const isChosen = panel.heads && String(panel.heads[row]) === String(chosen);
    context.fillStyle = isChosen ? theme.palette[0] : theme.muted;
    if (rowHeight >= TEXT_PX - 1) context.fillText(name, left - 6, rowTop(row) + rowHeight / 2);
    else if (row % perLayer === 0 && perLayer * rowHeight >= TEXT_PX) context.fillText(name.split(" ")[0], left - 6, rowTop(row) + (perLayer * rowHeight) / 2);
  });
}

/** Write steps below the cells; a label that would touch one that is written already is left out, the first and the last step coming first. */
function writeSteps(context, { left, right, axis, x }, player, height) {
  context.font = `${TEXT_PX}px ${player.theme.font}`;
  context.fillStyle = player.theme.muted;
  context.textBaseline = "alphabetic";
  context.textAlign = "center";
  const written = [];
  const [first, last] = [player.steps[0], player.steps.at(-1)];
  const others = axis.labels(30 / Math.max(1, right - left)).filter((step) => step !== first && step !== last);
  for (const step of [...new Set([first, last]), ...others]) {
    const text = player.writeStep(step);
    const half = context.measureText(text).width / 2;
    const place = Math.min(right - half + 2, Math.max(left + half - 2, x(step)));
    if (written.some((other) => Math.abs(other.place - place) < other.half + half + LABEL_GAP_PX)) continue;
    written.push({ place, half });
    context.fillText(text, place, height - 4);
  }
}

function formatValue(value, language) {
  return Number.isFinite(value) ? formatFixed(value, 2, language) : "–";
}
