// What the model wrote: the text of the last sample at or before the slider's step, and perhaps a line of every sample to choose from.

import { element, whole } from "./drawing.js";
import { PANELS } from "./player.js";
import { indexAt } from "./timeline.js";

PANELS.samples = (host, stage) => {
  const note = host.appendChild(element("div", "note"));
  const text = host.appendChild(element("pre"));
  const list = host.appendChild(element("div", "history"));
  let panel = null;
  let steps = [];
  let shown; // index of the sample on the page, -1 for none

  function line(one) {
    const made = list.appendChild(element("button"));
    made.type = "button";
    made.append(element("span", "", whole(one.step, stage.language)), element("code", "", one.text.trim().replace(/\s+/g, " ").slice(0, 200)));
    made.addEventListener("click", () => {
      stage.play(false);
      stage.go(one.step);
    });
  }

  return {
    update(next) {
      panel = next;
      steps = panel.texts.map((one) => one.step);
      shown = undefined;
      host.classList.toggle("listed", panel.history);
      list.replaceChildren();
      if (panel.history) panel.texts.forEach(line);
    },
    paint({ step }) {
      const at = steps.length && steps[0] <= step ? indexAt(steps, step) : -1;
      if (at === shown) return;
      shown = at;
      const one = panel.texts[at];
      note.textContent = one ? `${stage.words.step} ${whole(one.step, stage.language)}${one.note ? ` · ${one.note}` : ""}` : panel.empty;
      text.textContent = one ? one.text : "";
      for (const [i, made] of [...list.children].entries()) made.classList.toggle("now", i === at);
      // Within the list only: scrollIntoView would move the page as well.
      const now = list.children[at];
      if (now) list.scrollTop = now.offsetTop - (list.clientHeight - now.clientHeight) / 2;
    },
  };
};
