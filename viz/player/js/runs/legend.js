// The legend of the chart: what the rule reads of every curve, the lowest value first.

import { element } from "../drawing.js";

/** Make the legend in an element; `point(name)` brings out a run, null none. */
export function makeLegend(host, point) {
  const table = host.appendChild(element("table"));
  const head = table.appendChild(element("thead")).appendChild(element("tr"));
  const title = head.appendChild(element("th"));
  title.colSpan = 2;
  title.scope = "colgroup";
  const body = table.appendChild(element("tbody"));
  const known = new Map();
  let order = "";

  function entry(row) {
    if (!known.has(row.name)) {
      const line = element("tr");
      const name = line.appendChild(element("th"));
      name.scope = "row";
      const mark = name.appendChild(element("i"));
      const text = name.appendChild(element("span"));
      const value = line.appendChild(element("td"));
      line.addEventListener("pointerenter", () => point(row.name));
      line.addEventListener("pointerleave", () => point(null));
      known.set(row.name, { line, mark, text, value });
    }
    return known.get(row.name);
  }

  return {
    update({ title: what, near, readings, formats }) {
      write(title, readings.length ? what : "");
      const lines = readings.map(({ curve, value }) => {
        const one = entry(curve.row);
        one.mark.style.background = curve.row.color;
        write(one.text, curve.row.label || curve.row.name);
        one.text.title = curve.row.name;
        write(one.value, formats.readY(value));
        one.line.classList.toggle("near", curve.row.name === near);
        return one.line;
      });
      const next = readings.map(({ curve }) => curve.row.name).join("\n");
      if (next !== order) body.replaceChildren(...lines);
      order = next;
    },
  };
}

function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
