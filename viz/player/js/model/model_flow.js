// A prompt on its way through the model: tokens, embeddings, layers, next token, and where every number of it comes from.

import { boxOf, element } from "../drawing.js";
import { headChoiceOf } from "../attention/head_choice.js";
import { explain } from "./model_derivations.js";
import { addExplanation } from "./model_explanation.js";
import { readNumbers } from "./model_numbers.js";
import { buildStages, MOST_BESIDE_MEAN } from "./model_stages.js";
import { addStripKey, stripScale } from "./model_strips.js";
import { vectorKey } from "./model_sums.js";
import { PANELS } from "../player.js";
import { addTooltip, pointerIn } from "../tooltip.js";

const [MIN_ROW_PX, MAX_ROW_PX] = [17, 30];
const MIN_NET_PX = 168;
const HEADS_PX = 46; // further rows of heads
const MAX_LABEL = 7; // letters that fit beside a bar
const BESIDE_PX = 515; // heights of what is above and below the words

PANELS["model-flow"] = (host, player) => {
  const area = host.appendChild(element("div", "model-area"));
  const left = area.appendChild(element("div", "flow-box"));
  const flow = left.appendChild(element("div", "flow"));
  const explanation = addExplanation(area, { pick, closed: () => restoreFocus() });
  const tooltip = addTooltip(host);
  const choice = headChoiceOf(player);
  let model = null;
  let painters = [];
  let paintKey = null;
  let selected = null; // null: the likeliest next token
  let lastPart = "";
  let pointer = null;

  for (const name of ["pointermove", "focusin"]) area.addEventListener(name, (event) => showTooltip(event));
  for (const name of ["pointerleave", "focusout"]) area.addEventListener(name, () => hideTooltip());
  area.addEventListener("click", (event) => {
    const part = event.target.closest?.("[data-part]")?.dataset.part;
    if (part && left.contains(event.target)) lastPart = part;
  });

  function pick(part) {
    selected = part;
    explanation.open();
    player.repaint();
  }

  function restoreFocus() {
    left.querySelector(`[data-part="${lastPart}"]`)?.focus();
  }

  const actions = {
    pick,
    follow(position) {
      if (position === model.place) return;
      left.querySelector(`[data-part="token:${position}"]`)?.classList.add("awaited"); // until the page answers
      player.send("position", { position, decision: player.decision });
    },
    chooseHead(head, layer) {
      choice.choose(head);
      if (head) pick({ kind: "head", layer, head: head[1] });
      else player.repaint();
    },
  };

  function showTooltip(event) {
    const owner = event.target.closest?.("button, a");
    pointer = owner?.tip ? { owner, event } : null;
    if (!pointer) return hideTooltip();
    const [box, around] = [boxOf(owner), boxOf(host)];
    const below = { x: (box.left - around.left) / box.zoom + box.width / 2, y: (box.top - around.top) / box.zoom + box.height - 8 };
    const at = event.type === "focusin" ? below : pointerIn(host, event);
    if (event.type === "focusin" && !owner.matches(":focus-visible")) return hideTooltip();
    tooltip.show(at.x, at.y, owner.tip(event.type === "focusin" ? { detail: 0 } : event));
  }

  function hideTooltip() {
    pointer = null;
    tooltip.hide();
  }

  return {
    update(panel) {
      const focused = host.getRootNode().activeElement?.dataset?.part;
      model = readModel(panel, choice, () => selected);
      choice.adopt(panel.chosen);
      if (!fits(selected, model)) selected = null;
      hideTooltip();
      flow.replaceChildren();
      flow.style.setProperty("--layers", model.nLayer);
      flow.style.setProperty("--words", model.tokens.length);
      const longest = Math.max(...Object.values(model.vocabulary).map((word) => word.label.length));
      flow.style.setProperty("--label", `${Math.min(MAX_LABEL, longest) * 0.6 + 0.9}em`);
      flow.style.setProperty("--seen", model.place + 1);
      painters = buildStages(flow, model, actions);
      left.querySelector(".strip-key")?.remove();
      paintKey = addStripKey(left, model.words.scale);
      if (focused) left.querySelector(`[data-part="${CSS.escape(focused)}"]`)?.focus();
    },
    paint(view) {
      model.now = { index: view.index, language: player.language };
      setStyle(area, "--slider-height", `${host.closest(".player").querySelector(".slider").offsetHeight}px`);
      const rowPx = Math.max(MIN_ROW_PX, Math.min(MAX_ROW_PX, (window.innerHeight - BESIDE_PX - (model.nHead > MOST_BESIDE_MEAN ? HEADS_PX : 0)) / model.tokens.length));
      setStyle(flow, "--row", `${Math.max(rowPx, MIN_NET_PX / model.tokens.length)}px`);
      for (const { picture } of painters) picture?.(view, player);
      for (const { text } of painters) text?.(view, player);
      paintKey(model.scale, model.ramp, player.language);
      const shown = selected ?? { kind: "leader", layer: model.nLayer, id: model.lens.at("leader", view.index, model.nLayer, 0) };
      const found = explain(shown, model, view.index, player.language, view.step);
      explanation.show(found, model.words);
      mark(found.marks, partOf(shown));
      if (pointer) tooltip.show(...placeOf(pointer));
    },
  };

  function placeOf({ owner, event }) {
    const { x, y } = pointerIn(host, event);
    return [x, y, owner.tip(event)];
  }

  /** Mark what is explained, and what it comes from. */
  function mark(marks, part) {
    for (const node of left.querySelectorAll("[data-part], [data-vector]")) {
      node.classList.toggle("source", marks.includes(node.dataset.vector ?? node.dataset.part));
      node.classList.toggle("explained", node.dataset.part === part);
    }
  }
};

