"""What every test of a page may ask for: a stage that catches what it puts up, and no job before or after it."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from dashboards import page
from dashboards.compute import jobs
from tests.dashboards.stages import Stage


@pytest.fixture(autouse=True)
def own_main() -> Iterator[None]:
    """AppTest puts the page in the place of ``__main__`` and leaves it there; processes that later tests start would run it again."""
    before = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = before


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """What the page under test puts up, caught."""
    found = Stage()
    monkeypatch.setattr(page, "mount", found.mount)
    return found


@pytest.fixture
def no_jobs_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No job is known at first, and whatever the test starts, on one thread, ends with it."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    jobs._jobs.clear()
    yield
    jobs.end_all()
    jobs._jobs.clear()
