"""What the machine underneath gives to a training: memory that is not fetched anew at every step, and threads that pay."""

from __future__ import annotations

import ctypes
import os
import statistics
import time
from collections.abc import Callable, Sequence

import torch

# glibc's names in malloc.h. Larger thresholds than these it refuses, or they no longer fit its int.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST_MMAP_THRESHOLD = 32 << 20
_KEPT_AT_MOST = 1 << 29


def reuse_freed_memory() -> bool:
    """Let the C library keep freed memory for the next allocation; return whether it could be asked to.

    By default glibc hands tensors of some hundred kilobytes back to the kernel as they are freed, and every page of the next ones
    has to be faulted in and cleared again: hundreds of page faults at every step, a tenth of a small model's time. Afterwards up to half
    a gigabyte stays with the process. Other C libraries have no such setting and are left alone.

    Examples
    --------
    >>> reuse_freed_memory() in (True, False)
    True
    """
    if not _is_glibc():
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(_M_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD) and mallopt(_M_TRIM_THRESHOLD, _KEPT_AT_MOST))


def _is_glibc() -> bool:
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (AttributeError, OSError, ValueError):  # no confstr (Windows), or a name it does not know (macOS, musl)
        return False


def fastest_threads(work: Callable[[], object], candidates: Sequence[int], rounds: int = 5) -> int:
    """Return which number of threads does ``work`` fastest, and leave torch set to it.

    Small tensors gain little from more threads, and lose much where other programs share the cores. The candidates take turns, so that
    what else runs on the machine slows them all alike. Sums are split among the threads: another number of threads rounds differently.

    Examples
    --------
    >>> fastest_threads(lambda: torch.ones(8).sum(), [torch.get_num_threads()]) == torch.get_num_threads()
    True
    """
    seconds: dict[int, list[float]] = {threads: [] for threads in candidates}
    for number in range(rounds + 1):
        for threads in candidates:
            torch.set_num_threads(threads)
            work()  # the first after a change wakes the threads
            begun = time.perf_counter()
            work()
            if number:  # the first round warms up
                seconds[threads].append(time.perf_counter() - begun)
    best = min(candidates, key=lambda threads: statistics.median(seconds[threads]))
    torch.set_num_threads(best)
    return best
