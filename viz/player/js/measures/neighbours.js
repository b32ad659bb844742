// The nearest items of the selected one in the full space, at every step. A click selects one of them.

import { addButton, element, formatFixed, unpack } from "../drawing.js";
import { PANELS } from "../player.js";
import { selectItem, shareNeighbours } from "../scatter/scatter_links.js";
import { indexAt } from "../step_axis.js";

const MAX_MARKED = 5; // in the scatter plot, where more rings would hide the points

PANELS.neighbours = (host, player) => {
  const list = host.appendChild(element("ol"));
  let panel = null;
  let items = null;
  let distances = null;
  let farthest = 1;
  let rows = [];
  let at = 0; // index of the step that is shown

  function addRow(rank) {
    const button = addButton(list.appendChild(element("li")), "", () => selectItem(player, items[at * rows.length + rank]));
    const [mark, name, bar, distance] = [element("i"), element("span", "name"), element("span", "bar"), element("span", "distance")];
    button.append(mark, name, bar, distance);
    bar.appendChild(element("span"));
    return { button, mark, name, bar: bar.firstChild, distance };
  }

  return {
    update(next) {
      panel = next;
      items = unpack(next.items);
      distances = unpack(next.distances);
      farthest = distances.reduce((largest, d) => Math.max(largest, d), 0) || 1;
      list.replaceChildren();
      const [, k] = items.shape;
      rows = Array.from({ length: k }, (_, rank) => addRow(rank));
      shareNeighbours(player, panel.item, (item, step) => {
        if (item !== panel.item) return null;
        const first = indexAt(panel.measured_steps, step) * k;
        return Array.from(items.subarray(first, first + Math.min(k, MAX_MARKED)));
      });
    },
    paint({ step }) {
      at = indexAt(panel.measured_steps, step);
      const k = rows.length;
      rows.forEach((row, rank) => {
        const distance = distances[at * k + rank];
        const [label, color] = panel.styles[items[at * k + rank]];
        row.mark.style.background = color;
        row.name.textContent = label;
        row.bar.style.width = `${(100 * distance) / farthest}%`;
        row.bar.style.background = color;
        row.distance.textContent = formatFixed(distance, 2, player.language);
        row.button.title = `${label}: ${row.distance.textContent}`;
      });
    },
    destroy: () => shareNeighbours(player, null, null),
  };
};
