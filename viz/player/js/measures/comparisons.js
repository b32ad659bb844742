// Comparisons of highlighted groups with null groups: a row a group, a column a kind of null groups.

import { element } from "../drawing.js";
import { PANELS } from "../player.js";
import { lastIndex } from "../step_axis.js";

PANELS.comparisons = (host) => {
  const table = host.appendChild(element("table"));
  let rows = [];
  return {
    update(panel) {
      table.replaceChildren();
      const head = table.appendChild(element("tr"));
      head.appendChild(element("th"));
      for (const column of panel.columns) head.appendChild(element("th", "", column)).scope = "col";
      rows = panel.rows.map((row) => {
        const line = table.appendChild(element("tr"));
        const name = line.appendChild(element("th", "name"));
        name.scope = "row";
        name.title = row.name;
        name.appendChild(element("i")).style.background = row.color;
        name.appendChild(element("span", "", row.name));
        const cells = row.cells.map(() => {
          const cell = line.appendChild(element("td"));
          cell.title = panel.help;
          return { cell, share: cell.appendChild(element("b")), p: cell.appendChild(element("span")) };
        });
        return { ...row, elements: cells };
      });
    },
    paint({ step }) {
      for (const row of rows) {
        const at = lastIndex(row.steps, step);
        row.elements.forEach(({ cell, share, p }, column) => {
          const found = at < 0 ? null : row.cells[column][at];
          share.textContent = found ? found.share : row.steps.length ? "–" : "…";
          p.textContent = found ? found.p : "";
          cell.classList.toggle("notable", Boolean(found?.notable));
        });
      }
    },
  };
};
