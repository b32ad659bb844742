// The line over a panel whose content is being computed, or could be on request: what, how far it is, and buttons.

import { addButton, element } from "./drawing.js";

/** Make the line of a panel. `act(name)` is called with "cancelled" or "started" when a button is pressed. */
export function pendingLine(box, act) {
  const line = box.appendChild(element("div", "pending"));
  const text = line.appendChild(element("span", "what"));
  const bar = line.appendChild(element("span", "progress"));
  const done = bar.appendChild(element("span"));
  const start = addButton(line, "start", () => press(start, "started"));
  const cancel = addButton(line, "cancel", () => press(cancel, "cancelled"));
  line.setAttribute("role", "status");
  text.setAttribute("aria-live", "off"); // the line is announced when it appears, not at every snapshot
  bar.setAttribute("role", "progressbar");
  bar.setAttribute("aria-valuemin", 0);
  bar.setAttribute("aria-valuemax", 100);
  line.hidden = true;

  function press(button, name) {
    button.disabled = true; // until the page answers
    act(name);
  }

  function write(pending) {
    if (text.textContent !== pending.text) text.textContent = pending.text;
    const percent = Math.round(100 * Math.max(0, Math.min(1, pending.done ?? 0)));
    bar.hidden = pending.done === null;
    bar.setAttribute("aria-valuenow", percent);
    bar.setAttribute("aria-label", pending.text);
    done.style.width = `${percent}%`;
  }

  return {
    /** Show what the page says, or nothing. */
    show(pending) {
      line.hidden = !pending;
      if (!pending) return;
      for (const [button, name] of [[start, pending.start], [cancel, pending.cancel]]) {
        button.hidden = !name;
        button.disabled = false;
        button.textContent = name;
      }
      write(pending);
    },
    /** Show the progress since then, `{ text, done }`. */
    update(progress) {
      if (!line.hidden) write(progress);
    },
  };
}
