from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from data.errors import InputError
from data.tokens.batches import (
    sequential_windows,
    shuffled_starts,
    split_text,
    split_tokens,
    window_index,
    window_starts,
)
from data.tokens.tokenizers import CharTokenizer
from data.tokens.vocabularies import learn_bpe
from tests.conftest import made_text


def draw(n_tokens: int = 1000, block_size: int = 32, batch_size: int = 8, **key: object) -> list[int]:
    chosen: dict[str, Any] = {"seed": 1, "step": 5} | key
    return list(window_starts(n_tokens, block_size, batch_size, **chosen))


def test_the_first_nine_tenths_are_learnt_from_and_no_character_is_lost() -> None:
    text = "abcde" * 201
    train, val = split_text(text)
    assert len(train) == 904
    assert train + val == text


def test_characters_and_sub_words_are_judged_by_the_same_passage() -> None:
    text = made_text(4000)
    tokenizers = (CharTokenizer.from_text(text), learn_bpe(split_text(text)[0], 300))
    parts = [[tokenizer.decode(ids) for ids in split_tokens(tokenizer, text, 8)] for tokenizer in tokenizers]
    assert parts[0] == parts[1] == list(split_text(text))


def test_a_text_shorter_than_a_context_says_what_it_needs() -> None:
    split_tokens(CharTokenizer("a"), "a" * 330, block_size=32)  # 33 to validate on: one window
    with pytest.raises(InputError) as refusal:
        split_tokens(CharTokenizer("a"), "a" * 320, block_size=32)
    assert str(refusal.value) == (
        "the text is too short for a context of 32: it makes 288 tokens to train on and 32 to validate on, "
        "and each part needs 33 or more: use a longer text or a smaller `block_size`"
    )


def test_a_share_outside_0_and_1_is_refused() -> None:
    with pytest.raises(InputError, match="between 0 and 1; got 1"):
        split_text("a" * 320, train_fraction=1)


def test_a_draw_depends_on_seed_step_and_stream_alone() -> None:
    assert draw() == draw()
    np.random.seed(0)  # the global generator is not used
    assert draw() == draw(seed=1, step=5, stream="train")
    others = [draw(seed=2), draw(step=6), draw(stream="val"), draw(seed=5, step=1), draw(seed=1 + (1 << 32))]
    assert len({tuple(other) for other in [draw(), *others]}) == 6


def test_every_window_that_fits_has_the_same_chance() -> None:
    n_tokens, block_size = 20, 4
    starts = np.concatenate([window_starts(n_tokens, block_size, 64, seed=3, step=step) for step in range(500)])
    counts = np.bincount(starts, minlength=16)
    assert len(counts) == 16  # the last window begins at 15 and ends with token 19
    assert chisquare(counts).pvalue > 0.001


def test_the_only_window_is_always_drawn() -> None:
    assert draw(n_tokens=33, block_size=32, batch_size=3) == [0, 0, 0]


@pytest.mark.parametrize(
    ("key", "message"), [({"seed": -1}, "got seed -1"), ({"step": -1}, "step -1"), ({"seed": 1 << 64}, "seed 184")]
)
def test_a_key_out_of_range_is_refused(key: dict[str, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        draw(**key)


@pytest.mark.parametrize("windows", [window_starts, sequential_windows])
def test_a_text_without_a_window_is_refused(windows: Any) -> None:
    arguments = {"batch_size": 1, "seed": 1, "step": 1} if windows is window_starts else {}
    with pytest.raises(InputError, match="a context of 32 needs 33 tokens, and the text has 32"):
        windows(32, 32, **arguments)
    with pytest.raises(InputError, match="`block_size` must be 1 or more; got 0"):
        windows(32, 0, **arguments)


@given(st.integers(1, 20), st.integers(1, 5), st.integers(0, 100))
def test_one_gather_gives_what_slices_would(block_size: int, batch_size: int, step: int) -> None:
    tokens = np.arange(100, 150)
    starts = window_starts(len(tokens), block_size, batch_size, seed=0, step=step)
    windows = tokens[window_index(starts, block_size)]
    assert windows.shape == (batch_size, block_size + 1)
    x, y = windows[:, :-1], windows[:, 1:]
    for row, start in enumerate(starts):
        assert x[row].tolist() == tokens[start : start + block_size].tolist()
        assert y[row].tolist() == tokens[start + 1 : start + block_size + 1].tolist()


@given(st.integers(2, 200), st.integers(1, 30))
def test_sequential_windows_predict_each_token_once(n_tokens: int, block_size: int) -> None:
    if n_tokens <= block_size:
        return
    foretold = window_index(sequential_windows(n_tokens, block_size), block_size)[:, 1:].reshape(-1).tolist()
    assert foretold == list(range(1, len(foretold) + 1))
    assert 0 <= n_tokens - 1 - len(foretold) < block_size


def test_shuffled_windows_predict_every_token_once_before_any_again() -> None:
    n, T, B = 1000, 7, 8
    windows = (n - T) // T
    starts = np.concatenate([shuffled_starts(n, T, B, seed=3, step=step) for step in range(60)])
    for epoch in range(3):
        dealt = starts[epoch * windows : (epoch + 1) * windows]
        assert (np.diff(np.sort(dealt)) == T).all()
        assert dealt.min() >= 0
        assert dealt.max() + T + 1 <= n
    assert not (starts[:windows] == starts[windows : 2 * windows]).all()


def test_shuffled_windows_follow_from_seed_and_step_alone() -> None:
    later = shuffled_starts(500, 5, 4, seed=1, step=40)
    np.testing.assert_array_equal(shuffled_starts(500, 5, 4, seed=1, step=40), later)
    assert not (shuffled_starts(500, 5, 4, seed=2, step=40) == later).all()


@pytest.mark.parametrize("n", [6, 7, 10, 11, 12])
def test_shuffled_windows_fit_into_a_text_hardly_longer_than_a_context(n: int) -> None:
    starts = np.concatenate([shuffled_starts(n, 5, 9, seed=0, step=step) for step in range(20)])
    assert starts.min() >= 0
    assert starts.max() + 6 <= n
