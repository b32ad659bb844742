from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import InputError
from data.tokens.tokenizers import CharTokenizer, tokenizer_from_json

# Every code point, lone surrogates and those beyond the basic plane included.
ANY_TEXT = st.text(st.characters(exclude_categories=()), min_size=1)


@given(ANY_TEXT)
def test_a_text_comes_back_exactly(text: str) -> None:
    tokenizer = CharTokenizer.from_text(text)
    ids = tokenizer.encode(text)
    assert ids.shape == (len(text),)
    assert tokenizer.decode(ids) == text


@given(ANY_TEXT)
def test_an_id_is_the_place_of_its_symbol(text: str) -> None:
    tokenizer = CharTokenizer.from_text(text)
    place = {symbol: i for i, symbol in enumerate(sorted(set(text)))}
    assert tokenizer.encode(text).tolist() == [place[character] for character in text]
    assert tokenizer.vocab_size == len(place)
    assert tokenizer.labels == list(place)


@given(ANY_TEXT, ANY_TEXT)
def test_the_first_symbol_that_is_missing_is_named_with_its_place(known: str, text: str) -> None:
    tokenizer = CharTokenizer.from_text(known)
    missing = [position for position, character in enumerate(text) if character not in known]
    if not missing:
        assert tokenizer.decode(tokenizer.encode(text)) == text
        return
    with pytest.raises(InputError) as refusal:
        tokenizer.encode(text)
    symbol = text[missing[0]]
    assert f"{symbol!r} (U+{ord(symbol):04X}) at position {missing[0]:,}," in str(refusal.value)


def test_a_missing_symbol_is_reported_in_one_line() -> None:
    with pytest.raises(
        InputError, match=r"the text has '\\n' \(U\+000A\) at position 1,200, which is not among the 1 symbols"
    ) as refusal:
        CharTokenizer("a").encode("a" * 1200 + "\n")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("wrong", [-1, 3, 10**12])
def test_an_id_out_of_range_is_named_with_its_place(wrong: int) -> None:
    with pytest.raises(
        InputError, match=f"id {wrong} at position 2 is not in the vocabulary: its 3 tokens have the ids 0 to 2"
    ):
        CharTokenizer("abc").decode([0, 1, wrong, 0])


def test_nothing_in_gives_nothing_out() -> None:
    tokenizer = CharTokenizer("abc")
    assert tokenizer.encode("").tolist() == []
    assert tokenizer.encode("").dtype == np.int64
    assert tokenizer.decode([]) == ""


def test_encoding_leaves_later_calls_alone() -> None:
    tokenizer = CharTokenizer("abc")
    tokenizer.encode("abc")[:] = 7
    assert tokenizer.encode("abc").tolist() == [0, 1, 2]


def test_the_order_of_the_symbols_is_kept() -> None:
    assert CharTokenizer("ba").encode("ab").tolist() == [1, 0]


@given(ANY_TEXT)
def test_a_description_passes_through_json(text: str) -> None:
    tokenizer = CharTokenizer.from_text(text)
    assert tokenizer_from_json(json.loads(json.dumps(tokenizer.to_json()))) == tokenizer


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ({"kind": "bpe"}, "unknown kind of tokenizer 'bpe': this version knows char, subwords, words"),
        ({}, "unknown kind of tokenizer None"),
        ({"kind": "char"}, "another description"),
        ({"kind": "char", "symbols": ["a"]}, "another description"),
        ({"kind": "char", "symbols": ""}, "at least one symbol"),
        ({"kind": "char", "symbols": "aba"}, r"the symbol 'a' \(U\+0061\) is in the vocabulary twice"),
    ],
)
def test_a_description_that_cannot_be_used_is_refused(description: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        tokenizer_from_json(description)
