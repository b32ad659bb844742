"""Fixtures of the page tests: a stage that records what a page shows, and a computation of the test's own."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from dashboards import page
from dashboards.compute.computation import Computation
from tests.dashboards.stages import Stage


@pytest.fixture(autouse=True)
def own_main() -> Iterator[None]:
    """AppTest puts the page in the place of ``__main__`` and leaves it there; processes that later tests start would run it again."""
    before = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = before


@pytest.fixture(autouse=True)
def computation(monkeypatch: pytest.MonkeyPatch) -> Iterator[Computation]:
    """The computation that the pages of a test share: empty at first, and its jobs, on one thread, end with the test."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    page.shared_computation.clear()
    found = page.shared_computation()
    yield found
    found.jobs.end_all()
    page.shared_computation.clear()


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Record what the page under test shows."""
    found = Stage()
    monkeypatch.setattr(page, "mount", found.mount)
    return found
