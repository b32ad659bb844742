"""Loggers receive what metrics.jsonl and samples.jsonl hold, on the same step axis, also after a resume; none stops a training."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import sys
import types
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest

import trainer
from data.errors import InputError
from data.runs import Run
from tests.trainer.test_loop import config_for, quiet
from trainer.finetune.finetune_config import LanguageConfig
from trainer.finetune.finetune_config import check as check_tuning
from trainer.loggers.choice import LOGGERS, logger_names
from trainer.loop import Training
from trainer.loop.stopping import Stopped
from trainer.session import resume_training, start

Calls = list[tuple[str, Any]]


def install(monkeypatch: pytest.MonkeyPatch, name: str, **contents: Any) -> None:
    """Put a module in the place of a logger's library."""
    module = types.ModuleType(name)
    module.__spec__ = ModuleSpec(name, None)
    vars(module).update(contents)
    monkeypatch.setitem(sys.modules, name, module)


@pytest.fixture
def trackio(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Calls of the functions of trackio that we use, in the order in which they are made."""
    calls: Calls = []
    install(
        monkeypatch,
        "trackio",
        init=lambda **options: calls.append(("init", options)),
        log=lambda values, step: calls.append(("log", (step, values))),
        finish=lambda: calls.append(("finish", None)),
        Markdown=lambda text: text,
    )
    return calls


@pytest.fixture
def wandb(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Calls of the functions of wandb that we use; nobody is logged in, and a login that asks fails."""
    calls: Calls = []

    class Opened:
        def define_metric(self, name: str, **options: Any) -> None:
            calls.append(("define_metric", (name, options)))

        def log(self, values: dict[str, Any]) -> None:
            calls.append(("log", values))

        def finish(self) -> None:
            calls.append(("finish", None))

    def login(*, prompt: bool, verify: bool) -> bool:
        assert not prompt
        assert not verify
        return False

    def init(**options: Any) -> Opened:
        calls.append(("init", options))
        return Opened()

    contents = {"init": init, "login": login, "Settings": dict, "Table": lambda columns, data: data}
    install(monkeypatch, "wandb", **contents)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    return calls


def stopped_and_resumed(text_file: Path, log: str) -> Training[Any]:
    """Train to step 45, lose the slot written there, and resume from step 42, so that step 45 is logged twice."""
    config = config_for(text_file, log=log, eval_every=3, snapshot_every=3, resume_every=0.0, sample_tokens=5)
    training = start(config, "logged")
    with pytest.raises(Stopped):
        training.go(lambda step, note: os.kill(os.getpid(), signal.SIGINT) if step == 45 else None)
    newest = json.loads((training.run.path / "resume" / "manifest.jsonl").read_text().splitlines()[-1])
    (training.run.path / "resume" / newest["file"]).unlink()
    with pytest.warns(UserWarning, match="the resume slot of step 45 of run 'logged' is damaged"):
        again = resume_training(training.run, config)
    assert again.step == 42
    again.go(quiet)
    return again


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the library
def test_tensorboard_reads_every_metric_and_sample_once(text_file: Path, runs: Path) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    run = stopped_and_resumed(text_file, "tensorboard").run
    events = EventAccumulator(str(run.path / "tensorboard"), {"scalars": 0, "tensors": 0}).Reload()
    for name in ("train_loss", "val_loss", "lr", "grad_norm", "tokens", "val_loss_whole"):
        expected = {line["step"]: line[name] for line in run.metrics() if name in line}
        assert [event.step for event in events.Scalars(name)] == list(expected)
        assert [event.value for event in events.Scalars(name)] == pytest.approx(list(expected.values()), rel=1e-6)
    (tag,) = [tag for tag in events.Tags()["tensors"] if tag.startswith("sample")]
    texts = {event.step: make_ndarray(event.tensor_proto).item().decode() for event in events.Tensors(tag)}
    for sample in run.samples():
        shown = "\n".join(line.removeprefix("    ") for line in texts[sample["step"]].split("\n"))
        assert shown.splitlines() == f"{sample['prompt']}{sample['text']}".splitlines()


def test_wandb_logs_offline_without_a_login_and_a_resumed_run_continues(
    text_file: Path, runs: Path, wandb: Calls
) -> None:
    run = stopped_and_resumed(text_file, "wandb").run
    first, second = (options for name, options in wandb if name == "init")
    assert first["mode"] == second["mode"] == "offline"
    assert first["id"] == second["id"]
    assert (first["resume"], second["resume"]) == (None, "allow")
    assert first["name"] == "logged"
    assert first["config"]["n_layer"] == 2
    assert ("define_metric", ("*", {"step_metric": "step"})) in wandb
    logged = {values["step"]: values for name, values in wandb if name == "log"}
    assert list(logged) == [line["step"] for line in run.metrics()]
    for line, sample in zip(run.metrics(), run.samples(), strict=True):
        expected = {**line, "sample": [[sample["step"], sample["prompt"], sample["text"]]]}
        assert {**logged[line["step"]], "seconds": 0} == {**expected, "seconds": 0}
    assert [name for name, _ in wandb].count("finish") == 2


def test_whoever_is_logged_in_or_chooses_a_mode_is_left_to_the_library(
    text_file: Path, runs: Path, wandb: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["wandb"], "login", lambda **options: True)
    start(config_for(text_file, log="wandb", steps=0), "in").go(quiet)
    monkeypatch.setattr(sys.modules["wandb"], "login", lambda **options: False)
    monkeypatch.setenv("WANDB_MODE", "disabled")
    start(config_for(text_file, log="wandb", steps=0), "chosen").go(quiet)
    assert [options["mode"] for name, options in wandb if name == "init"] == [None, None]


def test_trackio_receives_every_metric_and_sample_by_step(text_file: Path, runs: Path, trackio: Calls) -> None:
    run = stopped_and_resumed(text_file, "trackio").run
    assert [options["resume"] for name, options in trackio if name == "init"] == ["never", "allow"]
    logged = dict(value for name, value in trackio if name == "log")
    assert list(logged) == [line["step"] for line in run.metrics()]
    assert logged[60]["val_loss_whole"] == run.metrics()[-1]["val_loss_whole"]
    assert run.samples()[-1]["text"] in logged[60]["sample"]


def test_a_logger_that_fails_is_named_and_the_training_goes_on(
    text_file: Path, runs: Path, trackio: Calls, wandb: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(values: object, step: int) -> None:
        raise ConnectionError("no route\nto host")

    monkeypatch.setattr(sys.modules["trackio"], "log", fail)
    training = start(config_for(text_file, log="trackio,wandb", steps=20), "unplugged")
    with pytest.warns(UserWarning, match="trackio no longer logs this training .no route to host.") as warned:
        training.go(quiet)
    assert len(warned) == 1
    assert len([name for name, _ in wandb if name == "log"]) == len(training.run.metrics())
    assert training.run.metrics()[-1]["step"] == 20


def test_a_fine_tuning_is_logged_too(run: Run, text_file: Path, trackio: Calls) -> None:
    fields = {"corpus": str(text_file), "too_long": "cut", "micro_batch": 8, "accumulate": 4, "sample_tokens": 4}
    tuned = trainer.fine_tune(model="tiny", run="tuned", epochs=1, threads=1, log="trackio", progress=quiet, **fields)
    assert [value[0] for name, value in trackio if name == "log"] == [line["step"] for line in tuned.metrics()]


def test_a_run_fine_tuned_before_there_were_loggers_can_be_resumed(run: Run, text_file: Path) -> None:
    fields = {"corpus": str(text_file), "too_long": "cut", "micro_batch": 8, "accumulate": 4, "sample_tokens": 4}
    tuned = trainer.fine_tune(model="tiny", run="tuned", epochs=1, threads=1, progress=quiet, **fields)
    info = json.loads((tuned.path / "run.json").read_text())
    del info["sha256"]  # as it was written then
    del info["training"]["log"]
    (tuned.path / "run.json").write_text(json.dumps(info))
    assert trainer.fine_tune(run="tuned", resume=True, progress=quiet).snapshots()[-1].step


@pytest.mark.parametrize("name", LOGGERS)
def test_a_library_that_is_missing_is_named_before_a_run_is_made(
    name: str, text_file: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    advice = rf"{name} is not installed: pip install 'gptlab\[{name}\]', or leave `log` out"
    with pytest.raises(InputError, match=advice):
        start(config_for(text_file, log=name), "unlogged")
    with pytest.raises(InputError, match=advice):
        check_tuning(LanguageConfig(log=name))
    assert not (runs / "unlogged").exists()


def test_names_are_given_with_commas_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    assert logger_names("wandb, tensorboard,wandb,") == ["wandb", "tensorboard"]
    with pytest.raises(InputError, match="there is no logger 'neptune'; there is tensorboard, wandb, trackio"):
        logger_names("wandb,neptune")
