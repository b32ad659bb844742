"""Two workers return what one process does, in the same order, and errors of workers are raised here."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr

from data.errors import InputError
from data.runs import Run, open_run
from probes.__main__ import main
from probes.parallel import IN_FLIGHT_PER_WORKER, current_client, map_steps, n_workers, open_client
from probes.registry import PROBES, ProbeRequest, measure
from probes.tables.embeddings import lazy_table, read_table

pytest.importorskip("distributed", reason="Dask is not installed")

MODEL_PROBES = (
    "zero-shot",
    "heads",
    "copying",
    "attention",
    "next-token",
    "lens",
    "context",
    "forward-trace",
    "lens-terms",
)

pytestmark = pytest.mark.xdist_group("dask")  # one cluster at a time, in one process


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with open_client("local:2") as client:
        assert n_workers(client) == 2
        yield client


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Workers have a thread each; sums in another order differ in the last bit."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def serially(compute: Callable[[], Any]) -> Any:
    with open_client(None):
        assert current_client() is None
        return compute()


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name == "zero-shot" else ()) for name in MODEL_PROBES]
)
def test_a_model_probe_returns_the_same_bytes(name: str, client: Any, one_thread: None, run: Run) -> None:
    assert current_client() is client
    seen = list[int]()
    found = measure(run, name, ProbeRequest(seed=2), progress=seen.append)
    expected = serially(lambda: measure(run, name, ProbeRequest(seed=2)))
    xr.testing.assert_identical(found, expected)
    assert seen == list(range(1, len(run.manifest()) + 1))


def test_every_probe_that_runs_a_model_is_covered_here(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> Any:
        raise RuntimeError("runs a model")

    monkeypatch.setattr("probes.models.gathering._each_measured", refuse)
    found = set()
    for name in PROBES:
        try:
            measure(run, name, ProbeRequest(token="a", highlight=("vowels",)))
        except RuntimeError:
            found.add(name)
    assert found == set(MODEL_PROBES)


def test_a_damaged_snapshot_is_left_out_with_the_same_warning(client: Any, one_thread: None, run: Run) -> None:
    path = run.snapshot(20).path
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.warns(UserWarning, match="step 20 of run 'tiny' has .* it is left out") as warned:
        found = measure(run, "next-token", ProbeRequest(prompt="mo"))
    with pytest.warns(UserWarning, match="step 20") as warned_serially:
        expected = serially(lambda: measure(run, "next-token", ProbeRequest(prompt="mo")))
    assert [str(warning.message) for warning in warned] == [str(warning.message) for warning in warned_serially]
    xr.testing.assert_identical(found, expected)


def test_a_worker_without_the_run_raises_one_line(client: Any, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """On another machine the folder may be missing: the steps are known here, and the files cannot be read there."""
    snapshots = run.sound_snapshots()
    monkeypatch.setattr(Run, "sound_snapshots", lambda self: snapshots)
    run.snapshot(60).path.unlink()
    with pytest.raises(InputError, match=r"step 60 is missing where a worker reads it .*: give the workers the same"):
        measure(run, "next-token")


@pytest.mark.parametrize(("table", "tensor"), [("tokens", "token_table"), ("positions", "position_table")])
def test_a_lazy_table_is_the_table_read_step_by_step(table: str, tensor: str, client: Any, run: Run) -> None:
    lazy = lazy_table(run, table)
    assert lazy.chunks is not None
    assert lazy.chunks[0] == (1,) * len(run.manifest())
    xr.testing.assert_identical(lazy.compute(), read_table(run, table))
    readers = lazy.data.map_blocks(lambda block: np.full(block.shape, os.getpid()), dtype=int).compute()
    assert os.getpid() not in readers  # the workers do it
    run.snapshot(0).path.unlink()  # nothing was kept, and a step is read without the others
    np.testing.assert_array_equal(lazy.variable[-1].values, run.snapshot(60).tensor(run.info["tensors"][tensor]))


def test_a_lazy_table_leaves_out_damaged_snapshots_and_needs_a_table(run: Run) -> None:
    run.snapshot(20).path.unlink()
    with pytest.warns(UserWarning, match="step 20 of run 'tiny' is missing: it is left out"):
        assert 20 not in lazy_table(run)["step"]
    with pytest.raises(InputError, match="there is no table 'values': choose positions or tokens"):
        lazy_table(run, "values")


def test_results_come_in_the_order_of_the_inputs(client: Any) -> None:
    def work(shared: float, number: int) -> float:
        time.sleep(0.02 * (number % 3 == 0))  # the first are the slowest
        return shared * number

    seen = list[int]()
    numbers = list(range(12))
    found = list(map_steps(work, numbers, client, seen.append, shared=0.5))
    assert found == list(map_steps(work, numbers, shared=0.5)) == [0.5 * number for number in numbers]
    assert seen == list(range(1, 13))


def test_few_calls_are_in_flight_and_none_once_the_iterator_is_closed(client: Any) -> None:
    taken = list[int]()

    def inputs() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    found = map_steps(abs, inputs(), client)
    assert [next(found) for _ in range(3)] == [0, 1, 2]
    assert len(taken) == 2 + IN_FLIGHT_PER_WORKER * 2
    found.close()  # type: ignore[attr-defined]  # a generator
    deadline = time.monotonic() + 5
    while client.futures and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not client.futures


@pytest.mark.parametrize("error", [InputError("what the user can mend"), ZeroDivisionError("a defect")])
def test_errors_of_workers_are_raised_as_themselves(error: Exception, client: Any) -> None:
    def work(number: int) -> int:
        if number == 3:
            raise error
        return number

    found = map_steps(work, range(9), client)
    assert [next(found) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(type(error), match=str(error)):
        next(found)
    logged = str(client.get_worker_logs())
    assert ("Compute Failed" in logged) == isinstance(error, ZeroDivisionError), "a user's mistake is no defect"


def test_the_command_takes_a_scheduler_that_runs_already(
    client: Any, one_thread: None, runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for scheduler in (None, client.scheduler.address):
        main(
            ProbeRequest(
                measure=("next-token",), export="parquet", out=tmp_path / str(scheduler is None), scheduler=scheduler
            )
        )
    assert open_run().name == "tiny"
    one, other = (tmp_path / str(is_serial) / "next-token.parquet" for is_serial in (True, False))
    assert one.read_bytes() == other.read_bytes()
    assert current_client() is client


@pytest.mark.parametrize(
    "scheduler", ["", "localhost", "local:0", "local:two", "127.0.0.1:8786", "tcp://127.0.0.1", "ssh://a:1"]
)
def test_an_unknown_scheduler_is_refused(scheduler: str) -> None:
    with pytest.raises(InputError, match="a scheduler is local, local:2 or tcp://host:port"), open_client(scheduler):
        pass


def test_a_scheduler_that_does_not_answer_is_reported_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("probes.parallel.SECONDS_TO_ANSWER", 0.3)
    with (
        pytest.raises(InputError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9 within") as raised,
        open_client("tcp://127.0.0.1:9"),
    ):
        pass
    assert "\n" not in str(raised.value)


def test_a_scheduler_without_workers_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr("probes.parallel.SECONDS_TO_ANSWER", 0.5)
    with (
        distributed.LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address="127.0.0.1:0") as cluster,
        pytest.raises(InputError, match="has no workers: start some with  dask worker tcp://127"),
        open_client(cluster.scheduler_address),
    ):
        pass


def test_without_dask_the_extra_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("dask", "dask.array", "distributed"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError, match=r"pip install 'gptlab\[dask\]'"), open_client("local:2"):
        pass
    with pytest.raises(InputError, match=r"pip install 'gptlab\[dask\]'"):
        lazy_table(run)
