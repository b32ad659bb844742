"""Progress of long work: a bar in a terminal, otherwise a line at every tenth, or JSON records for a program that follows it.

With GPTLAB_PROGRESS=lines in the environment, progress goes to standard error as JSON objects, one per line, with ``what``, ``done``,
``total`` and ``note``, at most ten per second. Other lines there are not JSON.

A unit of work that takes long, such as a snapshot of a large model, is reported in shares: whoever counts the units wraps each in
`report_shares_to`, and the loops within it run over `parts`. These need to know nothing of each other, and report nothing where nobody
counts.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

from data.notices import notify

if TYPE_CHECKING:
    from rich.console import Console

VARIABLE = "GPTLAB_PROGRESS"
SHORTEST_PAUSE_S = 0.1
LONGEST_SILENCE_S = 10.0
LONG_S = 60.0
"""Work that is expected to take longer is announced."""

Progress = Callable[..., None]
"""The type of ``progress(done, note="")``: the number of units that are done, and a note to show beside the bar."""

Item = TypeVar("Item")
_share: ContextVar[Callable[[float, str], None] | None] = ContextVar("share", default=None)


@contextlib.contextmanager
def report_shares_to(progress: Progress | None, done: float) -> Iterator[None]:
    """Pass on what `parts` and `report_share` report within the ``with``, as shares of one unit.

    Parameters
    ----------
    progress : receives the number of units done, a fraction of one included, and a note; one that takes no note receives nothing.
    done : the units done before this one.

    Examples
    --------
    >>> with report_shares_to(lambda done, note: print(done, note), 3):
    ...     for _ in parts("ab", "layer"):
    ...         pass
    3.0 layer 1 of 2
    3.5 layer 2 of 2
    """
    token = _share.set(None)
    if progress is not None and _takes_note(progress):
        _share.set(lambda share, note: progress(done + share, note))
    try:
        yield
    finally:
        _share.reset(token)


def _takes_note(progress: Progress) -> bool:
    try:
        inspect.signature(progress).bind(0.0, "")
    except (TypeError, ValueError):
        return False
    return True


def parts(items: Sequence[Item], name: str) -> Iterator[Item]:
    """Iterate over the parts of a unit of work, of about equal effort; each is announced, and may have parts itself."""
    for number, item in enumerate(items):
        report_share(number / len(items), f"{name} {number + 1:,} of {len(items):,}")
        with stage(number / len(items), (number + 1) / len(items)):
            yield item


@contextlib.contextmanager
def stage(start: float, end: float, note: str = "") -> Iterator[None]:
    """Take what is reported within the ``with`` for the work from one share of the whole to another; announce it with ``note``."""
    outer = _share.get()
    if note:
        report_share(start, note)
    inner = None if outer is None else lambda share, note: outer(start + (end - start) * share, note)
    token = _share.set(inner)
    try:
        yield
    finally:
        _share.reset(token)


def report_share(share: float, note: str) -> None:
    """Report which share of the current work is done, and what is being done."""
    if (report := _share.get()) is not None:
        report(share, note)


def announce(what: str, seconds: float, quicker: str) -> None:
    """Give a notice before work that will take minutes, with what would be quicker.

    Parameters
    ----------
    what : the work, as the subject of a sentence.
    seconds : an estimate of its duration.
    quicker : what to do instead, with the fields to change in backticks.
    """
    if seconds >= LONG_S:
        minutes = round(seconds / 60)
        notify(f"{what} takes about {minutes} minute{'s' if minutes > 1 else ''}: {quicker}", stacklevel=3)


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

        def update(done: float, note: str | None = None) -> None:
            speed = f"{(done - start) / max(time.perf_counter() - started, 1e-9):.0f} {unit}s/s"
            fields: dict[str, Any] = {"speed": speed} | ({} if note is None else {"note": note})
            progress.update(task, completed=done, **fields)

        yield update


@contextlib.contextmanager
def _lines(console: Console, what: str, total: int, unit: str, start: int) -> Iterator[Progress]:
    started = printed_at = time.perf_counter()
    tenths = int(10 * start / max(total, 1))
    last_note = ""

    def update(done: float, note: str | None = None) -> None:
        nonlocal printed_at, tenths, last_note
        last_note = last_note if note is None else note
        now, reached = time.perf_counter(), int(10 * done / max(total, 1))
        if reached > tenths or now - printed_at >= LONGEST_SILENCE_S:
            printed_at, tenths = now, max(reached, tenths)
            speed = (done - start) / max(now - started, 1e-9)
            count = f"{done:,.1f}".removesuffix(".0")
            line = f"{what}: {count} of {total:,} {unit}s  {last_note}  {speed:.{0 if speed >= 0.5 else 3}f} {unit}s/s"
            print(line, file=console.file, flush=True)

    yield update


@contextlib.contextmanager
def _records(console: Console, what: str, total: int, unit: str, start: int) -> Iterator[Progress]:
    reported_at, reported, last_note = float("-inf"), -1.0, ""

    def report(done: float) -> None:
        nonlocal reported_at, reported
        reported_at, reported = time.monotonic(), done
        record = {"what": what, "done": done, "total": total, "note": last_note}
        print(json.dumps(record), file=console.file, flush=True)

    def update(done: float, note: str | None = None) -> None:
        nonlocal last_note
        last_note = last_note if note is None else note
        if done != reported and (done >= total or time.monotonic() - reported_at >= SHORTEST_PAUSE_S):
            report(done)

    report(start)
    yield update
