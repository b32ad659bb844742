// A timeline: a row a head and a cell a snapshot, where the slider has it. A click goes to that snapshot, and chooses that head.

import { canvasIn, element, unpack, whole, withAlpha } from "./drawing.js";
import { headsOf } from "./heads.js";
import { heatScale, keyIn, short } from "./heat.js";
import { PANELS } from "./player.js";
import { indexAt, timeline } from "./timeline.js";
import { placeIn, tipIn } from "./tip.js";

const TEXT_PX = 12;
const BOTTOM_PX = 20;
const LAYER_GAP_PX = 4;

PANELS["head-timeline"] = (host, stage) => {
  host.style.cssText = "display: flex; flex-direction: column; gap: 6px;";
  const bar = host.appendChild(element("div"));
  bar.style.cssText = "display: flex; align-items: center; gap: 8px; flex: none;";
  const note = bar.appendChild(element("div", "note"));
  note.style.cssText = "font-size: 13px; line-height: 1.25; color: var(--muted);";
  const key = keyIn(bar.appendChild(element("div")), "");
  const area = host.appendChild(element("div"));
  area.style.cssText = "position: relative; flex: 1; min-height: 0; cursor: pointer;";
  const picture = canvasIn(area, "");
  const tip = tipIn(area);
  const heads = headsOf(stage);
  const kept = document.createElement("canvas"); // the cells; what moves is drawn over them
  let keptFor = "";
  let panel = null;
  let values = null;
  let scale = null;
  let layout = null;

  area.addEventListener("pointermove", (event) => {
    const { x, y } = placeIn(area, event);
    const [row, index] = [layout.rowAt(y), layout.indexAt(x)];
    if (row < 0) return tip.hide();
    const lines = [index < 0 ? panel.rows[row] : `${panel.rows[row]}: ${short(valueAt(index, row), stage.language)}`];
    if (index >= 0) lines.push(`${stage.words.step} ${whole(ownSteps()[index], stage.language)}`);
    tip.show(x, y, lines);
  });
  area.addEventListener("pointerleave", () => tip.hide());
  area.addEventListener("click", (event) => {
    const { x, y } = placeIn(area, event);
    const [row, index] = [layout.rowAt(y), layout.indexAt(x)];
    if (index >= 0) {
      stage.play(false);
      stage.go(ownSteps()[index]);
    }
    if (row >= 0 && panel.heads) heads.choose(panel.heads[row]);
  });

  const ownSteps = () => panel.steps ?? stage.steps;
  const valueAt = (index, row) => values[index * panel.rows.length + row];
  const colorAt = (index, row) => scale.css(Math.round(scale.place(valueAt(index, row)) * 255));

  function drawCells(ratio) {
    const now = [panel.version, stage.theme.name, stage.scale, stage.steps.join(), area.clientWidth, area.clientHeight, ratio].join("|");
    if (now === keptFor) return;
    keptFor = now;
    kept.width = picture.canvas.width;
    kept.height = picture.canvas.height;
    const context = kept.getContext("2d");
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
      scale = heatScale({ ...panel, curve: "linear" }, 255);
      note.textContent = panel.note;
      if (panel.chooses) heads.adopt(panel.chosen);
      picture.canvas.setAttribute("aria-label", `${panel.title}: ${panel.rows.length}`);
      tip.hide();
    },
    paint({ index, step }) {
      key.paint(scale, panel.ramp, stage, panel.uniform);
      const { context, width, height } = picture.begin();
      const { theme, language } = stage;
      const ratio = picture.canvas.width / Math.max(1, width);
      layout = arrange(context, panel, ownSteps(), stage, width, height);
      drawCells(ratio);
      context.drawImage(kept, 0, 0, width, height);
      writeRows(context, panel, layout, theme, heads.head());
      writeSteps(context, layout, stage, height);
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
        panel.rows.forEach((_, row) => context.fillText(twoDecimals(valueAt(index, row), language), width, rowTop(row) + rowHeight / 2));
      }
      const chosen = panel.heads ? panel.heads.findIndex((head) => String(head) === String(heads.head())) : -1;
      if (chosen >= 0) {
        context.strokeStyle = theme.palette[0];
        context.lineWidth = 2;
        context.strokeRect(left - 1, rowTop(chosen) - 1, right - left + 2, rowHeight + 1);
      }
    },
  };
};

/** Where rows and snapshots stand: a little more room between layers, a snapshot's cell from midway to its neighbours. */
function arrange(context, panel, steps, stage, width, height) {
  context.font = `${TEXT_PX}px ${stage.theme.font}`;
  const left = Math.max(...panel.rows.map((name) => context.measureText(name).width)) + 8;
  const n = panel.rows.length;
  const perLayer = panel.heads ? panel.heads.filter(([layer]) => layer === panel.heads[0][0]).length : n;
  const nGaps = Math.max(0, Math.ceil(n / perLayer) - 1);
  const bottom = height - BOTTOM_PX;
  const rowHeight = Math.max(1, (bottom - nGaps * LAYER_GAP_PX) / n);
  const right = width - (rowHeight >= TEXT_PX ? 40 : 4);
  const line = timeline(stage.steps, stage.scale);
  const x = (step) => left + line.place(step) * (right - left);
  const places = steps.map(x);
  const middle = places.slice(1).map((place, i) => (place + places[i]) / 2);
  const ends = places.length > 1 ? [2 * places[0] - middle[0], 2 * places.at(-1) - middle.at(-1)] : [left, right];
  const edges = [Math.max(left, ends[0]), ...middle, Math.min(right, ends[1])];
  const rowTop = (row) => row * rowHeight + Math.floor(row / perLayer) * LAYER_GAP_PX;
  return {
    left,
    right,
    bottom,
    line,
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

function writeSteps(context, { left, right, line, x, bottom }, stage, height) {
  context.font = `${TEXT_PX}px ${stage.theme.font}`;
  context.fillStyle = stage.theme.muted;
  context.textBaseline = "alphabetic";
  context.textAlign = "center";
  for (const step of line.labels(56 / Math.max(1, right - left))) {
    const text = whole(step, stage.language);
    const half = context.measureText(text).width / 2;
    context.fillText(text, Math.min(right - half + 2, Math.max(left + half, x(step))), height - 4);
  }
}

function twoDecimals(value, language) {
  return Number.isFinite(value) ? value.toLocaleString(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 }) : "–";
}
