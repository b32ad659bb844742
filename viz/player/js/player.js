// One slider over everything: the stage holds the step, and every panel paints itself at it, in the browser, without asking the server.

import { element, textOn, whole } from "./drawing.js";
import { stepper } from "./stepper.js";
import { indexAt, nearest } from "./timeline.js";

const SETTLED_MS = 250; // the server and the address hear of a step once the slider rests so long
const GLIDE_MS = 140; // a single step is shown as a short motion
const BELOW_PX = 18;

/** What can stand in a panel: `kind -> (host, stage) => { update(panel), paint(view), destroy?() }`. Panels enter themselves. */
export const PANELS = {};

const stages = new WeakMap();

// Where the reader stands. It outlives the stage: pages follow each other, and Streamlit may take a part of a page away and bring it back.
const reader = { asked: null, step: 0, scale: "log", isAtEnd: false, isLive: false };

enterAtOnce();

/** Streamlit calls this at first and whenever the page's script has run again; what it returns is called at the end. */
export default function player({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".player");
  let stage = stages.get(root);
  if (!stage) {
    stage = makeStage(root);
    stages.set(root, stage);
  }
  stage.send = setStateValue; // holds until it changes
  stage.trigger = setTriggerValue; // is told once
  stage.show(data);
  return () => {
    stage.destroy();
    stages.delete(root);
  };
}

