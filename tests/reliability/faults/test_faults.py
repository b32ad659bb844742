"""Whatever the system refuses, nothing that was acknowledged is touched, and the training can be resumed."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from data.errors import InputError
from data.notices import collect_notices
from data.runs import Run
from tests.commands import ROOT
from tests.conftest import command_environment
from tests.reliability.crashes.power_loss import small_config
from trainer.config import replace
from trainer.loop.stopping import Stopped
from trainer.session import resume_training, start

ERRORS = (errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS, errno.EFBIG)
EVERY = 25
"""Every so many calls an attempt fails; the script takes each."""


def quiet(step: int, note: str | None) -> None:
    """Report nothing."""


def hashes(run: Run) -> dict[int, str]:
    with collect_notices():
        return {snapshot.step: snapshot.sha256 for snapshot in run.sound_snapshots()}


class Failing:
    """Makes the n-th call, and all later ones, of the functions that write fail with an error of the system."""

    def __init__(self, patch: pytest.MonkeyPatch, number: int, code: int, *, once: bool = False):
        self.count, self.number, self.code, self.once = 0, number, code, once
        for name in ("write", "fsync", "replace"):
            patch.setattr(os, name, self._wrapped(getattr(os, name)))

    def _wrapped(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            self.count += 1
            if self.count == self.number or (self.count > self.number and not self.once):
                raise OSError(self.code, os.strerror(self.code))
            return real(*args)

        return call


def fail_at(number: int, text: Path, expected: dict[int, str], code: int) -> bool:
    """Let a training fail at a call, and resume it; False if it ended before that call."""
    name = f"failing-{number}"
    with pytest.MonkeyPatch.context() as patch:
        reached: list[int] = []
        training = start(small_config(text, steps=8), name)
        Failing(patch, number, code)
        try:
            training.go(lambda step, note: reached.append(step))
            return False
        except OSError:
            pass
    run = Run(training.run.path)
    found = hashes(run)
    assert found.items() <= expected.items()
    steps = {step for step in reached if step in expected}
    assert steps <= found.keys(), "what was acknowledged is lost"
    with collect_notices():
        resume_training(run, training.objective.config).go(quiet)
    assert hashes(run) == expected
    shutil.rmtree(run.path)
    return True


@pytest.fixture
def expected(runs: Path, text_file: Path) -> dict[int, str]:
    whole = start(small_config(text_file, steps=8), "whole")
    whole.go(quiet)
    return hashes(whole.run)


def test_an_error_at_any_call_touches_nothing_that_was_acknowledged(text_file: Path, expected: dict[int, str]) -> None:
    number = 1
    while fail_at(number, text_file, expected, ERRORS[number % len(ERRORS)]):
        number += EVERY
    assert number > 3 * EVERY


def test_with_continue_a_training_ends_without_the_snapshot_that_was_refused(
    text_file: Path, runs: Path, expected: dict[int, str]
) -> None:
    training = start(small_config(text_file, steps=8, on_snapshot_error="continue"), "continued")
    with pytest.MonkeyPatch.context() as patch, collect_notices() as notices:
        Failing(patch, 40, errno.ENOSPC, once=True)
        training.go(quiet)
    assert any("was not written" in notice for notice in notices)
    found = hashes(training.run)
    assert found.items() <= expected.items()
    assert len(found) >= len(expected) - 1


def change_run(run: Path, how: str) -> None:
    if how == "deleted":
        shutil.rmtree(run)
    elif how == "moved":
        run.rename(run.with_name("elsewhere"))
    elif how == "replaced":
        shutil.copytree(run, run.with_name("copy"))
        shutil.rmtree(run)
        run.with_name("copy").rename(run)
    else:
        (run / how).rename(run / f"{how}.away")


@pytest.mark.parametrize("how", ["deleted", "moved", "replaced", "run.json", "snapshots", "manifest.jsonl"])
def test_a_run_that_is_taken_away_stops_its_training_in_a_line(how: str, text_file: Path, runs: Path) -> None:
    training = start(small_config(text_file), "taken")

    def take_away(step: int, note: str | None) -> None:
        if step == 5:
            change_run(training.run.path, how)

    with pytest.raises(InputError, match="was deleted, moved or replaced while it was in training") as told:
        training.go(take_away)
    assert "\n" not in str(told.value)


def test_a_clock_that_jumps_changes_no_snapshot(
    text_file: Path, expected: dict[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    jumps: Iterator[float] = iter(range(1, 10**9))
    monkeypatch.setattr(time, "time", lambda: 1e9 * (-1) ** next(jumps))  # type: ignore[operator]
    training = start(small_config(text_file, steps=8), "jumping")
    training.go(quiet)
    assert hashes(training.run) == expected


def test_a_second_resume_is_refused_in_a_line_that_names_the_first(text_file: Path, runs: Path) -> None:
    training = start(small_config(text_file), "twice")
    with pytest.raises(
        InputError, match=r"run 'twice' is in training by process \d+ on .*: wait for its end, or stop it first"
    ):
        resume_training(Run(training.run.path), training.objective.config)
    training.lock.release() if training.lock else None


def resumed_with(text: Path, name: str, **fields: object) -> dict[str, Any]:
    """Stop a training at step 8, resume it with other fields, and return its last weights."""
    config = small_config(text)
    training = start(config, name)

    with pytest.raises(Stopped):
        training.go(lambda step, note: os.kill(os.getpid(), signal.SIGTERM) if step == 8 else None)
    resume_training(Run(training.run.path), replace(config, fields, "test")).go(quiet)
    return training.run.snapshot(24).tensors()


def test_another_number_of_threads_differs_by_rounding_only(text_file: Path, runs: Path) -> None:
    """The bound is ten times what another order of the same sums does: those of micro-batches."""
    before = torch.get_num_threads()
    try:
        same, threads = resumed_with(text_file, "same"), resumed_with(text_file, "threads", threads=2)
        parts = resumed_with(text_file, "parts", accumulate=2)
    finally:
        torch.set_num_threads(before)

    def difference(found: dict[str, Any]) -> float:
        return max(float(np.abs(found[name] - values).max()) for name, values in same.items())

    assert 0 < difference(parts) < 1e-2
    assert difference(threads) <= 10 * difference(parts)


@pytest.mark.parametrize("clip", [None, 1.0])
def test_a_training_that_diverges_ends_with_its_step_and_sound_snapshots(
    clip: float | None, text_file: Path, runs: Path
) -> None:
    training = start(small_config(text_file, learning_rate_scale=1e5, clip=clip), "diverged")
    with pytest.raises(InputError, match=r"at step \d+") as told:
        training.go(quiet)
    assert "\n" not in str(told.value)
    run = Run(training.run.path)
    if run.path.exists():
        assert run.info["diverged"]["step"] >= max(hashes(run))


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (12_000, 12_000))
import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from data.commands import one_line_mistakes
from trainer.__main__ import PROG, TrainArguments, main
with one_line_mistakes(PROG, TrainArguments):
    raise SystemExit(main(sys.argv[1:]))
"""


def test_a_limit_on_the_size_of_files_is_told_in_a_line(text_file: Path, runs: Path) -> None:
    args = ["--preset", "tiny", "--corpus", str(text_file), "--run", "limited", "--steps", "4"]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *args],
        cwd=ROOT,
        env=command_environment(),
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert "larger than files may be here: raise the limit" in done.stderr