/** Read a panel: its arrays unpacked, its sizes, and what is chosen in it. */
function readModel(panel, choice, selected) {
  const [trace, lens, strips] = [panel.trace, panel.lens, panel.strips].map(readNumbers);
  const nHead = trace.size("attention", 2);
  return {
    ...panel,
    trace,
    lens,
    strips,
    stripNames: panel.strips,
    nLayer: trace.size("attention", 1),
    nHead,
    longestHead: trace.has("head_norm") ? Math.max(...trace.all("head_norm")) || 1 : 1,
    scale: stripScale(Object.keys(panel.strips).map((name) => strips.all(name)), panel.ramp),
    now: { index: 0, language: "en" },
    /** The head that a layer shows; null for the mean of all. A model of one head has no mean. */
    headOf(layer) {
      const head = choice.value();
      if (nHead === 1) return 0;
      return head && head[0] === layer ? head[1] : null;
    },
    markedCell(vector) {
      const chosen = selected();
      return chosen?.kind === "cell" && vectorKey(chosen.vector) === vectorKey(vector) ? chosen.cell : -1;
    },
  };
}

/** Whether what is explained exists in another model or prompt, too. */
function fits(selected, { nLayer, nHead, place, vocabulary, strips }) {
  if (!selected) return true;
  const { kind, layer = 0, head = 0, key = 0, id, vector } = selected;
  if (kind === "leader") return layer <= nLayer && id in vocabulary;
  if (vector) return strips.has(vector.name) && (vector.layer ?? 0) < nLayer;
  return layer < nLayer && (head ?? 0) < nHead && key <= place;
}

/** Name the part of the picture that is explained. */
function partOf({ kind, layer, head, key, id, vector }) {
  const names = { leader: () => `leader:${layer}:${id}`, weight: () => `weight:${layer}:${key}`, head: () => `head:${layer}:${head}`, norm: () => `norm:${vectorKey(vector)}`, cell: () => `strip:${vectorKey(vector)}` };
  return names[kind]();
}

/** Set a property of a style only where it changes, since setting it lays out the page anew. */
function setStyle(node, name, value) {
  if (node.style.getPropertyValue(name) !== value) node.style.setProperty(name, value);
}
