"""A bounded cache of results that all tabs share: each is computed once, even when two tabs ask for it at the same time."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from data.notices import collect_notices

Value = TypeVar("Value")
Value_co = TypeVar("Value_co", covariant=True)


@dataclass(frozen=True)
class CachedResult(Generic[Value_co]):
    """A value and the notices given while it was computed, e.g. that a damaged snapshot was left out."""

    value: Value_co
    notes: tuple[str, ...] = ()


class ResultCache:
    """The last results by key, each in one version. Results are shared: treat them as read-only.

    Parameters
    ----------
    most : number of results that are kept.
    most_bytes : together they take at most so many bytes, as far as they are arrays; the last result is kept whatever its size.

    Notes
    -----
    A run that is being trained grows under a page: what was computed of an earlier version of it is given up for the later one.

    Examples
    --------
    >>> cache = ResultCache(most=2)
    >>> cache.get("a", lambda: 1).value, cache.get("a", lambda: 2).value
    (1, 1)
    """

    def __init__(self, most: int, most_bytes: float = math.inf):
        self.most, self.most_bytes = most, most_bytes
        self._results: OrderedDict[Hashable, CachedResult[object]] = OrderedDict()
        self._versions: dict[Hashable, Hashable] = {}
        self._making: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Value], version: Hashable = None) -> CachedResult[Value]:
        """Return the cached result of a key in a version, or compute and cache it; an error of ``make`` is raised, nothing is cached."""
        with self._lock:
            making = self._making.setdefault((key, version), threading.Lock())
        try:
            with making:
                with self._lock:
                    if key in self._results and self._versions[key] == version:
                        self._results.move_to_end(key)
                        return self._results[key]  # type: ignore[return-value]
                with collect_notices() as notices:
                    value = make()
                result = CachedResult(value, tuple(notices))
                with self._lock:
                    self._results[key], self._versions[key] = result, version
                    self._results.move_to_end(key)
                    while len(self._results) > self.most or (
                        len(self._results) > 1 and self._n_bytes() > self.most_bytes
                    ):
                        oldest, _ = self._results.popitem(last=False)
                        del self._versions[oldest]
                return result
        finally:
            with self._lock:
                if not making.locked():
                    self._making.pop((key, version), None)

    def _n_bytes(self) -> int:
        return sum(int(getattr(result.value, "nbytes", 0)) for result in self._results.values())

    def __contains__(self, key: Hashable) -> bool:
        with self._lock:
            return key in self._results
