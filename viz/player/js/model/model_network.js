// The words of a prompt as rows, and in each layer the lines along which the followed position gathers from the positions before it.

import { addButton, addCanvas, boxOf, element, formatHundredths, withAlpha } from "../drawing.js";
import { fill, sum } from "./model_numbers.js";
import { drawLines } from "../attention/word_lines.js";

const MIN_PRINTED = 0.05;
const DOT_PX = 4.5;
const END_PX = 14; // from the dot to the right edge

/** Add the rows of words; a click on one follows it. */
export function addWords(host, model, { follow }) {
  const list = host.appendChild(element("div", "words"));
  const { words } = model;
  model.tokens.forEach((token, i) => {
    const button = addButton(list, i === model.place ? "word followed" : i > model.place ? "word unseen" : "word", () => follow(i));
    button.append(element("span", "place", String(i)), element("span", "label", token.label), element("span", "id", String(model.ids[i])));
    button.dataset.part = `token:${i}`;
    button.setAttribute("aria-pressed", i === model.place);
    const state = i === model.place ? words.followed : i > model.place ? words.unseen : words.follow;
    button.tip = () => [token.name, fill(words.id, { id: model.ids[i], position: i }), state];
    button.setAttribute("aria-label", `${token.name}, ${fill(words.id, { id: model.ids[i], position: i })}, ${state}`);
  });
}

/** Add the lines of a layer. `pick(key)` is called for a click on a weight. */
export function addLines(host, model, layer, { pick }) {
  const picture = addCanvas(host, "");
  picture.canvas.setAttribute("aria-hidden", "true");
  const list = host.appendChild(element("div", "weights"));
  const names = (key) => ({ from: model.tokens[model.place].name, to: model.tokens[key].name, position: key });
  let shown = [];
  const buttons = Array.from({ length: model.place + 1 }, (_, key) => {
    const button = addButton(list, "weight", () => pick(key));
    button.append(element("span", "label", model.tokens[key].label), element("span", "share"));
    button.dataset.part = `weight:${layer}:${key}`;
    button.tip = () => [`${model.words.weight} ${shown[key].toPrecision(3)}`, fill(model.words.attends, names(key)), nameOf(model, layer)];
    return button;
  });
  return {
    picture: (view, player) => draw(picture, model, weightsOf(model, view, layer), list, player.theme),
    text({ index }, player) {
      shown = weightsOf(model, { from: index, to: index, between: 0 }, layer);
      buttons.forEach((button, key) => {
        const text = `${fill(model.words.attends, names(key))}: ${formatHundredths(shown[key], player.language)}, ${nameOf(model, layer)}`;
        if (button.getAttribute("aria-label") === text) return;
        button.classList.toggle("small", shown[key] < MIN_PRINTED);
        button.lastChild.textContent = formatHundredths(shown[key], player.language);
        button.setAttribute("aria-label", text);
      });
    },
  };
}

/** Name the head whose attention a layer shows, or the mean of all. */
export function nameOf({ words, headOf, nHead }, layer) {
  const head = headOf(layer);
  return head === null ? fill(words.mean_of, { layer, n: nHead }) : fill(words.layer_head, { layer, head });
}

/** Read the weights of the followed position over the keys, of the shown head or the mean of all heads. */
export function weightsOf({ trace, headOf, nHead }, view, layer) {
  const head = headOf(layer);
  if (head !== null) return Array.from(trace.mixed("attention", view, layer, head));
  const rows = Array.from({ length: nHead }, (_, one) => trace.mixed("attention", view, layer, one));
  return Array.from(rows[0], (_, key) => sum(rows.map((row) => row[key])) / nHead);
}

function draw(picture, { tokens, place }, weights, list, theme) {
  const { context, width, height } = picture.clear();
  const { left: edge, zoom } = boxOf(picture.canvas.parentElement);
  const isStacked = getComputedStyle(list.firstChild.firstChild).display !== "none"; // words stand beside the lines, as on a phone
  const pitch = height / (isStacked ? place + 1 : tokens.length);
  const y = (i) => (i + 0.5) * pitch;
  const left = (list.getBoundingClientRect().right - edge) / zoom + 3;
  const right = width - END_PX;
  if (!isStacked) streams(context, tokens.length, place, y, width, theme);
  const keys = weights.map((_, key) => ({ x: left, y: y(key) }));
  const queries = keys.map(() => ({ x: right, y: y(place) }));
  drawLines(context, { direction: "across", queries, keys, pitch: Math.max(16, pitch), texts: keys }, (_, key) => weights[key], { query: place, color: theme.accent });
  context.fillStyle = theme.accent;
  context.beginPath();
  context.arc(right, y(place), DOT_PX, 0, 2 * Math.PI);
  context.fill();
}

/** Draw the streams of all positions; those after the followed one are not seen by it. */
function streams(context, n, place, y, width, theme) {
  context.lineWidth = 1;
  for (let i = 0; i < n; i += 1) {
    context.strokeStyle = withAlpha(theme.muted, i > place ? 0.12 : 0.35);
    context.beginPath();
    context.moveTo(0, y(i));
    context.lineTo(width, y(i));
    context.stroke();
  }
  context.strokeStyle = withAlpha(theme.accent, 0.55);
  context.lineWidth = 3;
  context.beginPath();
  context.moveTo(0, y(place));
  context.lineTo(width, y(place));
  context.stroke();
}

/** Add the lines from the stream to the leading tokens. */
export function addFan(host, model) {
  const picture = addCanvas(host, "");
  picture.canvas.setAttribute("aria-hidden", "true");
  return (leaders, rowPx, { theme }) => {
    const { context, width, height } = picture.clear();
    const from = { x: 0, y: ((model.place + 0.5) * height) / model.tokens.length };
    const top = (height - leaders.length * rowPx) / 2; // the rows stand in the middle
    const keys = leaders.map((_, i) => ({ x: width - 2, y: top + (i + 0.5) * rowPx }));
    drawLines(context, { direction: "across", queries: keys.map(() => from), keys, pitch: 20, texts: keys }, (_, i) => leaders[i].moving, { query: keys.length - 1, color: theme.accent });
  };
}
