// Projector mode: the panels fill the screen, type grows, and the cursor hides while it rests. F begins and ends it, Esc ends it.

import { addButton, element, setName } from "./drawing.js";

const IDLE_MS = 2000;
const LEAST_WIDTH_PX = 1100; // room that panels need beside each other, in enlarged pixels
const LARGEST = 2.5;
const SMALLEST = 1.2;
const FIELDS = "input, textarea, select, [contenteditable='true']";

/** Give a player its projector mode. `paint()` writes the step into the title; a button elsewhere asks by the event `gptlab-projector`. */
export function makeProjector(root, player) {
  const bar = element("div", "projector-bar");
  const name = bar.appendChild(element("b"));
  const run = bar.appendChild(element("span", "run"));
  const step = bar.appendChild(element("span", "step"));
  const leave = addButton(bar, "leave", () => toggle(false), "✕");
  root.prepend(bar);
  let on = false;
  let idle = 0;

  function toggle(next = !on) {
    if (next === on || (next && !root.isConnected)) return;
    on = next;
    root.classList.toggle("projector", on);
    if (on) enter();
    else exit();
    fit();
    player.repaint();
  }

  function enter() {
    // Without permission, e.g. in a frame, the player covers the window instead: in the top layer, above everything on the page.
    const refused = () => on && isFree() && root.showPopover && (root.setAttribute("popover", "manual"), root.showPopover());
    if (root.requestFullscreen) root.requestFullscreen().catch(refused);
    else refused();
    rouse();
  }

  function exit() {
    clearTimeout(idle);
    root.classList.remove("idle");
    if (isFullscreen()) document.exitFullscreen();
    if (root.hasAttribute("popover")) {
      root.hidePopover();
      root.removeAttribute("popover");
    }
  }

  const isFullscreen = () => root.getRootNode().fullscreenElement === root;
  const isFree = () => !document.fullscreenElement;

  /** Enlarge type where the browser can say by how much; what is drawn is measured with it. */
  function fit() {
    const canZoom = "currentCSSZoom" in Element.prototype;
    const zoom = on && canZoom && innerWidth > 700 ? Math.min(LARGEST, Math.max(SMALLEST, innerWidth / LEAST_WIDTH_PX)) : 1;
    root.style.setProperty("--zoom", zoom.toFixed(3));
    player.repaint();
  }

  /** Show the cursor, until it has rested for a while. */
  function rouse() {
    clearTimeout(idle);
    root.classList.remove("idle");
    if (on) idle = setTimeout(() => root.classList.add("idle"), IDLE_MS);
  }

  function onKey(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !root.isConnected) return;
    const target = event.composedPath()[0];
    const isTyping = target instanceof Element && target.closest(FIELDS);
    if (event.key === "Escape" && on) toggle(false);
    else if (event.key.toLowerCase() === "f" && !event.repeat && !isTyping) toggle();
    else return;
    event.preventDefault();
  }

  const ask = () => toggle();
  const left = () => !isFullscreen() && !root.hasAttribute("popover") && toggle(false); // by Esc, which the browser keeps to itself
  document.addEventListener("keydown", onKey);
  document.addEventListener("fullscreenchange", left);
  document.addEventListener("gptlab-projector", ask);
  root.addEventListener("pointermove", rouse);
  addEventListener("resize", fit);

  return {
    paint() {
      name.textContent = "GPTLab";
      run.textContent = player.title;
      step.textContent = player.nameStep(player.step());
      setName(leave, player.words.leave_projector);
    },
    destroy() {
      toggle(false);
      document.removeEventListener("keydown", onKey);
      document.removeEventListener("fullscreenchange", left);
      document.removeEventListener("gptlab-projector", ask);
      removeEventListener("resize", fit);
      bar.remove();
    },
  };
}
