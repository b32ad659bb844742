"""The count of free cores with other programs running, made up and real."""

from __future__ import annotations

import multiprocessing
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from data import free_cores
from viz.projection import projector


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of four cores whose number of running threads stands in a file."""
    path = tmp_path / "loadavg"
    monkeypatch.setattr(free_cores, "RUNNING", path)
    monkeypatch.setattr(free_cores, "usable_cores", lambda: 4)
    return path


@pytest.mark.parametrize(("threads", "free"), [(1, 4), (2, 3), (4, 1), (5, 1), (40, 1), (0, 4)])
def test_what_other_threads_use_is_not_free(running: Path, threads: int, free: int) -> None:
    running.write_text(f"0.52 1.25 3.10 {threads}/133 4242\n")
    assert free_cores.free_cores() == free


@pytest.mark.parametrize("content", [None, "", "0.1 0.2 0.3", "0.1 0.2 0.3 some/all 7"])
def test_all_cores_are_taken_where_the_system_does_not_tell(running: Path, content: str | None) -> None:
    if content is not None:
        running.write_text(content)
    assert free_cores.free_cores() == 4


def _spin(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how many threads run")
def test_programs_that_compute_take_cores_away() -> None:
    context = multiprocessing.get_context("spawn")
    loops = [context.Process(target=_spin, args=(60,)) for _ in range(free_cores.usable_cores() + 1)]
    for loop in loops:
        loop.start()
    try:
        deadline = time.monotonic() + 45
        while free_cores.free_cores() > 1 and time.monotonic() < deadline:
            time.sleep(0.2)
        assert free_cores.free_cores() == 1
    finally:
        for loop in loops:
            loop.kill()
            loop.join()


def test_matrices_are_multiplied_on_one_thread_while_a_trajectory_is_projected(monkeypatch: pytest.MonkeyPatch) -> None:
    import xarray as xr

    seen: list[int] = []

    def look(*arguments: object, **options: object) -> object:
        seen.extend(library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas")
        return pooled_basis(*arguments, **options)  # type: ignore[arg-type]

    pooled_basis = projector.pooled_basis
    monkeypatch.setattr(projector, "pooled_basis", look)
    vectors = np.random.default_rng(0).normal(size=(2, 30, 5))
    coords = {"step": [0, 1], "token": range(30)}
    projector.project(xr.DataArray(vectors, dims=("step", "token", "dim"), coords=coords), "pca")
    assert seen
    assert set(seen) == {1}
