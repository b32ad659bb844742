"""The number of CPU threads: chosen by measurement at the start, and again while a training runs.

Small tensors gain little from more threads. Where other programs share the cores, they lose much: the threads of a step wait for each other
at every operation, and one that the system has put aside keeps all waiting. So a training that may choose (`--threads` is not given) tries
another number when its steps become slower or faster, and now and then, on the steps that it takes anyway. Sums are split among the
threads, so another number rounds differently; nothing else changes.
"""

from __future__ import annotations

import os
import statistics
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch

from trainer.parallel import processes
from trainer.seeds import own_random_state

MOST_THREADS = 4


def thread_candidates() -> tuple[int, ...]:
    """List the numbers of threads that are worth trying on this machine, in rising order.

    Examples
    --------
    >>> thread_candidates()[0]
    1
    """
    most = min(MOST_THREADS, os.cpu_count() or 1)
    return (*(number for number in (1, 2, MOST_THREADS) if number < most), most)


def choose_threads(
    work: Callable[[], object], threads: int | None, device: torch.device, *, measure: bool = True
) -> None:
    """Set the number of CPU threads: ``threads`` if given, otherwise 1 or several, whichever does ``work`` faster here and now.

    Where ``measure`` is False or the model does not train on a CPU, the number stays as it is unless it is given. Processes that train
    together share the cores and do not measure; they all take the number of the first, since another one rounds differently.
    """
    if processes.count() > 1:
        wanted = threads or torch.get_num_threads()
        threads = processes.first_decides(lambda: wanted)
    candidates = thread_candidates()
    if threads is not None:
        torch.set_num_threads(threads)
    elif measure and device.type == "cpu" and len(candidates) > 1:
        with own_random_state(device):
            fastest_threads(work, (1, candidates[-1]))


def fastest_threads(work: Callable[[], object], candidates: Sequence[int], rounds: int = 5) -> int:
    """Find the number of threads that does ``work`` fastest, and leave torch set to it.

    The candidates take turns, so that other programs slow them all alike.
    """
    seconds: dict[int, list[float]] = {threads: [] for threads in candidates}
    for number in range(rounds + 1):
        for threads in candidates:
            torch.set_num_threads(threads)
            work()  # the first call after a change wakes the threads
            started = time.perf_counter()
            work()
            if number:  # the first round warms up
                seconds[threads].append(time.perf_counter() - started)
    best = min(candidates, key=lambda threads: statistics.median(seconds[threads]))
    torch.set_num_threads(best)
    return best


RECENT_STEPS = 12
RECENT_S = 0.4
"""What is compared: the mean time of the last steps, so many or as many as take so long."""
TRIAL_STEPS = 8
GIVEN_UP = 2, 2.5
"""A trial ends early after so many steps that took this many times as long as steps usually do."""
CHANGED = 1.4
"""A rate that changes by this factor makes a trial due."""
GAIN = 0.93
"""Another number of threads is taken if its steps need at most this share of the time."""
CALM_S = 1.5
"""No trial follows another sooner."""
RETRY_S = 15.0, 120.0
"""Time until the next trial without a cause: at first, and at most; it doubles whenever a trial gains nothing."""
TRIAL_SHARE, CAUSED_SHARE = 0.03, 0.3
"""Trials that gain nothing cost at most this share of the time: those without a cause, and the first that a changed rate makes due."""


@dataclass
class _Trial:
    """A trial of another number of threads than ``before``, and the seconds of its steps so far."""

    before: int
    seconds: list[float] = field(default_factory=list)