function makeStage(root) {
  const panels = new Map();
  let scene = null;
  let slider = null;
  let position = 0; // index among the snapshots; a fraction while the picture is on its way between two
  let glide = null;
  let playing = false;
  let speed = 6;
  let frame = 0;
  let lastTick = 0;
  let settled = 0;
  let mending = 0;
  let asked = performance.now();
  let isElsewhere = false; // Back or Forward has led to another view, and the page has not said yet where the slider stands in it
  const path = location.pathname;

  const stage = {
    send: () => {},
    trigger: () => {},
    get steps() { return scene.steps; },
    get theme() { return scene.theme; },
    get words() { return scene.words; },
    get language() { return scene.language; },
    get loss() { return scene.loss; },
    get scale() { return scene.scale; },
    /** Changes whenever the page, not the reader, decides what is shown: then what was chosen in the browser before no longer counts. */
    get asked() { return scene.asked; },
    step: () => scene.steps[Math.round(position)],
    isPlaying: () => playing,
    setSpeed(perSecond) { speed = perSecond; },
    setScale(scale) {
      scene.scale = reader.scale = scale;
      writeAddress();
      stage.send("scale", scale);
      stage.repaint();
    },
    /** Go to a snapshot: "step" glides there from its neighbour, "drag" and the rest are there at once. */
    go(step, how = "jump") {
      const to = nearest(scene.steps, step);
      isElsewhere = false;
      asked = performance.now();
      const near = Math.abs(to - position) <= 1.5;
      glide = how === "step" && near && !reduced() ? { from: position, to, begun: asked } : null;
      if (!glide) position = to;
      note(to);
      stage.repaint();
      settle();
    },
    play(on) {
      if (on === playing) return;
      playing = on;
      glide = null;
      lastTick = performance.now();
      if (on && Math.round(position) >= scene.steps.length - 1) position = 0;
      if (!on) position = Math.round(position);
      stage.repaint();
      settle();
    },
    repaint() {
      if (!frame) frame = requestAnimationFrame(tick);
    },
    show(next) {
      fit();
      clearTimeout(mending);
      mending = setTimeout(mendAddress, SETTLED_MS);
      if (next.version === scene?.version) return;
      const isNew = !scene;
      if (reader.asked !== next.asked) { // the page, not the slider, decides where it stands
        Object.assign(reader, { asked: next.asked, step: next.step, scale: next.scale, isAtEnd: false });
        playing = isElsewhere = false;
        scene = null;
        for (const known of panels.values()) known.version = null; // what they were told last may be what they are told now
      }
      const follows = reader.isAtEnd && reader.isLive && !playing;
      const isLonger = scene?.steps.every((step, i) => step === next.steps[i]);
      if (!isLonger) {
        position = nearest(next.steps, reader.step);
        glide = null;
      }
      if (follows) position = next.steps.length - 1;
      scene = { ...next, scale: reader.scale };
      arrange();
      stage.repaint();
      if (isNew && stage.step() !== next.step) settle(); // the page has not heard yet where the reader stands
    },
    destroy() {
      cancelAnimationFrame(frame);
      clearTimeout(settled);
      clearTimeout(mending);
      sizes.disconnect();
      removeEventListener("resize", fit);
      removeEventListener("popstate", leave);
      slider?.destroy();
      for (const { drawn } of panels.values()) drawn.destroy?.();
    },
  };

  const sizes = new ResizeObserver(() => scene && stage.repaint());
  sizes.observe(root);
  addEventListener("resize", fit);
  addEventListener("popstate", leave);

  function leave() {
    isElsewhere = true;
  }

  /** Let the panels end where the window ends, whatever stands above them on the page. */
  function fit() {
    requestAnimationFrame(() => {
      const floor = root.querySelector(".floor");
      const page = document.querySelector('[data-testid="stMain"]');
      if (!page || !floor.isConnected) return;
      const above = floor.getBoundingClientRect().top - page.getBoundingClientRect().top + page.scrollTop;
      root.style.setProperty("--room", `${Math.round(page.clientHeight - above - BELOW_PX)}px`);
    });
  }

  function arrange() {
    root.style.setProperty("--columns", scene.columns);
    root.style.setProperty("--least", `${scene.least}px`);
    root.style.setProperty("--most", scene.most ? `${scene.most}px` : "none");
    root.style.setProperty("--on-accent", textOn(scene.theme.accent));
    for (const name of ["background", "panel", "text", "muted", "line", "accent"]) root.style.setProperty(`--${name}`, scene.theme[name]);
    root.style.setProperty("--font", scene.theme.font);
    root.classList.toggle("still", scene.steps.length < 2);
    if (!slider) slider = stepper(root.querySelector(".slider"), stage);
    const floor = root.querySelector(".floor");
    const wanted = new Set(scene.panels.map((panel) => panel.id));
    for (const [id, { box, drawn }] of panels) {
      if (wanted.has(id)) continue;
      drawn.destroy?.();
      sizes.unobserve(box);
      box.remove();
      panels.delete(id);
    }
    for (const panel of scene.panels) place(floor, panel);
  }

  function place(floor, panel) {
    let known = panels.get(panel.id);
    if (known && known.kind !== panel.kind) {
      known.drawn.destroy?.();
      known.box.remove();
      known = undefined;
    }
    if (!known) {
      const box = element("section", `panel ${panel.kind}`);
      box.dataset.panel = panel.id;
      const title = box.appendChild(element("h3"));
      const body = box.appendChild(element("div", "body"));
      known = { kind: panel.kind, box, title, drawn: PANELS[panel.kind](body, stage), version: null };
      panels.set(panel.id, known);
      sizes.observe(body);
    }
    known.box.style.gridArea = panel.area;
    known.title.textContent = panel.title;
    known.own = known.title.appendChild(element("span"));
    known.title.hidden = !panel.title;
    floor.appendChild(known.box);
    if (known.version !== panel.version) {
      known.drawn.update(panel);
      known.version = panel.version;
    }
    known.steps = panel.steps ?? scene.steps;
  }

  function note(index) {
    Object.assign(reader, { step: scene.steps[index], isAtEnd: index === scene.steps.length - 1, isLive: scene.live });
  }

  function tick(now) {
    frame = 0;
    if (!scene) return;
    if (playing) advance(now);
    if (glide) {
      const done = Math.min(1, (now - glide.begun) / GLIDE_MS);
      position = glide.from + (glide.to - glide.from) * ease(done);
      if (done === 1) {
        position = glide.to;
        glide = null;
      }
    }
    paint();
    if (playing || glide) stage.repaint();
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
    const step = stage.step();
    if (!glide) note(Math.round(position));
    slider.paint();
    for (const { drawn, steps, own } of panels.values()) {
      const view = viewOf(steps, step);
      drawn.paint(view);
      // A panel with snapshots of its own says which one it shows, where it is not the slider's.
      own.textContent = view.step === step ? "" : ` · ${scene.words.step} ${whole(view.step, scene.language)}`;
    }
    // What tests and benchmarks wait for: the step that stands on the page, exactly, and how long it took.
    if (!glide && !playing) {
      root.dataset.step = step;
      root.dataset.paintedMs = (performance.now() - asked).toFixed(1);
    }
  }

  /** Where a panel with snapshots of its own stands: their index, and where between two the motion is. */
  function viewOf(steps, step) {
    const floor = Math.floor(position);
    const between = position - floor;
    if (steps === scene.steps) return { step, index: Math.round(position), from: floor, to: Math.min(floor + 1, steps.length - 1), between };
    const from = indexAt(steps, scene.steps[floor]);
    const to = indexAt(steps, scene.steps[Math.min(floor + 1, scene.steps.length - 1)]);
    return { step: steps[indexAt(steps, step)], index: indexAt(steps, step), from, to, between };
  }

  function settle() {
    clearTimeout(settled);
    settled = setTimeout(() => {
      settled = 0;
      if (playing) return;
      writeAddress();
      stage.send("step", { step: stage.step(), asked: scene.asked });
    }, SETTLED_MS);
  }

  /** Write step and scale at the end of the address, as the page does, but in place: Back leads to the view before, not to the step before. */
  function writeAddress() {
    if (isElsewhere || location.pathname !== path) return; // it is another view's
    const others = location.search.slice(1).split("&").filter((part) => part && !/^(step|scale)=/.test(part));
    if (Math.round(position) < scene.steps.length - 1) others.push(`step=${stage.step()}`);
    if (scene.scale !== "log") others.push(`scale=${scene.scale}`);
    const search = `${others.length ? "?" : ""}${others.join("&")}`;
    if (search !== location.search) history.replaceState(history.state, "", `${location.pathname}${search}${location.hash}`);
  }

  /** Write them once more if the page, run again, has put into the address where the slider stood before. */
  function mendAddress() {
    if (!settled && !playing) writeAddress();
  }

  return stage;
}

/**
 * Let a page that has just been entered, and writes into its empty address what it shows, be one step of the history: Streamlit would
 * make it two, and Back would have to be pressed twice.
 */
function enterAtOnce() {
  const push = history.pushState;
  if (push.entersAtOnce) return;
  history.pushState = function pushState(state, title, url) {
    const to = new URL(url ?? "", location.href);
    const isEntry = to.pathname === location.pathname && to.search && !location.search;
    return (isEntry ? history.replaceState : push).call(history, state, title, url);
  };
  history.pushState.entersAtOnce = true;
}

function ease(t) {
  return t < 0.5 ? 4 * t ** 3 : 1 - (-2 * t + 2) ** 3 / 2;
}

function reduced() {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
}
