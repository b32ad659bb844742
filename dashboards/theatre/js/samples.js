// What the model wrote: the text of the last sample at or before the slider's step.

import { element, whole } from "./drawing.js";
import { PANELS } from "./theatre.js";
import { indexAt } from "./timeline.js";

PANELS.samples = (host, stage) => {
  const note = host.appendChild(element("div", "note"));
  const text = host.appendChild(element("pre"));
  let panel = null;
  let shown = null;
  return {
    update(next) {
      panel = next;
      shown = null;
    },
    paint({ step }) {
      const said = panel.said.filter((one) => one.step <= step);
      const one = said.length ? panel.said[indexAt(panel.said.map((s) => s.step), step)] : null;
      if (one === shown && shown) return;
      shown = one;
      note.textContent = one ? `${stage.words.step} ${whole(one.step, stage.language)}${one.note ? ` · ${one.note}` : ""}` : panel.empty;
      text.textContent = one ? one.text : "";
    },
  };
};
