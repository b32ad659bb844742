// Words with lines between them: how much each word attends to each word before it. Drawing only: who is chosen is the caller's business.
//
//   const places = placeWords(context, tokens, { left, top, width, height }, { direction: "across", font: theme.font });
//   drawLines(context, places, weight, { query, key, color });           // weight(query, key) from 0 to 1, asked for key <= query
//   writeWords(context, places, weight, { query, key, theme, language }); // weights of a chosen word are printed
//   const word = wordAt(places, pointerIn(area, event));                  // { side: "query" or "key", index }, or null
//
// With `direction` "across" the queries are a column at the left and the keys one at the right; with "down" the keys are a row at the top
// and the queries one below. A chosen `query` (an index, or -1) shows only its own lines, a chosen `key` only those that lead to it.

import { formatHundredths, truncate, withAlpha } from "../drawing.js";

const MAX_LABEL_PX = 170;
const MAX_SPAN_PX = 460; // longer lines are hard to follow
const MIN_TEXT_PX = 10;
const MAX_TEXT_PX = 17;
const FEWEST_TO_THIN = 48; // with more words, lines of small weights are left out until a word is chosen
const SHADES = 12;

/** Place words in a box; `every` is 1 where each of them can be written, else every n-th is. */
export function placeWords(context, tokens, box, { direction = "across", font }) {
  return (direction === "down" ? placeDown : placeAcross)(context, tokens, box, font);
}

function placeAcross(context, tokens, { left, top, width, height }, font) {
  const n = Math.max(1, tokens.length);
  const pitch = Math.min(40, height / n);
  const px = Math.round(Math.max(MIN_TEXT_PX, Math.min(MAX_TEXT_PX, 0.72 * pitch)));
  context.font = `${px}px ${font}`;
  const texts = tokens.map((text) => truncate(context, text, Math.min(MAX_LABEL_PX, 0.26 * width)));
  const longest = Math.max(0, ...texts.map((text) => context.measureText(text).width));
  const numberPx = context.measureText("<0.00").width + 10;
  const span = Math.max(30, Math.min(MAX_SPAN_PX, width - 2 * (longest + numberPx + 12)));
  const x = left + Math.max(numberPx + longest + 8, (width - span) / 2);
  const y = (i) => top + (i + 0.5) * pitch;
  const column = (at) => texts.map((_, i) => ({ x: at, y: y(i) }));
  return { direction: "across", texts, px, font, pitch, longest, queries: column(x), keys: column(x + span), every: Math.ceil((px + 1) / pitch) };
}

function placeDown(context, tokens, { left, top, width, height }, font) {
  const n = Math.max(1, tokens.length);
  const pitch = Math.min(90, width / n);
  const px = Math.round(Math.max(MIN_TEXT_PX, Math.min(MAX_TEXT_PX, 0.9 * pitch, 0.16 * height)));
  context.font = `${px}px ${font}`;
  const widest = Math.max(0, ...tokens.map((text) => context.measureText(text).width));
  const isUpright = widest + 6 <= pitch;
  const texts = isUpright ? tokens : tokens.map((text) => truncate(context, text, Math.min(MAX_LABEL_PX, 0.28 * height)));
  const longest = isUpright ? px : Math.max(0, ...texts.map((text) => context.measureText(text).width));
  const printsPx = isUpright && pitch >= context.measureText("<0.00").width + 4 ? px + 3 : 0; // a line of weights above the keys, and below the queries
  const x0 = left + Math.max(0, (width - n * pitch) / 2);
  const row = (at) => texts.map((_, i) => ({ x: x0 + (i + 0.5) * pitch, y: at }));
  const every = isUpright ? 1 : Math.ceil((px + 1) / pitch);
  const edge = longest + printsPx + 8;
  return { direction: "down", texts, px, font, pitch, longest, isUpright, printsPx, keys: row(top + edge), queries: row(top + height - edge), every };
}

