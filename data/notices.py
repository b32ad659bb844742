"""Notices about a result: a damaged snapshot that was left out, a file that could not be kept.

A notice is a warning, except where somebody collects notices. What is collected belongs to one thread (one context), unlike what
`warnings.catch_warnings` records: two threads that compute at the same time do not receive each other's notices.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from contextvars import ContextVar

_collected: ContextVar[dict[str, None] | None] = ContextVar("collected", default=None)


def notify(message: str, *, stacklevel: int = 2) -> None:
    """Give a notice: to the collector of this thread, or as a `UserWarning` if there is none.

    ``stacklevel`` counts from the caller, as that of `warnings.warn`.
    """
    collected = _collected.get()
    if collected is None:
        warnings.warn(message, stacklevel=stacklevel + 1)
    else:
        collected[message] = None


@contextlib.contextmanager
def collect_notices() -> Iterator[dict[str, None]]:
    """Collect the notices that this thread gives, each once and in order; an outer collector receives them as well.

    Examples
    --------
    >>> with collect_notices() as notices:
    ...     notify("step 20 is damaged: it is left out")
    >>> list(notices)
    ['step 20 is damaged: it is left out']
    """
    outer = _collected.get()
    notices: dict[str, None] = {}
    token = _collected.set(notices)
    try:
        yield notices
    finally:
        _collected.reset(token)
        if outer is not None:
            outer.update(notices)
