"""The table of all runs is sent with what the runs' files say; what the browser answers becomes the view, the link and the labels."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from dashboards import run_table
from dashboards.run_table import TableEvent
from data.runs import Run
from data.runs.labels import Label, read_label
from tests.dashboards.stages import Stage, open_screen


@dataclass
class Table:
    """The tables that were sent, and what the browser tells at the next."""

    sent: list[Mapping[str, Any]] = field(default_factory=list)
    events: list[TableEvent] = field(default_factory=list)

    def show(self, data: Mapping[str, Any], key: str, on_event: Callable[[TableEvent], None]) -> None:
        json.dumps(data, allow_nan=False)  # what browsers read
        self.sent.append(data)
        while self.events:
            event = self.events.pop()
            on_event(replace(event, decision=event.decision or data["decision"]))

    def row(self, name: str) -> dict[str, Any]:
        """The values of a run in the last table, by column and setting."""
        data = self.sent[-1]
        keys = [*(column["key"] for column in data["columns"]), *data["settings"]]
        row = next(row for row in data["rows"] if row["name"] == name)
        return dict(zip(keys, row["values"], strict=True)) | {key: row[key] for key in ("label", "color", "live")}


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    found = Table()
    monkeypatch.setattr(run_table, "show", found.show)
    return found


@pytest.fixture
def other(run: Run, runs: Path) -> Run:
    """A second run, older, of another seed, with other losses."""
    shutil.copytree(run.path, runs / "other")
    info = {**run.info, "created": "2001-01-01", "training": {**run.info["training"], "seed": 77}}
    (runs / "other" / "run.json").write_text(json.dumps(info))
    records = [{**record, "val_loss": record["val_loss"] + 1} for record in run.metrics()]
    (runs / "other" / "metrics.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in records))
    return Run(runs / "other")


def test_rows_and_curves_are_those_of_the_runs(run: Run, other: Run, stage: Stage, table: Table) -> None:
    at = open_screen("overview", run=run.name, show="runs")
    assert not at.exception
    assert not stage.scenes, "there is no slider beside the table"
    data = table.sent[-1]
    assert [row["name"] for row in data["rows"]] == [run.name, "other"]
    assert table.row("other")["val_loss"] == other.metrics()[-1]["val_loss"]
    assert table.row("other")["val_loss_whole"] == other.metrics()[-1]["val_loss_whole"]
    assert data["settings"] == ["seed"], "the only setting in which they differ"
    assert (table.row("other")["seed"], table.row(run.name)["seed"]) == (77, run.info["training"]["seed"])
    assert ["n_layer", run.info["model"]["n_layer"]] in [list(pair) for pair in data["same"]]
    assert data["curves"]["other"]["values"]["step"] == [record["step"] for record in other.metrics()]
    assert {"val_loss", "train_loss", "lr", "grad_norm"} <= {measure["key"] for measure in data["measures"]}
    assert table.row(run.name)["color"] != table.row("other")["color"]


def test_a_new_run_changes_no_other_ones_colour(run: Run, other: Run, runs: Path, stage: Stage, table: Table) -> None:
    open_screen("overview", show="runs")
    before = {name: table.row(name)["color"] for name in (run.name, "other")}
    shutil.copytree(run.path, runs / "newest")
    (runs / "newest" / "run.json").write_text(json.dumps({**run.info, "created": "2999-01-01"}))
    open_screen("overview", show="runs")
    assert {name: table.row(name)["color"] for name in before} == before
    assert table.row("newest")["color"] not in before.values()


def test_the_view_of_the_browser_stands_in_the_link_and_comes_back_from_it(
    run: Run, other: Run, stage: Stage, table: Table
) -> None:
    chosen = {"filter": "val_loss<9", "sort": "-val_loss", "pin": "other", "hide": "", "curve": "lr", "along": "tokens"}
    table.events = [TableEvent(fields={**chosen, "smoothing": "0.6", "logs": "xy"}, drawn=("other",))]
    at = open_screen("overview", run=run.name, show="runs").run()
    assert not at.exception
    expected = {name: text for name, text in chosen.items() if text} | {"smoothing": "0.6", "logs": "xy"}
    assert {name: at.query_params[name] for name in expected} == expected
    assert {*table.sent[-1]["curves"]} == {"other"}, "those that it draws"
    open_screen("overview", show="runs", **expected)
    assert table.sent[-1]["view"] == {**expected, "hide": ""}


def test_a_view_from_before_the_address_was_read_again_is_outdated(
    run: Run, other: Run, stage: Stage, table: Table
) -> None:
    table.events = [TableEvent("an earlier one", {"filter": "old"})]
    at = open_screen("overview", show="runs").run()
    assert "filter" not in at.query_params


def test_what_an_address_cannot_hold_is_reported_or_left_out(run: Run, other: Run, stage: Stage, table: Table) -> None:
    at = open_screen("overview", show="runs", smoothing="7", logs="z", pin="a b,../..")
    assert not at.exception
    assert len(at.toast) == 3
    assert table.sent[-1]["view"]["smoothing"] == "0.0"
    table.events = [TableEvent(fields={"smoothing": "7", "filter": "x" * 5000, "along": "moon"})]
    at = open_screen("overview", show="runs").run()
    assert not at.exception
    assert not {"smoothing", "filter", "along"} & {*at.query_params}


def test_a_name_and_a_colour_are_kept_with_the_run(run: Run, other: Run, stage: Stage, table: Table) -> None:
    table.events = [TableEvent(labelled={"run": "other", "name": "warm <b>", "color": "#123456"})]
    at = open_screen("overview", show="runs").run()
    assert not at.exception
    assert read_label(other) == Label("warm <b>", "#123456")
    assert (table.row("other")["label"], table.row("other")["color"]) == ("warm <b>", "#123456")
    table.events = [TableEvent(labelled={"run": "other", "name": "cold", "color": ""})]
    at.run()
    assert read_label(other) == Label("cold", "#123456"), "a new name keeps the colour"


@pytest.mark.parametrize("event", [{"run": "../tiny", "name": "x"}, {"run": "other", "name": "x" * 999}, {"name": "x"}])
def test_a_label_that_cannot_be_is_refused(
    run: Run, other: Run, stage: Stage, table: Table, event: dict[str, str]
) -> None:
    table.events = [TableEvent(labelled=event)]
    at = open_screen("overview", show="runs").run()
    assert not at.exception
    assert read_label(other) == read_label(run) == Label()
    assert len(at.toast) == (event.get("run") == "other")


def test_a_run_that_vanished_or_is_unknown_is_no_error(run: Run, other: Run, stage: Stage, table: Table) -> None:
    table.events = [TableEvent(fields={"sort": "run"}, drawn=("gone", "other")), TableEvent(opened="gone")]
    at = open_screen("overview", show="runs", pin="gone", hide="gone2").run()
    assert not at.exception
    assert {*table.sent[-1]["curves"]} == {"other"}
