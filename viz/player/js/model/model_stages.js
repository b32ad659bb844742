// The stages of the way through a model, a column each: tokens and their vectors, the layers, the next token.

import { addButton, element, formatInteger } from "../drawing.js";
import { addLeaders, leadersAt } from "./model_leaders.js";
import { addFan, addLines, addWords } from "./model_network.js";
import { fill, formatDigits, formatNorm } from "./model_numbers.js";
import { addStrip, cellOf } from "./model_strips.js";
import { cellValue, nameCell, nameVector, normOf, vectorKey } from "./model_sums.js";

const LENS_ROWS = 3;
const MAX_LEADERS = 10;
const LEADER_PX = 23; // as in the style sheet
const MOST_HEADS_BESIDE = 6;
export const MOST_BESIDE_MEAN = 4;

/**
 * Build the stages in an element. `actions`: `pick(selected)`, `follow(position)`, `chooseHead(head, layer)`.
 *
 * Returns what paints them: `picture(view, player)` draws and measures, `text(view, player)` writes. All pictures come before all texts, since
 * a browser that measures what has just been written lays out the page anew.
 */
export function buildStages(flow, model, actions) {
  const stages = [firstStage(flow, model, actions)];
  for (let layer = 0; layer < model.nLayer; layer += 1) stages.push(layerStage(flow, model, layer, actions));
  stages.push(lastStage(flow, model, actions));
  return stages.flat();
}

function addStage(flow, title, className) {
  const stage = flow.appendChild(element("section", `stage ${className}`));
  stage.setAttribute("aria-label", title);
  stage.appendChild(element("h4", "", title));
  const part = (name) => stage.appendChild(element("div", name));
  return { stage, heads: part("heads"), net: part("net"), vectors: part("vectors"), says: part("says") };
}

function firstStage(flow, model, actions) {
  const { words, facts } = model;
  const stage = addStage(flow, words.tokens, "first");
  stage.stage.firstChild.appendChild(element("span", "", words.ids));
  addWords(stage.net, model, actions);
  const vectors = facts.foreign ? ["input"] : ["token", "position", "input"];
  return [...vectors.map((name) => addVector(stage.vectors, { name }, words[name], model, actions)), addLens(stage.says, model, 0, actions)];
}

function layerStage(flow, model, layer, actions) {
  const { words, facts } = model;
  const stage = addStage(flow, fill(words.layer, { layer }), "layer");
  const painters = [addHeads(stage.heads, model, layer, actions)];
  const selected = (key) => ({ kind: "weight", layer, head: model.headOf(layer), key });
  painters.push(addLines(stage.net, model, layer, { pick: (key) => actions.pick(selected(key)) }));
  const names = facts.foreign ? ["residual"] : ["attention", "mlp", "residual"];
  for (const name of names) {
    const label = name === "residual" && facts.post ? words.residual_post : words[name];
    painters.push(addVector(stage.vectors, { name, layer }, label, model, actions));
  }
  painters.push(addLens(stage.says, model, layer + 1, actions));
  return painters;
}

function lastStage(flow, model, actions) {
  const { words } = model;
  const stage = addStage(flow, words.next, "last");
  const paintFan = addFan(stage.net.appendChild(element("div", "fan")), model);
  const n = Math.min(MAX_LEADERS, model.lens.size("leader", 2));
  const list = stage.net.appendChild(element("div", "next"));
  const paintRows = addLeaders(list, n, leaderActions(model, model.nLayer, actions));
  let leaders = [];
  const painters = [
    {
      picture(view, player) {
        const shown = Math.min(n, Math.max(3, Math.floor((stage.net.clientHeight - 4) / LEADER_PX)));
        leaders = leadersAt(model, view, model.nLayer, shown);
        paintFan(leaders, LEADER_PX, player);
      },
      text: (_, player) => paintRows(leaders, { color: model.color, language: player.language, most: 1 }),
    },
  ];
  if ("final" in model.stripNames) painters.push(addVector(stage.vectors, { name: "final" }, words.final, model, actions));
  return painters;
}

function leaderActions(model, layer, actions) {
  const { words, lens, vocabulary } = model;
  return {
    part: (id) => `leader:${layer}:${id}`,
    pick: (id) => actions.pick({ kind: "leader", layer, id }),
    tip: (id) => {
      const { index, language } = model.now;
      const rank = lens.row("leader", index, layer).indexOf(id);
      return [vocabulary[id].name, `${words.probability} ${rank < 0 ? "–" : formatDigits(lens.at("probability", index, layer, rank), language, 4)}`, words.why];
    },
  };
}

