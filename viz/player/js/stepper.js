// The slider over training: a track with a tick for every snapshot and the loss drawn behind it, keys, and a play button.

import { canvasIn, element, whole, withAlpha } from "./drawing.js";
import { nearest, timeline } from "./timeline.js";

const LABEL_GAP_PX = 64;
const INSET_PX = 14;
const SNAPSHOTS_PER_SECOND = [3, 6, 12, 24];
const BELOW_PX = 25; // room for the labels below the track
// Outlines in a box of 24 by 24.
const SIGNS = { play: "M8 5v14l11-7z", pause: "M7 5h4v14H7zm6 0h4v14h-4z", back: "M15 5l-8 7 8 7z", on: "M9 5l8 7-8 7z" };

/**
 * Build the slider.
 *
 * `stage` gives: `steps`, `step()`, `scale`, `loss`, `words`, `language`, `theme`, and `go(step, how)`, `setScale(scale)`, `play(on)`,
 * `isPlaying()`, `setSpeed(snapshotsPerSecond)`.
 */
export function stepper(host, stage) {
  const bar = host.appendChild(element("div", "stepper"));
  const play = button(bar, "play", () => stage.play(!stage.isPlaying()));
  const back = button(bar, "back", () => move(-1));
  const on = button(bar, "on", () => move(1));
  const icon = play.appendChild(sign(SIGNS.play));
  back.append(sign(SIGNS.back), element("span"));
  on.append(element("span"), sign(SIGNS.on));
  const track = bar.appendChild(element("div", "track"));
  track.tabIndex = 0;
  track.setAttribute("role", "slider");
  const picture = canvasIn(track, "");
  picture.canvas.setAttribute("aria-hidden", "true");
  const readout = bar.appendChild(element("div", "readout"));
  const stepLine = readout.appendChild(element("div", "step"));
  const lossLine = readout.appendChild(element("div", "loss"));
  const aside = bar.appendChild(element("div", "aside"));
  const scale = button(aside, "scale", () => stage.setScale(stage.scale === "log" ? "linear" : "log"));
  const speed = button(aside, "speed", () => {
    pace = (pace + 1) % SNAPSHOTS_PER_SECOND.length;
    stage.setSpeed(SNAPSHOTS_PER_SECOND[pace]);
    paint();
  });
  let pace = 1;

  function move(by) {
    stage.play(false);
    const at = nearest(stage.steps, stage.step());
    stage.go(stage.steps[Math.min(stage.steps.length - 1, Math.max(0, at + by))], Math.abs(by) === 1 ? "step" : "jump");
  }

  function goTo(index) {
    stage.play(false);
    stage.go(stage.steps[index]);
  }

  function pointed(event) {
    const box = track.getBoundingClientRect();
    const place = (event.clientX - box.left - INSET_PX) / Math.max(1, box.width - 2 * INSET_PX);
    const line = timeline(stage.steps, stage.scale);
    const places = stage.steps.map((step) => line.place(step));
    let best = 0;
    places.forEach((p, i) => {
      if (Math.abs(p - place) < Math.abs(places[best] - place)) best = i;
    });
    stage.go(stage.steps[best], "drag");
  }

  track.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    stage.play(false);
    track.setPointerCapture(event.pointerId);
    pointed(event);
  });
  track.addEventListener("pointermove", (event) => {
    if (track.hasPointerCapture(event.pointerId)) pointed(event);
  });

  // The arrow keys belong to the slider wherever the reader stands on the page, but for where they mean something else.
  function pressed(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !host.isConnected) return;
    const target = event.composedPath()[0];
    if (target instanceof Element && target.closest("input, textarea, select, video, [contenteditable='true'], [role='tab'], [role='listbox'], [role='radio'], [role='menu'], [role='grid']")) return;
    const act = {
      ArrowLeft: () => move(-1),
      ArrowRight: () => move(1),
      PageDown: () => isOwn(event) && move(-10),
      PageUp: () => isOwn(event) && move(10),
      Home: () => goTo(0),
      End: () => goTo(stage.steps.length - 1),
    }[event.key];
    const plays = event.key === " " && !(target instanceof Element && target.closest("button, a, summary, [role='button']"));
    if (plays) stage.play(!stage.isPlaying());
    if (plays || (act && act() !== false)) event.preventDefault();
  }
  document.addEventListener("keydown", pressed);

  /** Say whether a key that scrolls is the slider's: it has the focus, or the page has nothing to scroll. */
  function isOwn(event) {
    const page = document.querySelector('[data-testid="stMain"]');
    return event.composedPath().includes(bar) || !page || page.scrollHeight <= page.clientHeight + 4;
  }

  function paint() {
    const { steps, words, language, theme } = stage;
    const step = stage.step();
    const at = nearest(steps, step);
    icon.firstChild.setAttribute("d", SIGNS[stage.isPlaying() ? "pause" : "play"]);
    name(play, stage.isPlaying() ? words.pause : words.play);
    name(back, words.previous);
    name(on, words.next);
    scale.textContent = stage.scale === "log" ? words.log : words.linear;
    name(scale, words.change_scale);
    speed.textContent = `${SNAPSHOTS_PER_SECOND[pace]}/s`;
    name(speed, words.change_speed);
    back.disabled = at === 0;
    on.disabled = at === steps.length - 1;
    stepLine.textContent = `${words.step} ${whole(step, language)}`;
    const loss = lossAt(stage.loss, step);
    lossLine.textContent = loss === null ? words.no_loss : `${words.val_loss} ${loss.toLocaleString(language, { minimumFractionDigits: 3, maximumFractionDigits: 3 })}`;
    const neighbours = [at > 0 ? whole(steps[at - 1], language) : "", at < steps.length - 1 ? whole(steps[at + 1], language) : ""];
    back.lastChild.textContent = neighbours[0];
    on.firstChild.textContent = neighbours[1];
    back.title = neighbours[0] ? `${words.previous}: ${neighbours[0]}` : words.previous;
    on.title = neighbours[1] ? `${words.next}: ${neighbours[1]}` : words.next;
    track.setAttribute("aria-label", words.training_step);
    track.setAttribute("aria-valuemin", steps[0]);
    track.setAttribute("aria-valuemax", steps[steps.length - 1]);
    track.setAttribute("aria-valuenow", step);
    track.setAttribute("aria-valuetext", `${stepLine.textContent}, ${lossLine.textContent}`);
    drawTrack(theme, step, at, neighbours);
  }

  function drawTrack(theme, step, at, neighbours) {
    const { context, width, height } = picture.begin();
    const line = timeline(stage.steps, stage.scale);
    const room = width - 2 * INSET_PX;
    const x = (s) => INSET_PX + line.place(s) * room;
    const base = height - BELOW_PX;
    drawLoss(context, stage.loss, x, base, theme);
    context.strokeStyle = theme.line;
    context.lineWidth = 2;
    context.beginPath();
    context.moveTo(INSET_PX, base);
    context.lineTo(width - INSET_PX, base);
    context.stroke();
    context.strokeStyle = theme.accent;
    context.beginPath();
    context.moveTo(INSET_PX, base);
    context.lineTo(x(step), base);
    context.stroke();
    context.fillStyle = theme.muted;
    for (const s of stage.steps) context.fillRect(x(s) - 0.5, base - 3, 1, 6);
    context.font = `12px ${theme.font}`;
    context.textBaseline = "top";
    for (const s of line.labels(LABEL_GAP_PX / Math.max(1, room))) {
      const text = whole(s, stage.language);
      const half = context.measureText(text).width / 2;
      context.textAlign = "center";
      context.fillText(text, Math.min(width - half, Math.max(half, x(s))), base + 11);
    }
    context.fillStyle = theme.accent;
    context.strokeStyle = theme.background;
    context.lineWidth = 2;
    context.beginPath();
    context.arc(x(step), base, 8, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
  }

  return {
    paint,
    destroy() {
      document.removeEventListener("keydown", pressed);
    },
  };
}

