// What is measured at the slider's step, a line each.

import { element } from "./drawing.js";
import { PANELS } from "./theatre.js";
import { indexAt } from "./timeline.js";

PANELS.numbers = (host) => {
  const list = host.appendChild(element("dl"));
  let lines = [];
  return {
    update(panel) {
      list.replaceChildren();
      lines = panel.lines.map((line) => {
        const name = list.appendChild(element("dt", "", line.name));
        const value = list.appendChild(element("dd"));
        name.title = line.help;
        value.title = line.help;
        if (line.color) value.style.color = line.color;
        return { ...line, value };
      });
    },
    paint({ step }) {
      for (const line of lines) {
        const text = line.steps.length && line.steps[0] <= step ? line.texts[indexAt(line.steps, step)] : "–";
        if (line.value.textContent !== text) line.value.textContent = text;
      }
    },
  };
};
