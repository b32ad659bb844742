// What stands around the points: the legend, the tools, the search, the tip, and the offer to highlight what a lasso holds.

import { element } from "./drawing.js";
import { over } from "./discs.js";

const LONGEST_NAME = 26;
const NOTE_MS = 2500;

/**
 * Build it. `acts`: `reset()`, `zoom(factor)`, `lasso(on)`, `trails(on)`, `search(text, take)` which returns how many it found, `highlight()`,
 * `drop()`, `emphasise(group or null)`, `escape()`, `toNext(dx, dy)`, `take()`.
 */
export function furniture(host, acts) {
  const bar = host.appendChild(element("div", "bar"));
  const legend = bar.appendChild(element("div", "legend discs"));
  const tools = bar.appendChild(element("div", "tools"));
  const area = host.appendChild(element("div", "area"));
  const said = host.appendChild(element("div", "said"));
  const tip = host.appendChild(element("div", "tip"));
  const offer = host.appendChild(element("div", "offer"));
  let words = {};
  let noted = 0;
  area.tabIndex = 0;
  area.setAttribute("role", "application");
  said.setAttribute("aria-live", "polite");
  tip.hidden = true;
  offer.hidden = true;

  const search = tools.appendChild(element("input", "find"));
  search.type = "search";
  const count = tools.appendChild(element("span", "count"));
  const trails = toggle(tools, "trails", "∿", (on) => acts.trails(on));
  const lasso = toggle(tools, "lasso", "", (on) => acts.lasso(on));
  lasso.appendChild(noose());
  const less = button(tools, "less", "−", () => acts.zoom(1 / 1.4));
  const more = button(tools, "more", "+", () => acts.zoom(1.4));
  const reset = button(tools, "reset", "⟲", () => acts.reset());
  press(trails, true);

  search.addEventListener("input", () => tally(acts.search(search.value.trim() || (search.value ? " " : ""), false)));
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") tally(acts.search(search.value.trim(), true));
    if (event.key !== "Escape") return;
    search.value = "";
    tally(acts.search("", false));
    area.focus();
  });

  function tally(n) {
    count.textContent = search.value ? String(n) : "";
  }

  area.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = {
      "+": () => acts.zoom(1.4),
      "=": () => acts.zoom(1.4),
      "-": () => acts.zoom(1 / 1.4),
      0: () => acts.reset(),
      l: () => lasso.click(),
      t: () => trails.hidden || trails.click(),
      "/": () => search.focus(),
      Enter: () => acts.take(),
      Escape: () => acts.escape(),
    }[event.key];
    const towards = event.shiftKey && { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!act && !towards) return;
    event.preventDefault();
    if (towards) acts.toNext(...towards);
    else act();
  });

  const taking = button(offer, "take", "", () => acts.highlight());
  const dropping = button(offer, "drop", "×", () => acts.drop());

  function update(panel, theme, cloud) {
    words = panel.words;
    area.setAttribute("aria-label", `${panel.title}. ${words.keys}`);
    search.placeholder = words.find;
    search.setAttribute("aria-label", words.find);
    name(trails, words.trails);
    name(lasso, words.lasso);
    name(less, words.farther);
    name(more, words.nearer);
    name(reset, words.reset);
    name(dropping, words.drop);
    trails.hidden = !panel.groups.length;
    area.classList.toggle("space", cloud.axes === 3);
    legend.replaceChildren();
    for (const group of [...panel.groups, ...panel.classes]) legend.appendChild(entry(group));
    if (cloud.hasTrust && panel.faint_note) legend.appendChild(faint(panel.faint_note, theme));
  }

  function entry(group) {
    const made = element("span", "entry");
    made.appendChild(element("i")).style.background = group.color;
    const text = made.appendChild(element("span", "", shortened(group.name)));
    text.title = `${group.name} (${group.members.length})`;
    made.addEventListener("pointerenter", () => acts.emphasise(group));
    made.addEventListener("pointerleave", () => acts.emphasise(null));
    return made;
  }

  function faint(note, theme) {
    const made = element("span", "entry quiet");
    for (const strength of [1, 0.6, 0.25]) made.appendChild(element("i")).style.background = over(theme.muted, theme.panel, strength);
    made.appendChild(element("span", "", note));
    return made;
  }

  function say(text) {
    said.textContent = text;
  }

  return {
    area,
    update,
    say,
    hasTrails: () => trails.getAttribute("aria-pressed") === "true",
    moving: (hasMoved) => reset.classList.toggle("hint", hasMoved),
    /** Show a tip beside a point, `{ x, y, radius, name, color, close }`, or none. */
    tip(about, frame) {
      tip.hidden = !about;
      if (!about) return;
      const title = element("div", "name");
      title.appendChild(element("i")).style.background = about.color;
      title.appendChild(element("b", "", about.name));
      tip.replaceChildren(title);
      if (about.close.length) {
        tip.appendChild(element("div", "quiet", words.nearest));
        tip.appendChild(element("div", "", about.close.join(" · ")));
      } else if (words.click) tip.appendChild(element("div", "quiet", words.click));
      const [w, h] = [tip.offsetWidth, tip.offsetHeight];
      const gap = about.radius + 12;
      const x = about.x + gap + w > frame.width ? about.x - gap - w : about.x + gap;
      tip.style.left = `${Math.max(0, Math.min(frame.width - w, x))}px`;
      tip.style.top = `${area.offsetTop + Math.max(0, Math.min(frame.height - h, about.y - h / 2))}px`;
    },
    /** Offer to highlight so many; say so where a lasso held none. */
    offer(n, wasDrawn) {
      clearTimeout(noted);
      offer.hidden = !n && !wasDrawn;
      taking.hidden = !n;
      dropping.hidden = !n;
      taking.textContent = n ? words.highlight.replace("{n}", n) : "";
      offer.querySelector(".none")?.remove();
      if (n) say(taking.textContent);
      if (n || !wasDrawn) return;
      offer.appendChild(element("span", "none", words.none));
      say(words.none);
      noted = setTimeout(() => {
        offer.hidden = true;
      }, NOTE_MS);
    },
  };
}

