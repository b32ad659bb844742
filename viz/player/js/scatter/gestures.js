// Drag, wheel, fingers and clicks on a scatter plot.

import { pointerIn } from "../tooltip.js";

const CLICK_PX = 4; // a pointer that moves less has clicked

/**
 * Connect the pointer with a camera and a lasso.
 *
 * `actions`: `camera`, `frame()`, `isSpace()` whether a drag rotates, `isLasso(event)` whether it draws a lasso, `drawLasso(points, done)`,
 * `click(x, y)`, `hover(x, y)` or `hover(null)`, and `moved(atOnce)` after the camera moved.
 */
export function connectPointer(area, actions) {
  const down = new Map(); // places of pressed pointers by id
  let lasso = null;
  let travelled = 0;

  area.addEventListener("contextmenu", (event) => event.preventDefault());
  area.addEventListener("pointerdown", (event) => {
    if (event.button === 1) return;
    area.setPointerCapture(event.pointerId);
    down.set(event.pointerId, pointerIn(area, event));
    travelled = 0;
    lasso = down.size === 1 && event.button === 0 && actions.isLasso(event) ? [pointerIn(area, event)] : null;
  });
  area.addEventListener("pointermove", (event) => {
    const here = pointerIn(area, event);
    const before = down.get(event.pointerId);
    if (!before) {
      actions.hover(here.x, here.y);
      return;
    }
    const [dx, dy] = [here.x - before.x, here.y - before.y];
    travelled += Math.abs(dx) + Math.abs(dy);
    if (lasso) {
      lasso.push(here);
      actions.drawLasso(lasso, false);
    } else if (down.size === 2) {
      pinch(event.pointerId, before, here);
    } else if (travelled >= CLICK_PX) {
      const pans = !actions.isSpace() || event.buttons & 2;
      if (pans) actions.camera.pan(dx, dy, actions.frame());
      else actions.camera.turn(dx * 0.008, dy * 0.008);
      actions.moved();
    }
    down.set(event.pointerId, here);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    area.addEventListener(name, (event) => {
      const here = down.get(event.pointerId);
      if (!here) return;
      down.delete(event.pointerId);
      if (lasso) actions.drawLasso(name === "pointerup" ? lasso : [], true);
      else if (name === "pointerup" && travelled < CLICK_PX && event.button === 0) actions.click(here.x, here.y);
      else actions.moved(true);
      lasso = null;
    });
  }
  area.addEventListener("pointerleave", () => down.size || actions.hover(null));
  area.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const { x, y } = pointerIn(area, event);
      actions.camera.zoomBy(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), actions.frame(), x, y);
      actions.moved();
    },
    { passive: false },
  );

  function pinch(id, before, here) {
    const other = [...down].find(([key]) => key !== id)[1];
    const distance = (point) => Math.hypot(point.x - other.x, point.y - other.y);
    actions.camera.zoomBy(distance(here) / Math.max(1, distance(before)), actions.frame(), (here.x + other.x) / 2, (here.y + other.y) / 2);
    actions.camera.pan((here.x - before.x) / 2, (here.y - before.y) / 2, actions.frame());
    actions.moved();
  }
}
