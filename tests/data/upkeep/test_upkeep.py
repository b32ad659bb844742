"""Verification finds every fault that is made, repair moves it aside and deletes nothing, pruning keeps what its rules say."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from data.errors import InputError
from data.files.atomic_files import append_line
from data.runs import Run, create_run, write_snapshot
from data.runs.training_lock import lock_run
from data.upkeep.pruning import plan_pruning, prune, steps_to_keep
from data.upkeep.repair import repair
from data.upkeep.sizes import part_sizes
from data.upkeep.verification import verify
from tests.commands import assert_mistake, command

STEPS = (0, 10, 20, 30)


@pytest.fixture
def made(tmp_path: Path) -> Run:
    run = create_run("made", {"created": "2026-01-01"}, tmp_path)
    for step in STEPS:
        write_snapshot(run, step, {"wte.weight": np.full((2, 3), step, dtype=np.float32)})
        append_line(run.path / "metrics.jsonl", {"step": step, "train_loss": 1.0, "val_loss": 1.0})
    return Run(run.path)


def flip(path: Path, place: int = -1) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(bytes(content))


def orphan(run: Run) -> None:
    (run.path / "snapshots" / "00000099.safetensors").write_bytes(b"x")


def link(run: Run) -> None:
    (run.path / "films").symlink_to("/etc")


def shared_file(run: Run) -> None:
    first = json.loads((run.path / "manifest.jsonl").read_text().splitlines()[0])
    append_line(run.path / "manifest.jsonl", {**{k: v for k, v in first.items() if k != "crc32"}, "step": 40})


def not_finite(run: Run) -> None:
    write_snapshot(run, 40, {"wte.weight": np.full((2, 3), np.nan, dtype=np.float32)})


FAULTS: dict[str, tuple[Callable[[Run], object], str]] = {
    "flipped snapshot": (lambda run: flip(run.snapshot(10).path), "snapshots/00000010.safetensors: is damaged"),
    "missing snapshot": (lambda run: run.snapshot(10).path.unlink(), "snapshots/00000010.safetensors: is missing"),
    "truncated snapshot": (
        lambda run: os.truncate(run.snapshot(10).path, 9),
        "snapshots/00000010.safetensors: has 9 bytes instead of",
    ),
    "flipped metrics": (lambda run: flip(run.path / "metrics.jsonl", 30), r"metrics.jsonl \(line 1\): is damaged"),
    "flipped manifest": (lambda run: flip(run.path / "manifest.jsonl", 9), r"manifest.jsonl \(line 1\): is damaged"),
    "cut line": (lambda run: os.truncate(run.path / "metrics.jsonl", 100), "metrics.jsonl: its last line was cut"),
    "orphan": (orphan, "snapshots/00000099.safetensors: is not in the manifest"),
    "link": (link, "films: is a link"),
    "pipe": (lambda run: os.mkfifo(run.path / "samples.jsonl"), "samples.jsonl: is neither a file nor a folder"),
    "one file of two steps": (shared_file, r"manifest.jsonl \(line 5\): names the file of step 0"),
    "not finite": (
        not_finite,
        "snapshots/00000040.safetensors: its tensor 'wte.weight' holds numbers that are not finite",
    ),
    "unfinished": (
        lambda run: (run.path / "snapshots" / ".00000050.safetensors.4194304").write_bytes(b"x"),
        "was left unfinished by a process that has ended",
    ),
}


def test_nothing_is_wrong_with_a_run_that_was_just_written(made: Run) -> None:
    found = verify(made)
    assert found.findings == ()
    assert found.n_snapshots == len(STEPS)
    assert found.n_bytes == sum(snapshot.bytes for snapshot in made.snapshots())
    assert repair(made) == []


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_and_moved_aside_and_nothing_is_lost(made: Run, name: str) -> None:
    damage, fault = FAULTS[name]
    damage(made)
    kept = {path.read_bytes() for path in made.path.rglob("*") if path.is_file() and not path.is_symlink()}
    assert any(re.search(fault, str(finding)) for finding in verify(made).findings)
    assert repair(made)
    assert verify(Run(made.path)).findings == ()
    after = {path.read_bytes() for path in made.path.rglob("*") if path.is_file() and not path.is_symlink()}
    assert kept <= after
    assert len(Run(made.path).sound_snapshots()) >= len(STEPS) - 1


def test_a_changed_run_json_is_found_and_can_be_accepted(made: Run) -> None:
    path = made.path / "run.json"
    path.write_text(path.read_text().replace("2026-01-01", "2026-01-02"))
    assert [finding.file for finding in verify(Run(made.path)).findings] == ["run.json"]
    with pytest.raises(InputError, match="is not as it was written"):
        repair(Run(made.path))
    assert repair(Run(made.path), accept_run_json=True)[0] == "run.json: accepted as it is"
    assert Run(made.path).info["created"] == "2026-01-02"


def test_a_run_in_training_is_not_touched(made: Run) -> None:
    lock = lock_run(made.path)
    for change in (lambda: repair(made), lambda: prune(made, "last:1")):
        with pytest.raises(InputError, match="is in training by process"):
            change()
    lock.release()


@pytest.mark.parametrize(
    ("keep", "steps"),
    [
        ("every:20", {0, 20, 30}),
        ("last:1", {30}),
        ("first:1", {0, 30}),
        ("every:20,last:2", {0, 20, 30}),
        ("last:99", {0, 10, 20, 30}),
    ],
)
def test_pruning_keeps_what_a_rule_names_and_the_last(made: Run, keep: str, steps: set[int]) -> None:
    assert steps_to_keep(STEPS, keep) == steps
    planned = plan_pruning(made, keep)
    assert [s.step for s in made.snapshots()] == list(STEPS)
    assert prune(made, keep) == planned
    assert {s.step for s in Run(made.path).sound_snapshots()} == steps
    assert verify(Run(made.path)).findings == ()
    assert len(list((made.path / "snapshots").iterdir())) == len(steps)


@pytest.mark.parametrize("keep", ["", "every:0", "last:-1", "some:3", "every"])
def test_a_rule_that_is_none_is_named(keep: str) -> None:
    with pytest.raises(InputError, match="`keep` has rules such as every:1000"):
        steps_to_keep(STEPS, keep)


def test_the_sizes_add_up(made: Run) -> None:
    files = [path for path in made.path.rglob("*") if path.is_file()]
    sizes = part_sizes(made)
    assert sum(part.n_files for part in sizes) == len(files)
    assert sum(part.n_bytes for part in sizes) == sum(path.stat().st_size for path in files)
    assert {part.part for part in sizes} == {"snapshots", "records"}


def test_the_commands_report_and_exit_as_promised(run: Run) -> None:
    assert command("data", "verify", "tiny").returncode == 0
    flip(run.snapshot(20).path)
    found = command("data", "verify")
    assert found.returncode == 1
    assert "snapshots/00000020.safetensors: is damaged" in found.stdout
    assert "data repair tiny" in found.stdout
    assert "1 snapshots left out" in command("data", "repair", "tiny").stdout
    assert command("data", "verify", "tiny").returncode == 0
    assert "snapshots" in command("data", "size", "tiny").stdout
    assert "would be deleted" in command("data", "prune", "tiny", "--keep", "last:2", "--dry-run").stdout
    assert_mistake(command("data", "prune", "tiny", "--keep", "some"), "--keep has rules such as")
    assert_mistake(command("data", "verify", "none"), "there is no run 'none'")
    assert_mistake(command("data", "verify", "../tiny"), "cannot be the name of a run")


def test_links_of_a_logger_are_no_fault(run: Run) -> None:
    (run.path / "wandb").mkdir()
    (run.path / "wandb" / "latest-run").symlink_to("offline-run-1")
    assert not verify(run).findings
