// The line above heat maps: a note, the choice of a head, of map or words and of a word, and the colour bar.

import { addColorBar } from "../color_scale.js";
import { addButton, element } from "../drawing.js";

/** Make the tools in an element; `heads`, `picture` and `query` are the reader's choices, see `choiceOf`. */
export function makeMapTools(host, player, { heads, picture, query }) {
  const note = host.appendChild(element("div", "note"));
  const bar = host.appendChild(element("div", "map-tools"));
  const back = addButton(bar, "all-heads", () => heads.choose(null));
  const choice = bar.appendChild(element("select", "head-choice"));
  const pictures = bar.appendChild(element("div", "pictures"));
  const asMap = addButton(pictures, "", () => picture.choose(null));
  const asWords = addButton(pictures, "", () => picture.choose("words"));
  const wordChoice = bar.appendChild(element("select", "word-choice"));
  const colorBar = addColorBar(bar.appendChild(element("div")), "");
  let names = null;
  let listed = null; // the tokens that the choice of a word lists

  choice.addEventListener("change", () => heads.choose(choice.value ? choice.value.split(" ").map(Number) : null));
  wordChoice.addEventListener("change", () => query.choose(wordChoice.value ? Number(wordChoice.value) : null));

  const nameOf = ([layer, head]) => `${names.layer} ${layer}, ${names.head} ${head}`;

  function listWords(tokens) {
    if (listed === tokens) return;
    listed = tokens;
    fill(wordChoice, [["", player.words.all_words], ...tokens.map((token, i) => [String(i), `${player.words.query} “${token}” (${i})`])]);
  }

  return {
    nameOf,
    update(panel, { nLayers, nHeads }) {
      names = { layer: panel.layer_name, head: panel.head_name };
      note.textContent = panel.note;
      note.hidden = !panel.note;
      const heads = Array.from({ length: nLayers * nHeads }, (_, i) => [Math.floor(i / nHeads), i % nHeads]);
      fill(choice, [["", player.words.back], ...heads.map((head) => [head.join(" "), nameOf(head)])]);
      choice.setAttribute("aria-label", `${panel.layer_name}, ${panel.head_name}`);
      wordChoice.setAttribute("aria-label", player.words.query);
      asMap.textContent = player.words.as_map;
      asWords.textContent = player.words.as_words;
    },
    paint(panel, { maps, head, inWords, tokens }) {
      const many = maps.nLayers * maps.nHeads > 1;
      back.textContent = `◂ ${player.words.back}`;
      back.hidden = !many || !head;
      choice.hidden = !many;
      pictures.hidden = !head;
      wordChoice.hidden = !inWords;
      asMap.setAttribute("aria-pressed", String(!inWords));
      asWords.setAttribute("aria-pressed", String(inWords));
      setValue(choice, head && many ? head.join(" ") : "");
      listWords(tokens);
      setValue(wordChoice, query.value() !== null && query.value() < tokens.length ? String(query.value()) : "");
      colorBar.host.hidden = inWords;
      if (!inWords) colorBar.paint(maps.scale, panel.ramp, player);
    },
  };
}

function fill(select, options) {
  select.replaceChildren(...options.map(([value, text]) => Object.assign(element("option", "", text), { value })));
}

function setValue(select, value) {
  if (select.value !== value) select.value = value;
}
