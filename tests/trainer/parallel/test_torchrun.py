"""Processes of torchrun train as one: the same gradients, one writer, one message, and a run that any number of processes resumes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from data.runs import Run
from tests.commands import ROOT
from tests.conftest import command_environment
from tests.trainer.parallel.gradients_of_a_step import CASES, config_of, gradients, soap_steps
from tests.trainer.parallel.stop_and_resume import STOPPED_AT
from tests.trainer.parallel.torchrun import LONGEST_S, own_lines, torchrun, torchrun_command
from tests.trainer.test_loop import hashes, quiet
from trainer.parallel.torchrun import joined
from trainer.session import train as train_run

pytestmark = pytest.mark.skipif(
    not torch.distributed.is_available() or os.name == "nt", reason="torchrun and gloo are not available"
)

SHARED = pytest.mark.xdist_group("torchrun")  # they take two cores each


@SHARED
def test_gradients_evaluation_and_steps_of_soap_are_those_of_one_process(text_file: Path, tmp_path: Path) -> None:
    result = torchrun("tests.trainer.parallel.gradients_of_a_step", str(text_file), str(tmp_path))
    assert result.returncode == 0, result.stderr
    for case in CASES:
        # The oracle is a plain step: one process, one batch, nothing recomputed.
        plain = {"shard": False, "accumulate": 1, "checkpoint_activations": False}
        expected = gradients(config_of(case, str(text_file), **plain))
        with np.load(tmp_path / f"{case}.npz") as found:
            assert set(found) == set(expected)
            for name, value in expected.items():
                np.testing.assert_allclose(found[name], value, rtol=1e-5, atol=1e-6, err_msg=f"{case}: {name}")
    with np.load(tmp_path / "soap.npz") as found:
        alone = soap_steps()
        assert set(found) == set(alone)
        for name, value in alone.items():
            np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=1e-5, err_msg=f"SOAP: {name}")


@SHARED
def test_a_run_of_two_processes_is_resumed_by_two_bit_for_bit_and_by_one_within_rounding(
    text_file: Path, runs: Path
) -> None:
    result = torchrun("tests.trainer.parallel.stop_and_resume", str(text_file))
    assert result.returncode == 0, result.stderr
    assert sorted(line for line in result.stdout.splitlines() if line.startswith("rank")) == [
        f"rank {rank} stopped at step {STOPPED_AT}" for rank in (0, 1)
    ]
    whole, parted, stopped = (Run(runs / name) for name in ("whole", "parted", "stopped"))
    assert hashes(parted) == hashes(whole)
    assert [line["step"] for line in parted.metrics()] == [line["step"] for line in whole.metrics()]
    assert (whole.info["processes"], whole.info["threads"]) == (2, 1)
    alone = train_run(run="stopped", resume=True, progress=quiet)
    assert Run(alone.path).info["processes"] == 1
    assert list(hashes(alone)) == list(hashes(whole))
    assert hashes(stopped)[16] == hashes(whole)[16]
    # Rounding differs, and Adam magnifies it where a gradient is nearly 0; what is learned does not.
    learned = whole.metrics()[0]["val_loss"] - whole.metrics()[-1]["val_loss"]
    assert alone.metrics()[-1]["val_loss"] == pytest.approx(whole.metrics()[-1]["val_loss"], abs=0.1 * learned)


@pytest.mark.slow
@SHARED
def test_a_mistake_ends_all_processes_with_one_line(run: Run, text_file: Path) -> None:
    before = (run.path / "metrics.jsonl").read_bytes()
    result = torchrun("trainer", "--preset", "tiny", "--corpus", str(text_file), "--run-name", "tiny")
    assert result.returncode != 0
    (line,) = own_lines(result.stderr)
    assert "run 'tiny' exists already" in line
    assert re.search(r"exitcode\s*: 2 ", result.stderr), "the status of our command, which torchrun reports"
    assert (run.path / "metrics.jsonl").read_bytes() == before


@pytest.mark.slow
@SHARED
def test_the_command_trains_one_run_and_prints_once(text_file: Path, runs: Path) -> None:
    result = torchrun("trainer", "--preset", "tiny", "--corpus", str(text_file), "--batch-size", "7")
    assert result.returncode == 0, result.stderr
    assert not own_lines(result.stderr)
    assert result.stdout.count("wrote 10 snapshots") == 1
    assert sorted(path.name for path in runs.iterdir()) == ["tiny", "tiny-made"]
    steps = [line["step"] for line in Run(runs / "tiny-made").metrics()]
    assert steps == sorted(set(steps))


@pytest.mark.slow
@SHARED
def test_a_sharded_run_has_snapshots_as_always_and_one_process_resumes_it(text_file: Path, runs: Path) -> None:
    options = ("--preset", "tiny", "--corpus", str(text_file), "--run-name")
    sharded = torchrun("trainer", *options, "sharded", "--shard")
    assert sharded.returncode == 0, sharded.stderr
    run = Run(runs / "sharded")
    train_run(preset="tiny", corpus=str(text_file), run="plain", threads=1, progress=quiet)
    for step in (0, 60):
        found, expected = (each.snapshot(step).tensors() for each in (run, Run(runs / "plain")))
        assert {name: array.shape for name, array in found.items()} == {n: a.shape for n, a in expected.items()}
    assert run.metrics()[-1]["val_loss"] == pytest.approx(Run(runs / "plain").metrics()[-1]["val_loss"], abs=0.1)
    train_run(run="sharded", resume=True, shard=False, steps=64, progress=quiet)
    again = torchrun("trainer", "--resume", "--run-name", "sharded", "--shard", "--steps", "70")
    assert again.returncode == 0, again.stderr
    assert max(hashes(run)) == 70


@contextmanager
def endless_training(text_file: Path, runs: Path) -> Iterator[tuple[subprocess.Popen[str], dict[int, int]]]:
    """Start a training of two processes; yields torchrun's process, and the process identifiers of ours by rank, once it trains."""
    args = ["trainer", "--preset", "tiny", "--corpus", str(text_file), "--run-name", "endless", "--steps", "1000000"]
    command = torchrun_command(*args, "--snapshot-every", "100", "--eval-every", "100", "--resume-every", "0")
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=command_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        run, deadline = Run(runs / "endless"), time.monotonic() + LONGEST_S / 2
        while len(run.manifest()) < 8 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        yield process, ranks_of(process.pid)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def ranks_of(parent: int) -> dict[int, int]:
    """Find the children of a process that have a rank, by rank."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            is_child = int((folder / "stat").read_bytes().rpartition(b")")[2].split()[1]) == parent
            variables = dict(
                each.split(b"=", 1) for each in (folder / "environ").read_bytes().split(b"\0") if b"=" in each
            )
        except OSError:
            continue
        if is_child and b"RANK" in variables:
            found[int(variables[b"RANK"])] = int(folder.name)
    return found


@pytest.mark.slow
@SHARED
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are found in /proc")
@pytest.mark.parametrize("rank", [0, 1])
def test_a_process_that_dies_ends_all_with_one_line_and_the_run_can_be_resumed(
    rank: int, text_file: Path, runs: Path
) -> None:
    with endless_training(text_file, runs) as (process, ranks):
        os.kill(ranks[rank], signal.SIGKILL)
        _, said = process.communicate(timeout=60)
    assert process.returncode != 0
    (line,) = own_lines(said)
    assert f"rank {rank} of 2 processes died, so all end" in line
    assert "--resume" in line
    assert "DistributedDataParallel" not in said, "no traceback of ours"
    run = Run(runs / "endless")
    reached = run.sound_snapshots()[-1].step
    resumed = train_run(run="endless", resume=True, steps=reached + 100, progress=quiet)
    assert resumed.snapshots()[-1].step == reached + 100


@pytest.mark.slow
@SHARED
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are found in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_torchrun_finishes_the_step_saves_and_says_how_to_resume(
    number: int, text_file: Path, runs: Path
) -> None:
    with endless_training(text_file, runs) as (process, _):
        process.send_signal(number)
        out, said = process.communicate(timeout=60)
    assert not own_lines(said)
    stopped = re.search(r"stopped at step ([\d,]+); resume with  torchrun --nproc-per-node=2 -m trainer --resume", out)
    assert stopped, out
    assert out.count("stopped at step") == 1
    slots = (runs / "endless" / "resume" / "manifest.jsonl").read_text().splitlines()
    assert json.loads(slots[-1])["step"] == int(stopped[1].replace(",", ""))


def test_without_torchrun_nothing_is_joined(run: Run) -> None:
    with joined():
        assert not torch.distributed.is_initialized()
    assert run.info["processes"] == 1
