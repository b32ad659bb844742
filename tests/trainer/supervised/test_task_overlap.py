"""The overlap between a base's corpus and a task's test set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from data.corpora.catalog import CORPORA
from data.runs import Run, create_run
from data.tasks.examples import Classification, Task
from trainer.supervised.task_overlap import overlapping_corpora

LINES = [f"{what} shall come to pass in the end, my lord" for what in ("this", "that", "all", "nothing")]
JUDGED = tuple(Classification(f"{line}\nNo more.", number % 2) for number, line in enumerate(LINES))
TASK = Task("genre", "classification", ("a", "b"), JUDGED, JUDGED)


def made(name: str, corpus: dict[str, Any], **more: Any) -> Run:
    return create_run(name, {"corpus": corpus, **more})


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPTLAB_RUNS", str(tmp_path))


@pytest.mark.parametrize(
    ("name", "expected"), [("shakespeare", True), ("tinyshakespeare", True), ("training-plays", False), ("gone", False)]
)
def test_corpora_with_the_plays_are_known_by_name(name: str, expected: bool) -> None:
    assert bool(overlapping_corpora(made("plays", {"name": name}), TASK)) is expected


def test_the_plays_are_known_by_their_hash_whatever_their_name() -> None:
    run = made("plays", {"name": "will", "sha256": CORPORA["shakespeare"].sha256})
    assert overlapping_corpora(run, TASK) == ["will"]


@pytest.mark.parametrize(("n_lines", "expected"), [(4, True), (1, True), (0, False)])
def test_a_file_is_looked_into(tmp_path: Path, n_lines: int, expected: bool) -> None:
    path = tmp_path / "own.txt"
    path.write_text("\n".join(["No more.", *LINES[:n_lines]]), encoding="utf-8")
    run = made("own", {"name": "own"}, training={"corpus": str(path)})
    assert overlapping_corpora(run, TASK) == ([str(path)] if expected else [])


def test_what_the_base_of_the_base_has_read_counts() -> None:
    made("first", {"name": "shakespeare"})
    made("second", {"name": "jokes"}, base={"run": "first"})
    third = made("third", {"name": "jokes"}, base={"run": "second"})
    assert overlapping_corpora(third, TASK) == ["shakespeare"]
    assert overlapping_corpora(made("lost", {"name": "jokes"}, base={"run": "gone"}), TASK) == []


def test_the_command_tells_it_and_writes_it_down(runs: Path, monkeypatch: Any, capsys: Any) -> None:
    import json

    from trainer.supervised import __main__ as supervised

    monkeypatch.setenv("GPTLAB_RUNS", str(runs))
    described = dict(Run(runs / "tiny").info)
    described["training"]["corpus"] = "shakespeare"
    (runs / "tiny" / "run.json").write_text(json.dumps(described), encoding="utf-8")
    monkeypatch.setattr("data.tasks.play_tasks.play_task", lambda *_, **__: TASK)
    args = ["--task", "genre", "--seeds", "1", "--epochs", "1", "--no-compare", "--threads", "1", "--model", "tiny"]
    assert supervised.main([*args, "--run", "told"]) == 0
    assert "tiny was trained on shakespeare, which contains plays of the test set of genre" in capsys.readouterr().out
    assert json.loads((runs / "told" / "report.json").read_text(encoding="utf-8"))["overlap"] == ["shakespeare"]
