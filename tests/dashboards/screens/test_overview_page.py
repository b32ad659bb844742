"""The overview puts the run's losses and texts under the slider, and asks the snapshots which line comes next where one wants it."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

from data.runs import Run
from probes.models.zero_shot import zero_shot
from tests.dashboards.stages import Stage, open_screen, run_until
from viz.player.panels import Curves, Samples


def test_the_losses_and_the_texts_of_the_run_stand_under_the_slider(run: Run, stage: Stage) -> None:
    at = open_screen("overview", run=run.name)
    assert not at.exception
    loss = stage.panel("loss")
    assert isinstance(loss, Curves)
    assert [list(series.values) for series in loss.series] == [
        [record["val_loss"] for record in run.metrics()],
        [record["train_loss"] for record in run.metrics()],
    ]
    assert [panel.id for panel in stage.scenes[-1].panels] == ["loss", "sample"]


def test_the_snapshots_are_asked_for_the_next_line_where_it_is_wanted(run: Run, stage: Stage) -> None:
    at = open_screen("overview", run=run.name)
    at.toggle(key="zero_shot").set_value(True).run()
    run_until(at, lambda: isinstance(stage.panel("next_line"), Curves))
    assert not at.exception
    panel, found = stage.panel("next_line"), zero_shot(run)
    assert isinstance(panel, Curves)
    by_gain, by_probability, chance = panel.series
    assert list(by_gain.steps) == found["step"].values.tolist()
    assert list(by_gain.values) == found["accuracy_by_gain"].values.tolist()
    assert list(by_probability.values) == found["accuracy"].values.tolist()
    assert set(chance.values) == {0.25}
    assert at.query_params["ask"] == "zero-shot"


def test_where_the_text_cannot_be_had_the_reason_stands_in_its_place(run: Run, stage: Stage) -> None:
    info = json.loads((run.path / "run.json").read_text())
    info["corpus"]["sha256"], info["created"] = "0" * 64, "another"
    (run.path / "run.json").write_text(json.dumps(info))
    at = open_screen("overview", run=run.name, ask="zero-shot")
    assert not at.exception
    panel = stage.panel("next_line")
    assert isinstance(panel, Samples)
    assert "cannot be had" in panel.empty
    assert "--text" not in panel.empty


def test_a_loss_that_is_no_number_leaves_the_rest_standing(run: Run, stage: Stage) -> None:
    records = [{**record, "val_loss": math.nan} if record["step"] > 20 else record for record in run.metrics()]
    (run.path / "metrics.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in records))
    at = open_screen("overview", run=run.name)
    assert not at.exception
    sent = stage.scenes[-1].to_json()
    json.dumps(sent, allow_nan=False)  # what browsers read
    steps, _ = sent["loss"]
    assert max(steps) == 20
    loss = next(panel for panel in sent["panels"] if panel["id"] == "loss")
    assert None in loss["series"][0]["values"]


def test_copies_among_the_revisions_of_an_imported_run_are_counted(run: Run, stage: Stage) -> None:
    info = {**run.info, "source": {"model": "theirs", "identical_steps": [[0, 8], [16, 20, 40]]}}
    (run.path / "run.json").write_text(json.dumps(info), encoding="utf-8")
    for language, expected in (("en", "3 copies of earlier ones"), ("pt", "3 cópias de anteriores")):
        at = open_screen("overview", run=run.name, lang=language)
        assert not at.exception
        assert any(expected in caption.value for caption in at.caption)


def test_the_losses_of_several_runs_are_in_one_chart(run: Run, runs: Path, stage: Stage) -> None:
    at = open_screen("overview", run=run.name)
    assert not at.get("vega_lite_chart"), "one run has nothing to be compared with"
    shutil.copytree(run.path, runs / "other")
    records = [{**record, "val_loss": record["val_loss"] + 1} for record in run.metrics()[:-1]]
    (runs / "other" / "metrics.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in records))
    at = open_screen("overview", run=run.name, lang="pt")
    assert not at.exception
    (chart,) = at.get("vega_lite_chart")
    line, rule = json.loads(chart.proto.spec)["layer"]
    shown = {(point["run"], point["step"]): point["loss"] for point in _rows(chart, line)}
    expected = {(run.name, record["step"]): record["val_loss"] for record in run.metrics()}
    assert shown == expected | {("other", record["step"]): record["val_loss"] for record in records}
    assert sorted(line["encoding"]["color"]["scale"]["domain"]) == sorted([run.name, "other"])
    last, titles = _rows(chart, rule)[-1], [part["title"] for part in rule["encoding"]["tooltip"]]
    by_run = dict(zip(titles, (last[part["field"]] for part in rule["encoding"]["tooltip"]), strict=True))
    assert by_run["other"] == "–", "it was not measured at this step"
    assert by_run[run.name] == f"{run.metrics()[-1]['val_loss']:.3f}".replace(".", ",")


def _rows(chart: Any, layer: dict[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = layer["data"]["values"]
    return rows