function shortened(text) {
  const signs = [...text];
  return signs.length <= LONGEST_NAME ? text : `${signs.slice(0, LONGEST_NAME - 1).join("").replace(/[, ]+$/, "")}…`;
}

function button(host, className, text, act) {
  const made = host.appendChild(element("button", className, text));
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

function toggle(host, className, text, act) {
  const made = button(host, className, text, () => {
    press(made, made.getAttribute("aria-pressed") !== "true");
    act(made.getAttribute("aria-pressed") === "true");
  });
  press(made, false);
  return made;
}

function press(made, on) {
  made.setAttribute("aria-pressed", on);
}

function name(made, words) {
  made.setAttribute("aria-label", words);
  made.title = words;
}

function noose() {
  const space = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(space, "svg");
  const path = drawing.appendChild(document.createElementNS(space, "path"));
  const look = { viewBox: "0 0 20 20", width: 17, height: 17, fill: "none", stroke: "currentColor", "stroke-width": 1.7, "aria-hidden": true };
  for (const [key, value] of Object.entries(look)) drawing.setAttribute(key, value);
  path.setAttribute("d", "M6.500 13.200C3.800 12.300 2 10.600 2 8.500 2 5.500 5.600 3 10 3s8 2.500 8 5.500-3.600 5.500-8 5.500c-1.300 0-2.500-.2-3.500-.8m0 0c-1.300-.4-2.600.6-2.300 1.900.3 1.200 2 1.300 2.300 0 .2-.7.2-1.300 0-1.900zm-.9 2.600c.3 1-.2 1.600-1 2");
  return drawing;
}
