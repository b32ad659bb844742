"""The input transformations, token by token."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.arrays import TokenIds
from data.errors import InputError
from data.tasks.examples import Classification, Entailment, Example, MultipleChoice, Similarity
from trainer.supervised.input_transforms import SHORTEST_CONTEXT, Specials, encode_examples, lay_out, transform

S, D, E = 90, 91, 92
SPECIALS = Specials(S, D, E)


def encode(text: str) -> TokenIds:
    """Return a digit's value for each digit."""
    return np.array([int(digit) for digit in text], dtype=np.int64)


def sequences(example: Example, block_size: int = 32) -> list[list[int]]:
    encoded = encode_examples([example], encode, SPECIALS, block_size)
    return [sequence.tolist() for sequence in encoded.sequences[0]]


def test_each_kind_is_framed_as_in_the_paper() -> None:
    assert sequences(Classification("123", 0)) == [[S, 1, 2, 3, E]]
    assert sequences(Entailment("12", "34", 0)) == [[S, 1, 2, D, 3, 4, E]]
    assert sequences(Similarity("12", "3", 0.5)) == [[S, 1, 2, D, 3, E], [S, 3, D, 1, 2, E]]
    assert sequences(MultipleChoice("12", ("3", "45"), 1)) == [[S, 1, 2, D, 3, E], [S, 1, 2, D, 4, 5, E]]
    assert sequences(Classification("", 0)) == [[S, E]]


def test_a_text_loses_its_end_and_of_two_the_longer_one_does() -> None:
    assert sequences(Classification("123456789", 0), 8) == [[S, 1, 2, 3, 4, 5, 6, E]]
    assert sequences(Entailment("12345678", "9", 0), 8) == [[S, 1, 2, 3, 4, D, 9, E]]
    assert sequences(Entailment("1", "23456789", 0), 8) == [[S, 1, D, 2, 3, 4, 5, E]]
    assert sequences(Entailment("12345", "56789", 0), 8) == [[S, 1, 2, 3, D, 5, 6, E]]
    assert sequences(Similarity("12345", "67", 0.0), 8) == [[S, 1, 2, 3, D, 6, 7, E], [S, 6, 7, D, 1, 2, 3, E]]


def test_of_a_choice_the_context_loses_its_beginning() -> None:
    assert sequences(MultipleChoice("123456", ("7", "89"), 0), 8) == [
        [S, 3, 4, 5, 6, D, 7, E],
        [S, 4, 5, 6, D, 8, 9, E],
    ]
    assert sequences(MultipleChoice("123456", ("7777777",), 0), 9) == [[S, 4, 5, 6, D, 7, 7, 7, E]]
    assert sequences(MultipleChoice("1", ("23456789",), 0), 9) == [[S, 1, D, 2, 3, 4, 5, 6, E]]


@given(texts=st.lists(st.text("0123456789", max_size=40), min_size=3, max_size=3), block_size=st.integers(8, 40))
def test_no_sequence_is_longer_than_the_context_and_nothing_is_cut_without_need(
    texts: list[str], block_size: int
) -> None:
    a, b, c = texts
    for example in (Classification(a, 0), Entailment(a, b, 0), Similarity(a, b, 0.0), MultipleChoice(a, (b, c), 0)):
        tokens = [encode(text) for text in example.texts]
        made, is_cut = transform(example, tokens, SPECIALS, block_size)
        assert all(len(sequence) <= block_size for sequence in made)
        assert all(sequence[0] == S and sequence[-1] == E for sequence in made)
        whole = [len(a) + 2] if isinstance(example, Classification) else [len(a) + len(b) + 3]
        whole += [len(a) + len(c) + 3] if isinstance(example, MultipleChoice) else []
        assert is_cut == any(length > block_size for length in whole)
        if is_cut:
            assert any(len(sequence) == block_size for sequence in made)


def test_rows_are_filled_behind_the_token_that_is_read_and_only_text_counts_as_text() -> None:
    examples = [Entailment("12", "345", 1), Entailment("6", "7", 0)]
    batch = encode_examples(examples, encode, SPECIALS, 32).batch([1, 0])
    assert batch.ids.tolist() == [[S, 6, D, 7, E, E, E, E], [S, 1, 2, D, 3, 4, 5, E]]
    assert batch.last.tolist() == [4, 7]
    assert batch.is_text.astype(int).tolist() == [[0, 1, 0, 1, 0, 0, 0, 0], [0, 1, 1, 0, 1, 1, 1, 0]]
    assert batch.targets.tolist() == [0.0, 1.0]


def test_the_sequences_of_an_example_stand_one_below_the_other() -> None:
    batch = lay_out([[encode("1"), encode("2")], [encode("3"), encode("4")]], np.zeros(2), SPECIALS)
    assert batch.ids[:, 0].tolist() == [1, 2, 3, 4]


def test_examples_that_were_cut_are_counted() -> None:
    examples = [Classification("1" * length, 0) for length in (3, 6, 7, 20)]
    assert encode_examples(examples, encode, SPECIALS, 8).n_cut == 2


def test_a_context_that_holds_nothing_is_refused() -> None:
    with pytest.raises(InputError, match=f"a context of {SHORTEST_CONTEXT} tokens or more, and the model sees 4"):
        encode_examples([Classification("1", 0)], encode, SPECIALS, 4)
