// The player on a Streamlit page: its events go to the page's script, its step and scale into the address.

import { makePlayer, newReader, SETTLED_MS } from "./player.js";
import { fitToWindow } from "./window_fit.js";

const REPAIRS_MS = [SETTLED_MS, 4 * SETTLED_MS, 16 * SETTLED_MS];
const PROGRESS = "gptlab-progress"; // dispatched by dashboards/player.py, which sends progress without the scene

const mounted = new WeakMap();

// It outlives the players: pages follow each other, and Streamlit may remove a part of a page and add it again.
const reader = newReader();

/** Called by Streamlit at first and whenever the page's script has run; the returned function is called at the end. */
export default function mount({ data: [data], parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".player");
  if (!mounted.has(root)) mounted.set(root, makeHost(root));
  const { host, player, fit } = mounted.get(root);
  host.send = setStateValue; // holds until it changes
  host.trigger = setTriggerValue; // holds for one run of the script
  fit();
  host.repairAddress();
  player.show(data);
  return () => {
    host.destroy();
    player.destroy();
    mounted.delete(root);
  };
}

function makeHost(root) {
  const path = location.pathname;
  let repairs = [];
  const fitted = fitToWindow(root, () => root.querySelector(".panels"));
  let isElsewhere = false; // Back or Forward has led to another view, whose step the page has not sent yet

  const host = {
    moved() {
      isElsewhere = false;
    },
    rested: writeAddress,
    scrolls() {
      const page = mainElement();
      return page && page.scrollHeight > page.clientHeight + 4;
    },
    /**
     * Write the address again some time after a run of the script, which may have restored the step of its start. On a busy machine what
     * the script writes may arrive late; where nothing has changed, nothing is written.
     */
    repairAddress() {
      repairs.forEach(clearTimeout);
      repairs = REPAIRS_MS.map((after) => setTimeout(() => player.isSettling || writeAddress(), after));
    },
    destroy() {
      repairs.forEach(clearTimeout);
      fitted.destroy();
      removeEventListener("popstate", leave);
      removeEventListener(PROGRESS, follow);
    },
  };
  addEventListener(PROGRESS, follow);
  addEventListener("popstate", leave);
  const player = makePlayer(root, reader, host);

  function leave() {
    isElsewhere = true;
  }

  function follow({ detail }) {
    player.progress(detail);
  }

  /** Write step and scale at the end of the address as the page does, but without a new entry: Back leads to the view before. */
  function writeAddress() {
    if (isElsewhere || location.pathname !== path) return; // the address is that of another view
    const mine = player.camera ? /^(camera|step|scale)=/ : /^(step|scale)=/;
    const parts = location.search.slice(1).split("&").filter((part) => part && !mine.test(part));
    if (player.camera?.length) parts.push(`camera=${player.camera.join("%2C")}`);
    if (!player.isAtEnd()) parts.push(`step=${player.step()}`);
    if (player.scale !== "log") parts.push(`scale=${player.scale}`);
    const search = `${parts.length ? "?" : ""}${parts.join("&")}`;
    if (search !== location.search) history.replaceState(history.state, "", `${location.pathname}${search}${location.hash}`);
  }

  return { host, player, fit: fitted.fit };
}

function mainElement() {
  return document.querySelector('[data-testid="stMain"]');
}
