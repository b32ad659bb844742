// The controls around a scatter plot: legend, tools, search, tooltip, and the offer to highlight the items in a lasso.

import { addButton, element, setName } from "../drawing.js";

const MAX_NAME_LENGTH = 26;
const NOTE_MS = 2500;
const ZOOM_FACTOR = 1.4;

/**
 * Add the controls to an element. `hasLasso` is whether the page can highlight the items in a lasso.
 *
 * `actions`: `reset()`, `fit()`, `zoom(factor)`, `lasso(on)`, `trails(on)`, `search(text, select)` which returns the number of matches, `highlight()`,
 * `drop()`, `emphasise(group or null)`, `escape()`, `toNext(dx, dy)`, `select()`.
 */
export function scatterControls(host, hasLasso, actions) {
  const bar = host.appendChild(element("div", "bar"));
  const legend = bar.appendChild(element("div", "legend discs"));
  const tools = bar.appendChild(element("div", "tools"));
  const area = host.appendChild(element("div", "area"));
  const announcement = host.appendChild(element("div", "announcement"));
  const tooltip = host.appendChild(element("div", "tooltip"));
  const offer = host.appendChild(element("div", "offer"));
  let words = {};
  let noteTimer = 0;
  area.tabIndex = 0;
  area.setAttribute("role", "application");
  announcement.setAttribute("aria-live", "polite");
  tooltip.hidden = true;
  offer.hidden = true;

  const search = tools.appendChild(element("input", "search"));
  search.type = "search";
  const count = tools.appendChild(element("span", "count"));
  const trails = toggle(tools, "trails", "trails", (on) => actions.trails(on));
  const lasso = toggle(tools, "lasso", "lasso", (on) => actions.lasso(on));
  lasso.hidden = !hasLasso;
  const zoomOut = tool(tools, "zoom-out", "minus", () => actions.zoom(1 / ZOOM_FACTOR));
  const zoomIn = tool(tools, "zoom-in", "plus", () => actions.zoom(ZOOM_FACTOR));
  const fit = tool(tools, "fit", "fit", () => actions.fit());
  const reset = tool(tools, "reset", "reset", () => actions.reset());
  setPressed(trails, true);

  // A search for spaces keeps one of them.
  search.addEventListener("input", () => showCount(actions.search(search.value.trim() || (search.value ? " " : ""), false)));
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") showCount(actions.search(search.value.trim(), true));
    if (event.key !== "Escape") return;
    search.value = "";
    showCount(actions.search("", false));
    area.focus();
  });

  function showCount(n) {
    count.textContent = search.value ? String(n) : "";
  }

  area.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const action = {
      "+": () => actions.zoom(ZOOM_FACTOR),
      "=": () => actions.zoom(ZOOM_FACTOR),
      "-": () => actions.zoom(1 / ZOOM_FACTOR),
      0: () => actions.reset(),
      s: () => actions.fit(),
      l: () => lasso.hidden || lasso.click(),
      t: () => trails.hidden || trails.click(),
      "/": () => search.focus(),
      Enter: () => actions.select(),
      Escape: () => actions.escape(),
    }[event.key];
    const direction = event.shiftKey && { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!action && !direction) return;
    event.preventDefault();
    if (direction) actions.toNext(...direction);
    else action();
  });

  const accept = addButton(offer, "accept", () => actions.highlight());
  const drop = addButton(offer, "drop", () => actions.drop(), "×");

  function update(panel, cloud) {
    words = panel.words;
    area.setAttribute("aria-label", `${panel.title}. ${words.keys}`);
    search.placeholder = words.find;
    search.setAttribute("aria-label", words.find);
    for (const [button, help, word] of [
      [trails, words.trails, words.trails_word],
      [lasso, words.lasso, words.lasso_word],
      [zoomOut, words.farther, words.farther_word],
      [zoomIn, words.nearer, words.nearer_word],
      [fit, words.fit, words.fit_word],
      [reset, words.reset, words.reset_word],
    ]) {
      setName(button, help);
      button.querySelector(".word").textContent = word;
    }
    setName(drop, words.drop);
    trails.hidden = !panel.groups.length;
    area.classList.toggle("space", cloud.axes === 3);
    legend.replaceChildren();
    if (!panel.has_legend) return;
    for (const group of [...panel.groups, ...panel.classes]) legend.appendChild(legendEntry(group));
    if (cloud.hasDoubt && words.doubt_note) legend.appendChild(doubtEntry(words.doubt_note));
  }

  function legendEntry(group) {
    const entry = element("span", "entry");
    entry.appendChild(element("i")).style.background = group.color;
    const text = entry.appendChild(element("span", "", shorten(group.name)));
    text.title = `${group.name} (${group.members.length})`;
    entry.addEventListener("pointerenter", () => actions.emphasise(group));
    entry.addEventListener("pointerleave", () => actions.emphasise(null));
    return entry;
  }

  function doubtEntry(note) {
    const entry = element("span", "entry muted");
    entry.appendChild(element("i", "open"));
    entry.appendChild(element("span", "", note));
    return entry;
  }

  /** Announce a text to screen readers. */
  function announce(text) {
    announcement.textContent = text;
  }

  return {
    area,
    update,
    announce,
    hasTrails: () => trails.getAttribute("aria-pressed") === "true",
    setMoved: (hasMoved) => reset.classList.toggle("hint", hasMoved),
    /** Show a tooltip beside a point, `{ x, y, radius, name, color, neighbours }`, or none. */
    showTooltip(point, frame) {
      tooltip.hidden = !point;
      if (!point) return;
      const title = element("div", "name");
      title.appendChild(element("i")).style.background = point.color;
      title.appendChild(element("b", "", point.name));
      tooltip.replaceChildren(title);
      if (point.neighbours.length) {
        tooltip.appendChild(element("div", "muted", words.nearest));
        tooltip.appendChild(element("div", "", point.neighbours.join(" · ")));
      } else if (words.click) tooltip.appendChild(element("div", "muted", words.click));
      if (point.isMoved) tooltip.appendChild(element("div", "muted", words.moved));
      const [w, h] = [tooltip.offsetWidth, tooltip.offsetHeight];
      const gap = point.radius + 12;
      const x = point.x + gap + w > frame.width ? point.x - gap - w : point.x + gap;
      tooltip.style.left = `${Math.max(0, Math.min(frame.width - w, x))}px`;
      tooltip.style.top = `${area.offsetTop + Math.max(0, Math.min(frame.height - h, point.y - h / 2))}px`;
    },
    /** Offer to highlight `n` items; an empty lasso that was drawn gets a note. */
    offer(n, wasDrawn) {
      clearTimeout(noteTimer);
      offer.hidden = !n && !wasDrawn;
      accept.hidden = !n;
      drop.hidden = !n;
      accept.textContent = n ? (n === 1 ? words.highlight_one : words.highlight).replace("{n}", n) : "";
      offer.querySelector(".none")?.remove();
      if (n) announce(accept.textContent);
      if (n || !wasDrawn) return;
      offer.appendChild(element("span", "none", words.none));
      announce(words.none);
      noteTimer = setTimeout(() => {
        offer.hidden = true;
      }, NOTE_MS);
    },
  };
}

