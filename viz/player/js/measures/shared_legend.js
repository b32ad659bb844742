// One legend for all panels of a player. Pointing at a group brings it out in every scatter plot.

import { element } from "../drawing.js";
import { PANELS } from "../player.js";
import { emphasiseGroup } from "../scatter/scatter_links.js";

PANELS["shared-legend"] = (host, player) => {
  const list = host.appendChild(element("div", "legend"));
  const note = host.appendChild(element("div", "note"));

  function addEntry({ name, color, mark, help }) {
    const entry = list.appendChild(element("span", `entry ${mark}`));
    const sample = entry.appendChild(element("i"));
    if (mark === "ring") sample.style.borderColor = color;
    else sample.style.background = color;
    entry.appendChild(element("span", "", name));
    if (help) entry.title = help;
    if (mark !== "disc") return;
    entry.addEventListener("pointerenter", () => emphasiseGroup(player, name));
    entry.addEventListener("pointerleave", () => emphasiseGroup(player, null));
  }

  return {
    update(panel) {
      list.replaceChildren();
      panel.entries.forEach(addEntry);
      note.textContent = panel.note;
      note.hidden = !panel.note;
    },
    paint() {},
  };
};
