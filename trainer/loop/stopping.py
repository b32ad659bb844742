"""Stopping a training: a signal ends it after the current step, with everything saved that is needed to resume."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Ctrl-C, the request of another program (`kill`, a scheduler, a machine that shuts down), and the end of the terminal."""


class Stopped(Exception):
    """The training was stopped by a signal; everything needed to resume from ``step`` is saved."""

    def __init__(self, step: int, number: int = signal.SIGINT):
        super().__init__(f"stopped at step {step}")
        self.step = step
        self.exit_status = 128 + number


@dataclass
class StopFlag:
    """Whether a stop was requested, and by which signal; 0 while none was."""

    number: int = 0


@contextlib.contextmanager
def stop_on_signal() -> Iterator[StopFlag]:
    """Turn the first signal into a request to stop after the current step; a second one stops at once.

    A signal that was ignored before, as under ``nohup``, is still ignored.
    """
    flag = StopFlag()
    if threading.current_thread() is not threading.main_thread():  # only the main thread receives signals
        yield flag
        return

    def request(number: int, _: FrameType | None) -> None:
        if flag.number:
            raise SystemExit(128 + number) if number != signal.SIGINT else KeyboardInterrupt
        flag.number = number

    before = {number: signal.getsignal(number) for number in SIGNALS}
    heard = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
    try:
        for number in heard:
            signal.signal(number, request)
        yield flag
    finally:
        for number in heard:
            signal.signal(number, before[number])
