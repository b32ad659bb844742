"""The cores that other programs leave free, so that work is split among no more threads than can run at once.

Threads that share a computation wait for each other. Where one of them has no core, all wait, and two threads on one free core are slower
than one.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

RUNNING = Path("/proc/loadavg")
"""Linux: its fourth field is the number of threads that run or wait for a core now, and of all."""
SAMPLES = 9
PAUSE_S = 0.003


def free_cores() -> int:
    """Count the cores that are free now or run this thread; at least 1, and all where the system does not tell.

    Examples
    --------
    >>> 1 <= free_cores() <= usable_cores()
    True
    """
    cores = usable_cores()
    counts = []
    for _ in range(SAMPLES if cores > 1 else 0):
        running = _running_threads()
        if running is None:
            return cores
        counts.append(running)
        time.sleep(PAUSE_S)
    others = int(statistics.median(counts)) - 1 if counts else 0
    return max(1, cores - max(0, others))


def usable_cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """Compute products of NumPy's and SciPy's matrices on one thread within the ``with``, or within a function so decorated.

    More threads gain little on matrices of the sizes here, lose much where other programs run, and round differently.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        yield


def _running_threads() -> int | None:
    try:
        return int(RUNNING.read_text().split()[3].split("/")[0])
    except (OSError, IndexError, ValueError):
        return None