function addLens(host, model, layer, actions) {
  host.appendChild(element("div", "caption", model.words.ends_here));
  const paint = addLeaders(host, LENS_ROWS, leaderActions(model, layer, actions));
  return { text: (view, player) => paint(leadersAt(model, view, layer, LENS_ROWS), { color: model.color, language: player.language, most: 1 }) };
}

/** Add a vector: its name and norm, and its numbers as a strip. */
function addVector(host, vector, label, model, actions) {
  const { words } = model;
  const box = host.appendChild(element("div", "vector"));
  box.dataset.vector = vectorKey(vector);
  const head = box.appendChild(element("div", "head"));
  head.appendChild(element("span", "label", label));
  const hasNorm = normOf(vector, model, 0) !== null;
  const norm = hasNorm ? addButton(head, "norm", () => actions.pick({ kind: "norm", vector })) : null;
  const strip = addButton(box, "strip", (event) => actions.pick({ kind: "cell", vector, cell: cellOf(event, strip, values(model.now)) }));
  const name = nameVector(vector, model);
  strip.setAttribute("aria-label", name);
  const place = vector.layer === undefined ? [] : [vector.layer];
  const values = ({ index }) => model.strips.row(vector.name, index, ...place);
  strip.tip = (event) => {
    const cell = cellOf(event, strip, values(model.now));
    return [name, `${nameCell(cell, values(model.now).length, model)}: ${formatDigits(cellValue(vector, cell, model, model.now.index), model.now.language, 4)}`];
  };
  if (norm) norm.dataset.part = `norm:${vectorKey(vector)}`;
  if (norm) norm.tip = () => [name, `${words.norm} ${formatDigits(normOf(vector, model, model.now.index), model.now.language, 5)}`, words.why];
  strip.dataset.part = `strip:${vectorKey(vector)}`;
  const paintStrip = addStrip(strip);
  return {
    picture: (view, player) => paintStrip(model.strips.mixed(vector.name, view, ...place), model.scale, player.theme, model.markedCell(vector)),
    text(view, player) {
      if (!norm) return;
      const text = formatNorm(normOf(vector, model, view.index), player.language);
      if (norm.textContent === text) return;
      norm.textContent = text;
      norm.setAttribute("aria-label", `${name}: ${words.norm} ${text}`);
    },
  };
}

/** Add the choice of a head: a bar each, as high as the norm of what the head adds, and the mean of all. */
function addHeads(host, model, layer, actions) {
  const { words, trace, nHead } = model;
  host.dataset.part = `heads:${layer}`;
  host.setAttribute("role", "group");
  host.setAttribute("aria-label", fill(words.layer, { layer }));
  host.classList.toggle("many", nHead > MOST_BESIDE_MEAN);
  const mean = addButton(host, "mean", () => actions.chooseHead(null, layer), words.mean);
  mean.hidden = nHead === 1;
  mean.tip = () => [fill(words.mean_of, { layer, n: nHead })];
  const bars = host.appendChild(element("div", "bars"));
  bars.style.setProperty("--columns", Math.ceil(nHead / Math.ceil(nHead / MOST_HEADS_BESIDE)));
  const hasNorms = trace.has("head_norm");
  const buttons = Array.from({ length: nHead }, (_, head) => {
    const button = addButton(bars, "head", () => actions.chooseHead([layer, head], layer));
    button.append(element("i"), element("span", "", formatInteger(head, "en")));
    button.dataset.part = `head:${layer}:${head}`;
    const norm = () => (hasNorms ? `${words.head_norm} ${formatDigits(trace.at("head_norm", model.now.index, layer, head), model.now.language, 4)}` : "");
    button.tip = () => [fill(words.layer_head, { layer, head }), norm(), words.show_head];
    return { button, norm };
  });
  const text = (view) => {
    const chosen = model.headOf(layer);
    mean.setAttribute("aria-pressed", chosen === null);
    buttons.forEach(({ button, norm }, head) => {
      button.setAttribute("aria-pressed", chosen === head);
      button.setAttribute("aria-label", [fill(words.layer_head, { layer, head }), norm()].filter(Boolean).join(", "));
      if (hasNorms) button.firstChild.style.height = `${(100 * trace.mixed("head_norm", view, layer)[head]) / model.longestHead}%`;
    });
  };
  return { text };
}
