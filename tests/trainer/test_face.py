"""The functions of `trainer`: they do what the commands do, and importing the package stays light."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import trainer
from data.errors import InputError
from data.runs import Run
from tests.commands import ROOT
from tests.conftest import command_environment, trained_with

QUIET = lambda step, note: None  # noqa: E731


def test_training_from_python_gives_the_run_of_the_command(run: Run, text_file: Path) -> None:
    again = trainer.train(preset="tiny", corpus=text_file, run="again", progress=QUIET, **trained_with())
    assert [s.sha256 for s in again.snapshots()] == [s.sha256 for s in run.snapshots()]
    longer = trainer.train(run="again", resume=True, steps=64, progress=QUIET)
    assert longer.snapshots()[-1].step == 64


def test_a_toml_file_and_fields_change_the_preset(runs: Path, text_file: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('preset = "tiny"\nn_layer = 1\nseed = 3\n')
    made = trainer.train(config=file, corpus=text_file, seed=4, steps=0, progress=QUIET)
    assert made.name == "tiny-made"
    assert (made.info["training"]["n_layer"], made.info["seed"]) == (1, 4)


def test_fine_tuning_from_python_writes_a_run_and_shows_a_bar(
    run: Run, text_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fields = {"corpus": str(text_file), "too_long": "cut", "micro_batch": 8, "accumulate": 4, "sample_tokens": 4}
    tuned = trainer.fine_tune(model="tiny", run="tuned", epochs=1, threads=1, **fields)
    assert tuned.info["base"]["run"] == "tiny"
    assert "fine-tuning: " in capsys.readouterr().err
    steps = [snapshot.step for snapshot in tuned.snapshots()]
    again = trainer.fine_tune(run="tuned", resume=True, progress=QUIET)
    assert [snapshot.step for snapshot in again.snapshots()] == steps


def test_an_unknown_field_is_refused(runs: Path) -> None:
    with pytest.raises(InputError, match="train names 'layers', which is no field; fields are preset"):
        trainer.train(layers=3)
    with pytest.raises(InputError, match="fine_tune names 'layers', which is no field; fields are learning_rate"):
        trainer.fine_tune(layers=3)


def test_importing_the_package_loads_no_torch() -> None:
    script = "import sys, trainer; assert 'torch' not in sys.modules; assert 'train' in dir(trainer)"
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=command_environment(), check=True)
