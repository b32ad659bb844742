"""Progress of long work: a bar in a terminal, otherwise a line at every tenth, or JSON records for a program that follows it.

With GPTLAB_PROGRESS=lines in the environment, progress goes to standard error as JSON objects, one per line, with ``what``, ``done``,
``total`` and ``note``, at most ten per second. Other lines there are not JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

VARIABLE = "GPTLAB_PROGRESS"
SHORTEST_PAUSE_S = 0.1

Progress = Callable[..., None]
"""The type of ``progress(done, note="")``: the number of units that are done, and a note to show beside the bar."""


@contextlib.contextmanager
def progress_bar(what: str, total: int, unit: str, *, start: int = 0) -> Iterator[Progress]:
    """Show progress from ``start`` to ``total`` on standard error.

    Parameters
    ----------
    what : the work, e.g. ``"training"``.
    total : its length in units.
    unit : the name of a unit in the singular, e.g. ``"step"``.
    start : units that are done already.

    Examples
    --------
    >>> with progress_bar("frames", 3, "frame") as update:
    ...     for done in range(3):
    ...         update(done + 1)
    """
    from rich.console import Console

    console = Console(stderr=True)
    show = _records if os.environ.get(VARIABLE) == "lines" else _bar if console.is_terminal else _lines
    with show(console, what, total, unit, start) as update:
        yield update


@contextlib.contextmanager
def _bar(console: Console, what: str, total: int, unit: str, start: int) -> Iterator[Progress]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(compact=True),
    )
    started = time.perf_counter()
    with Progress(*columns, console=console, expand=True) as progress:
        task = progress.add_task(what, total=total, completed=start, note="", speed="")

        def update(done: int, note: str | None = None) -> None:
            speed = f"{(done - start) / max(time.perf_counter() - started, 1e-9):.0f} {unit}s/s"
            fields: dict[str, Any] = {"speed": speed} | ({} if note is None else {"note": note})
            progress.update(task, completed=done, **fields)

        yield update


@contextlib.contextmanager
def _lines(console: Console, what: str, total: int, unit: str, start: int) -> Iterator[Progress]:
    started = time.perf_counter()
    tenths = 10 * start // max(total, 1)
    last_note = ""

    def update(done: int, note: str | None = None) -> None:
        nonlocal tenths, last_note
        last_note = last_note if note is None else note
        if 10 * done // max(total, 1) > tenths:
            tenths = 10 * done // max(total, 1)
            speed = (done - start) / max(time.perf_counter() - started, 1e-9)
            line = f"{what}: {done:,} of {total:,} {unit}s  {last_note}  {speed:.0f} {unit}s/s"
            print(line, file=console.file, flush=True)

    yield update


@contextlib.contextmanager
def _records(console: Console, what: str, total: int, unit: str, start: int) -> Iterator[Progress]:
    reported_at, reported, last_note = float("-inf"), -1, ""

    def report(done: int) -> None:
        nonlocal reported_at, reported
        reported_at, reported = time.monotonic(), done
        record = {"what": what, "done": done, "total": total, "note": last_note}
        print(json.dumps(record), file=console.file, flush=True)

    def update(done: int, note: str | None = None) -> None:
        nonlocal last_note
        last_note = last_note if note is None else note
        if done != reported and (done >= total or time.monotonic() - reported_at >= SHORTEST_PAUSE_S):
            report(done)

    report(start)
    yield update
