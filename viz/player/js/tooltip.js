// A tooltip beside the pointer.

import { boxOf, element } from "./drawing.js";

const OFFSET_PX = 14;

/**
 * Add a tooltip to an element with `position: relative`. `show(x, y, lines)` places it inside and emphasises the first line; a line is a text, or a text after a mark in a colour, `{ color, text }`.
 */
export function addTooltip(host) {
  const tooltip = host.appendChild(element("div", "tooltip"));
  tooltip.setAttribute("role", "tooltip");
  tooltip.hidden = true;
  return {
    show(x, y, lines) {
      tooltip.replaceChildren(...lines.filter(Boolean).map(lineOf));
      tooltip.hidden = false;
      const { width, height } = boxOf(host);
      const [w, h] = [tooltip.offsetWidth, tooltip.offsetHeight];
      const right = x + OFFSET_PX + w <= width;
      tooltip.style.left = `${Math.max(0, right ? x + OFFSET_PX : x - OFFSET_PX - w)}px`;
      tooltip.style.top = `${Math.max(0, Math.min(height - h, y + OFFSET_PX))}px`;
    },
    hide() {
      tooltip.hidden = true;
    },
  };
}

function lineOf(line, i) {
  const node = element("div", i ? "muted" : "", line.text ?? line);
  if (line.color) {
    const mark = element("i");
    mark.style.background = line.color;
    node.prepend(mark);
  }
  return node;
}

/** Compute the position of a pointer in an element, in the element's own pixels. */
export function pointerIn(host, event) {
  const { left, top, zoom } = boxOf(host);
  return { x: (event.clientX - left) / zoom, y: (event.clientY - top) / zoom };
}
