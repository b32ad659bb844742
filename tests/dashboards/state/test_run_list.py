"""The list of runs is that of the folder, read again when a run changes, and never leads out of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from dashboards.state import run_list
from data.runs import Run, list_runs


def names() -> list[str]:
    return [run.name for run in run_list.runs()]


def test_the_newest_run_comes_first_as_commands_list_them(run: Run, runs: Path) -> None:
    for name, created in (("older", "2001-01-01"), ("newer", "2999-01-01")):
        shutil.copytree(run.path, runs / name)
        (runs / name / "run.json").write_text(json.dumps({**run.info, "created": created}))
    assert names() == ["newer", run.name, "older"]
    assert names() == [one.name for one in reversed(list_runs())]


def test_what_changes_is_read_again(run: Run, runs: Path) -> None:
    assert run_list.runs()[0].info["seed"] == run.info["seed"]
    (run.path / "run.json").write_text(json.dumps({**run.info, "seed": 987_654}))
    assert run_list.runs()[0].info["seed"] == 987_654
    (run.path / "run.json").write_text("{")
    assert names() == []
    shutil.rmtree(run.path)
    assert names() == []


def test_a_folder_that_is_not_there_has_no_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPTLAB_RUNS", str(tmp_path / "none"))
    assert names() == []


def test_links_that_lead_out_are_no_runs_whenever_they_are_made(run: Run, runs: Path, tmp_path: Path) -> None:
    assert names() == [run.name]
    outside = tmp_path / "outside"
    shutil.copytree(run.path, outside)
    (runs / "link").symlink_to(outside)
    (runs / "inner").symlink_to(run.path)
    assert set(names()) == {run.name, "inner"}
    (run.path / "films").symlink_to(outside)
    assert names() == []
