// Heat maps: a square map a head, layers downwards and heads across. A click enlarges one, with its tokens and weights.

import { makeAtlas } from "./atlas.js";
import { addColorBar, formatShort } from "./color_scale.js";
import { addButton, addCanvas, element } from "./drawing.js";
import { headChoiceOf } from "./head_choice.js";
import { drawAll, drawOne } from "./map_drawing.js";
import { PANELS } from "./player.js";
import { addTooltip, pointerIn } from "./tooltip.js";

PANELS["heat-maps"] = (host, player) => {
  host.style.cssText = "display: flex; flex-direction: column; gap: 6px;";
  const bar = host.appendChild(element("div"));
  bar.style.cssText = "display: flex; align-items: center; gap: 8px; min-height: 26px; flex: none;";
  const back = addButton(bar, "all-heads", () => heads.choose(null));
  const choice = bar.appendChild(element("select", "head-choice"));
  for (const control of [back, choice]) control.style.cssText = "height: 26px; font-size: 13px;";
  const colorBar = addColorBar(bar.appendChild(element("div")), "");
  const area = host.appendChild(element("div"));
  area.style.cssText = "position: relative; flex: 1; min-height: 0;";
  const picture = addCanvas(area, "");
  const tooltip = addTooltip(area);
  const heads = headChoiceOf(player);
  let panel = null;
  let maps = null;
  let large = null; // the enlarged map of one head with more tokens, where there is one
  let tiles = []; // the places of the maps: { layer, head, left, top, side }
  let view = null;
  let hovered = null; // the cell under the pointer: { layer, head, query, key, x, y }

  choice.addEventListener("change", () => heads.choose(choice.value ? choice.value.split(" ").map(Number) : null));
  area.addEventListener("pointermove", (event) => {
    hover(pointerIn(area, event));
    paint(view);
  });
  area.addEventListener("pointerleave", () => {
    hovered = null;
    tooltip.hide();
    paint(view);
  });
  area.addEventListener("click", (event) => {
    const tile = tileAt(pointerIn(area, event));
    if (tile && !single()) heads.choose([tile.layer, tile.head]);
  });

  /** The head whose map is enlarged, or null for all heads. */
  function single() {
    if (maps.nLayers * maps.nHeads === 1) return [0, 0];
    const chosen = heads.head();
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
    const tile = tileAt({ x, y });
    hovered = null;
    if (!tile) {
      tooltip.hide();
      return;
    }
    const cell = tile.side / shown().maps.side;
    const [query, at] = [Math.floor((y - tile.top) / cell), Math.floor((x - tile.left) / cell)];
    hovered = { layer: tile.layer, head: tile.head, query, key: at, x, y };
  }

  /** Show the hovered cell; its value may have changed with the step. */
  function showTooltip() {
    const { layer, head, query, key: at, x, y } = hovered;
    const { words, language } = player;
    const { maps, tokens } = shown();
    const token = (i) => `“${tokens[i]}” (${i})`;
    const name = single() ? "" : nameOf([layer, head]);
    if (!maps.exists(query, at)) return name ? tooltip.show(x, y, [name]) : tooltip.hide();
    const weight = maps.scale.value(maps.at(view, layer, head, query, at));
    const pair = `${words.query} ${token(query)} ${words.key} ${token(at)}`;
    tooltip.show(x, y, [`${words.weight} ${formatShort(weight, language)}`, pair, name]);
  }

  function nameOf([layer, head]) {
    return `${panel.layer_name} ${layer}, ${panel.head_name} ${head}`;
  }

  function updateBar(head) {
    const many = maps.nLayers * maps.nHeads > 1;
    back.textContent = `◂ ${player.words.back}`;
    back.hidden = !many || !head;
    choice.hidden = !many;
    const value = head ? head.join(" ") : "";
    if (choice.value !== value) choice.value = value;
  }

  function listHeads() {
    const options = [["", player.words.back]];
    for (let layer = 0; layer < maps.nLayers; layer += 1) for (let head = 0; head < maps.nHeads; head += 1) options.push([`${layer} ${head}`, nameOf([layer, head])]);
    choice.replaceChildren(...options.map(([value, text]) => Object.assign(element("option", "", text), { value })));
    choice.setAttribute("aria-label", `${panel.layer_name}, ${panel.head_name}`);
  }

  function paint(at) {
    view = at;
    const head = single();
    updateBar(head);
    colorBar.paint(maps.scale, panel.ramp, player);
    area.style.cursor = head ? "default" : "pointer";
    picture.canvas.setAttribute("aria-label", `${panel.title}${head ? `: ${nameOf(head)}` : ""}`);
    const { context, width, height } = picture.clear();
    const now = shown();
    const surface = { context, width, height, theme: player.theme, panel: { ...panel, tokens: now.tokens }, maps: now.maps };
    tiles = head ? drawOne(surface, view, now.head, hovered, player.language) : drawAll(surface, view, hovered);
    if (hovered) showTooltip();
  }

  return {
    update(next) {
      panel = next;
      maps = makeAtlas(panel);
      large = panel.large && makeAtlas({ ...panel, ...panel.large });
      hovered = null;
      tooltip.hide();
      if (panel.chooses) heads.adopt(panel.chosen);
      listHeads();
    },
    paint,
  };
};
