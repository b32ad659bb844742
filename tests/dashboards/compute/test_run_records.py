"""A record says of a run what its files say, as they are now; curves are its metrics."""

from __future__ import annotations

import json
import math
import os

from dashboards.compute import run_records
from dashboards.compute.run_records import curves, records, settings
from data.runs import Run
from data.runs.labels import Label, write_label


def fresh(run: Run) -> Run:
    return Run(run.path)


def write_metrics(run: Run, lines: list[dict[str, object]], end: str = "") -> None:
    (run.path / "metrics.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines) + end)


def test_a_record_says_what_the_files_say(run: Run) -> None:
    (record,) = records([run])
    last = run.metrics()[-1]
    assert record.step == last["step"]
    assert (record.val_loss, record.val_loss_whole) == (last["val_loss"], last["val_loss_whole"])
    assert (record.tokens, record.seconds) == (last["tokens"], last["seconds"])
    assert record.snapshots == len(run.manifest())
    assert record.text == run.info["corpus"]["name"]
    assert record.settings["n_layer"] == run.info["model"]["n_layer"]
    assert not record.is_live


def test_a_record_is_read_again_when_the_run_grows_or_is_labelled(run: Run) -> None:
    assert records([run])[0].label == Label()
    lines = run.metrics()
    write_metrics(run, [*lines[:2], {**lines[2], "val_loss": 0.25}], end='{"step": 99, "val_lo')
    write_label(run, Label("mine", "#123456"))
    (record,) = records([fresh(run)])
    assert (record.step, record.val_loss, record.val_loss_whole) == (lines[2]["step"], 0.25, None)
    assert record.label == Label("mine", "#123456")
    assert record.is_live
    for name in ("run.json", "manifest.jsonl", "metrics.jsonl", "samples.jsonl"):
        os.utime(run.path / name, (1, 1))
    assert not records([run])[0].is_live, "it has been silent since 1970"


def test_what_is_not_there_or_no_number_is_none(run: Run) -> None:
    write_metrics(run, [{"step": 0, "val_loss": math.nan, "seconds": math.inf}], end="\n[1]\n")
    (record,) = records([run])
    assert (record.step, record.val_loss, record.seconds, record.tokens) == (0, None, None, None)
    for name in ("metrics.jsonl", "manifest.jsonl"):
        (run.path / name).unlink()
    (record,) = records([run])
    assert (record.step, record.snapshots) == (None, 0)
    assert curves(run) == {}


def test_curves_are_the_metrics_in_columns(run: Run) -> None:
    found, lines = curves(run), run.metrics()
    assert found["step"] == [line["step"] for line in lines]
    assert all(
        math.isclose(value, line["val_loss"], rel_tol=1e-6)
        for value, line in zip(found["val_loss"], lines, strict=True)
        if value is not None
    )
    assert found["grad_norm"][0] is None
    assert "val_loss_whole" not in found, "it was measured once"


def test_a_long_curve_keeps_its_ends(run: Run) -> None:
    write_metrics(run, [{"step": step, "val_loss": 1.0} for step in range(5 * run_records.MOST_POINTS + 3)])
    steps = curves(run)["step"]
    assert len(steps) <= run_records.MOST_POINTS + 1
    assert (steps[0], steps[-1]) == (0, 5 * run_records.MOST_POINTS + 2)


def test_settings_are_plain_values() -> None:
    info = {
        "model": {"n_layer": 2, "config": {"x": 1}},
        "training": {"lr": math.nan, "betas": [0.9, 0.95], "n_layer": 3},
    }
    assert settings(info) == {"n_layer": 2, "betas": "0.9, 0.95"}
    assert settings({}) == {}
