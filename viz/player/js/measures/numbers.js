// Measures at the slider's step, a line each, with a bar for shares.

import { element } from "../drawing.js";
import { PANELS } from "../player.js";
import { lastIndex } from "../step_axis.js";

PANELS.numbers = (host) => {
  const list = host.appendChild(element("dl"));
  let lines = [];
  return {
    update(panel) {
      list.replaceChildren();
      lines = panel.lines.map((line) => {
        const name = list.appendChild(element("dt", "", line.name));
        const value = list.appendChild(element("dd"));
        const text = value.appendChild(element("span"));
        const bar = line.shares ? value.appendChild(element("i")) : null;
        if (bar) bar.appendChild(element("i"));
        name.title = line.help;
        value.title = line.help;
        if (line.color) value.style.color = line.color;
        return { ...line, text, bar };
      });
    },
    paint({ step }) {
      for (const line of lines) {
        const at = lastIndex(line.steps, step);
        const text = at < 0 ? "–" : line.texts[at];
        if (line.text.textContent !== text) line.text.textContent = text;
        if (line.bar) line.bar.firstChild.style.width = `${100 * Math.max(0, Math.min(1, (at < 0 ? 0 : line.shares[at]) || 0))}%`;
      }
    },
  };
};
