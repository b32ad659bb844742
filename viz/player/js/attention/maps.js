// Heat maps: a square map a head, layers downwards and heads across. A click enlarges one, as a map with its weights or as words with lines.

import { makeAtlas } from "../scatter/atlas.js";
import { formatShort } from "../color_scale.js";
import { addCanvas, element } from "../drawing.js";
import { choiceOf, headChoiceOf } from "./head_choice.js";
import { drawAll, drawOne } from "./map_drawing.js";
import { makeMapTools } from "./map_tools.js";
import { PANELS } from "../player.js";
import { addTooltip, pointerIn } from "../tooltip.js";
import { drawLines, placeWords, wordAt, writeWords } from "./word_lines.js";

const HEAD_PX = 20; // room above the words
const MIN_WORD_PX = 15; // rows of words that would be lower are scrolled

PANELS["heat-maps"] = (host, player) => {
  const heads = headChoiceOf(player);
  const picture = choiceOf(player, "picture", "map"); // "map" or "words", of one head
  const query = choiceOf(player, "query", -1); // the word whose lines alone are shown
  const tools = makeMapTools(host, player, { heads, picture, query });
  const area = host.appendChild(element("div", "maps-area"));
  const surface = addCanvas(area, "");
  const scroller = area.appendChild(element("div", "scroller")); // over the picture; it scrolls long columns of words
  const spacer = scroller.appendChild(element("div"));
  const tooltip = addTooltip(area);
  let panel = null;
  let maps = null;
  let large = null; // the enlarged map of one head with more tokens, where there is one
  let tiles = []; // the places of the maps: { layer, head, left, top, side }
  let places = null; // of the words, where these are shown
  let view = null;
  let hovered = null; // the cell under the pointer: { layer, head, query, key, x, y }
  let word = null; // the word under the pointer: { side, index }

  for (const type of ["pointermove", "pointerdown"]) {
    area.addEventListener(type, (event) => {
      hover(pointerIn(area, event));
      paint(view);
    });
  }
  area.addEventListener("pointerleave", () => {
    hovered = word = null;
    tooltip.hide();
    paint(view);
  });
  scroller.addEventListener("scroll", () => paint(view));
  area.addEventListener("click", (event) => {
    if (places && word?.side === "query") return query.choose(query.value() === word.index ? null : word.index);
    const tile = tileAt(pointerIn(area, event));
    if (tile && !single()) heads.choose([tile.layer, tile.head]);
  });

  /** The head whose map is enlarged, or null for all heads. */
  function single() {
    if (maps.nLayers * maps.nHeads === 1) return [0, 0];
    const chosen = heads.value();
    return chosen && chosen[0] < maps.nLayers && chosen[1] < maps.nHeads ? chosen : null;
  }

  /** The maps that are shown, their tokens, and the head that is enlarged. */
  function shown() {
    const head = single();
    if (head && large && String(panel.large.head) === String(head)) return { maps: large, tokens: panel.large.tokens, head: [0, 0] };
    return { maps, tokens: panel.tokens, head };
  }

  function tileAt({ x, y }) {
    return tiles.find((tile) => x >= tile.left && y >= tile.top && x < tile.left + tile.side && y < tile.top + tile.side);
  }

  function hover({ x, y }) {
    hovered = word = null;
    if (places) {
      word = wordAt(places, { x, y: y + scroller.scrollTop });
      return tooltip.hide();
    }
    const tile = tileAt({ x, y });
    if (!tile) return tooltip.hide();
    const cell = tile.side / shown().maps.side;
    const [from, to] = [Math.floor((y - tile.top) / cell), Math.floor((x - tile.left) / cell)];
    hovered = { layer: tile.layer, head: tile.head, query: from, key: to, x, y };
  }

  /** Show the hovered cell; its value may have changed with the step. */
  function showTooltip() {
    const { layer, head, query: from, key: to, x, y } = hovered;
    const { words: texts, language } = player;
    const { maps, tokens } = shown();
    const token = (i) => `“${tokens[i]}” (${i})`;
    const name = single() ? "" : tools.nameOf([layer, head]);
    if (!maps.exists(from, to)) return name ? tooltip.show(x, y, [name]) : tooltip.hide();
    const weight = maps.scale.value(maps.at(view, layer, head, from, to));
    const pair = `${texts.query} ${token(from)} ${texts.key} ${token(to)}`;
    tooltip.show(x, y, [`${texts.weight} ${formatShort(weight, language)}`, pair, name]);
  }

  function paintWords({ context, width, height }, { maps, tokens, head }) {
    const { theme, language } = player;
    const needed = Math.max(height, tokens.length * MIN_WORD_PX + HEAD_PX + 6);
    spacer.style.height = needed > height ? `${needed}px` : "0";
    places = placeWords(context, tokens, { left: 0, top: HEAD_PX, width, height: needed - HEAD_PX - 6 }, { direction: "across", font: theme.font });
    const fixed = query.value() < tokens.length ? query.value() : null;
    const chosen = word ? { [word.side]: word.index } : fixed === null ? {} : { query: fixed };
    context.save();
    context.translate(0, -scroller.scrollTop);
    drawLines(context, places, maps.weights(view, head), { ...chosen, color: theme.palette[1] });
    writeWords(context, places, maps.weights({ ...view, between: 0 }, head), { ...chosen, theme, language });
    writeEnds(context, theme);
    context.restore();
  }

  /** Write which column is which above the words. */
  function writeEnds(context, theme) {
    context.font = `13px ${theme.font}`;
    context.fillStyle = theme.muted;
    context.textBaseline = "middle";
    context.textAlign = "right";
    context.fillText(player.words.query, places.queries[0].x - 7, HEAD_PX / 2);
    context.textAlign = "left";
    context.fillText(player.words.key, places.keys[0].x + 7, HEAD_PX / 2);
  }

  function paintMaps({ context, width, height }, { maps, tokens, head }) {
    const on = { context, width, height, theme: player.theme, panel: { ...panel, tokens }, maps };
    places = null;
    spacer.style.height = "0";
    tiles = head ? drawOne(on, view, head, hovered, player.language) : drawAll(on, view, hovered);
    if (hovered) showTooltip();
  }

  function paint(at) {
    view = at;
    const head = single();
    const now = shown();
    const inWords = head !== null && picture.value() === "words";
    tools.paint(panel, { maps, head, inWords, tokens: now.tokens });
    area.style.cursor = head && !(word?.side === "query") ? "default" : "pointer";
    surface.canvas.setAttribute("aria-label", `${panel.title}${head ? `: ${tools.nameOf(head)}` : ""}`);
    if (inWords) paintWords(surface.clear(), now);
    else paintMaps(surface.clear(), now);
  }

  return {
    update(next) {
      panel = next;
      maps = makeAtlas(panel);
      large = panel.large && makeAtlas({ ...panel, ...panel.large });
      hovered = word = null;
      tooltip.hide();
      if (panel.chooses) {
        heads.adopt(panel.chosen);
        picture.adopt(panel.picture === "map" ? null : panel.picture);
        query.adopt(panel.query);
      }
      tools.update(panel, maps);
    },
    paint,
  };
};
