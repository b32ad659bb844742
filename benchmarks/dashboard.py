"""The dashboard in a real browser: the first page, the slider, 50,000 tokens, 300 visits while a run trains, accessibility.

    python benchmarks/dashboard.py                      all of them
    python benchmarks/dashboard.py first-page slider    some of them: first-page, slider, many, moves, visits, axe

Targets on 2 cores: first page after the command under 3 s; from the slider moved to the picture repainted, without the glide, 95 of
100 under 100 ms (50,000 tokens: under 200 ms, and the first paint under 5 s); memory of server and page after 2,000 moves at most 1.1
times what it was; memory of the server flat over 300 visits (less than 0.1 MB a visit after the first 50), nothing in its log, nothing
left behind; no violation of WCAG 2.1 AA.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the visits to a browser are those of the tests

from film import made_tokens
from in_browser import accessible, first_page, slider, visits
from in_browser.serving import made_table, opened_browser, served
from probing import made_run
from tables import show

TOPICS = ("first-page", "slider", "many", "moves", "visits", "axe")
N_SNAPSHOTS = 58
N_SNAPSHOTS_OF_MANY = 20

Table = tuple[str, Sequence[str], list[tuple[str, ...]]]


def tables(browser: Any, runs: Path, base: Path, text: Path, topics: Sequence[str]) -> Iterator[Table]:
    """Measure the topics, a table each."""
    run = made_run(runs, N_SNAPSHOTS, text).name
    what = ["what", "found", "to reach"]
    if "first-page" in topics:
        yield "First page (medians of 5 starts)", what, first_page.rows(browser, runs, base)
    timed = ["view", "median", "95th percentile", "to reach"]
    with served(runs, base / "server.log") as server:
        if "slider" in topics:
            made_table(runs, "5000-tokens", 5000, N_SNAPSHOTS)
            yield (
                f"Slider moved to picture repainted, {N_SNAPSHOTS} snapshots",
                timed,
                slider.rows(browser, server, base, run),
            )
        if "many" in topics:
            made_table(runs, "50000-tokens", 50_000, N_SNAPSHOTS_OF_MANY)
            title = f"50,000 tokens, {N_SNAPSHOTS_OF_MANY} snapshots"
            yield title, timed, slider.rows_of_many(browser, server, base)
        if "moves" in topics:
            yield "Memory", what, slider.rows_of_memory(browser, server, base, run)
        if "axe" in topics:
            yield (
                "Accessibility violations",
                ["page", "light", "dark", "to reach"],
                accessible.rows(browser, server, base, run),
            )
    if "visits" in topics:
        yield "300 visits in two tabs while a run trains", what, visits.rows(browser, runs, base, text)


def main(topics: Sequence[str]) -> None:
    if unknown := set(topics) - set(TOPICS):
        raise SystemExit(f"there is no topic {', '.join(sorted(unknown))}; there is {', '.join(TOPICS)}")
    with tempfile.TemporaryDirectory() as folder, opened_browser() as browser:
        base = Path(folder)
        text, runs = base / "text.txt", base / "runs"
        text.write_text(made_tokens() * 100, encoding="utf-8")
        runs.mkdir()
        for title, columns, rows in tables(browser, runs, base, text, topics or TOPICS):
            show(title, columns, rows)


if __name__ == "__main__":
    main(sys.argv[1:])
