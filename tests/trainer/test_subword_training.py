"""A run of sub-words is a run like any other: the same bytes for the same seed, also when it is stopped and resumed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from data.errors import InputError
from data.runs import Run
from data.vocabularies import learn_bpe
from tests.conftest import made_text
from trainer.config import TrainConfig, check, preset, replace
from trainer.loop import Stopped, resume, start


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
    again = resume(Run(parted.run.path), config)
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
    assert training.session.model.config.vocab_size == 300
    assert training.run.info["tokenizer"]["tokens"] == 300


def test_a_run_keeps_its_tokenizer(text_file: Path, runs: Path) -> None:
    training = start(config_for(text_file, steps=0), "kept")
    training.go(quiet)
    with pytest.raises(InputError, match="keeps its tokenizer"):
        resume(training.run, config_for(text_file, tokenizer="char"))
    with pytest.raises(InputError, match="keeps its vocab_size"):
        resume(training.run, config_for(text_file, vocab_size=301))


def test_a_file_serves_where_gpt2s_cannot_be_fetched_and_is_not_needed_again(
    text_file: Path, runs: Path, tmp_path: Path
) -> None:
    file = tmp_path / "tokenizer.json"
    file.write_text(learn_bpe(made_text(), 280).definition, encoding="utf-8")
    config = config_for(text_file, tokenizer="gpt2", tokenizer_file=str(file), steps=4)
    training = start(config, "from-file")
    training.go(quiet)
    file.unlink()
    assert resume(Run(training.run.path), config).session.tokenizer.vocab_size == 280


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"tokenizer": "words"}, "there is no tokenizer 'words'; there is char, bpe, gpt2"),
        ({"vocab_size": 100}, "vocab_size counts the 256 bytes too; got 100: pass --vocab-size 2048"),
        ({"tokenizer_file": "x"}, "tokenizer_file is for the tokenizer gpt2, and this is bpe"),
    ],
)
def test_a_tokenizer_that_cannot_be_had_is_told_before_anything_is_written(
    values: dict[str, object], told: str, text_file: Path
) -> None:
    with pytest.raises(InputError, match=told):
        check(config_for(text_file, **values))
    with pytest.raises(InputError, match=told):
        start(config_for(text_file, **values), "never")
