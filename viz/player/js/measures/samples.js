// Samples of the model: the text of the last sample at or before the slider's step, and optionally a list of all of them.

import { addButton, element, formatInteger } from "../drawing.js";
import { PANELS } from "../player.js";
import { lastIndex } from "../step_axis.js";

PANELS.samples = (host, player) => {
  const note = host.appendChild(element("div", "note"));
  const text = host.appendChild(element("pre"));
  const list = host.appendChild(element("div", "history"));
  let panel = null;
  let steps = [];
  let shown; // index of the sample on the page, -1 for none

  function addLine(sample) {
    const line = addButton(list, "", () => {
      player.play(false);
      player.go(sample.step);
    });
    line.append(element("span", "", formatInteger(sample.step, player.language)), element("code", "", sample.text.trim().replace(/\s+/g, " ").slice(0, 200)));
  }

  return {
    update(next) {
      panel = next;
      steps = panel.texts.map((sample) => sample.step);
      shown = undefined;
      host.classList.toggle("listed", panel.history);
      list.replaceChildren();
      if (panel.history) panel.texts.forEach(addLine);
    },
    paint({ step }) {
      const at = lastIndex(steps, step);
      if (at === shown) return;
      shown = at;
      const sample = panel.texts[at];
      note.textContent = sample ? `${player.words.step} ${formatInteger(sample.step, player.language)}${sample.note ? ` · ${sample.note}` : ""}` : panel.empty;
      text.textContent = sample ? sample.text : "";
      for (const [i, line] of [...list.children].entries()) line.classList.toggle("now", i === at);
      // Scrolls the list alone: scrollIntoView would scroll the page as well.
      const now = list.children[at];
      if (now) list.scrollTop = now.offsetTop - (list.clientHeight - now.clientHeight) / 2;
    },
  };
};
