"""After a loss of power at any point of a training, all that was reported as written is there, and the training can be resumed."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import pytest

from data.errors import InputError
from tests.reliability.crashes.crash_states import Contents, Disk, crash_states
from tests.reliability.crashes.power_loss import record_training, recover, resume_from, states_to_try
from tests.reliability.crashes.recording import Operation

N_STATES = 120
RESUMED_EVERY = 40


def test_what_was_acknowledged_survives_a_loss_of_power_at_any_point(
    text_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPTLAB_RUNS", str(tmp_path / "runs"))
    (tmp_path / "runs").mkdir()
    recorded = record_training(text_file, tmp_path / "runs")
    states = states_to_try(recorded, N_STATES)
    assert len(states) == N_STATES
    for number, (state, acknowledged) in enumerate(states):
        recover(state, acknowledged, recorded, tmp_path / "left")
        if acknowledged and number % RESUMED_EVERY == 0:
            resume_from(tmp_path / "left", recorded)


@pytest.mark.parametrize("flush", ["flush", "flush-folder"])
def test_a_flush_that_is_left_out_is_noticed(
    flush: str, text_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPTLAB_RUNS", str(tmp_path / "runs"))
    (tmp_path / "runs").mkdir()
    recorded = record_training(text_file, tmp_path / "runs", steps=2)
    forgetful = [operation for operation in recorded.operations if operation.kind != flush]
    recorded = dataclasses.replace(recorded, operations=forgetful)

    def recover_all() -> None:
        for state, acknowledged in crash_states(forgetful, seed=1):
            recover(state, acknowledged, recorded, tmp_path / "left")

    with pytest.raises((AssertionError, InputError)):
        recover_all()


def test_a_write_that_is_not_flushed_may_be_lost_cut_or_zeros() -> None:
    versions = Contents(b"old", [Operation("write", "a", at=3, what=b"new")]).versions()
    assert versions[0] == b"old"
    assert b"oldnew" in versions
    assert b"old\0\0\0" in versions
    assert b"oldn" in versions


def test_a_rename_that_is_not_flushed_may_be_lost_and_one_that_is_may_not() -> None:
    disk = Disk()
    operations = [
        Operation("make-file", ".a", inode=1),
        Operation("write", ".a", inode=1, what=b"x"),
        Operation("flush", ".a", inode=1),
        Operation("rename", ".a", inode=1, what="a"),
    ]
    for operation in operations:
        disk.take(operation)
    left = [dict(state) for state in disk.states(random.Random(1))]
    assert {} in left
    assert {"a": b"x"} in left
    assert {".a": b"x"} in left
    disk.take(Operation("flush-folder", "."))
    assert all(state == {"a": b"x"} for state in disk.states(random.Random(1)))
