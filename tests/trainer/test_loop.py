"""A training follows from its configuration and seed, also when it is stopped and resumed, also by kill -9."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from data.errors import InputError
from data.runs import Run
from data.tokens.batches import sequential_windows
from tests.commands import ROOT, command_environment
from tests.conftest import trained_with
from trainer.config import TrainConfig, preset, replace, snapshot_steps
from trainer.loop import take_step
from trainer.loop.stopping import Stopped
from trainer.seeds import seed_dropout
from trainer.session import resume_training, start


def quiet(step: int, note: str | None) -> None:
    """Report nothing."""


def config_for(text_file: Path, **values: object) -> TrainConfig:
    return replace(preset("tiny"), {"corpus": str(text_file), **trained_with(), **values}, "test")


def hashes(run: Run) -> dict[int, str]:
    return {snapshot.step: snapshot.sha256 for snapshot in run.sound_snapshots()}


def test_a_run_has_its_snapshots_losses_and_samples(run: Run, text_file: Path) -> None:
    config = config_for(text_file)
    assert list(hashes(run)) == snapshot_steps(config)
    assert [record["step"] for record in run.metrics()] == [record["step"] for record in run.samples()]
    first, last = run.metrics()[0], run.metrics()[-1]
    assert first["val_loss"] == pytest.approx(np.log(len(run.info["tokenizer"]["symbols"])), abs=0.5)
    assert last["val_loss"] < first["val_loss"] - 0.3
    assert last["tokens"] == 60 * config.batch_size * config.block_size
    assert all(len(record["text"]) == config.sample_tokens for record in run.samples())
    assert set(first) == {"step", "train_loss", "val_loss", "lr", "tokens", "seconds"}
    assert set(run.metrics()[1]) == {*first, "grad_norm"}, "no gradient led to step 0"


def test_the_loss_on_the_whole_validation_split_counts_every_token_once(text_file: Path, runs: Path) -> None:
    session = start(config_for(text_file, steps=0), "whole").objective
    T, tokens = session.config.block_size, session.val_tokens
    starts = sequential_windows(len(tokens), T)
    windows = [tokens[i : i + T + 1] for i in starts]
    with torch.no_grad():
        losses = [session.model(w[None, :-1], w[None, 1:])[1].item() for w in windows]
    assert session.whole_validation_loss() == pytest.approx(np.mean(losses), rel=1e-5)


def test_no_steps_writes_the_run_and_its_first_snapshot_only(text_file: Path, runs: Path) -> None:
    training = start(config_for(text_file, steps=0), "empty")
    training.go(quiet)
    assert list(hashes(training.run)) == [0]
    np.testing.assert_array_equal(
        training.run.snapshot(0).tensor("wte.weight"), training.objective.weights()["wte.weight"]
    )


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(run: Run, text_file: Path, runs: Path) -> None:
    again = start(config_for(text_file), "again")
    again.go(quiet)
    other = start(config_for(text_file, seed=config_for(text_file).seed + 1, steps=4), "other")
    other.go(quiet)
    assert hashes(again.run) == hashes(run)
    assert not set(hashes(other.run).values()) & set(hashes(run).values())
    assert [r["text"] for r in again.run.samples()] == [r["text"] for r in run.samples()]


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_a_resumed_run_equals_an_uninterrupted_one(dropout: float, text_file: Path, runs: Path) -> None:
    config = config_for(text_file, dropout=dropout)
    whole, parted = start(config, "whole"), start(config, "parted")
    whole.go(quiet)

    def interrupt(step: int, note: str | None) -> None:
        if step == 27:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Stopped) as stopped:
        parted.go(interrupt)
    assert stopped.value.step == 27
    again = resume_training(parted.run, config)
    assert again.step == 27
    again.go(quiet)
    assert hashes(again.run) == hashes(whole.run)
    losses = [[(r["step"], r["train_loss"], r["val_loss"]) for r in t.run.metrics()] for t in (whole, again)]
    assert losses[0] == losses[1]
    assert again.run.metrics()[-1]["seconds"] > 0


def test_a_run_killed_at_any_moment_can_be_resumed(text_file: Path, run: Run, runs: Path) -> None:
    args = ["--preset", "tiny", "--corpus", str(text_file), "--run", "killed", "--resume-every", "0"]
    args += [f"--{field}={value}" for field, value in trained_with().items()]
    process = subprocess.Popen(
        [sys.executable, "-m", "trainer", *args],
        cwd=ROOT,
        env=command_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    killed = Run(runs / "killed")
    deadline = time.monotonic() + 120
    while len(killed.manifest()) < 6 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    process.kill()
    process.wait()
    before = hashes(killed)
    assert before.items() <= hashes(run).items()
    resume_training(Run(runs / "killed"), config_for(text_file, resume_every=0.0)).go(quiet)
    assert hashes(Run(runs / "killed")) == hashes(run)


def test_a_damaged_slot_is_passed_over_for_the_one_before(text_file: Path, run: Run, runs: Path) -> None:
    config = config_for(text_file, resume_every=0.0)
    training = start(config, "slots")
    with pytest.raises(Stopped):
        training.go(lambda step, note: os.kill(os.getpid(), signal.SIGINT) if step == 45 else None)
    newest = json.loads((training.run.path / "resume" / "manifest.jsonl").read_text().splitlines()[-1])
    path = training.run.path / "resume" / newest["file"]
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.warns(
        UserWarning, match="the resume slot of step 45 of run 'slots' is damaged: that of step 40 is used"
    ):
        again = resume_training(training.run, config)
    assert again.step == 40
    again.go(quiet)
    assert hashes(again.run) == hashes(run)


def test_a_run_stopped_before_anything_was_saved_starts_again(text_file: Path, run: Run, runs: Path) -> None:
    training = start(config_for(text_file), "early")
    assert training.lock is not None
    training.lock.release()
    again = resume_training(training.run, config_for(text_file))
    assert again.step == 0
    again.go(quiet)
    assert hashes(again.run) == hashes(run)


def test_a_resumed_run_keeps_what_it_is(run: Run, text_file: Path) -> None:
    with pytest.raises(InputError, match="keeps its n_layer, seed"):
        resume_training(run, config_for(text_file, n_layer=3, seed=987_654))
    with pytest.raises(InputError, match="is at step 60 already"):
        resume_training(run, config_for(text_file, steps=10))
    with pytest.raises(InputError, match="threads must be 1 or more; got -1"):
        resume_training(run, config_for(text_file, threads=-1))


def test_a_run_can_be_resumed_beyond_its_last_step(run: Run, text_file: Path) -> None:
    before = hashes(run)
    resume_training(run, config_for(text_file, steps=80)).go(quiet)
    assert before.items() <= hashes(run).items()
    assert max(hashes(run)) == 80
    assert Run(run.path).info["training"]["steps"] == 80


def test_another_text_under_the_same_name_is_refused(run: Run, text_file: Path, tmp_path: Path) -> None:
    info = run.info | {"corpus": run.info["corpus"] | {"sha256": "0" * 64}}
    (run.path / "run.json").write_text(json.dumps(info))
    with pytest.raises(InputError, match="no longer the text"):
        resume_training(Run(run.path), config_for(text_file))


def test_the_callers_random_state_is_left_alone(text_file: Path, runs: Path) -> None:
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    start(config_for(text_file, steps=3, dropout=0.5), "quiet").go(quiet)
    assert torch.equal(torch.rand(4), expected)


def test_a_disk_too_full_for_the_snapshots_is_reported_before_the_first_step(
    text_file: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    usage = shutil.disk_usage(runs)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    with pytest.raises(InputError, match=r"need about .* MB .* free some space"):
        start(config_for(text_file), "full")
    assert not (runs / "full").exists()


def test_what_was_complete_stays_valid_when_the_disk_fills(
    text_file: Path, run: Run, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = start(config_for(text_file, resume_every=0.0), "filled")
    real, calls = os.fsync, iter(range(1000))

    def fill(descriptor: int) -> None:
        if next(calls) > 30:
            raise OSError(28, "No space left on device", "snapshot")
        real(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fill)
        with pytest.raises(OSError, match="No space left"):
            training.go(quiet)
    assert hashes(training.run).items() <= hashes(run).items()
    assert len(hashes(training.run)) > 2
    resume_training(training.run, config_for(text_file, resume_every=0.0)).go(quiet)
    assert hashes(training.run) == hashes(run)


def test_a_loss_that_is_no_number_stops_the_training(text_file: Path, runs: Path) -> None:
    training = start(dataclasses.replace(config_for(text_file), learning_rate_scale=1e30), "lost")
    with pytest.raises(InputError, match="no longer a number"):
        training.go(quiet)


def test_dropout_of_another_seed_or_step_is_another() -> None:
    drawn = set()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for seed, step in [(1, 0), (2, 0), (1, 1), (1 + (1 << 40), 0), (1, 0)]:
            seed_dropout(seed, step)
            drawn.add(tuple(torch.rand(4).tolist()))
    assert len(drawn) == 4


@pytest.mark.parametrize("recipe", ["reference", "best"])
def test_without_averaging_the_weights_themselves_are_kept(recipe: str, text_file: Path, runs: Path) -> None:
    session = start(config_for(text_file, recipe=recipe, steps=4), "kept").objective
    for step in range(4):
        take_step(session, step)
    kept = session.weights()
    same = [np.array_equal(kept[name], p.detach().numpy()) for name, p in session.model.named_parameters()]
    assert all(same) if recipe == "reference" else not any(same)


def test_the_command_announces_the_highest_rate_that_occurs_and_warns_where_the_warm_up_keeps_it_low(
    text_file: Path, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from trainer.__main__ import main

    options = ["--preset", "tiny", "--corpus", str(text_file), "--steps", "3", "--eval-every", "1", "--run"]
    assert main([*options, "short"]) == 0
    said = capsys.readouterr()
    highest = max(line["lr"] for line in Run(runs / "short").metrics())
    assert f"3 steps, learning rate up to {highest:.1e}" in said.out
    assert "warning: the learning rate stays below half of its peak" in said.err
    assert "nothing moved" not in said.out
