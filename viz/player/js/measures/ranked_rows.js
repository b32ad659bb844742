// Rows in the order of their values at the slider's step: a name, a bar and a number each. Between two snapshots they move to their next place.

import { addButton, element } from "../drawing.js";

const MAX_ROW_PX = 22;
const MIN_ROW_PX = 17;

/**
 * Place the rows of a view: `[{ id, place, opacity }]`, the places counted from 0 at the top.
 *
 * `leaders(index)` lists the ids that are shown at a snapshot, in their order. Between two snapshots a row that is among the leaders of both
 * moves from the one place to the other; one that enters or leaves does so below the last place, and fades.
 */
export function placeRows({ index, from, to, between }, leaders) {
  if (from === to || between === 0) return leaders(index).map((id, place) => ({ id, place, opacity: 1 }));
  const [before, after] = [leaders(from), leaders(to)].map((ids) => new Map(ids.map((id, place) => [id, place])));
  const outside = Math.max(before.size, after.size);
  return [...new Set([...before.keys(), ...after.keys()])].map((id) => {
    const [a, b] = [before.get(id) ?? outside, after.get(id) ?? outside];
    return { id, place: a + (b - a) * between, opacity: (before.has(id) ? 1 - between : 0) + (after.has(id) ? between : 0) };
  });
}

/** Compute how high rows are, and how many fit, where there are `wanted`. */
export function fitRows(height, wanted) {
  const rowPx = Math.max(MIN_ROW_PX, Math.min(MAX_ROW_PX, height / Math.max(1, wanted)));
  return { rowPx, n: Math.max(1, Math.min(wanted, Math.floor(height / rowPx + 1e-6))) };
}

/**
 * Make a list of rows in an element. `paint(rows, layout)` shows rows `{ id, place, opacity, name, share, text, color, isMuted, isChosen }`,
 * with bars of `share` of the room. If there is `choose(id)`, each row is a button.
 */
export function makeRankedRows(host, choose = null) {
  const list = host.appendChild(element("ol", "ranked"));
  const known = new Map();

  function make(id) {
    const row = list.appendChild(element("li"));
    row.dataset.id = id;
    const inside = choose ? addButton(row, "", () => choose(id)) : row;
    const [name, bar, text] = [inside.appendChild(element("span")), inside.appendChild(element("i")), inside.appendChild(element("b"))];
    return { row, inside, name, bar, text };
  }

  return {
    list,
    paint(rows, { rowPx, namePx, numberPx, width, atRest }) {
      const room = Math.max(4, width - namePx - numberPx - 16);
      list.style.setProperty("--name", `${namePx}px`);
      list.style.setProperty("--row", `${rowPx}px`);
      const shown = new Set(rows.map(({ id }) => id));
      for (const [id, { row }] of known) {
        if (shown.has(id)) continue;
        row.remove();
        known.delete(id);
      }
      for (const one of rows) {
        if (!known.has(one.id)) known.set(one.id, make(one.id));
        const { row, inside, name, bar, text } = known.get(one.id);
        row.style.transform = `translateY(${one.place * rowPx}px)`;
        row.style.opacity = one.opacity;
        row.classList.toggle("rest", Boolean(one.isMuted));
        row.classList.toggle("chosen", Boolean(one.isChosen));
        if (choose) inside.setAttribute("aria-pressed", String(Boolean(one.isChosen)));
        if (name.textContent !== one.name) name.textContent = one.name;
        if (text.textContent !== one.text) text.textContent = one.text;
        bar.style.width = `${one.share > 0 ? Math.max(1, Math.min(1, one.share) * room) : 0}px`;
        bar.style.background = one.color;
      }
      if (atRest) sort(rows);
    },
  };

  /** Bring the elements into the order of the rows, for those who read them one after the other. */
  function sort(rows) {
    const ordered = [...rows].sort((a, b) => a.place - b.place).map(({ id }) => known.get(id).row);
    ordered.forEach((row, i) => list.children[i] === row || list.insertBefore(row, list.children[i] ?? null));
  }
}
