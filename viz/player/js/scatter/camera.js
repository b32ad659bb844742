// The camera of a scatter plot: zoom, pan and rotation, and the projection of places to pixels.

const HOME = { zoom: 1, panX: 0, panY: 0, yaw: -0.55, pitch: 0.38 };
const MAX_ZOOM = 60;
const MIN_ZOOM = 0.5;
const DISTANCE = 4; // of the viewpoint from a three-dimensional cloud, in its radii
const CORNERS = 0.86; // share of the half diagonal of the bounding box that must fit

// Where the reader left the camera of each table. It outlives the panels: pages follow each other, and the reader comes back.
const cameras = new Map();

/** Make a camera, which is independent of the step. */
export function makeCamera() {
  const view = { ...HOME };

  return {
    get zoom() { return view.zoom; },
    get isHome() { return Object.keys(HOME).every((key) => view[key] === HOME[key]); },
    reset() {
      Object.assign(view, HOME);
    },
    /** Remember where the reader left the camera of a table. */
    remember(table) {
      cameras.set(table, { ...view });
    },
    /** Return to where the reader left it, or to what a link names (see `named`), or home. */
    recall(table, named) {
      const [yaw, pitch, zoom] = named ?? [];
      const fromLink = named ? { yaw: (yaw * Math.PI) / 180, pitch: (pitch * Math.PI) / 180, zoom } : {};
      Object.assign(view, HOME, cameras.get(table) ?? fromLink);
    },
    /** The angles in degrees and the magnification, as a link names them. */
    get named() { return [...["yaw", "pitch"].map((angle) => Math.round((view[angle] * 180) / Math.PI)), Math.round(view.zoom * 100) / 100]; },
    /** Magnify and pan so that places (item, axis) fill the canvas; the angles stay. */
    fitTo(cloud, places, frame, margin, seen) {
      Object.assign(view, { zoom: 1, panX: 0, panY: 0 });
      this.project(cloud, places, frame, seen);
      const [x, y] = [seen.x, seen.y].map((all) => [all.reduce((a, b) => (b < a ? b : a), Infinity), all.reduce((a, b) => (b > a ? b : a), -Infinity)]);
      if (!(x[1] >= x[0] && y[1] >= y[0])) return;
      const room = [frame.width - 2 * margin, frame.height - 2 * margin];
      view.zoom = Math.min(MAX_ZOOM, Math.max(MIN_ZOOM, Math.min(room[0] / Math.max(1, x[1] - x[0]), room[1] / Math.max(1, y[1] - y[0]))));
      view.panX = (frame.width / 2 - (x[0] + x[1]) / 2) / frame.fit;
      view.panY = (frame.height / 2 - (y[0] + y[1]) / 2) / frame.fit;
    },
    /** Zoom by a factor about a pixel, which keeps its place. */
    zoomBy(factor, frame, x = frame.width / 2, y = frame.height / 2) {
      const zoom = Math.min(MAX_ZOOM, Math.max(MIN_ZOOM, view.zoom * factor));
      const shift = 1 / (frame.fit * zoom) - 1 / (frame.fit * view.zoom);
      view.panX += (x - frame.width / 2) * shift;
      view.panY += (y - frame.height / 2) * shift;
      view.zoom = zoom;
    },
    pan(dx, dy, frame) {
      const limit = frame.reach;
      view.panX = Math.min(limit, Math.max(-limit, view.panX + dx / (frame.fit * view.zoom)));
      view.panY = Math.min(limit, Math.max(-limit, view.panY + dy / (frame.fit * view.zoom)));
    },
    turn(dx, dy) {
      view.yaw += dx;
      view.pitch = Math.min(Math.PI / 2, Math.max(-Math.PI / 2, view.pitch + dy));
    },
    /** Fit a cloud into a canvas with a margin: `fit` is pixels a level, `reach` how far the view can be panned. */
    frame(cloud, width, height, margin) {
      const room = [Math.max(20, width - 2 * margin), Math.max(20, height - 2 * margin)];
      // The corners of the bounding box may just leave the canvas under rotation; the points never do.
      const ball = Math.max(cloud.radius, CORNERS * Math.hypot(...cloud.half)) * (DISTANCE / Math.sqrt(DISTANCE ** 2 - 1));
      const fit = cloud.axes === 3 ? Math.min(...room) / (2 * ball) : Math.min(room[0] / (2 * cloud.half[0] || 1), room[1] / (2 * cloud.half[1] || 1));
      return { width, height, fit, reach: 1.2 * Math.max(...cloud.half) };
    },
    /** Project places (item, axis) to pixels: `x`, `y`, and `near`, the magnification relative to the centre. */
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
