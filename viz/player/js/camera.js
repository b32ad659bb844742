// Where the reader stands before a cloud of points: places become pixels, and drag, wheel, fingers and keys move the view.

const HOME = { zoom: 1, panX: 0, panY: 0, yaw: -0.55, pitch: 0.38 };
const MOST_ZOOM = 60;
const LEAST_ZOOM = 0.5;
const DISTANCE = 4; // of the eye from a three-dimensional cloud, in its radii
const CORNERS = 0.86;
const CLICK_PX = 4;

/** Make a camera; it keeps its place while the slider moves. */
export function makeCamera() {
  const view = { ...HOME };
  let clock = 0; // counts moves, so that what depends on the camera knows whether it has moved

  return {
    get moves() { return clock; },
    get zoom() { return view.zoom; },
    get isHome() { return Object.keys(HOME).every((key) => view[key] === HOME[key]); },
    reset() {
      Object.assign(view, HOME);
      clock += 1;
    },
    /** Come nearer by a factor, about a pixel that keeps its place. */
    zoomBy(factor, frame, x = frame.width / 2, y = frame.height / 2) {
      const zoom = Math.min(MOST_ZOOM, Math.max(LEAST_ZOOM, view.zoom * factor));
      const closer = 1 / (frame.fit * zoom) - 1 / (frame.fit * view.zoom);
      view.panX += (x - frame.width / 2) * closer;
      view.panY += (y - frame.height / 2) * closer;
      view.zoom = zoom;
      clock += 1;
    },
    pan(dx, dy, frame) {
      const most = frame.reach;
      view.panX = Math.min(most, Math.max(-most, view.panX + dx / (frame.fit * view.zoom)));
      view.panY = Math.min(most, Math.max(-most, view.panY + dy / (frame.fit * view.zoom)));
      clock += 1;
    },
    turn(dx, dy) {
      view.yaw += dx;
      view.pitch = Math.min(Math.PI / 2, Math.max(-Math.PI / 2, view.pitch + dy));
      clock += 1;
    },
    /** Say how a cloud fits into so many pixels with a margin: pixels a level, and how far the view may be moved. */
    frame(cloud, width, height, margin) {
      const room = [Math.max(20, width - 2 * margin), Math.max(20, height - 2 * margin)];
      // The corners of the box around the points may just leave the picture when it is turned; the points never do.
      const ball = Math.max(cloud.radius, CORNERS * Math.hypot(...cloud.half)) * (DISTANCE / Math.sqrt(DISTANCE ** 2 - 1));
      const fit = cloud.axes === 3 ? Math.min(...room) / (2 * ball) : Math.min(room[0] / (2 * cloud.half[0] || 1), room[1] / (2 * cloud.half[1] || 1));
      return { width, height, fit, reach: 1.2 * Math.max(...cloud.half) };
    },
    /** Write where places (item, axis) stand in the picture: `x`, `y` in pixels and `near`, how much larger than in the middle. */
    project(cloud, places, frame, seen) {
      const scale = frame.fit * view.zoom;
      const [left, top] = [frame.width / 2 + view.panX * scale, frame.height / 2 + view.panY * scale];
      if (cloud.axes < 3) {
        for (let i = 0, p = 0; p < places.length; i += 1, p += cloud.axes) {
          seen.x[i] = left + places[p] * scale;
          seen.y[i] = top - places[p + 1] * scale;
          seen.near[i] = 1;
        }
        return seen;
      }
      const [sinYaw, cosYaw, sinPitch, cosPitch] = [Math.sin(view.yaw), Math.cos(view.yaw), Math.sin(view.pitch), Math.cos(view.pitch)];
      const eye = DISTANCE * cloud.radius;
      for (let i = 0, p = 0; p < places.length; i += 1, p += 3) {
        const across = places[p] * cosYaw + places[p + 2] * sinYaw;
        const away = places[p + 2] * cosYaw - places[p] * sinYaw;
        const up = places[p + 1] * cosPitch - away * sinPitch;
        const depth = away * cosPitch + places[p + 1] * sinPitch;
        const near = eye / (eye - depth);
        seen.x[i] = left + across * near * scale;
        seen.y[i] = top - up * near * scale;
        seen.near[i] = near;
      }
      return seen;
    },
  };
}

/**
 * Hear what a pointer does to the picture.
 *
 * `acts`: `frame()`, `camera`, `isSpace()` whether a drag turns, `draws(event)` whether it draws a lasso, `drew(points, done)`,
 * `clicked(x, y)`, `hovered(x, y)` or `hovered(null)`, `moved()` after the camera did.
 */
export function gestures(area, acts) {
  const down = new Map(); // pointers by their id
  let lasso = null;
  let travelled = 0;

  const place = (event) => {
    const box = area.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  area.addEventListener("contextmenu", (event) => event.preventDefault());
  area.addEventListener("pointerdown", (event) => {
    if (event.button === 1) return;
    area.setPointerCapture(event.pointerId);
    down.set(event.pointerId, place(event));
    travelled = 0;
    lasso = down.size === 1 && event.button === 0 && acts.draws(event) ? [place(event)] : null;
  });
  area.addEventListener("pointermove", (event) => {
    const here = place(event);
    const before = down.get(event.pointerId);
    if (!before) {
      acts.hovered(here.x, here.y);
      return;
    }
    const [dx, dy] = [here.x - before.x, here.y - before.y];
    travelled += Math.abs(dx) + Math.abs(dy);
    if (lasso) {
      lasso.push(here);
      acts.drew(lasso, false);
    } else if (down.size === 2) {
      pinch(event.pointerId, before, here);
    } else if (travelled >= CLICK_PX) {
      const pans = !acts.isSpace() || event.buttons & 2;
      if (pans) acts.camera.pan(dx, dy, acts.frame());
      else acts.camera.turn(dx * 0.008, dy * 0.008);
      acts.moved();
    }
    down.set(event.pointerId, here);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    area.addEventListener(name, (event) => {
      const here = down.get(event.pointerId);
      if (!here) return;
      down.delete(event.pointerId);
      if (lasso) acts.drew(name === "pointerup" ? lasso : [], true);
      else if (name === "pointerup" && travelled < CLICK_PX && event.button === 0) acts.clicked(here.x, here.y);
      else acts.moved(true);
      lasso = null;
    });
  }
  area.addEventListener("pointerleave", () => down.size || acts.hovered(null));
  area.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const { x, y } = place(event);
      acts.camera.zoomBy(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), acts.frame(), x, y);
      acts.moved();
    },
    { passive: false },
  );

  function pinch(id, before, here) {
    const other = [...down].find(([key]) => key !== id)[1];
    const far = (point) => Math.hypot(point.x - other.x, point.y - other.y);
    acts.camera.zoomBy(far(here) / Math.max(1, far(before)), acts.frame(), (here.x + other.x) / 2, (here.y + other.y) / 2);
    acts.camera.pan((here.x - before.x) / 2, (here.y - before.y) / 2, acts.frame());
    acts.moved();
  }
}