function drawLoss(context, loss, x, base, theme) {
  if (!loss || loss.steps.length < 2) return;
  const low = Math.min(...loss.values);
  const high = Math.max(...loss.values);
  const y = (value) => base - 6 - ((value - low) / (high - low || 1)) * (base - 12);
  context.beginPath();
  loss.steps.forEach((step, i) => (i ? context.lineTo(x(step), y(loss.values[i])) : context.moveTo(x(step), y(loss.values[i]))));
  context.strokeStyle = withAlpha(theme.muted, 0.55);
  context.lineWidth = 1.5;
  context.lineJoin = "round";
  context.stroke();
}

/** Return the loss last measured at or before a step, or null. */
export function lossAt(loss, step) {
  if (!loss) return null;
  let found = null;
  for (let i = 0; i < loss.steps.length && loss.steps[i] <= step; i += 1) found = loss.values[i];
  return found;
}

function sign(outline) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  made.setAttribute("viewBox", "0 0 24 24");
  made.setAttribute("aria-hidden", "true");
  made.appendChild(document.createElementNS(made.namespaceURI, "path")).setAttribute("d", outline);
  return made;
}

function button(host, className, act) {
  const made = host.appendChild(element("button", className));
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

function name(made, words) {
  made.setAttribute("aria-label", words);
  made.title = words;
}
