"""Long work goes on in a thread of its own: a page that is drawn anew sees how far it has come, and starts nothing twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from data.progress import Progress

Value = TypeVar("Value")

# What is at hand, or nearly, is waited for; a page need not be drawn without it first.
PATIENCE_S = 0.3
LOOK_EVERY_S = 0.1
CLAIMED_WITHIN_S = 60.0


class BackgroundJob(Generic[Value]):
    """Work that has been begun; ``done`` is what it last said of its progress."""

    def __init__(self, make: Callable[[Progress], Value], state: Hashable = None):
        self.done = 0
        self.state = state
        self.asked_s = time.monotonic()
        self._make = make
        self._value: Value | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._go, daemon=True)
        self._thread.start()

    @property
    def is_over(self) -> bool:
        return not self._thread.is_alive()

    def result(self) -> Value:
        """Return what came of it, or raise what went wrong; only once it is over."""
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]

    def wait(self, seconds: float) -> None:
        """Wait until it is over, or so long."""
        self._thread.join(seconds)

    def _go(self) -> None:
        try:
            self._value = self._make(self._note)
        except BaseException as error:  # whoever looks next is told
            self._error = error

    def _note(self, done: int) -> None:
        self.done = done


_begun: dict[Hashable, BackgroundJob[object]] = {}
_lock = threading.Lock()


def look(
    key: Hashable, make: Callable[[Progress], Value], patience_s: float = PATIENCE_S, *, state: Hashable = None
) -> Value | BackgroundJob[Value]:
    """Return what ``make`` gives, or, where that takes longer, the work under way; errors of ``make`` are raised here.

    Parameters
    ----------
    key : tells one work from another; while it is under way, the same is not begun again.
    make : called in a thread of its own, with what it may call to say how much is done.
    state : of what the work is about, where that changes: work on an earlier state is waited for before it is begun on a later one.

    Examples
    --------
    >>> look("sum", lambda progress: 1 + 1)
    2
    """
    with _lock:
        _forget_unclaimed()
        known = _begun.get(key)
        if known is None or (known.is_over and known.state != state):
            known = _begun[key] = BackgroundJob(make, state)
        known.asked_s = time.monotonic()
        work: BackgroundJob[Value] = known  # type: ignore[assignment]
    work.wait(patience_s)
    if not work.is_over or work.state != state:
        return work
    with _lock:
        if _begun.get(key) is work:
            del _begun[key]
    return work.result()


def _forget_unclaimed() -> None:
    """Drop what has been done and nobody has come back for: a result may be large, and an error old."""
    for key in [
        key for key, work in _begun.items() if work.is_over and time.monotonic() - work.asked_s > CLAIMED_WITHIN_S
    ]:
        del _begun[key]


def await_(key: Hashable, make: Callable[[Progress], Value], progress: Progress, *, state: Hashable = None) -> Value:
    """Return what ``make`` gives; ``progress`` is called meanwhile, and what it raises leaves the work going on."""
    while isinstance(found := look(key, make, LOOK_EVERY_S, state=state), BackgroundJob):
        progress(found.done)
    return found
