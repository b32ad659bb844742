"""Results are computed once for all tabs, the cache is bounded, and notices reach the thread whose computation gave them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from dashboards.compute import queries
from dashboards.compute.computation import Computation
from dashboards.compute.result_cache import ResultCache
from data.errors import InputError
from data.notices import notify
from data.runs import Run


def test_two_tabs_that_ask_at_the_same_time_share_one_computation() -> None:
    cache, started, made = ResultCache(most=2), threading.Barrier(2, timeout=30), []

    def ask() -> str:
        def make() -> str:
            made.append(1)
            return "result"

        started.wait()
        return cache.get("key", make).value

    with ThreadPoolExecutor(2) as tabs:
        assert [tab.result(30) for tab in [tabs.submit(ask), tabs.submit(ask)]] == ["result", "result"]
    assert len(made) == 1


def test_large_results_are_kept_up_to_a_size_but_the_last_one_always() -> None:
    cache = ResultCache(most=10, most_bytes=1000)
    for key, n_bytes in (("a", 400), ("b", 400), ("c", 400)):
        cache.get(key, lambda n_bytes=n_bytes: np.zeros(n_bytes, dtype=np.uint8))
    assert ["a" in cache, "b" in cache, "c" in cache] == [False, True, True]
    cache.get("large", lambda: np.zeros(2000, dtype=np.uint8))
    assert ["b" in cache, "c" in cache, "large" in cache] == [False, False, True]


def test_only_the_last_results_are_kept() -> None:
    cache = ResultCache(most=2)
    for key in "abac":
        cache.get(key, lambda: 0)
    assert ["a" in cache, "b" in cache, "c" in cache] == [True, False, True], "a was used after b"


def test_a_later_version_takes_the_place_of_the_earlier_one() -> None:
    cache = ResultCache(most=8)
    assert [cache.get("run", lambda n=n: n, version=n).value for n in (1, 1, 2, 2)] == [1, 1, 2, 2]
    assert len(cache._results) == 1, "a run that grows must not fill the cache with what it was"
    assert cache.get("run", lambda: "again", version=1).value == "again"


def test_an_error_is_not_cached() -> None:
    cache = ResultCache(most=2)

    def fail() -> int:
        raise InputError("not now")

    with pytest.raises(InputError, match="not now"):
        cache.get("key", fail)
    assert cache.get("key", lambda: 1).value == 1


def test_notices_belong_to_the_thread_that_computed() -> None:
    cache, both = ResultCache(most=4), threading.Barrier(2, timeout=30)

    def make(name: str) -> str:
        both.wait()  # both are computing now
        notify(f"{name} is damaged")
        both.wait()
        return name

    with ThreadPoolExecutor(2) as tabs:
        results = [
            tab.result(30) for tab in [tabs.submit(cache.get, name, lambda name=name: make(name)) for name in "ab"]
        ]
    assert [result.notes for result in results] == [("a is damaged",), ("b is damaged",)]
    assert cache.get("a", lambda: "another").notes == ("a is damaged",), "they are cached with the result"


def test_computations_share_nothing(run: Run, computation: Computation) -> None:
    table = queries.table(computation, run, "tokens").value
    assert queries.table(computation, run, "tokens").value is table
    assert queries.table(Computation(), run, "tokens").value is not table


def test_all_figures_are_drawn_in_one_thread(computation: Computation) -> None:
    threads: set[int] = set()
    with ThreadPoolExecutor(3) as tabs:
        list(tabs.map(lambda _: computation.draw(lambda: threads.add(threading.get_ident())), range(6)))
    assert len(threads) == 1
    with pytest.raises(InputError, match="too small"):
        computation.draw(_refuse)


def _refuse() -> None:
    raise InputError("too small")
