"""Preset, file and command line: who wins, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.errors import InputError
from trainer.__main__ import default_config
from trainer.config import TrainConfig, check, eval_steps, from_toml, preset, replace, snapshot_steps


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
