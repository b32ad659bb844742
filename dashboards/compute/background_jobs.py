"""Long computations in threads of their own: a page that reruns finds the same job again and shows its progress."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future, wait
from typing import Generic

from dashboards.compute.result_cache import Value
from data.progress import Progress

# A result that comes within this time is waited for, so that most pages are drawn only once.
PATIENCE_S = 0.3
LOOK_EVERY_S = 0.1
KEEP_FINISHED_S = 60.0


class CancelledError(Exception):
    """Raised within a job that has been cancelled, where it reports its progress."""


class BackgroundJob(Generic[Value]):
    """A computation that runs in a thread of its own; ``done`` and ``note`` are the last progress that was reported."""

    def __init__(self, make: Callable[[Progress], Value], state: Hashable = None):
        self.done = 0.0
        self.note = ""
        self.is_cancelled = False
        self.state = state  # of its subject when it was started, see `BackgroundJobs.poll`
        self.polled_s = time.monotonic()
        self._future: Future[Value] = Future()
        threading.Thread(target=self._run, args=(make,), daemon=True).start()

    @property
    def is_finished(self) -> bool:
        return self._future.done()

    def result(self) -> Value:
        """Return the value, or raise the error, of a finished job."""
        return self._future.result()

    def wait(self, seconds: float) -> None:
        """Wait at most ``seconds`` for the end."""
        wait([self._future], seconds)

    def cancel(self) -> None:
        """Ask the computation to end; it does so when it next reports its progress."""
        self.is_cancelled = True

    @property
    def has_given_up(self) -> bool:
        """Whether it has ended because it was cancelled."""
        return self.is_finished and isinstance(self._future.exception(), CancelledError)

    def _run(self, make: Callable[[Progress], Value]) -> None:
        try:
            self._future.set_result(make(self._report))
        except BaseException as error:  # raised again by `result`
            self._future.set_exception(error)

    def _report(self, done: float, note: str = "") -> None:
        if self.is_cancelled:
            raise CancelledError
        self.done, self.note = done, note


class BackgroundJobs:
    """The background jobs of a server by key.

    Examples
    --------
    >>> BackgroundJobs().poll("sum", lambda progress: 1 + 1)
    2
    """

    def __init__(self) -> None:
        self._jobs: dict[Hashable, BackgroundJob[object]] = {}
        self._lock = threading.Lock()

    def poll(
        self,
        key: Hashable,
        make: Callable[[Progress], Value],
        patience_s: float = PATIENCE_S,
        *,
        state: Hashable = None,
    ) -> Value | BackgroundJob[Value]:
        """Return the value of ``make``, or the job that computes it if that takes longer than ``patience_s``.

        The job of a key is started only once. An error of ``make`` is raised here. Where the subject changes, ``state`` identifies its
        state: a job on an earlier state is finished before one on a later state is started.

        A job that is polled is wanted: if it was cancelled, by another tab perhaps, it goes on, or is started again if it has ended.
        """
        with self._lock:
            self._forget_unclaimed()
            known = self._jobs.get(key)
            if known is not None:
                known.is_cancelled = False
            if known is None or known.has_given_up or (known.is_finished and known.state != state):
                known = self._jobs[key] = BackgroundJob(make, state)
            known.polled_s = time.monotonic()
            job: BackgroundJob[Value] = known  # type: ignore[assignment]
        job.wait(patience_s)
        if job.has_given_up:  # it noticed the cancellation just before it was polled
            return self.poll(key, make, patience_s, state=state)
        if not job.is_finished or job.state != state:
            return job
        with self._lock:
            if self._jobs.get(key) is job:
                del self._jobs[key]
        return job.result()

    def wait_for(
        self, key: Hashable, make: Callable[[Progress], Value], progress: Progress, *, state: Hashable = None
    ) -> Value:
        """Return the value of ``make``, reporting progress meanwhile; the job goes on if ``progress`` raises."""
        while isinstance(found := self.poll(key, make, LOOK_EVERY_S, state=state), BackgroundJob):
            progress(found.done)
        return found

    def cancel(self, key: Hashable) -> None:
        """Cancel the job of a key, if there is one. Whoever polls it afterwards wants it again."""
        with self._lock:
            if (job := self._jobs.get(key)) is not None:
                job.cancel()

    def _forget_unclaimed(self) -> None:
        """Drop finished jobs that nobody has polled for a minute: a result may be large, and an error outdated."""
        now = time.monotonic()
        for key, job in list(self._jobs.items()):
            if job.is_finished and now - job.polled_s > KEEP_FINISHED_S:
                del self._jobs[key]
