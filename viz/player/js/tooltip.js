// A tooltip beside the pointer.

import { boxOf, element } from "./drawing.js";

const OFFSET_PX = 14;

/** Add a tooltip to an element with `position: relative`. `show(x, y, lines)` places it inside and emphasises the first line. */
export function addTooltip(host) {
  const tooltip = host.appendChild(element("div", "tooltip"));
  tooltip.setAttribute("role", "tooltip");
  tooltip.hidden = true;
  return {
    show(x, y, lines) {
      tooltip.replaceChildren(...lines.filter(Boolean).map((line, i) => element("div", i ? "muted" : "", line)));
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

/** Compute the position of a pointer in an element, in the element's own pixels. */
export function pointerIn(host, event) {
  const { left, top, zoom } = boxOf(host);
  return { x: (event.clientX - left) / zoom, y: (event.clientY - top) / zoom };
}
