// The player: one slider over several panels, each of which paints itself at the slider's step, in the browser and without a server.

import { element, formatInteger, textOn } from "./drawing.js";
import { addExplanations } from "./explanations.js";
import { pendingLine } from "./pending.js";
import { makeProjector } from "./projector.js";
import { focusScrollers } from "./scroll_focus.js";
import { makeSlider } from "./slider.js";
import { indexAt, nearest } from "./step_axis.js";

export const SETTLED_MS = 250; // a step is reported to the host once the slider has rested so long
const GLIDE_MS = 140; // a single step is shown as a short motion

/** The kinds of panels: `kind -> (host, player) => { update(panel), paint(view), destroy?() }`. Each module registers its own. */
export const PANELS = {};

/** Where the reader is. A host that replaces one player by another passes it on. */
export const newReader = () => ({ decision: null, step: 0, scale: "log", isAtEnd: false, isLive: false });

/**
 * Make a player in an element that holds `.slider` and `.panels`.
 *
 * `host` is the page around it. All of its functions are optional: `send(name, value)` reports a state, `trigger(name, value)` an event,
 * `moved()` follows every move of the slider, `rested(player)` its coming to rest or a change of scale, and `scrolls()` returns whether
 * the page can be scrolled.
 */
export function makePlayer(root, reader, host = {}) {
  const panels = new Map();
  let scene = null;
  let slider = null;
  let projector = null;
  let position = 0; // index among the snapshots; a fraction while the panels move from one to the next
  let glide = null;
  let playing = false;
  let speed = 6;
  let frame = 0;
  let lastTick = 0;
  let settling = 0;
  let resting = 0;
  let movedAt = performance.now();

  const player = {
    send: (name, value) => host.send?.(name, value),
    trigger: (name, value) => host.trigger?.(name, value),
    /** Whether the host acts on events, such as a lasso whose items are to be highlighted. */
    get hasActions() { return Boolean(host.trigger); },
    get steps() { return scene.steps; },
    get theme() { return scene.theme; },
    get words() { return scene.words; },
    get language() { return scene.language; },
    get loss() { return scene.loss; },
    get title() { return scene.title; },
    get scale() { return scene.scale; },
    /** Changes whenever the page decides what is shown: then what the reader chose before no longer counts. */
    get decision() { return scene.decision; },
    get isSettling() { return Boolean(settling) || playing; },
    step: () => scene.steps[Math.round(position)],
    /** Write a step where there is room for a number only. */
    writeStep: (step) => (step === 0 && scene.unknown_step ? "?" : formatInteger(step, scene.language)),
    /** Name a snapshot by its step, or by what is known of it. */
    nameStep: (step) => (step === 0 && scene.unknown_step) || `${scene.words.step} ${formatInteger(step, scene.language)}`,
    isAtEnd: () => Math.round(position) === scene.steps.length - 1,
    isPlaying: () => playing,
    pageScrolls: () => Boolean(host.scrolls?.()),
    setSpeed(snapshotsPerSecond) { speed = snapshotsPerSecond; },
    setScale(scale) {
      scene.scale = reader.scale = scale;
      host.rested?.(player);
      player.send("scale", scale);
      player.repaint();
    },
    /** The camera of three dimensions as a link names it: [yaw, pitch, magnification], [] at first, or null where it is unknown. */
    camera: null,
    nameCamera(named) {
      player.camera = named;
      if (!named) return;
      host.rested?.(player);
      player.send("camera", { camera: named, decision: scene.decision });
    },
    /** Go to a snapshot: "step" glides there from its neighbour, "drag" and "jump" show it at once. */
    go(step, how = "jump") {
      const to = nearest(scene.steps, step);
      host.moved?.();
      movedAt = performance.now();
      const isNear = Math.abs(to - position) <= 1.5;
      glide = how === "step" && isNear && !prefersReducedMotion() ? { from: position, to, started: movedAt } : null;
      if (!glide) position = to;
      remember(to);
      player.repaint();
      settle();
    },
    play(on) {
      if (on === playing) return;
      playing = on;
      glide = null;
      lastTick = performance.now();
      if (on && Math.round(position) >= scene.steps.length - 1) position = 0;
      if (!on) position = Math.round(position);
      player.repaint();
      settle();
    },
    repaint() {
      if (!frame) frame = requestAnimationFrame(tick);
    },
    show(next) {
      if (next.version === scene?.version) return;
      const isNew = !scene;
      if (reader.decision !== next.decision) { // the page, not the slider, decides the step
        Object.assign(reader, { decision: next.decision, step: next.step, scale: next.scale, isAtEnd: false });
        host.moved?.();
        playing = false;
        scene = null;
        for (const known of panels.values()) known.version = null; // update all of them, even with the same content
      }
      const followsRun = reader.isAtEnd && reader.isLive && !playing;
      const isLonger = scene?.steps.every((step, i) => step === next.steps[i]);
      if (!isLonger) {
        position = nearest(next.steps, reader.step);
        glide = null;
      }
      if (followsRun) position = next.steps.length - 1;
      scene = { ...next, scale: reader.scale };
      arrange();
      player.repaint();
      if (isNew && player.step() !== next.step) settle(); // the page does not know yet where the reader is
    },
    /** Show how far the computations are that panels wait for: `{ text, done }` by the panel's id. */
    progress(lines) {
      for (const [id, line] of Object.entries(lines)) panels.get(id)?.pending.update(line);
    },
    destroy() {
      cancelAnimationFrame(frame);
      clearTimeout(settling);
      clearTimeout(resting);
      sizes.disconnect();
      slider?.destroy();
      projector?.destroy();
      for (const { content } of panels.values()) content.destroy?.();
    },
  };

  const sizes = new ResizeObserver(() => {
    if (!scene) return;
    fitGrid();
    player.repaint();
  });
  sizes.observe(root);

  function arrange() {
    const { theme } = scene;
    const variables = { "max-height": scene.max_height_px ? `${scene.max_height_px}px` : "none" };
    Object.assign(variables, { "on-accent": textOn(theme.accent), font: theme.font });
    for (const name of ["background", "panel", "text", "muted", "line", "accent"]) variables[name] = theme[name];
    for (const [name, value] of Object.entries(variables)) root.style.setProperty(`--${name}`, value);
    fitGrid();
    root.classList.toggle("single-step", scene.steps.length < 2);
    if (!slider) slider = makeSlider(root.querySelector(".slider"), player);
    if (!projector) projector = makeProjector(root, player);
    const grid = root.querySelector(".panels");
    const ids = new Set(scene.panels.map((panel) => panel.id));
    for (const [id, { box, content }] of panels) {
      if (ids.has(id)) continue;
      content.destroy?.();
      sizes.unobserve(box);
      box.remove();
      panels.delete(id);
    }
    for (const panel of scene.panels) place(grid, panel);
  }

  /** Choose the layout for the width that there is. */
  function fitGrid() {
    const narrow = scene.narrow_grids.filter(({ below_px }) => root.clientWidth < below_px).sort((a, b) => a.below_px - b.below_px);
    const { grid, min_height_px } = narrow[0] ?? scene;
    root.style.setProperty("--grid", grid);
    root.style.setProperty("--min-height", `${min_height_px}px`);
  }

  function place(grid, panel) {
    let known = panels.get(panel.id);
    if (known && known.kind !== panel.kind) {
      known.content.destroy?.();
      known.box.remove();
      known = undefined;
    }
    if (!known) {
      const box = element("section", `panel ${panel.kind}`);
      box.dataset.panel = panel.id;
      const title = box.appendChild(element("h3"));
      const body = box.appendChild(element("div", "body"));
      known = { kind: panel.kind, box, title, content: PANELS[panel.kind](body, player), version: null };
      known.pending = pendingLine(box, (name) => player.trigger(name, panel.id));
      known.explanations = addExplanations(box, player);
      panels.set(panel.id, known);
      sizes.observe(body);
    }
    known.box.style.gridArea = panel.area;
    known.title.textContent = panel.title;
    known.ownStep = known.title.appendChild(element("span"));
    known.title.hidden = !panel.title;
    grid.appendChild(known.box);
    if (known.version !== panel.version) {
      known.content.update(panel);
      known.version = panel.version;
    }
    known.explanations.update(panel.title, scene.explanations[panel.id]);
    known.pending.show(panel.pending ?? null);
    known.steps = panel.steps ?? scene.steps;
  }

  function remember(index) {
    Object.assign(reader, { step: scene.steps[index], isAtEnd: index === scene.steps.length - 1, isLive: scene.live });
  }

  function tick(now) {
    frame = 0;
    if (!scene) return;
    if (playing) advance(now);
    if (glide) {
      const done = Math.min(1, (now - glide.started) / GLIDE_MS);
      position = glide.from + (glide.to - glide.from) * ease(done);
      if (done === 1) {
        position = glide.to;
        glide = null;
      }
    }
    paint();
    if (playing || glide) player.repaint();
  }

  function advance(now) {
    position = Math.min(scene.steps.length - 1, position + ((now - lastTick) / 1000) * speed);
    lastTick = now;
    if (position >= scene.steps.length - 1) {
      playing = false;
      settle();
    }
  }

  function paint() {
    const step = player.step();
    if (!glide) remember(Math.round(position));
    slider.paint();
    projector.paint();
    for (const { content, steps, ownStep } of panels.values()) {
      const view = viewOf(steps, step);
      content.paint(view);
      // A panel with snapshots of its own shows its step where that differs from the slider's.
      ownStep.textContent = view.step === step ? "" : ` · ${player.nameStep(view.step)}`;
    }
    clearTimeout(resting);
    resting = setTimeout(() => focusScrollers(root), SETTLED_MS); // it measures, which is too slow for every frame
    // Tests and benchmarks wait for these: the step that is shown, and how long painting it took.
    if (!glide && !playing) {
      root.dataset.step = step;
      root.dataset.paintedMs = (performance.now() - movedAt).toFixed(1);
    }
  }

  /** Compute the view of a panel: the index of its snapshot, and the two snapshots between which the motion is. */
  function viewOf(steps, step) {
    const floor = Math.floor(position);
    const between = position - floor;
    if (steps === scene.steps) return { step, index: Math.round(position), from: floor, to: Math.min(floor + 1, steps.length - 1), between };
    const from = indexAt(steps, scene.steps[floor]);
    const to = indexAt(steps, scene.steps[Math.min(floor + 1, scene.steps.length - 1)]);
    return { step: steps[indexAt(steps, step)], index: indexAt(steps, step), from, to, between };
  }

  function settle() {
    clearTimeout(settling);
    settling = setTimeout(() => {
      settling = 0;
      if (playing) return;
      host.rested?.(player);
      player.send("step", { step: player.step(), decision: scene.decision });
    }, SETTLED_MS);
  }

  return player;
}

function ease(t) {
  return t < 0.5 ? 4 * t ** 3 : 1 - (-2 * t + 2) ** 3 / 2;
}

function prefersReducedMotion() {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
}
