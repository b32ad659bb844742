// A measure of every head at the slider's step: a row a layer and a column a head, in colours on both sides of 0.

import { addColorBar, colorScale, formatShort } from "../color_scale.js";
import { addCanvas, element, formatFixed, textOn, unpack, withAlpha } from "../drawing.js";
import { PANELS } from "../player.js";
import { addTooltip, pointerIn } from "../tooltip.js";

const TEXT_PX = 13;
const GAP_PX = 3;
const MAX_CELL_PX = 120;
const TOP = 255;

PANELS["head-grid"] = (host, player) => {
  host.style.cssText = "display: flex; flex-direction: column; gap: 6px;";
  const bar = host.appendChild(element("div"));
  bar.style.cssText = "display: flex; align-items: center; gap: 8px; flex: none;";
  const note = bar.appendChild(element("div", "note"));
  const colorBar = addColorBar(bar.appendChild(element("div")), "");
  const area = host.appendChild(element("div"));
  area.style.cssText = "position: relative; flex: 1; min-height: 0;";
  const picture = addCanvas(area, "");
  const tooltip = addTooltip(area);
  let panel = null;
  let values = null;
  let spread = null;
  let scale = null;
  let cells = [];
  let index = 0;

  const at = (array, row, column) => array[(index * panel.rows.length + row) * panel.columns.length + column];
  const isWithin = (row, column) => spread !== null && Math.abs(at(values, row, column)) <= at(spread, row, column);

  area.addEventListener("pointermove", (event) => {
    const { x, y } = pointerIn(area, event);
    const cell = cells.find((one) => x >= one.x && x < one.x + one.width && y >= one.y && y < one.y + one.height);
    if (!cell) return tooltip.hide();
    const { row, column } = cell;
    const name = `${panel.rows[row]}, ${panel.columns[column]}`;
    tooltip.show(x, y, [`${name}: ${signed(at(values, row, column), (value) => formatShort(value, player.language))}`, isWithin(row, column) ? panel.within : ""]);
  });
  area.addEventListener("pointerleave", () => tooltip.hide());

  function paintCells(context, width, height) {
    const { theme, language } = player;
    context.font = `${TEXT_PX}px ${theme.font}`;
    const left = Math.max(...panel.rows.map((name) => context.measureText(name).width)) + 10;
    const top = TEXT_PX + 9;
    const cellWidth = Math.min(MAX_CELL_PX, (width - left) / panel.columns.length);
    const cellHeight = Math.min(MAX_CELL_PX, (height - top) / panel.rows.length);
    cells = panel.rows.flatMap((_, row) => panel.columns.map((_, column) => ({ row, column, x: left + column * cellWidth, y: top + row * cellHeight, width: cellWidth - GAP_PX, height: cellHeight - GAP_PX })));
    for (const cell of cells) paintCell(context, cell, language, theme);
    context.fillStyle = theme.muted;
    context.font = `${TEXT_PX}px ${theme.font}`;
    context.textBaseline = "middle";
    context.textAlign = "right";
    const every = Math.max(1, Math.ceil((TEXT_PX + 2) / cellHeight));
    panel.rows.forEach((name, row) => row % every || context.fillText(name, left - 8, top + (row + 0.5) * cellHeight - GAP_PX / 2));
    context.textAlign = "center";
    const widest = Math.max(...panel.columns.map((name) => context.measureText(name).width)) + 8;
    const skip = Math.max(1, Math.ceil(widest / cellWidth));
    panel.columns.forEach((name, column) => column % skip || context.fillText(name, left + (column + 0.5) * cellWidth - GAP_PX / 2, TEXT_PX / 2 + 3));
  }

  function paintCell(context, { row, column, x, y, width, height }, language, theme) {
    const value = at(values, row, column);
    if (!Number.isFinite(value)) return;
    const color = scale.css(Math.round(scale.place(value) * TOP));
    context.fillStyle = color;
    context.fillRect(x, y, width, height);
    const within = isWithin(row, column);
    context.font = `${within ? "" : "600 "}${TEXT_PX}px ${theme.font}`;
    const text = signed(value, (number) => formatFixed(number, 2, language));
    if (height < TEXT_PX + 2 || context.measureText(text).width > width - 4) return;
    context.fillStyle = within ? withAlpha(textOn(color), 0.75) : textOn(color);
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(text, x + width / 2, y + height / 2);
  }

  return {
    update(next) {
      panel = next;
      values = unpack(next.values);
      spread = next.spread ? unpack(next.spread) : null;
      scale = colorScale({ ramp: next.ramp, low: -next.high, high: next.high, curve: "linear" }, TOP);
      note.textContent = next.note;
      picture.canvas.setAttribute("aria-label", `${next.title}: ${next.rows.length} × ${next.columns.length}`);
      tooltip.hide();
    },
    paint(view) {
      index = view.index;
      colorBar.paint(scale, panel.ramp, player);
      const { context, width, height } = picture.clear();
      if (width > 2 && height > 2) paintCells(context, width, height);
    },
  };
};

/** Write a difference with its sign; none for what is written as 0. */
function signed(value, write) {
  const text = write(value);
  return value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}
