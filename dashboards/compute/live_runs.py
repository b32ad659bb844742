"""What is measured of one snapshot after the other: where a run has grown, only its new snapshots are measured."""

from __future__ import annotations

import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar

from dashboards.compute.result_cache import Result, ResultCache
from data.errors import InputError
from data.progress import Progress
from data.runs import Run
from data.runs.atomic_files import Record

Value = TypeVar("Value")
RunMeasure = Callable[[Run, Progress | None], Value]

Digests = tuple[tuple[int, str], ...]
"""Step and hash of every snapshot: what tells one state of a run from another."""

MOST_REMEMBERED = 6

_last: OrderedDict[Hashable, tuple[Digests, Any]] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True)
class Newer(Run):
    """A run without the snapshots up to a step."""

    after: int = -1

    def manifest(self) -> list[Record]:
        return [record for record in super().manifest() if record["step"] > self.after]


def measured(
    store: ResultCache,
    what: tuple[Hashable, ...],
    run: Run,
    measure: RunMeasure[Value],
    join: Callable[[Value, Value], Value],
    progress: Progress | None = None,
) -> Result[Value]:
    """Return a measure of all snapshots, from what was measured when there were fewer if it can be.

    Parameters
    ----------
    store : where results are kept.
    what : tells the measure from others.
    measure : of a run's snapshots, one by one.
    join : puts the values of later snapshots behind those of earlier ones.
    """
    digests, before = digests_of(run), latest(run, what)
    known = before[0] if before else ()

    def make() -> Value:
        if before is None or not 0 < len(known) < len(digests) or digests[: len(known)] != known:
            return measure(run, progress)
        found: Result[Value] = before[1]
        for note in found.notes:
            warnings.warn(note, stacklevel=2)
        try:
            later = measure(Newer(run.path, known[-1][0]), progress and _after(progress, len(known)))
        except InputError:  # none of the new snapshots is whole, which warnings have told
            return found.value
        return join(found.value, later)

    found = store.get((*_base(run, what), digests), make)
    with _lock:
        _last[_base(run, what)] = (digests, found)
        _last.move_to_end(_base(run, what))
        while len(_last) > MOST_REMEMBERED:
            _last.popitem(last=False)
    return found


def latest(run: Run, what: tuple[Hashable, ...]) -> tuple[Digests, Result[Any]] | None:
    """Return what was measured last, perhaps when there were fewer snapshots, and of which; None if nothing was."""
    with _lock:
        return _last.get(_base(run, what))


def digests_of(run: Run) -> Digests:
    """Return what tells this state of a run from others."""
    return tuple((int(record["step"]), str(record["sha256"])) for record in run.manifest())


def _base(run: Run, what: tuple[Hashable, ...]) -> tuple[Hashable, ...]:
    return (*what, run.path, run.info.get("created"))


def _after(progress: Progress, before: int) -> Progress:
    return lambda done: progress(before + done)
