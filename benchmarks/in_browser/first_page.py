"""Seconds from the command to its line, to the first page's picture, and of loading the page again: medians of several starts."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

from in_browser.serving import TITLE_OF_PLAYER, start, stop
from tests.browser.visit import free_port, until_healthy, visit

N_STARTS = 5


def rows(browser: Any, runs: Path, shots: Path) -> list[tuple[str, ...]]:
    """Measure after one start that fills the caches of the machine."""
    found = [_first_page(browser, runs, shots) for _ in range(N_STARTS + 1)][1:]
    answers, cold, again = (statistics.median(times) for times in zip(*found, strict=True))
    slowest = max(times[1] for times in found)
    return [
        ("from the command to the server's first answer", f"{answers:.2f} s", ""),
        (f"from the command to the first page's picture (slowest {slowest:.2f} s)", f"{cold:.2f} s", "< 3 s"),
        ("the first page loaded again", f"{again:.2f} s", "< 3 s"),
    ]


def _first_page(browser: Any, runs: Path, shots: Path) -> tuple[float, float, float]:
    port = free_port()
    started = time.perf_counter()
    command = start(runs, shots / "first-page.log", port)
    try:
        until_healthy(port, command)
        answers = time.perf_counter() - started
        with visit(browser, f"http://127.0.0.1:{port}", shots) as guest:
            guest.page.goto(guest.address)
            guest.page.locator(TITLE_OF_PLAYER).wait_for()
            cold = time.perf_counter() - started
            started = time.perf_counter()
            guest.page.reload()
            guest.page.locator(TITLE_OF_PLAYER).wait_for()
            return answers, cold, time.perf_counter() - started
    finally:
        stop(command)
