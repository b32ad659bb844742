"""The overview puts the run's losses and texts under the slider, and asks the snapshots which line comes next where one wants it."""

from __future__ import annotations

import json
import math

import pytest

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
    info = dict(Run(run.path).info)
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


def test_a_single_run_is_shown_without_a_choice(run: Run, stage: Stage) -> None:
    at = open_screen("overview", run=run.name, show="runs")
    assert not at.exception
    assert not at.segmented_control
    assert stage.scenes


def test_each_validation_loss_says_which_it_is(run: Run, stage: Stage) -> None:
    last = run.metrics()[-1]
    at = open_screen("overview", run=run.name)
    metric = at.metric[-1]
    assert (metric.label, metric.value) == ("Validation loss, whole split", f"{last['val_loss_whole']:.3f}")
    assert any(f"sample {last['val_loss']:.3f}" in caption.value.replace("\\", "") for caption in at.caption)
    assert stage.scenes[-1].words["val_loss"] == "val. loss, sample"
    loss = stage.panel("loss")
    assert isinstance(loss, Curves)
    assert [series.name for series in loss.series] == ["validation, sample", "training, sample"]


def test_a_run_in_training_has_the_loss_of_its_sample(run: Run, stage: Stage) -> None:
    records = run.metrics()[:3]
    (run.path / "metrics.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in records))
    at = open_screen("overview", run=run.name)
    assert (at.metric[-1].label, at.metric[-1].value) == ("Validation loss, sample", f"{records[-1]['val_loss']:.3f}")


@pytest.mark.parametrize(("language", "reason"), [("en", "was not trained here"), ("pt", "não foi treinado aqui")])
def test_an_imported_model_has_no_empty_chart(run: Run, stage: Stage, language: str, reason: str) -> None:
    for name in ("metrics.jsonl", "samples.jsonl"):
        (run.path / name).unlink()
    info = {**run.info, "source": {"model": "theirs", "step_known": False}}
    del info["training"]
    (run.path / "run.json").write_text(json.dumps(info))
    at = open_screen("overview", run=run.name, lang=language)
    assert not at.exception
    (panel,) = stage.scenes[-1].panels
    assert isinstance(panel, Samples)
    assert reason in panel.empty


def test_one_of_a_thing_is_told_in_the_singular(run: Run, stage: Stage) -> None:
    info = {**run.info, "model": {**run.info["model"], "n_layer": 1, "n_head": 1}}
    (run.path / "run.json").write_text(json.dumps(info))
    for language, expected in (("en", "1 layer · 1 head"), ("pt", "1 camada · 1 cabeça")):
        at = open_screen("overview", run=run.name, lang=language)
        assert any(expected in caption.value for caption in at.caption)
