// The nearest items of the one that was chosen, in the full space, at every step; a click goes on to one of them.

import { element, unpack } from "./drawing.js";
import { choose, lend } from "./scatter.js";
import { PANELS } from "./player.js";
import { indexAt } from "./timeline.js";

const MOST_MARKED = 5; // in the picture, where more would hide what they mark

PANELS.neighbours = (host, stage) => {
  const list = host.appendChild(element("ol"));
  let panel = null;
  let items = null;
  let distances = null;
  let farthest = 1;
  let rows = [];
  let at = 0; // the step that is shown, as an index

  function row(rank) {
    const press = list.appendChild(element("li")).appendChild(element("button"));
    press.type = "button";
    const [mark, name, bar, far] = [element("i"), element("span", "name"), element("span", "bar"), element("span", "far")];
    press.append(mark, name, bar, far);
    bar.appendChild(element("span"));
    press.addEventListener("click", () => choose(stage, items[at * rows.length + rank]));
    return { press, mark, name, bar: bar.firstChild, far };
  }

  return {
    update(next) {
      panel = next;
      items = unpack(next.items);
      distances = unpack(next.distances);
      farthest = distances.reduce((most, d) => Math.max(most, d), 0) || 1;
      list.replaceChildren();
      const [, k] = items.shape;
      rows = Array.from({ length: k }, (_, rank) => row(rank));
      lend(stage, panel.item, (item, step) => {
        if (item !== panel.item) return null;
        const first = indexAt(panel.measured_steps, step) * k;
        return Array.from(items.subarray(first, first + Math.min(k, MOST_MARKED)));
      });
    },
    paint({ step }) {
      at = indexAt(panel.measured_steps, step);
      const k = rows.length;
      rows.forEach(({ mark, name, bar, far, press }, rank) => {
        const item = items[at * k + rank];
        const distance = distances[at * k + rank];
        const [label, color] = panel.styles[item];
        mark.style.background = color;
        name.textContent = label;
        bar.style.width = `${(100 * distance) / farthest}%`;
        bar.style.background = color;
        far.textContent = distance.toLocaleString(stage.language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
        press.title = `${label}: ${far.textContent}`;
      });
    },
    destroy: () => lend(stage, null, null),
  };
};
