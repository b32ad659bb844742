// The slider over training: a track with a tick for every snapshot in front of the loss, keys, and a play button.

import { addButton, addCanvas, boxOf, element, formatFixed, setName, withAlpha } from "./drawing.js";
import { lastIndex, nearest, stepAxis } from "./step_axis.js";
import { pointerIn } from "./tooltip.js";

const LABEL_GAP_PX = 64;
const INSET_PX = 14;
const SNAPSHOTS_PER_SECOND = [3, 6, 12, 24];
const BELOW_PX = 25; // room for the labels below the track
// Paths in a box of 24 by 24.
const ICONS = { play: "M8 5v14l11-7z", pause: "M7 5h4v14H7zm6 0h4v14h-4z", previous: "M15 5l-8 7 8 7z", next: "M9 5l8 7-8 7z" };

/** Make the slider of a player in an element. */
export function makeSlider(host, player) {
  const bar = host.appendChild(element("div", "slider-bar"));
  const play = addButton(bar, "play", () => player.play(!player.isPlaying()));
  const previous = addButton(bar, "previous", () => move(-1));
  const next = addButton(bar, "next", () => move(1));
  const playIcon = play.appendChild(icon(ICONS.play));
  previous.append(icon(ICONS.previous), element("span"));
  next.append(element("span"), icon(ICONS.next));
  const track = bar.appendChild(element("div", "track"));
  track.tabIndex = 0;
  track.setAttribute("role", "slider");
  const picture = addCanvas(track, "");
  picture.canvas.setAttribute("aria-hidden", "true");
  const readout = bar.appendChild(element("div", "readout"));
  const stepLine = readout.appendChild(element("div", "step"));
  const lossLine = readout.appendChild(element("div", "loss"));
  const options = bar.appendChild(element("div", "options"));
  const scale = addButton(options, "scale", () => player.setScale(player.scale === "log" ? "linear" : "log"));
  const speed = addButton(options, "speed", () => {
    pace = (pace + 1) % SNAPSHOTS_PER_SECOND.length;
    player.setSpeed(SNAPSHOTS_PER_SECOND[pace]);
    paint();
  });
  let pace = 1; // index of SNAPSHOTS_PER_SECOND

  function move(by) {
    player.play(false);
    const at = nearest(player.steps, player.step());
    player.go(player.steps[Math.min(player.steps.length - 1, Math.max(0, at + by))], Math.abs(by) === 1 ? "step" : "jump");
  }

  function goTo(index) {
    player.play(false);
    player.go(player.steps[index]);
  }

  function dragTo(event) {
    const place = (pointerIn(track, event).x - INSET_PX) / Math.max(1, boxOf(track).width - 2 * INSET_PX);
    const axis = stepAxis(player.steps, player.scale);
    const places = player.steps.map((step) => axis.place(step));
    let best = 0;
    places.forEach((p, i) => {
      if (Math.abs(p - place) < Math.abs(places[best] - place)) best = i;
    });
    player.go(player.steps[best], "drag");
  }

  track.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    player.play(false);
    track.setPointerCapture(event.pointerId);
    dragTo(event);
  });
  track.addEventListener("pointermove", (event) => {
    if (track.hasPointerCapture(event.pointerId)) dragTo(event);
  });

  // The arrow keys move the slider wherever the focus is, except where they have another meaning.
  function onKey(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !host.isConnected) return;
    const target = event.composedPath()[0];
    if (target instanceof Element && target.closest("input, textarea, select, video, [contenteditable='true'], [role='tab'], [role='listbox'], [role='radio'], [role='menu'], [role='grid']")) return;
    const action = {
      ArrowLeft: () => move(-1),
      ArrowRight: () => move(1),
      PageDown: () => isOwn(event) && move(-10),
      PageUp: () => isOwn(event) && move(10),
      Home: () => goTo(0),
      End: () => goTo(player.steps.length - 1),
    }[event.key];
    const plays = event.key === " " && !(target instanceof Element && target.closest("button, a, summary, [role='button']"));
    if (plays) player.play(!player.isPlaying());
    if (plays || (action && action() !== false)) event.preventDefault();
  }
  document.addEventListener("keydown", onKey);

  /** Whether a key that scrolls moves the slider: it has the focus, or the page cannot be scrolled. */
  function isOwn(event) {
    return event.composedPath().includes(bar) || !player.pageScrolls();
  }

  function paint() {
    const { steps, words, language, theme } = player;
    const step = player.step();
    const at = nearest(steps, step);
    playIcon.firstChild.setAttribute("d", ICONS[player.isPlaying() ? "pause" : "play"]);
    setName(play, player.isPlaying() ? words.pause : words.play);
    setName(previous, words.previous);
    setName(next, words.next);
    scale.textContent = player.scale === "log" ? words.log : words.linear;
    setName(scale, words.change_scale);
    speed.textContent = `${SNAPSHOTS_PER_SECOND[pace]}/s`;
    setName(speed, words.change_speed);
    previous.disabled = at === 0;
    next.disabled = at === steps.length - 1;
    stepLine.textContent = player.nameStep(step);
    const loss = lossAt(player.loss, step);
    lossLine.textContent = loss === null ? words.no_loss : `${words.val_loss} ${formatFixed(loss, 3, language)}`;
    lossLine.title = loss === null ? "" : words.val_loss_help;
    const neighbours = [at > 0 ? player.writeStep(steps[at - 1]) : "", at < steps.length - 1 ? player.writeStep(steps[at + 1]) : ""];
    previous.lastChild.textContent = neighbours[0];
    next.firstChild.textContent = neighbours[1];
    previous.title = neighbours[0] ? `${words.previous}: ${neighbours[0]}` : words.previous;
    next.title = neighbours[1] ? `${words.next}: ${neighbours[1]}` : words.next;
    track.setAttribute("aria-label", words.training_step);
    track.setAttribute("aria-valuemin", steps[0]);
    track.setAttribute("aria-valuemax", steps[steps.length - 1]);
    track.setAttribute("aria-valuenow", step);
    track.setAttribute("aria-valuetext", `${stepLine.textContent}, ${lossLine.textContent}`);
    drawTrack(theme, step);
  }

  function drawTrack(theme, step) {
    const { context, width, height } = picture.clear();
    const axis = stepAxis(player.steps, player.scale);
    const room = width - 2 * INSET_PX;
    const x = (s) => INSET_PX + axis.place(s) * room;
    const base = height - BELOW_PX;
    drawLoss(context, player.loss, x, base, theme);
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
    for (const s of player.steps) context.fillRect(x(s) - 0.5, base - 3, 1, 6);
    context.font = `12px ${theme.font}`;
    context.textBaseline = "top";
    for (const s of axis.labels(LABEL_GAP_PX / Math.max(1, room))) {
      const text = player.writeStep(s);
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
      document.removeEventListener("keydown", onKey);
    },
  };
}

function drawLoss(context, loss, x, base, theme) {
  if (!loss || loss[0].length < 2) return;
  const [steps, values] = loss;
  const low = Math.min(...values);
  const high = Math.max(...values);
  const y = (value) => base - 6 - ((value - low) / (high - low || 1)) * (base - 12);
  context.beginPath();
  steps.forEach((step, i) => (i ? context.lineTo(x(step), y(values[i])) : context.moveTo(x(step), y(values[i]))));
  context.strokeStyle = withAlpha(theme.muted, 0.55);
  context.lineWidth = 1.5;
  context.lineJoin = "round";
  context.stroke();
}

/** Find the last loss measured at or before a step; null where there is none. */
function lossAt(loss, step) {
  const at = loss ? lastIndex(loss[0], step) : -1;
  return at < 0 ? null : loss[1][at];
}

function icon(path) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.appendChild(document.createElementNS(svg.namespaceURI, "path")).setAttribute("d", path);
  return svg;
}
