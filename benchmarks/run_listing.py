"""The overview of many runs: from the folder to the list and the table, on the server, and to the painted page in a browser.

Target on 2 cores: a thousand runs are listed, with all that the table says of them, in under a second. Cold is the first time in a
process, with the files in the memory of the system; warm is every later time, when nothing has changed.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the visits to a browser are those of the tests

from tables import show

from dashboards.compute.run_records import curves, records
from dashboards.page import Page
from dashboards.state import run_list
from dashboards.state.language import Translation
from data.runs import create_run
from viz.drawing.theme import THEMES

N_RUNS = 1000
N_DRAWN = 100
N_EVALUATIONS = 60
REPEATS = 7
EVERY = 50


def made_runs(folder: Path, n: int = N_RUNS) -> None:
    """Write runs as trainings of many settings leave them, without the snapshots' files."""
    random = np.random.default_rng(0)
    for i in range(n):
        shape = {"n_layer": int(random.choice([2, 4, 6])), "n_head": 4, "n_embd": int(random.choice([32, 64, 128]))}
        training = {"preset": "cpu", "steps": EVERY * (N_EVALUATIONS - 1), "seed": i % 5, "dropout": 0.1 * (i % 3)}
        training |= {"batch_size": 32, "learning_rate_scale": float(random.choice([0.3, 1.0, 3.0])), "recipe": "adamw"}
        info = {
            "created": f"2025-{1 + i % 12:02d}-{1 + i % 28:02d}T{i % 24:02d}:{i % 60:02d}:00.000+00:00",
            "parameters": 12 * shape["n_layer"] * shape["n_embd"] ** 2,
            "model": {**shape, "vocab_size": 65, "block_size": 32},
            "training": training,
            "corpus": {"name": ["shakespeare", "machado"][i % 2], "characters": 1_115_394},
            "tokenizer": {"kind": "char", "symbols": "".join(map(chr, range(32, 97)))},
            "tensors": {"token_table": "wte.weight", "position_table": "wpe.weight"},
        }
        run = create_run(f"run-{i:04d}", info, folder)
        floor = 1.3 + 4 / np.sqrt(info["parameters"]) + 0.3 * random.random()
        steps = range(0, EVERY * N_EVALUATIONS, EVERY)
        losses = [floor + (4.2 - floor) / (1 + step / 150) + 0.02 * random.normal() for step in steps]
        lines = [
            {"step": s, "train_loss": v - 0.05, "val_loss": v, "tokens": s * 1024, "lr": 1e-3, "seconds": s * 0.04}
            for s, v in zip(steps, losses, strict=True)
        ]
        lines[-1]["val_loss_whole"] = losses[-1] + 0.05
        (run.path / "metrics.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        entries = [{"step": s, "file": f"snapshots/{s:08d}.safetensors", "bytes": 1, "sha256": "0" * 64} for s in steps]
        (run.path / "manifest.jsonl").write_text("".join(f"{json.dumps(entry)}\n" for entry in entries))


def seconds(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def measure(folder: Path) -> list[tuple[str, float, float]]:
    """Time each part once cold, and as the median of several times warm."""
    os.environ["GPTLAB_RUNS"] = str(folder)
    found: list[tuple[str, float, float]] = []

    def add(name: str, act: Callable[[], object]) -> None:
        found.append((name, 1e3 * seconds(act), 1e3 * float(np.median([seconds(act) for _ in range(REPEATS)]))))

    add("list the runs", run_list.runs)
    add("and the record of each", lambda: records(run_list.runs()))
    add(f"curves of {N_DRAWN} runs", lambda: [curves(run) for run in run_list.runs()[:N_DRAWN]])
    add("the table as it is sent", lambda: _sent(N_DRAWN))
    return found


def _sent(n_drawn: int) -> int:
    from dashboards.views.all_runs import table_data

    runs = run_list.runs()
    page = Page(runs[0], Translation(), THEMES["light"], computation=None)  # type: ignore[arg-type]
    return len(json.dumps(table_data(page, records(runs), [run.name for run in runs[:n_drawn]])))


def in_a_browser(folder: Path) -> list[tuple[str, float, float]]:
    """Time a visit until the table stands: the first one of a server, and the median of later ones; and a filter that is typed."""
    from playwright.sync_api import sync_playwright

    from tests.browser.visit import FLAGS, chromium, served, visit

    ready = f'.runs[data-shown="{N_RUNS}"]'
    with sync_playwright() as player, served(folder) as address:
        browser = player.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        times, filtered = [], []
        for _ in range(4):
            with visit(browser, address, folder.parent) as guest:

                def arrive(page=guest.page) -> None:
                    page.goto(f"{address}/?show=runs")
                    page.locator(ready).wait_for()

                times.append(1e3 * seconds(arrive))
                guest.settle()
                filtered.append(guest.page.evaluate(TYPE))
        browser.close()
    return [
        ("page to the painted table", times[0], float(np.median(times[1:]))),
        ("a filter, to paint", filtered[0], float(np.median(filtered[1:]))),
    ]


# Types a filter into the table, and resolves to the milliseconds until the frame after the table and the chart were painted.
TYPE = """() => new Promise((done) => {
  const host = [...document.querySelectorAll('*')].map((node) => node.shadowRoot).find((root) => root?.querySelector('.runs')) ?? document;
  const input = host.querySelector('input[type="search"]');
  const from = performance.now();
  input.value = 'n_layer=4 val_loss<2';
  input.dispatchEvent(new Event('input', { bubbles: true }));
  requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - from)));
})"""


@contextmanager
def folder_of_runs():
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "runs"
        folder.mkdir()
        made_runs(folder)
        yield folder


def main() -> None:
    with folder_of_runs() as folder:
        rows = measure(folder)
        try:
            rows += in_a_browser(folder)
        except ImportError:
            print("the browser is not measured: pip install playwright")
        show(f"{N_RUNS:,} runs, milliseconds", ("what", "cold", "warm"), rows)


if __name__ == "__main__":
    main()
