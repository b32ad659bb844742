"""Inputs of models: prompts that can be read, windows of the validation text, and sequences with a repeat."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import InputError, NotApplicableError
from data.files.atomic_files import append_line
from data.runs import Run
from data.tokens.tokenizers import HALF
from data.tokens.vocabularies import learn_bpe
from probes.texts import (
    beginning,
    default_prompt,
    encode_prompt,
    repeated_sequences,
    sliding_windows,
    token_counts,
    training_tokens,
    validation_windows,
)
from tests.conftest import made_text
from tests.probes.made_run import SYMBOLS, made_run, shape
from tests.trainer.generation.test_streamed_text import BPE, sentence_pieces, words_with_ends


@pytest.fixture
def made(tmp_path: Path) -> Run:
    return made_run(tmp_path)


@given(vocab=st.integers(2, 120), length=st.integers(5, 80), seed=st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_every_sequence_ends_in_a_block_and_its_repeat(vocab: int, length: int, seed: int) -> None:
    made = repeated_sequences(vocab, length, 6, seed=seed)
    assert made.ids.shape == made.in_repeat.shape == (6, length)
    assert made.ids.min() >= 0
    assert made.ids.max() < vocab
    for row, period, within in zip(made.ids, made.period, made.in_repeat, strict=True):
        assert 2 <= period <= length / 2
        first, block, again = np.split(row, [length - 2 * period, length - period])
        np.testing.assert_array_equal(block, again)
        assert len(set(block)) == min(period, vocab)
        if len(first) + len(block) <= vocab:
            assert len({*first, *block}) == len(first) + len(block)
        assert list(np.flatnonzero(within)) == list(range(length - period + 1, length))
    again_made = repeated_sequences(vocab, length, 6, seed=seed)
    np.testing.assert_array_equal(made.ids, again_made.ids)
    np.testing.assert_array_equal(made.period, again_made.period)


def test_periods_vary_and_seeds_matter() -> None:
    made = repeated_sequences(115, 32, 64)
    assert Counter(made.period.tolist()) == dict.fromkeys(range(8, 17), 7) | {8: 8}
    assert sorted(made.period) != list(made.period)
    assert not np.array_equal(made.ids, repeated_sequences(115, 32, 64, seed=1).ids)
    with pytest.raises(NotApplicableError, match="a context of 5 tokens or more, and the model sees 4"):
        repeated_sequences(115, 4, 64)
    with pytest.raises(InputError, match="a seed is 0 or more; got -1"):
        repeated_sequences(115, 32, 64, seed=-1)


def test_a_prompt_is_read_token_by_token(made: Run) -> None:
    prompt = encode_prompt(made, "não.")
    assert (prompt.text, prompt.tokens) == ("não.", ("n", "ã", "o", "."))
    assert [SYMBOLS[i] for i in prompt.ids] == list("não.")
    assert len(encode_prompt(made, "ba" * 6).ids) == 12


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the prompt is empty"),
        ("ba" * 8, "the prompt has 16 tokens, and the model sees at most 12: shorten it by 4"),
        ("baß", r"'ß' \(U\+00DF\) at position 2"),
    ],
)
def test_a_prompt_that_cannot_be_read_is_refused(made: Run, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as raised:
        encode_prompt(made, text)
    assert "\n" not in str(raised.value)


def test_the_default_prompt_is_the_opening_of_the_last_sample(made: Run, run: Run) -> None:
    assert default_prompt(made) == SYMBOLS[:12]  # there is no sample yet
    for sample, opening in [
        ("\nba co dé mo pe ra", "ba co dé mo"),
        (" \n ", SYMBOLS[:12]),
        ("ba co", "ba co"),
        ("ba co dé mo.\npe ra", "ba co dé mo."),  # a line that is seen whole keeps its last word
        ("ba co.\nmo pe ra", "ba co.\nmo"),  # one that is short is not enough
    ]:
        append_line(made.path / "samples.jsonl", {"step": 10, "prompt": "", "text": sample})
        assert default_prompt(made) == opening
    prompt = encode_prompt(run)
    assert 1 <= len(prompt.ids) <= run.info["model"]["block_size"]
    assert run.samples()[-1]["text"].strip().startswith(prompt.text)


@pytest.mark.parametrize("context", [12, 200, 300])
@pytest.mark.parametrize("make", [lambda: BPE, sentence_pieces, words_with_ends], ids=["bytes", "fallback", "words"])
def test_the_default_prompt_of_a_run_without_samples_can_be_read(make: Any, context: int, tmp_path: Path) -> None:
    """Taken as they come, the first sub-words are special ones and bytes, which are cut otherwise than they were put together."""
    tokenizer = make()
    config = shape(vocab_size=tokenizer.vocab_size, block_size=context)
    prompt = encode_prompt(made_run(tmp_path, config, tokenizer=tokenizer.to_json()))
    assert 1 <= len(prompt.ids) <= context
    assert HALF not in prompt.text
    assert not {*prompt.tokens} & {*tokenizer.special_tokens}


def test_a_beginning_has_so_many_tokens_though_a_letter_of_two_bytes_is_cut() -> None:
    tokenizer = learn_bpe("ã" * 40, 256)
    text = "a" + "ã" * 10
    assert len(tokenizer.encode(tokenizer.decode(tokenizer.encode(text)[:12]))) > 12, "half a letter becomes more"
    assert beginning(tokenizer, text, 12) == "a" + "ã" * 5
    assert beginning(tokenizer, text, 21) == text


def test_windows_are_cut_from_the_validation_text(made: Run) -> None:
    text = made_text(3000)
    train, val = training_tokens(made)
    assert "".join(SYMBOLS[i] for i in train) == text[:2700]
    assert "".join(SYMBOLS[i] for i in val) == text[2700:]
    windows = validation_windows(made, 20)
    assert windows.shape == (20, 13)
    assert all("".join(SYMBOLS[i] for i in window) in text[2700:] for window in windows)
    np.testing.assert_array_equal(windows, validation_windows(made, 20))
    assert not np.array_equal(windows, validation_windows(made, 20, seed=1))
    counts = Counter(text[:2700])
    assert list(token_counts(made)) == [counts[symbol] for symbol in SYMBOLS]


@pytest.mark.parametrize("length", [13, 14, 20, 40, 400])
def test_sliding_windows_put_the_same_tokens_at_every_position_in_turn(made: Run, tmp_path: Path, length: int) -> None:
    text = tmp_path / "text.txt"
    text.write_text(made_text(length), encoding="utf-8")
    windows = sliding_windows(made, 60, text=text)
    assert windows.shape == (60, 13)
    assert all("".join(SYMBOLS[i] for i in window) in made_text(length) for window in windows)
    stretch = min(24, length - 12)
    for one, place in zip(range(59), range(1, 60), strict=True):
        if place % stretch:
            np.testing.assert_array_equal(windows[one, 1:], windows[place, :-1])
    np.testing.assert_array_equal(windows, sliding_windows(made, 60, text=text))


def test_a_text_that_is_shorter_than_a_window_is_refused(made: Run, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text(made_text(12), encoding="utf-8")
    for windows in (validation_windows, sliding_windows):
        with pytest.raises(InputError, match="a context of 12 needs 13 tokens, and the text has 12"):
            windows(made, 4, text=text)


def test_another_text_is_used_where_it_is_given(made: Run, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("ba" * 20, encoding="utf-8")
    assert {tuple(window) for window in validation_windows(made, 50, text=other)} == {
        tuple(map(SYMBOLS.index, start * 6 + start[0])) for start in ("ba", "ab")
    }
    assert Counter(dict(enumerate(token_counts(made, other)))).total() == 40
    other.write_text("ba" * 20 + "ß", encoding="utf-8")
    with pytest.raises(InputError, match="'ß'"):
        token_counts(made, other)


@pytest.mark.parametrize("happened", ["changed", "gone"])
def test_a_missing_or_changed_text_is_reported_with_the_option_to_pass_one(
    made: Run, tmp_path: Path, happened: str
) -> None:
    path = tmp_path / "made.txt"
    path.unlink() if happened == "gone" else path.write_text(made_text(3000, seed=2), encoding="utf-8")
    with pytest.raises(
        InputError, match=r"text that run 'made' learned from cannot be had \(.*\): .* `text`"
    ) as raised:
        validation_windows(made, 4)
    assert ("another by now" if happened == "changed" else "there is no file") in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_run_without_a_text_or_a_model_is_refused(made: Run) -> None:
    info = dict(Run(made.path).info)
    for missing, message in (
        ("corpus", "does not say which text it learned from: .* `text`"),
        ("model", "holds no model"),
    ):
        left = {name: value for name, value in info.items() if name not in (missing, "training")}
        (made.path / "run.json").write_text(json.dumps(left))
        with pytest.raises(NotApplicableError, match=message):
            training_tokens(Run(made.path))
    with pytest.raises(NotApplicableError, match="holds no model"):
        encode_prompt(Run(made.path), "ba")
    assert shape().block_size == 12
