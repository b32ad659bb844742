// The chart of many curves: a rule that follows the pointer or the arrow keys, zoom by dragging, and what the rule reads, for the legend.

import { addCanvas, element } from "../drawing.js";
import { collect, lastPoint, limitsOf, pointAt, stops } from "./curves_data.js";
import { makeFormats } from "./formats.js";
import { drawCurves, drawFrame, drawRule, drawZoom, plotArea } from "./painting.js";
import { makeAxis, timeUnit } from "./chart_axis.js";

const LEAST_DRAG_PX = 8;
const NEAR_PX = 24;
const KEY_ZOOM = 0.6;

/** Make the chart in an element. `read(readings)` receives what the rule reads, the lowest value first; null `at` is the end of each run. */
export function makeChart(host, read) {
  const area = host.appendChild(element("div", "area"));
  area.tabIndex = 0;
  area.setAttribute("role", "slider");
  const base = addCanvas(area, "");
  const above = addCanvas(area, "");
  for (const { canvas } of [base, above]) canvas.setAttribute("aria-hidden", "true");
  const empty = area.appendChild(element("p", "nothing"));
  let data = null;
  let curves = [];
  let axes = null;
  let zoom = { x: null, y: null }; // limits in values; null where all is shown
  let at = null; // the place of the rule on the x axis
  let near = null; // the name of the run whose curve is nearest to the pointer, or which the legend or table points at
  let drag = null;
  let frame = 0;

  const sizes = new ResizeObserver(() => data && paint());
  sizes.observe(area);

  function limits(key, all) {
    const [low, high] = zoom[key] ?? all;
    return low === high ? [low - Math.abs(low || 1) * 0.05, high + Math.abs(high || 1) * 0.05] : [low, high];
  }

  function layOut() {
    const xs = curves.flatMap(({ x }) => x);
    const smallest = xs.reduce((least, x) => (x > 0 && x < least ? x : least), Infinity);
    let [low, high] = limits("x", [xs.reduce((a, b) => Math.min(a, b), Infinity), xs.reduce((a, b) => Math.max(a, b), -Infinity)]);
    const last = xs.reduce((a, b) => Math.max(a, b), -Infinity);
    const factor = data.along === "seconds" ? timeUnit(last).factor : 1;
    const x = makeAxis({ low, high, isLog: data.isLogX, unit: Number.isFinite(smallest) ? smallest : 1, factor });
    const found = limitsOf(curves, [low, high]) ?? limitsOf(curves, [-Infinity, Infinity]);
    [low, high] = limits("y", found);
    if (!zoom.y) [low, high] = data.isLogY ? [low / (high / low) ** 0.04, high * (high / low) ** 0.04] : [low - (high - low) * 0.05, high + (high - low) * 0.05];
    axes = { x, y: makeAxis({ low, high, isLog: data.isLogY }), formats: makeFormats(data, last) };
  }

  function paint() {
    const { context, width, height } = base.clear();
    const has = curves.length > 0;
    empty.hidden = has;
    empty.textContent = has ? "" : data.words.nothing_drawn;
    if (has) {
      layOut();
      const { formats } = axes;
      const plot = plotArea(context, { axes, width, height, theme: data.theme, formats });
      axes.plot = plot;
      drawFrame(context, { axes, plot, theme: data.theme, formats, width });
      drawCurves(context, { curves, axes, plot, hasRaw: data.weight > 0 });
    }
    paintAbove();
  }

  function paintAbove() {
    frame = 0;
    const { context } = above.clear();
    const readings = readAt();
    if (curves.length && axes) {
      drawRule(context, { axes, theme: data.theme, at, readings, near });
      if (drag?.isZoom) drawZoom(context, { ...drag, plot: axes.plot, theme: data.theme });
    }
    read({ at, near, readings, formats: axes?.formats, title: title() });
    describe(readings);
  }

  function readAt() {
    const found = curves.map((curve) => {
      const index = at === null ? lastPoint(curve) : pointAt(curve, at);
      return { curve, index, value: index < 0 ? NaN : curve.y[index] };
    });
    return found.sort((a, b) => Number.isNaN(a.value) - Number.isNaN(b.value) || a.value - b.value);
  }

  function title() {
    if (at === null || !axes) return data.words.at_the_end;
    return axes.formats.readX(at);
  }

  function describe(readings) {
    area.setAttribute("aria-label", `${data.title}. ${data.words.chart_keys}`);
    if (!curves.length) {
      for (const name of ["valuemin", "valuemax", "valuenow"]) area.setAttribute(`aria-${name}`, 0);
      area.setAttribute("aria-valuetext", data.words.nothing_drawn);
      return;
    }
    area.setAttribute("aria-valuemin", axes.x.low);
    area.setAttribute("aria-valuemax", axes.x.high);
    area.setAttribute("aria-valuenow", at ?? axes.x.high);
    const values = readings.slice(0, 5).map(({ curve, value }) => `${curve.row.label || curve.row.name} ${axes.formats.readY(value)}`);
    area.setAttribute("aria-valuetext", [title(), ...values].join("; "));
  }

  function schedule() {
    if (!frame) frame = requestAnimationFrame(paintAbove);
  }

  /** The pointer as places on both axes, from 0 to 1 within the plot. */
  function placeOf(event) {
    const box = area.getBoundingClientRect();
    const { left, top, width, height } = axes.plot;
    return { px: event.clientX - box.left, py: event.clientY - box.top, x: (event.clientX - box.left - left) / width, y: 1 - (event.clientY - box.top - top) / height };
  }

  function follow(event) {
    const place = placeOf(event);
    const wanted = axes.x.valueAt(Math.min(1, Math.max(0, place.x)));
    at = nearestStop(axes.x.place(wanted));
    const distances = readAt().filter(({ index }) => index >= 0).map(({ curve, value }) => [Math.abs(axes.y.place(value) - place.y) * axes.plot.height, curve.row.name]);
    const [distance, name] = distances.sort((a, b) => a[0] - b[0])[0] ?? [Infinity, null];
    near = distance < NEAR_PX ? name : null;
    schedule();
  }

  function shownStops() {
    return stops(curves).filter((x) => x >= axes.x.low && x <= axes.x.high);
  }

  function nearestStop(place) {
    const found = shownStops();
    return found.length ? found.reduce((best, x) => (Math.abs(axes.x.place(x) - place) < Math.abs(axes.x.place(best) - place) ? x : best)) : null;
  }

  function move(by) {
    const found = shownStops();
    const now = at === null ? found.length - 1 + (by < 0 ? 1 : 0) : found.indexOf(at);
    at = found[Math.min(found.length - 1, Math.max(0, now + by))] ?? null;
    schedule();
  }

  function zoomTo(next) {
    zoom = next;
    paint();
  }

  function zoomBy(factor) {
    const center = axes.x.place(at ?? axes.x.high);
    const [low, high] = [Math.max(0, center - factor / 2), Math.min(1, center + factor / 2)];
    zoomTo(factor >= 1 ? { x: null, y: null } : { x: [axes.x.valueAt(low), axes.x.valueAt(high)], y: null });
  }

  area.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !curves.length) return;
    const { px, py } = placeOf(event);
    drag = { from: [px, py], to: [px, py], isZoom: false, zooms: event.pointerType !== "touch" }; // a finger moves the rule, or scrolls
    area.setPointerCapture(event.pointerId);
    follow(event);
  });
  area.addEventListener("pointermove", (event) => {
    if (!curves.length || !axes) return;
    if (drag?.zooms) {
      const { px, py } = placeOf(event);
      drag.to = [px, py];
      drag.isZoom = Math.abs(px - drag.from[0]) > LEAST_DRAG_PX || Math.abs(py - drag.from[1]) > LEAST_DRAG_PX;
    }
    follow(event);
  });
  area.addEventListener("pointerup", () => {
    const ended = drag;
    drag = null;
    if (ended?.isZoom) zoomTo(zoomOf(ended));
  });
  area.addEventListener("pointercancel", () => { drag = null; });
  area.addEventListener("pointerleave", () => {
    if (drag) return;
    at = near = null;
    schedule();
  });
  area.addEventListener("dblclick", () => zoomTo({ x: null, y: null }));

  /** The limits of a drag: of both axes, or of the one along which it went. */
  function zoomOf({ from, to }) {
    const { left, top, width, height } = axes.plot;
    const clamp = (v) => Math.min(1, Math.max(0, v));
    const xs = [from[0], to[0]].map((px) => clamp((px - left) / width)).sort((a, b) => a - b);
    const ys = [from[1], to[1]].map((py) => clamp(1 - (py - top) / height)).sort((a, b) => a - b);
    const isAlongX = Math.abs(to[0] - from[0]) > LEAST_DRAG_PX;
    const isAlongY = Math.abs(to[1] - from[1]) > 3 * LEAST_DRAG_PX || !isAlongX;
    return { x: isAlongX ? xs.map(axes.x.valueAt) : zoom.x, y: isAlongY ? ys.map(axes.y.valueAt) : zoom.y };
  }

  area.addEventListener("keydown", (event) => {
    if (!curves.length || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = {
      ArrowLeft: () => move(-1),
      ArrowRight: () => move(1),
      Home: () => { at = shownStops()[0] ?? null; schedule(); },
      End: () => { at = null; schedule(); },
      "+": () => zoomBy(KEY_ZOOM),
      "=": () => zoomBy(KEY_ZOOM),
      "-": () => zoomBy(1),
      0: () => zoomTo({ x: null, y: null }),
      Escape: () => { at = null; zoomTo({ x: null, y: null }); },
    }[event.key];
    if (!act) return;
    act();
    event.preventDefault();
  });

  return {
    /** Show curves of rows; what another measure or axis was zoomed to is dropped. */
    update(next) {
      if (!data || data.measure !== next.measure || data.along !== next.along) zoom = { x: null, y: null };
      if (data && data.isLogY !== next.isLogY) zoom.y = null;
      data = next;
      curves = collect(next.rows, next.known, next);
      if (at !== null && !stops(curves).includes(at)) at = null;
      paint();
    },
    /** Bring out the curve of a run, or of none. */
    point(name) {
      near = name;
      schedule();
    },
    reset: () => zoomTo({ x: null, y: null }),
    destroy() {
      sizes.disconnect();
      cancelAnimationFrame(frame);
    },
  };
}
