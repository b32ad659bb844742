// The player on a page of its own, as a file or in the frame of a notebook: nothing listens to it.

import { makePlayer, newReader } from "./player.js";

const BELOW_PX = 16; // space below the panels

/** Play a scene in an element, and extend the panels to the bottom of the window. */
export function play(root, scene) {
  const panels = root.querySelector(".panels");
  const fit = () => root.style.setProperty("--available-height", `${Math.floor(innerHeight - panels.getBoundingClientRect().top - scrollY - BELOW_PX)}px`);
  makePlayer(root, newReader()).show(scene);
  fit();
  addEventListener("resize", fit);
}
