"""A signal ends a training after its step, with everything saved; a second one ends it at once; nohup is respected."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from data.runs import Run
from tests.reliability.crashes.power_loss import small_config
from tests.reliability.faults.test_faults import hashes, quiet
from trainer.loop.stopping import Stopped, stop_on_signal
from trainer.session import resume_training, start


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_a_signal_ends_with_its_status_and_a_run_that_can_be_resumed(
    number: int, status: int, text_file: Path, runs: Path
) -> None:
    config = small_config(text_file, steps=8)
    whole, training = start(config, "whole"), start(config, "stopped")
    whole.go(quiet)
    before = signal.signal(number, signal.default_int_handler)  # nohup, under which the tests may run, ignores SIGHUP
    try:
        with pytest.raises(Stopped) as stopped:
            training.go(lambda step, note: os.kill(os.getpid(), number) if step == 5 else None)
    finally:
        signal.signal(number, before)
    assert (stopped.value.step, stopped.value.exit_status) == (5, status)
    again = resume_training(Run(training.run.path), config)
    assert again.step == 5
    again.go(quiet)
    assert hashes(again.run) == hashes(whole.run)


@pytest.mark.parametrize(("number", "ends"), [(signal.SIGTERM, SystemExit), (signal.SIGINT, KeyboardInterrupt)])
def test_a_second_signal_ends_at_once(number: int, ends: type[BaseException]) -> None:
    with stop_on_signal() as stop:
        os.kill(os.getpid(), number)
        assert stop.number == number
        with pytest.raises(ends):
            os.kill(os.getpid(), number)


def test_a_signal_that_nohup_ignores_is_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_on_signal() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            assert stop.number == 0
    finally:
        signal.signal(signal.SIGHUP, before)
