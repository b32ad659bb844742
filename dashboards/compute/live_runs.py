"""Measures of live runs: when a run has grown, only its new snapshots are measured."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from dashboards.compute.result_cache import CachedResult, ResultCache, Value
from data.errors import InputError
from data.files.atomic_files import Record
from data.notices import notify
from data.progress import Progress
from data.runs import Run

RunMeasure = Callable[[Run, Progress | None], Value]

Digests = tuple[tuple[int, str], ...]
"""Step and hash of every snapshot: they identify one state of a run."""


@dataclass(frozen=True)
class LaterSnapshots(Run):
    """A run without its snapshots up to step ``after``."""

    after: int = -1

    def manifest(self) -> list[Record]:
        return [record for record in super().manifest() if record["step"] > self.after]


class LiveMeasures:
    """The last result of each of the ``most`` measures used last, from which a later one continues."""

    def __init__(self, most: int = 12):
        self.most = most
        self._last: OrderedDict[Hashable, tuple[Digests, CachedResult[Any]]] = OrderedDict()
        self._lock = threading.Lock()

    def get(
        self,
        run: Run,
        name: tuple[Hashable, ...],
        *,
        cache: ResultCache,
        measure: RunMeasure[Value],
        join: Callable[[Value, Value], Value],
        progress: Progress | None = None,
    ) -> CachedResult[Value]:
        """Measure all snapshots of a run, continuing from the last result if only new snapshots have been added.

        ``name`` identifies the measure, and ``join`` concatenates the values of earlier and later snapshots.
        """
        digests, before = digests_of(run), self.latest(run, name)
        known = before[0] if before else ()

        def make() -> Value:
            if before is None or not 0 < len(known) < len(digests) or digests[: len(known)] != known:
                return measure(run, progress)
            earlier: CachedResult[Value] = before[1]
            for note in earlier.notes:
                notify(note)
            try:
                count_on = progress and (lambda done: progress(len(known) + done))
                later = measure(LaterSnapshots(run.path, known[-1][0]), count_on)
            except InputError:  # every new snapshot is damaged, which notices have said
                return earlier.value
            return join(earlier.value, later)

        result = cache.get(_key(run, name), make, digests)
        with self._lock:
            self._last[_key(run, name)] = (digests, result)
            self._last.move_to_end(_key(run, name))
            while len(self._last) > self.most:
                self._last.popitem(last=False)
        return result

    def latest(self, run: Run, name: tuple[Hashable, ...]) -> tuple[Digests, CachedResult[Any]] | None:
        """Return the last result, perhaps of fewer snapshots than there are now, and the snapshots that it covers."""
        with self._lock:
            return self._last.get(_key(run, name))


def digests_of(run: Run) -> Digests:
    """List step and hash of every snapshot of a run."""
    return tuple((int(record["step"]), str(record["sha256"])) for record in run.manifest())


def _key(run: Run, name: tuple[Hashable, ...]) -> tuple[Hashable, ...]:
    return (*name, run.path, run.info.get("created"))
