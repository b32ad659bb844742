// "?" beside a panel's title opens what the panel shows, when it misleads, and how it is computed. Esc closes it.

import { addButton, element, setName } from "./drawing.js";

/** Add the button to a panel's head and its text over the panel. `update(texts)` sets the texts; without any, there is no button. */
export function addExplanations(box, player) {
  const button = addButton(box, "ask", () => toggle(), "?");
  const sheet = box.appendChild(element("div", "about-sheet"));
  sheet.hidden = true;
  sheet.tabIndex = -1;
  sheet.setAttribute("role", "dialog");
  const texts = element("div");
  const close = addButton(sheet, "close", () => toggle(false), "✕");
  sheet.appendChild(texts);
  button.setAttribute("aria-expanded", "false");

  function toggle(open = sheet.hidden) {
    sheet.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    (open ? sheet : button).focus();
  }

  sheet.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      toggle(false);
    } else if (event.key.startsWith("Arrow") || event.key.startsWith("Page")) {
      event.stopPropagation(); // scrolls the text, and does not move the slider
    }
  });

  return {
    update(title, found = []) {
      const { words } = player;
      button.hidden = !found.length;
      if (button.hidden && !sheet.hidden) toggle(false);
      setName(button, `${words.explain}: ${title}`);
      setName(close, words.close);
      sheet.setAttribute("aria-label", `${words.explain}: ${title}`);
      texts.replaceChildren(...found.flatMap((one) => describe(one, words)));
    },
  };
}

function describe(one, words) {
  const line = (label, text) => {
    const paragraph = element("p");
    paragraph.append(element("b", "", `${label} `), text);
    return paragraph;
  };
  return [element("h4", "", one.name), element("p", "", one.what), line(words.misleads, one.misleads), line(words.computed, one.how)];
}
