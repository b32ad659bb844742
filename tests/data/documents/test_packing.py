"""Documents in rows: none lost, none doubled, none cut, and each kept to itself."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from data.documents.packing import IGNORED, PADDING, pack_rows, row_bounds, shuffle_rows

LENGTHS = st.lists(st.integers(1, 12), min_size=1, max_size=40)


def documents_of(lengths: list[int]) -> list[np.ndarray]:
    """Return documents whose tokens differ all over, so that any mix-up shows."""
    ends = np.cumsum(lengths)
    return [np.arange(end - length, end) + 1 for end, length in zip(ends, lengths, strict=True)]


@given(lengths=LENGTHS)
def test_rows_hold_every_document_once_in_order_and_none_is_overfull(lengths: list[int]) -> None:
    bounds = row_bounds(np.array(lengths), 12)
    documents = documents_of(lengths)
    rows = pack_rows([documents[a:b] for a, b in pairwise(bounds)])
    assert rows.ids.shape[1] <= 12
    assert rows.ids[rows.document != PADDING].tolist() == list(range(1, sum(lengths) + 1))


@given(lengths=LENGTHS)
def test_a_document_begins_the_next_row_only_where_it_no_longer_fits(lengths: list[int]) -> None:
    bounds = row_bounds(np.array(lengths), 12)
    for row in range(len(bounds) - 2):
        assert sum(lengths[bounds[row] : bounds[row + 1] + 1]) > 12


@given(lengths=st.lists(st.integers(1, 6), min_size=1, max_size=5))
def test_the_mask_is_that_of_each_document_alone_along_the_diagonal(lengths: list[int]) -> None:
    rows = pack_rows([documents_of(lengths), documents_of([sum(lengths) + 2])])
    expected = np.zeros((sum(lengths) + 2,) * 2, dtype=bool)
    start = 0
    for length in [*lengths, 2]:  # the padding, too, sees itself: a row of nothing would have no softmax
        expected[start : start + length, start : start + length] = np.tri(length, dtype=bool)
        start += length
    assert (rows.mask[0] == expected).all()
    assert rows.positions[0].tolist() == [place for length in [*lengths, 2] for place in range(length)]


def test_labels_leave_out_padding_and_within_boundaries_the_first_token_of_each_document() -> None:
    rows = pack_rows([documents_of([2, 3]), documents_of([7])])
    assert rows.labels(across=True)[0].tolist() == [1, 2, 3, 4, 5, IGNORED, IGNORED]
    assert rows.labels(across=False)[0].tolist() == [IGNORED, 2, IGNORED, 4, 5, IGNORED, IGNORED]


@given(lengths=LENGTHS, epochs=st.integers(1, 4), seed=st.integers(0, 9))
def test_each_epoch_has_every_document_once_in_an_order_of_its_own(lengths: list[int], epochs: int, seed: int) -> None:
    dealt = shuffle_rows(np.array(lengths), 12, epochs, seed=seed)
    rows = [dealt.row(number).tolist() for number in range(dealt.n_rows)]
    everything = [number for row in rows for number in row]
    assert all(rows)
    for epoch in range(epochs):
        part = everything[epoch * len(lengths) : (epoch + 1) * len(lengths)]
        assert sorted(part) == list(range(len(lengths)))
    again = shuffle_rows(np.array(lengths), 12, epochs, seed=seed)
    assert [again.row(number).tolist() for number in range(again.n_rows)] == rows


def test_orders_of_epochs_and_seeds_differ() -> None:
    lengths = np.full(30, 3)
    first, other = shuffle_rows(lengths, 12, 2, seed=1), shuffle_rows(lengths, 12, 1, seed=2)
    assert first.orders[0].tolist() != first.orders[1].tolist()
    assert first.orders[0].tolist() != other.orders[0].tolist()
