"""Progress: shares of a unit add up to it, long silences are broken, long work is announced."""

from __future__ import annotations

import json

import pytest

from data import progress as module
from data.notices import collect_notices
from data.progress import announce, parts, progress_bar, report_share, report_shares_to, stage


def work() -> None:
    """Two halves: one of two parts, of which each has two, and one of a single report."""
    with stage(0, 0.5):
        for _ in parts("ab", "layer"):
            for _ in parts([1, 2], "batch"):
                pass
    with stage(0.5, 1.0):
        report_share(0.5, "iteration 5 of 10")


def test_nested_parts_are_reported_as_shares_of_one_unit_in_ascending_order() -> None:
    seen: list[tuple[float, str]] = []
    for done in (0, 1):
        with report_shares_to(lambda done, note: seen.append((done, note)), done):
            work()
    first, second = seen[: len(seen) // 2], seen[len(seen) // 2 :]
    assert [done for done, _ in first] == [0, 0, 0.125, 0.25, 0.25, 0.375, 0.75]
    assert [note for _, note in first][-1] == "iteration 5 of 10"
    assert [note for _, note in first if "layer" in note] == ["layer 1 of 2", "layer 2 of 2"]
    assert [(done - 1, note) for done, note in second] == first


def test_nothing_is_reported_where_nobody_counts() -> None:
    work()
    with report_shares_to(None, 3):
        work()
    seen: list[float] = []
    with report_shares_to(lambda done, note: seen.append(done), 0):
        pass
    work()
    with report_shares_to(seen.append, 0):  # it takes no note
        work()
    assert seen == []


def test_an_error_in_a_part_leaves_the_count_of_the_outer_work_as_it_was() -> None:
    seen: list[float] = []
    with report_shares_to(lambda done, note: seen.append(done), 0):
        with pytest.raises(RuntimeError), stage(0, 0.5, "first"):
            raise RuntimeError
        report_share(0.75, "")
    assert seen == [0, 0.75]


def test_without_a_terminal_a_line_comes_at_every_tenth_and_after_ten_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GPTLAB_PROGRESS", raising=False)
    now = 0.0
    monkeypatch.setattr(module.time, "perf_counter", lambda: now)
    with progress_bar("heads", 1, "snapshot") as update:
        for share in (0.01, 0.02, 0.03, 0.2):
            now += 6
            update(share, f"batch {share}")
    lines = capsys.readouterr().err.splitlines()
    assert [line.split("  ")[1] for line in lines] == ["batch 0.02", "batch 0.2"]
    assert lines[0].startswith("heads: 0 of 1 snapshots")


def test_records_hold_fractions(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("GPTLAB_PROGRESS", "lines")
    monkeypatch.setattr(module, "SHORTEST_PAUSE_S", 0)
    with progress_bar("heads", 2, "snapshot") as update:
        update(0.5, "layer 2 of 4")
        update(2)
    records = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(record["done"], record["note"]) for record in records] == [
        (0, ""),
        (0.5, "layer 2 of 4"),
        (2, "layer 2 of 4"),
    ]


def test_only_long_work_is_announced() -> None:
    with collect_notices() as notices:
        announce("laying out 9 tokens", 59, "`method=pca` takes seconds")
        announce("laying out 49,152 tokens", 147, "`method=pca` takes seconds")
    assert list(notices) == ["laying out 49,152 tokens takes about 2 minutes: `method=pca` takes seconds"]
