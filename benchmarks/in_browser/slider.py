"""Milliseconds from the slider moved to the picture repainted, and memory after 2,000 moves.

Each move is timed in the page, from the event's own time stamp to the frame after the one that was painted. The motion is that of a
reader who prefers little of it: a key then shows its snapshot at once, where a glide would take 140 ms more.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from film import made_tokens

from in_browser.serving import TITLE_OF_PLAYER, Served
from tests.browser.visit import Visit, visit

REST_MS = 350
MOVES = 2000
WARM = 200
FIRST_PAINT_S = 300

# Notes the time from each press to the frame after the one in which its snapshot was painted.
WATCH = """root => {
  window.painted = [];
  let started = null;
  for (const kind of ['keydown', 'pointerdown']) addEventListener(kind, (event) => { started = event.timeStamp; }, true);
  new MutationObserver(() => {
    if (started === null) return;
    const from = started;
    started = null;
    requestAnimationFrame(() => {
      const after = new MessageChannel();
      after.port1.onmessage = () => window.painted.push(performance.now() - from);
      after.port2.postMessage(0);
    });
  }).observe(root, { attributes: true, attributeFilter: ['data-step'] });
}"""


def rows(browser: Any, server: Served, shots: Path, run: str) -> list[tuple[str, ...]]:
    """Measure the views of the target: 115 tokens, 4 x 4 heads on 32 tokens, and 5,000 tokens."""
    views = {
        "embeddings, 115 tokens": ("embeddings", {"run": run}),
        "attention, 4 x 4 heads, 32 tokens": ("attention", {"run": run, "prompt": made_tokens()[:32]}),
        "embeddings, 5,000 tokens": ("embeddings", {"run": "5000-tokens", "method": "pca"}),
    }
    found = []
    for name, (path, query) in views.items():
        with visit(browser, server.address, shots) as guest:
            open_view(guest, path, query)
            found += _rows_of(guest, name, "100 ms")
    return found


def rows_of_many(browser: Any, server: Served, shots: Path) -> list[tuple[str, ...]]:
    """Measure 50,000 tokens: the first paint, with the projection to compute and from the cache, and the slider."""
    found = []
    for state in ("with everything to compute", "from the caches"):
        with visit(browser, server.address, shots) as guest:
            seconds = open_view(guest, "embeddings", {"run": "50000-tokens", "method": "pca"})
            found.append((f"embeddings, 50,000 tokens: first paint {state}", f"{seconds:.2f} s", "", "< 5 s"))
            if state == "from the caches":
                found += _rows_of(guest, "embeddings, 50,000 tokens", "200 ms")
    return found


def open_view(guest: Visit, path: str, query: dict[str, str]) -> float:
    """Open a page without motion; return the seconds to its first picture."""
    guest.page.emulate_media(reduced_motion="reduce")
    started = time.perf_counter()
    guest.page.goto(f"{guest.address}/{path}?" + "&".join(f"{name}={value}" for name, value in _quoted(query)))
    guest.page.locator(TITLE_OF_PLAYER).wait_for(timeout=1000 * FIRST_PAINT_S)
    seconds = time.perf_counter() - started
    guest.settle()
    return seconds


def _quoted(query: dict[str, str]) -> list[tuple[str, str]]:
    from urllib.parse import quote

    return [(name, quote(value)) for name, value in query.items()]


def _rows_of(guest: Visit, name: str, target: str) -> list[tuple[str, ...]]:
    return [
        (f"{name}, by {how}", f"{np.median(ms):.0f} ms", f"{np.percentile(ms, 95):.0f} ms", f"< {target}")
        for how, ms in _repainted(guest).items()
    ]


def _repainted(guest: Visit) -> dict[str, list[float]]:
    """Return the milliseconds to the picture, by key and by press, over all snapshots."""
    guest.player.evaluate(WATCH)
    guest.slider.focus()
    guest.page.keyboard.press("Home")
    guest.settle(step=0)
    n_steps = guest.slider.evaluate("track => Number(track.getAttribute('aria-valuemax'))") // 100
    by_key = [_timed(guest, lambda: guest.page.keyboard.press("ArrowRight")) for _ in range(n_steps)]
    width = guest.slider.evaluate("track => track.clientWidth")
    places = np.random.default_rng(0).permutation(np.linspace(20, width - 20, n_steps))
    by_press = [
        ms for x in places if (ms := _timed(guest, lambda x=x: guest.slider.click(position={"x": x, "y": 30}))) > 0
    ]
    return {"key": by_key, "press": by_press}


def _timed(guest: Visit, act: Any) -> float:
    """Return the milliseconds of a move, 0 if it led to the step that was shown already."""
    known = guest.page.evaluate("window.painted.length")
    act()
    guest.page.wait_for_timeout(REST_MS)  # the server hears of it, too, and draws the page anew
    if guest.page.evaluate("window.painted.length") == known:
        return 0.0
    return float(guest.page.evaluate("window.painted.at(-1)"))


def rows_of_memory(browser: Any, server: Served, shots: Path, run: str) -> list[tuple[str, ...]]:
    """Measure the memory of server and page before and after 2,000 moves, after some to warm up; now and then the slider rests."""
    with visit(browser, server.address, shots) as guest:
        guest.open("embeddings", run=run)
        guest.step()
        box: Any = guest.slider.bounding_box()
        random = np.random.default_rng(1)
        found = []
        guest.page.mouse.move(box["x"] + 20, box["y"] + 30)
        guest.page.mouse.down()
        for n_moves in (WARM, MOVES):
            for i in range(n_moves):
                guest.page.mouse.move(box["x"] + random.uniform(14, box["width"] - 14), box["y"] + 30)
                if i % 20 == 19:
                    guest.page.wait_for_timeout(REST_MS)
            guest.settle()
            found.append((resident_mb(server.server_pid), _heap_mb(guest)))
        guest.page.mouse.up()
    return [
        (f"{what} after {MOVES:,} moves: {new:.0f} MB, before {old:.0f} MB", f"{new / old - 1:+.1%}", "< +10%")
        for what, old, new in zip(("server", "page's heap"), *found, strict=True)
    ]


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


def _heap_mb(guest: Visit) -> float:
    """Return the page's heap after collecting what is free, in MB."""
    session = guest.page.context.new_cdp_session(guest.page)
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    session.detach()
    return float(metrics["JSHeapUsedSize"]) / 2**20
