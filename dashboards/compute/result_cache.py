"""What pages have computed, kept for all tabs: bounded, shared, and computed once even when two tabs ask at the same time."""

from __future__ import annotations

import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

Value = TypeVar("Value")
Value_co = TypeVar("Value_co", covariant=True)


@dataclass(frozen=True)
class Result(Generic[Value_co]):
    """A result, and what was warned of while it was computed (a damaged snapshot that was left out, say)."""

    value: Value_co
    notes: tuple[str, ...] = ()


class ResultCache:
    """The last ``most`` results by key. What is kept is shared: treat it as read-only.

    Examples
    --------
    >>> store = Store(most=2)
    >>> store.get("a", lambda: 1).value, store.get("a", lambda: 2).value
    (1, 1)
    """

    def __init__(self, most: int):
        self.most = most
        self._kept: OrderedDict[Hashable, Result[object]] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Result[Value]:
        """Return what is kept under the key, or make it; an error is the caller's, and nothing is kept then."""
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        try:
            with making:
                with self._lock:
                    if key in self._kept:
                        self._kept.move_to_end(key)
                        return self._kept[key]  # type: ignore[return-value]
                found = _noted(make)
                with self._lock:
                    self._kept[key] = found
                    while len(self._kept) > self.most:
                        self._kept.popitem(last=False)
                return found
        finally:
            with self._lock:
                if not making.locked():
                    self._making.pop(key, None)

    def __contains__(self, key: Hashable) -> bool:
        with self._lock:
            return key in self._kept


_heard = threading.local()


def _noted(make: Callable[[], Value]) -> Result[Value]:
    """Make a value, hearing the warnings of this thread only: `warnings.catch_warnings` would hear those of other tabs, too."""
    if warnings.showwarning is not _hear:
        _hear.before = warnings.showwarning  # type: ignore[attr-defined]
        warnings.showwarning = _hear
    warnings.simplefilter("always", UserWarning)
    outer, _heard.notes = getattr(_heard, "notes", None), {}
    try:
        value = make()
        return Result(value, tuple(_heard.notes))
    finally:
        if outer is not None:
            outer.update(_heard.notes)
        _heard.notes = outer


def _hear(message: Warning | str, category: type[Warning], *where: object, **more: object) -> None:
    notes = getattr(_heard, "notes", None)
    if notes is not None and issubclass(category, UserWarning):
        notes[str(message)] = None
    else:
        _hear.before(message, category, *where, **more)  # type: ignore[attr-defined]