/** Draw the lines: the larger a weight, the thicker and the more opaque its line. */
export function drawLines(context, places, weight, { query = -1, key = -1, color }) {
  const { queries, pitch } = places;
  const isChosen = query >= 0 || key >= 0;
  const least = isChosen ? 0.004 : queries.length > FEWEST_TO_THIN ? 0.06 : 0.02;
  const thickest = Math.max(2, Math.min(7, 0.34 * pitch));
  // Lines of about the same weight are one path: a prompt has thousands of them.
  const shades = Array.from({ length: SHADES }, () => null);
  for (let from = query >= 0 ? query : 0; from < (query >= 0 ? query + 1 : queries.length); from += 1) {
    for (let to = key >= 0 ? key : 0; to <= (key >= 0 ? Math.min(key, from) : from); to += 1) {
      const share = weight(from, to);
      if (!(share >= least)) continue;
      const shade = Math.min(SHADES - 1, Math.floor(share * SHADES));
      shades[shade] ??= new Path2D();
      addLine(shades[shade], places, from, to);
    }
  }
  context.lineCap = "round";
  shades.forEach((path, shade) => {
    if (!path) return;
    const share = (shade + 0.5) / SHADES;
    context.lineWidth = 0.7 + share * thickest;
    context.strokeStyle = withAlpha(color, Math.min(1, (isChosen ? 0.3 : 0.14) + 0.85 * share));
    context.stroke(path);
  });
}

function addLine(path, { direction, queries, keys }, from, to) {
  const [a, b] = [queries[from], keys[to]];
  path.moveTo(a.x, a.y);
  if (direction === "across") path.bezierCurveTo((a.x + b.x) / 2, a.y, (a.x + b.x) / 2, b.y, b.x, b.y);
  else path.bezierCurveTo(a.x, (a.y + b.y) / 2, b.x, (a.y + b.y) / 2, b.x, b.y);
}

/** Write the words at both ends; those that a chosen word is not connected with are muted, and its weights are printed. */
export function writeWords(context, places, weight, { query = -1, key = -1, theme, language }) {
  const n = places.texts.length;
  const isChosen = query >= 0 || key >= 0;
  context.textBaseline = "middle";
  for (let i = 0; i < n; i += 1) {
    const asKey = query >= 0 && i <= query && (key < 0 || key === i) ? weight(query, i) : null;
    const asQuery = key >= 0 && i >= key && query < 0 ? weight(i, key) : null;
    writeWord(context, places, "query", i, { share: asQuery, isOne: i === query, isMuted: isChosen && i !== query && asQuery === null, chosen: query, theme, language });
    writeWord(context, places, "key", i, { share: asKey, isOne: i === key, isMuted: isChosen && i !== key && asKey === null, chosen: key, theme, language });
  }
}

function writeWord(context, places, side, i, { share, isOne, isMuted, chosen, theme, language }) {
  const { texts, every, px, font, longest, direction, printsPx } = places;
  if (!isOne && (i % every || (chosen >= 0 && Math.abs(i - chosen) < every))) return;
  const at = places[side === "query" ? "queries" : "keys"][i];
  const outward = direction === "across" ? (side === "query" ? -1 : 1) : side === "query" ? 1 : -1;
  context.font = `${isOne ? "600 " : ""}${px}px ${font}`;
  context.fillStyle = isOne ? theme.accent : isMuted ? theme.muted : theme.text;
  context.save();
  if (direction === "across") {
    context.textAlign = outward < 0 ? "right" : "left";
    context.fillText(texts[i], at.x + outward * 7, at.y + 1);
    if (share !== null) print(context, formatHundredths(share, language), at.x + outward * (longest + 15), at.y + 1, theme, share);
  } else if (places.isUpright) {
    context.textAlign = "center";
    context.fillText(texts[i], at.x, at.y + outward * (px / 2 + 5));
    if (share !== null && printsPx) print(context, formatHundredths(share, language), at.x, at.y + outward * (px * 1.5 + 8), theme, share);
  } else {
    context.textAlign = outward < 0 ? "left" : "right";
    context.translate(at.x, at.y + outward * 6);
    context.rotate(-Math.PI / 2);
    context.fillText(texts[i], 0, 0);
  }
  context.restore();
}

function print(context, text, x, y, theme, share) {
  context.font = context.font.replace("600 ", "");
  context.fillStyle = share >= 0.1 ? theme.text : theme.muted;
  context.fillText(text, x, y);
}

/** Find the word at a place: one at either end, not a line between them. */
export function wordAt({ direction, queries, keys, pitch, texts }, { x, y }) {
  if (!texts.length) return null;
  const [along, across] = direction === "across" ? ["y", "x"] : ["x", "y"];
  const place = { x, y };
  const index = Math.floor((place[along] - queries[0][along]) / pitch + 0.5);
  if (index < 0 || index >= texts.length) return null;
  const [query, to] = [queries[0][across], keys[0][across]];
  const share = (place[across] - query) / (to - query || 1); // 0 at the queries, 1 at the keys
  if (share > 0.15 && share < 0.85) return null;
  return { side: share <= 0.15 ? "query" : "key", index };
}
