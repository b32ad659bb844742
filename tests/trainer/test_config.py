"""Preset, file and command line: who wins, and what is refused."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest

from data.errors import InputError
from data.runs import Run
from trainer.__main__ import default_config
from trainer.config import TrainConfig, check, eval_steps, from_toml, preset, replace, snapshot_steps
from trainer.finetune import finetune_config
from trainer.finetune.finetune_config import LanguageConfig
from trainer.supervised import task_config
from trainer.supervised.task_config import TaskConfig


def test_the_file_wins_over_the_preset_and_the_command_line_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('preset = "tiny"\nn_layer = 3\nlearning_rate_scale = 2\n')
    assert from_toml(file) == replace(preset("tiny"), {"n_layer": 3, "learning_rate_scale": 2}, "test")
    assert default_config(["--config", str(file)]).n_layer == 3
    assert default_config(["--config", str(file), "--preset", "gpu"]).n_embd == 384
    assert default_config(["--config", str(file), "--preset", "gpu"]).n_layer == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("n_layers = 3", "names 'n_layers', which is no field; fields are preset"),
        ('n_layer = "3"', "n_layer = '3'; it must be int"),
        ("n_layer = true", "n_layer = True; it must be int"),
        ("n_layer = ", "cannot be read"),
        ('preset = "big"', "there is no preset 'big'; there is cpu, gpu, cpu-bpe, gpu-bpe, tiny"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(content)
    with pytest.raises(InputError, match=message):
        from_toml(file)


def test_a_file_of_windows_is_read(tmp_path: Path) -> None:
    file = tmp_path / "windows.toml"
    file.write_bytes(b'\xef\xbb\xbfpreset = "tiny"\r\nn_layer = 3\r\n')
    assert from_toml(file).n_layer == 3


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    ("config", "checked", "name"),
    [
        (config, checked, field.name)
        for config, checked in (
            (TrainConfig(), check),
            (LanguageConfig(), finetune_config.check),
            (TaskConfig(), task_config.check),
        )
        for field in dataclasses.fields(config)
        if "float" in str(field.type)
    ],
)
def test_no_setting_may_be_infinite_or_no_number(config: Any, checked: Any, name: str, value: float) -> None:
    with pytest.raises(InputError, match=f"^{name} must be a finite number; got {value}"):
        checked(dataclasses.replace(config, **{name: value}))


def test_a_file_for_a_resumed_run_is_not_passed_over(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "more.toml"
    file.write_text("steps = 90\n")
    assert default_config(["--resume", "--run", "tiny", "--config", str(file)]).steps == 90


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        from_toml(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"n_embd": 65}, "n_embd must be a multiple of n_head; got n_embd 65 and n_head 4: pass `n_embd=64`"),
        ({"n_layer": 0}, "n_layer must be 1 or more; got 0"),
        ({"steps": -1}, "steps must be 0 or more; got -1"),
        ({"dropout": 1.0}, "dropout must be at least 0 and below 1; got 1.0"),
        ({"threads": 0}, "threads must be 1 or more; got 0"),
        ({"seed": -1}, "seed must be 0 or more, .* got -1"),
        ({"seed": 2**70}, "seed must be 0 or more, .* got 1180591620717411303424"),
        ({"norm": "both"}, "norm must be one of pre, post; got 'both'"),
        ({"bias": "True"}, "bias must be one of qkv, all, none; got 'True'"),
        ({"gelu": "relu"}, "gelu must be one of tanh, exact; got 'relu'"),
    ],
)
def test_what_cannot_be_trained_is_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check(replace(TrainConfig(), values, "test"))


def test_snapshots_stand_at_the_powers_of_two_and_at_every_hundredth_step() -> None:
    steps = snapshot_steps(TrainConfig())
    assert len(steps) == 58
    assert steps[:10] == [0, 1, 2, 4, 8, 16, 32, 64, 100, 200]
    assert steps[-1] == 5000
    assert snapshot_steps(TrainConfig(steps=0)) == [0]
    assert snapshot_steps(TrainConfig(steps=150, snapshot_every=70))[-3:] == [70, 140, 150]


def test_every_snapshot_has_its_losses() -> None:
    config = TrainConfig(snapshot_every=30, eval_every=100, steps=1000)
    assert set(snapshot_steps(config)) <= set(eval_steps(config))
