"""The dashboard in a real browser: from a key to the picture, from the start to the first page, and memory after 2,000 moves.

Targets on 2 cores, 95th percentile from the slider moved to the picture repainted, over 58 snapshots: embeddings of 115 tokens
300 ms, attention of 4 x 4 heads on a 32-token prompt 500 ms, 5,000 tokens 700 ms. First page after start under 4 s. Memory of server
and page after 2,000 moves at most 1.1 times what it was before.

A key moves by a glide of 140 ms that counts: the picture is that of the snapshot once it rests. A press on the track goes there at
once. Each is timed in the page, from the event's own time stamp to the frame after the one that was painted.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the visits to a browser are those of the tests

from film import made_tokens
from probing import made_run
from tables import show

from dashboards.launch import start_server
from data.runs import Run, create_run, write_snapshot
from tests.browser.visit import FLAGS, Visit, chromium, free_port, until_healthy, visit

N_SNAPSHOTS = 58
MANY = 5000
MOVES = 2000
WARM = 200
REST_MS = 350

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


def made_table(folder: Path) -> Run:
    """Write a run with a table of many tokens whose vectors wander, and no more."""
    symbols = "".join(chr(0x4E00 + i) for i in range(MANY))
    info = {
        "parameters": MANY * 64,
        "tokenizer": {"kind": "char", "symbols": symbols},
        "tensors": {"token_table": "wte.weight", "position_table": None},
    }
    run = create_run("many", info, folder)
    random = np.random.default_rng(0)
    table = random.normal(size=(MANY, 64)).astype(np.float32)
    for i in range(N_SNAPSHOTS):
        write_snapshot(run, 100 * i, {"wte.weight": table})
        table = (table + 0.05 * random.normal(size=table.shape)).astype(np.float32)
    return run


@contextmanager
def server(runs: Path) -> Iterator[tuple[str, int]]:
    """Serve a folder of runs; yield the address and the process."""
    port = free_port()
    path = os.pathsep.join(part for part in (str(ROOT), os.environ.get("PYTHONPATH", "")) if part)
    os.environ.update(GPTLAB_RUNS=str(runs), PYTHONPATH=path)
    process = start_server(port)
    try:
        until_healthy(port, process)
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def repainted(guest: Visit) -> dict[str, tuple[float, float]]:
    """Return median and 95th percentile of the milliseconds to the picture, by key and by press, over all snapshots."""
    guest.player.evaluate(WATCH)
    guest.slider.focus()
    guest.page.keyboard.press("Home")
    guest.settle(step=0)
    by_key = [_timed(guest, lambda: guest.page.keyboard.press("ArrowRight")) for _ in range(N_SNAPSHOTS - 1)]
    width = guest.slider.evaluate("track => track.clientWidth")
    places = np.random.default_rng(0).permutation(np.linspace(20, width - 20, N_SNAPSHOTS))
    by_press = [_timed(guest, lambda x=x: guest.slider.click(position={"x": x, "y": 30})) for x in places]
    return {
        how: (float(np.median(ms)), float(np.percentile(ms, 95))) for how, ms in (("key", by_key), ("press", by_press))
    }


def _timed(guest: Visit, act: Any) -> float:
    known = guest.page.evaluate("window.painted.length")
    act()
    guest.page.wait_for_function(f"window.painted.length > {known}")
    guest.page.wait_for_timeout(REST_MS)  # the server hears of it, too, and draws the page anew
    return float(guest.page.evaluate("window.painted.at(-1)"))


def first_page(browser: Any, runs: Path) -> tuple[float, float]:
    """Return the seconds from the start of the server to the first page's picture, and those of loading it again."""
    started = time.perf_counter()
    with server(runs) as (address, _), visit(browser, address, runs) as guest:
        guest.page.goto(address)
        guest.page.locator(".player[data-step]").wait_for()
        cold = time.perf_counter() - started
        started = time.perf_counter()
        guest.page.reload()
        guest.page.locator(".player[data-step]").wait_for()
        return cold, time.perf_counter() - started


def memory(guest: Visit, pid: int) -> tuple[float, float]:
    """Return the MB of the server, and of the page's heap after collecting what is free."""
    session = guest.page.context.new_cdp_session(guest.page)
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    session.detach()
    status = Path(f"/proc/{pid}/status").read_text()
    resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    return resident / 1024, metrics["JSHeapUsedSize"] / 2**20


def grown(guest: Visit, pid: int) -> list[tuple[float, float]]:
    """Return the memory of server and page before and after 2,000 moves, after some to warm up; now and then the slider rests."""
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
        found.append(memory(guest, pid))
    guest.page.mouse.up()
    return found


def main() -> None:
    from playwright.sync_api import sync_playwright

    found = chromium()
    if found is None:
        raise SystemExit("there is no Chromium: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        base = Path(folder)
        text, runs = base / "text.txt", base / "runs"
        text.write_text(made_tokens() * 100, encoding="utf-8")
        runs.mkdir()
        made_table(runs)
        run = made_run(runs, N_SNAPSHOTS, text)
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        cold, again = first_page(browser, runs)
        views = {
            "embeddings, 115 tokens": (300, "embeddings", {"run": run.name}),
            "attention, 4 x 4 heads, 32 tokens": (500, "attention", {"run": run.name, "prompt": made_tokens()[:32]}),
            f"embeddings, {MANY:,} tokens": (700, "embeddings", {"run": "many", "method": "pca"}),
        }
        rows: list[tuple[str, ...]] = []
        with server(runs) as (address, pid):
            for name, (most, path, query) in views.items():
                with visit(browser, address, base) as guest:
                    guest.open(path, **query)
                    guest.page.locator(".player[data-step]").wait_for(timeout=300_000)
                    guest.settle()
                    for how, (median, p95) in repainted(guest).items():
                        rows.append((f"{name}, by {how}", f"{median:.0f} ms", f"{p95:.0f} ms", f"< {most} ms"))
            with visit(browser, address, base) as guest:
                guest.open("embeddings", run=run.name)
                guest.step()
                before, after = grown(guest, pid)
        browser.close()
    show("Slider moved to picture repainted, 58 snapshots", ["view", "median", "95th percentile", "to reach"], rows)
    show(
        "First page, and memory",
        ["what", "found", "to reach"],
        [
            ("from the start of the server to the first picture", f"{cold:.2f} s", "< 4 s"),
            ("the page loaded again", f"{again:.2f} s", "< 4 s"),
            *(
                (f"{what}: {old:.0f} MB, after {MOVES:,} moves {new:.0f} MB", f"{new / old - 1:+.1%}", "< +10%")
                for what, old, new in zip(("server", "page's heap"), before, after, strict=True)
            ),
        ],
    )


if __name__ == "__main__":
    main()