class ThreadChoice:
    """Chooses the number of threads again while a training runs.

    Call `took` with the duration of every step. Steps that are slower than before make it try fewer threads, faster ones more, and
    without a cause it tries a neighbouring number now and then: on two cores, a program that has ended frees a core, which steps with one
    thread do not feel.

    Parameters
    ----------
    candidates : the numbers to choose from, in rising order.
    clock : returns the time in seconds.
    get, set_to : read and set the number of threads.

    Examples
    --------
    >>> number, now = [2], [0.0]
    >>> choice = ThreadChoice((1, 2), lambda: now[0], lambda: number[0], lambda n: number.__setitem__(0, n))
    >>> for step in range(200):  # other programs have come: a step takes 0.03 s with one thread, and 0.5 s with two
    ...     seconds = 0.01 if step < 50 else (0.03, 0.5)[number[0] - 1]
    ...     now[0] += seconds
    ...     choice.took(seconds)
    >>> number
    [1]
    """

    def __init__(
        self,
        candidates: Sequence[int],
        clock: Callable[[], float] = time.perf_counter,
        get: Callable[[], int] = torch.get_num_threads,
        set_to: Callable[[int], object] = torch.set_num_threads,
    ):
        self._candidates, self._clock, self._get, self._set = tuple(candidates), clock, get, set_to
        self._recent: deque[float] = deque(maxlen=RECENT_STEPS)
        self._usual: float | None = None
        self._trial: _Trial | None = None
        self._ended, self._wait, self._failures = clock(), RETRY_S[0], 0
        self._goes_up, self._wait_for_cause = True, CALM_S

    def took(self, seconds: float) -> None:
        """Note how long a step took; the next one may have another number of threads."""
        if self._trial is not None:
            self._trial.seconds.append(seconds)
            self._judge(self._trial)
            return
        self._recent.append(seconds)
        if len(self._recent) < RECENT_STEPS and sum(self._recent) < RECENT_S:
            return
        mean = statistics.fmean(self._recent)
        if self._usual is None:
            self._usual = mean
        here, since = self._get(), self._clock() - self._ended
        is_slower, is_faster = mean > CHANGED * self._usual, self._usual > CHANGED * mean
        has_changed = is_slower or (is_faster and len(self._recent) == RECENT_STEPS)
        is_due = since >= (self._wait_for_cause if has_changed else self._wait)
        candidate = self._candidate(here, goes_up=is_faster if has_changed else None)
        if candidate is None:
            self._usual = mean if has_changed else self._usual
        elif is_due:
            self._trial = _Trial(here)
            self._set(candidate)

    def _candidate(self, here: int, *, goes_up: bool | None) -> int | None:
        """Find the number to try after ``here``: the next higher or lower one, or one after the other if that is None."""
        fewer = max((number for number in self._candidates if number < here), default=None)
        more = min((number for number in self._candidates if number > here), default=None)
        if goes_up is None:
            return (more or fewer) if self._goes_up else (fewer or more)
        return more if goes_up else fewer

    def _judge(self, trial: _Trial) -> None:
        """End a trial that has enough steps, or is too slow, and keep the better number."""
        mean, spent = statistics.fmean(self._recent), sum(trial.seconds)
        n, (n_least, factor) = len(trial.seconds), GIVEN_UP
        if n < TRIAL_STEPS and not (n >= n_least and spent > factor * n * mean):
            return
        settled = trial.seconds[1:] or trial.seconds  # the first wakes the threads
        has_gained = statistics.fmean(settled) <= GAIN * mean
        self._recent.clear()
        if has_gained:
            self._recent.extend(settled)
            self._usual, lost, self._failures = statistics.fmean(settled), 0.0, 0
        else:
            self._set(trial.before)
            self._usual, lost = mean, max(0.0, spent - n * mean)
            self._failures += 1
        first, most = RETRY_S
        self._wait = max(min(first * 2**self._failures, most), lost / TRIAL_SHARE)
        # Beside other programs the rate changes by itself: causes count for less the more often they led to nothing.
        self._wait_for_cause = max(CALM_S, min(self._wait, lost / CAUSED_SHARE * 2 ** max(0, self._failures - 1)))
        self._trial, self._ended, self._goes_up = None, self._clock(), not self._goes_up
