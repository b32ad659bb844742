"""A run of sub-words is a run like any other: the same bytes for the same seed, also when it is stopped and resumed."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from data.errors import InputError, NotApplicableError
from data.files.atomic_files import write_json
from data.runs import Run
from data.tokens.vocabularies import learn_bpe
from tests.conftest import made_text
from trainer.config import TrainConfig, check, preset, replace, trained_config
from trainer.loop.stopping import Stopped
from trainer.session import resume_training, start
from viz.grouped_table import bits_curve


def quiet(step: int, note: str | None) -> None:
    """Report nothing."""


def config_for(text_file: Path, **values: object) -> TrainConfig:
    return replace(preset("tiny"), {"corpus": str(text_file), "tokenizer": "bpe", "vocab_size": 300, **values}, "test")


def hashes(run: Run) -> dict[int, str]:
    return {snapshot.step: snapshot.sha256 for snapshot in run.sound_snapshots()}


def test_a_resumed_run_of_sub_words_equals_an_uninterrupted_one(text_file: Path, runs: Path) -> None:
    config = config_for(text_file)
    whole, parted = start(config, "whole"), start(config, "parted")
    whole.go(quiet)
    with pytest.raises(Stopped):
        parted.go(lambda step, note: os.kill(os.getpid(), signal.SIGINT) if step == 27 else None)
    again = resume_training(Run(parted.run.path), config)
    assert again.step == 27
    again.go(quiet)
    assert hashes(again.run) == hashes(whole.run)
    assert [sample["text"] for sample in again.run.samples()] == [sample["text"] for sample in whole.run.samples()]
    assert Run(again.run.path).tokenizer == whole.run.tokenizer


def test_sub_words_are_learned_from_what_the_model_learns_from(text_file: Path, runs: Path) -> None:
    training = start(config_for(text_file, steps=0), "learned")
    text = made_text()
    expected = learn_bpe(text[: int(0.9 * len(text))], 300)
    assert training.run.tokenizer.labels == expected.labels
    assert training.objective.model.config.vocab_size == 300
    assert training.run.info["tokenizer"]["tokens"] == 300


@pytest.mark.parametrize("tokenizer", ["char", "bpe"])
def test_bits_per_character_are_what_the_text_costs(tokenizer: str, text_file: Path, runs: Path) -> None:
    """By hand: the nats of every predicted token, over the characters of those tokens."""
    size = 300 if tokenizer == "bpe" else None
    training = start(config_for(text_file, tokenizer=tokenizer, vocab_size=size, steps=2), "bits")
    training.go(quiet)
    session = training.objective
    T, tokens = session.config.block_size, session.val_tokens
    starts = range(0, len(tokens) - T, T)
    with torch.no_grad():
        logits = torch.stack([session.averaged.eval()(tokens[None, i : i + T])[0][0] for i in starts])
    targets = torch.stack([tokens[i + 1 : i + T + 1] for i in starts])
    nats = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="sum").item()
    text = session.tokenizer.decode(targets.flatten().numpy())
    assert text in made_text()
    found = training.run.metrics()[-1]["val_bits_per_character"]
    assert found == pytest.approx(nats / np.log(2) / len(text), rel=1e-4)
    assert training.run.info["corpus"]["validation"] == {"tokens": targets.numel(), "characters": len(text)}
    curve = bits_curve(training.run)
    assert curve.values[-1] == pytest.approx(
        training.run.metrics()[-1]["val_loss"] * targets.numel() / len(text) / np.log(2)
    )


def test_runs_of_characters_from_before_have_bits_too_and_others_say_what_they_lack(run: Run) -> None:
    corpus = {key: value for key, value in run.info["corpus"].items() if key != "validation"}
    before = run.info | {"corpus": corpus}
    write_json(run.path / "run.json", before)
    assert bits_curve(Run(run.path)).values[0] == pytest.approx(run.metrics()[0]["val_loss"] / np.log(2))
    write_json(run.path / "run.json", before | {"tokenizer": learn_bpe("abab abab", 258).to_json()})
    with pytest.raises(NotApplicableError, match="does not say what its loss is per character"):
        bits_curve(Run(run.path))


def test_a_run_keeps_its_tokenizer(text_file: Path, runs: Path) -> None:
    training = start(config_for(text_file, steps=0), "kept")
    training.go(quiet)
    with pytest.raises(InputError, match="keeps its tokenizer"):
        resume_training(training.run, config_for(text_file, tokenizer="char"))
    with pytest.raises(InputError, match="keeps its vocab_size"):
        resume_training(training.run, config_for(text_file, vocab_size=301))


def test_a_file_serves_where_gpt2s_cannot_be_fetched_and_is_not_needed_again(
    text_file: Path, runs: Path, tmp_path: Path
) -> None:
    file = tmp_path / "tokenizer.json"
    file.write_text(learn_bpe(made_text(), 280).definition, encoding="utf-8")
    config = config_for(text_file, tokenizer="gpt2", vocab_size=None, tokenizer_file=str(file), steps=4)
    training = start(config, "from-file")
    training.go(quiet)
    file.unlink()
    assert resume_training(Run(training.run.path), config).objective.tokenizer.vocab_size == 280


def test_a_default_vocabulary_size_is_no_mistake(text_file: Path, runs: Path) -> None:
    assert check(replace(TrainConfig(), {"tokenizer": "bpe"}, "test")).vocab_size == 2048
    for name in ("gpu-bpe", "cpu-bpe"):
        check(replace(preset(name), {"tokenizer": "char"}, "test"))
    run = start(replace(preset("tiny"), {"corpus": str(text_file)}, "test"), "older").run
    info = dict(Run(run.path).info)
    assert info["training"]["vocab_size"] is None
    info["training"]["vocab_size"] = 2048  # as older runs of characters have it
    (run.path / "run.json").write_text(json.dumps(info))
    assert trained_config(Run(run.path)).vocab_size is None
    resume_training(Run(run.path), trained_config(Run(run.path)))
    sub_words = config_for(text_file, vocab_size=None, steps=0)
    with pytest.warns(UserWarning, match="the text gives"):
        run = start(sub_words, "sub-words").run
    assert run.info["training"]["vocab_size"] == 2048
    resume_training(run, sub_words)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"tokenizer": "words"}, "there is no tokenizer 'words'; there is char, bpe, gpt2"),
        ({"vocab_size": 100}, "vocab_size counts the 256 bytes too; got 100: pass `vocab_size=2048`"),
        ({"tokenizer": "char"}, "vocab_size is for the tokenizer bpe, and this is char: pass `tokenizer=bpe`"),
        ({"tokenizer_file": "x"}, "tokenizer_file is for the tokenizer gpt2, and this is bpe"),
    ],
)
def test_a_tokenizer_that_is_not_available_is_refused_before_anything_is_written(
    values: dict[str, object], told: str, text_file: Path
) -> None:
    with pytest.raises(InputError, match=told):
        check(config_for(text_file, **values))
    with pytest.raises(InputError, match=told):
        start(config_for(text_file, **values), "never")