function shorten(text) {
  const characters = [...text];
  return characters.length <= MAX_NAME_LENGTH ? text : `${characters.slice(0, MAX_NAME_LENGTH - 1).join("").replace(/[, ]+$/, "")}…`;
}

function toggle(host, className, icon, action) {
  const button = tool(host, className, icon, () => {
    setPressed(button, button.getAttribute("aria-pressed") !== "true");
    action(button.getAttribute("aria-pressed") === "true");
  });
  setPressed(button, false);
  return button;
}

/** Add a tool: an icon with a word beside it, which narrow panels leave out. */
function tool(host, className, icon, action) {
  const button = addButton(host, className, action);
  button.appendChild(iconOf(icon));
  button.appendChild(element("span", "word"));
  return button;
}

function setPressed(button, on) {
  button.setAttribute("aria-pressed", on);
}

// Outlines of the icons, in a square of 20 units.
const ICONS = {
  trails: "M2 15c3-9 5-9 8-4s5 4 8-5",
  lasso: "M6.5 13.200C3.800 12.300 2 10.600 2 8.500 2 5.500 5.600 3 10 3s8 2.500 8 5.500-3.600 5.500-8 5.500c-1.300 0-2.500-.2-3.500-.8m0 0c-1.300-.4-2.600.6-2.300 1.900.3 1.200 2 1.300 2.300 0 .2-.7.2-1.300 0-1.900zm-.9 2.600c.3 1-.2 1.600-1 2",
  minus: "M4 10h12",
  plus: "M4 10h12M10 4v12",
  fit: "M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4M8 8h4v4H8z",
  reset: "M4 4v5h5M4.500 9a6.500 6.500 0 1 1-.5 4",
};

function iconOf(name) {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  const path = svg.appendChild(document.createElementNS(namespace, "path"));
  const attributes = { viewBox: "0 0 20 20", width: 16, height: 16, fill: "none", stroke: "currentColor", "stroke-width": 1.7, "aria-hidden": true };
  for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
  path.setAttribute("d", ICONS[name]);
  return svg;
}
