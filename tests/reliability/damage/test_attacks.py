"""Somebody else's run is safe to open and to resume: nothing outside it is read or changed, nothing hangs, nothing is a traceback."""

from __future__ import annotations

import contextlib
import io
import os
import runpy
import shutil
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from safetensors import SafetensorError
from safetensors.numpy import load

from dashboards.state import film_list
from data.errors import InputError
from data.files.json_files import DamagedError
from data.files.safetensors_files import decode_tensors
from data.notices import collect_notices
from data.runs import Run, list_runs
from data.runs.labels import Label, write_label
from tests.reliability.damage.attacks import LYING_HEADERS, SECRET, attacks, fingerprint, make_decoy
from tests.reliability.damage.readings import Reading, each_in_child, read_everything
from tests.reliability.damage.test_corruptions import whole_run
from trainer.config import trained_config
from trainer.session import resume_training

NO_ATTACK = "no attack"
ATTACKS = {**dict(attacks()), NO_ATTACK: lambda run, decoy: None}
COMMANDS = (
    "probes --measure token-geometry --run tiny --export csv",
    "trainer.generate --run tiny --tokens 4 --trace",
    "viz.figures --run tiny --only loss --format svg",
    "viz.video --what tokens --run tiny --method pca --size 320x240 --duration 0.5 --hold 0 --format gif",
    "trainer --resume --run tiny --steps 62",
    "data verify tiny",
    "data size tiny",
    "data prune tiny --keep last:2",
    "data repair tiny",
)
"""What reads or writes a run, as it is typed."""
SUBTLE = (
    NO_ATTACK,
    "link of the folder exports",
    "link of the file manifest.jsonl",
    "pipe as run.json",
    "endless device as metrics.jsonl",
    "10 GB of nothing as run.json",
    "header with offsets that overlap",
)
"""The attacks that `make test` tries with every command."""


def attacked(name: str, original: Path, folder: Path) -> Reading:
    """Attack a copy of a run, read it, label it and resume it; what is wrong is the crash of the reading."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(original, folder / "runs" / "tiny")
    shutil.copytree(original, folder / "runs" / "good")
    decoy = make_decoy(folder, original)
    before = fingerprint(decoy)
    ATTACKS[name](folder / "runs" / "tiny", decoy)
    reading = read_everything(folder / "runs", "tiny")
    _write(folder / "runs" / "tiny", reading)
    shown = str(reading)
    if SECRET in shown:
        reading.crash = "it read what lies outside of the run"
    if fingerprint(decoy) != before:
        reading.crash = "it changed what lies outside of the run"
    if "good" not in reading.values["listed"]:
        reading.crash = "the good run is no longer listed"
    if not all("\n" not in said for said in reading.said):
        reading.crash = f"not one line: {reading.said}"
    return reading


def commanded(name: str, original: Path, folder: Path) -> Reading:
    """Attack a copy of a run, and run every command on it; what is wrong is the crash of the reading."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(original, folder / "runs" / "tiny")
    decoy = make_decoy(folder, original)
    before = fingerprint(decoy)
    ATTACKS[name](folder / "runs" / "tiny", decoy)
    os.environ["GPTLAB_RUNS"] = str(folder / "runs")
    reading = Reading()
    for command in COMMANDS:
        status, out, err = _run(command)
        reading.said += err
        mistakes = [line for line in err if line.startswith("python -m") and ": warning: " not in line]
        is_refused = (status == 2 and len(mistakes) == 1) or (status == 1 and " verify " in command)
        is_sound = status == 0 or (is_refused and name != NO_ATTACK)
        if not is_sound:
            reading.crash = f"{command}: status {status}, {err}"
        if SECRET in out or SECRET in str(err):
            reading.crash = f"{command}: it read what lies outside of the run"
        if fingerprint(decoy) != before:
            reading.crash = f"{command}: it changed what lies outside of the run"
    return reading


def _run(command: str) -> tuple[int, str, list[str]]:
    """Run a command in this process; return its status, its output and the lines of its messages."""
    module, *sys.argv[1:] = command.split()
    out, err, status = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
        warnings.simplefilter("default")
        try:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
    return status, out.getvalue(), err.getvalue().splitlines()


def failed_commands(names: Sequence[str], original: Path, folder: Path) -> list[str]:
    """Try every command on attacked runs; describe what goes wrong."""

    def attempt(name: str) -> Any:
        return commanded(name, original, folder)

    readings = each_in_child(attempt, names)
    return [f"{name}: {reading.crash}" for name, reading in zip(names, readings, strict=True) if reading.crash]


def _write(path: Path, reading: Reading) -> None:
    """Do what writes into a run: a label, and a training that is resumed for some steps."""
    with collect_notices():
        try:
            write_label(Run(path), Label("a name", ""))
        except (InputError, OSError) as error:
            reading.said.append(str(error))
        try:
            film_list.films(Run(path))
            config = trained_config(Run(path))
            resume_training(Run(path), config.__class__(**{**vars(config), "steps": 62})).go(lambda step, note: None)
        except InputError as error:
            reading.said.append(str(error))
        except OSError as error:  # the commands say it in a line
            reading.said.append(str(error))


def failed_attacks(names: list[str], original: Path, folder: Path) -> list[str]:
    """Try attacks; describe those that succeed."""

    def attempt(name: str) -> Any:
        return attacked(name, original, folder)

    readings = each_in_child(attempt, names)
    return [f"{name}: {reading.crash}" for name, reading in zip(names, readings, strict=True) if reading.crash]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("first", range(3))
def test_no_attack_leads_out_of_the_run_or_stops_a_reader(first: int, runs: Path, tmp_path: Path) -> None:
    assert (
        failed_attacks(list(ATTACKS)[first::3], whole_run(tmp_path / "original", runs / "tiny"), tmp_path / "attacked")
        == []
    )


def test_no_command_leads_out_of_an_attacked_run(runs: Path, tmp_path: Path) -> None:
    assert failed_commands(SUBTLE, whole_run(tmp_path / "original", runs / "tiny"), tmp_path / "attacked") == []


@pytest.mark.parametrize("name", LYING_HEADERS)
def test_a_header_that_the_library_refuses_is_refused(name: str) -> None:
    with pytest.raises(SafetensorError):
        load(LYING_HEADERS[name])
    with pytest.raises(DamagedError):
        decode_tensors(LYING_HEADERS[name])


@pytest.mark.parametrize("name", ["<b>x", "a\nb", "a\x1b[31m", "..", "-rf", "a b", "名"])
def test_a_folder_whose_name_no_run_has_is_passed_over(name: str, runs: Path) -> None:
    if name == "..":
        pytest.skip("it is the folder above")
    shutil.copytree(runs / "tiny", runs / name)
    with collect_notices() as notices:
        assert [run.name for run in list_runs(runs)] == ["tiny"]
    assert any("cannot be the name of a run" in notice for notice in notices)
    assert all("\n" not in notice and "\x1b" not in notice for notice in notices)


def test_a_link_to_a_run_outside_is_passed_over(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "tiny", tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", runs / "linked")
    with collect_notices() as notices:
        assert [run.name for run in list_runs(runs)] == ["tiny"]
    assert any("leads out" in notice for notice in notices)
