"""Progress of long work: a bar in a terminal, a line every tenth of the way elsewhere, or records for a program that follows it.

Where the variable GPTLAB_PROGRESS is ``lines``, each line on standard error is one JSON object with ``what``, ``done``,
``total`` and ``note``, at most ten a second; what the command says besides is no JSON.
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
"""``progress(done, note="")``: so many units of the work are done; the note is shown beside the bar."""


@contextlib.contextmanager
def progress_bar(what: str, total: int, unit: str, *, start: int = 0) -> Iterator[Progress]:
    """Show progress from ``start`` to ``total`` on standard error.

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
    begun = time.perf_counter()
    with Progress(*columns, console=console, expand=True) as progress:
        task = progress.add_task(what, total=total, completed=start, note="", speed="")

        def update(done: int, note: str | None = None) -> None:
            speed = f"{(done - start) / max(time.perf_counter() - begun, 1e-9):.0f} {unit}s/s"
            fields: dict[str, Any] = {"speed": speed} | ({} if note is None else {"note": note})
            progress.update(task, completed=done, **fields)

        yield update


@contextlib.contextmanager
def _lines(console: Console, what: str, total: int, unit: str, start: int) -> Iterator[Progress]:
    begun = time.perf_counter()
    told = 10 * start // max(total, 1)
    kept = ""

    def update(done: int, note: str | None = None) -> None:
        nonlocal told, kept
        kept = kept if note is None else note
        if 10 * done // max(total, 1) > told:
            told = 10 * done // max(total, 1)
            speed = (done - start) / max(time.perf_counter() - begun, 1e-9)
            print(
                f"{what}: {done:,} of {total:,} {unit}s  {kept}  {speed:.0f} {unit}s/s", file=console.file, flush=True
            )

    yield update


@contextlib.contextmanager
def _records(console: Console, what: str, total: int, unit: str, start: int) -> Iterator[Progress]:
    told, at, kept = float("-inf"), -1, ""

    def tell(done: int) -> None:
        nonlocal told, at
        told, at = time.monotonic(), done
        record = {"what": what, "done": done, "total": total, "note": kept}
        print(json.dumps(record), file=console.file, flush=True)

    def update(done: int, note: str | None = None) -> None:
        nonlocal kept
        kept = kept if note is None else note
        if done != at and (done >= total or time.monotonic() - told >= SHORTEST_PAUSE_S):
            tell(done)

    tell(start)
    yield update
