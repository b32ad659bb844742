// A small box beside the pointer that says what lies under it.

import { element } from "./drawing.js";

const AWAY_PX = 14;

/** Put a tip into an element that has `position: relative`; `show(x, y, lines)` places it inside, the first line stands out. */
export function tipIn(host) {
  const tip = host.appendChild(element("div", "tip"));
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;
  return {
    show(x, y, lines) {
      tip.replaceChildren(...lines.filter(Boolean).map((line, i) => element("div", i ? "quiet" : "", line)));
      tip.hidden = false;
      const { width, height } = host.getBoundingClientRect();
      const [w, h] = [tip.offsetWidth, tip.offsetHeight];
      const right = x + AWAY_PX + w <= width;
      tip.style.left = `${Math.max(0, right ? x + AWAY_PX : x - AWAY_PX - w)}px`;
      tip.style.top = `${Math.max(0, Math.min(height - h, y + AWAY_PX))}px`;
    },
    hide() {
      tip.hidden = true;
    },
  };
}

/** Return where a pointer stands in an element, in its CSS pixels. */
export function placeIn(host, event) {
  const box = host.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}
