"""Packing: documents of different lengths side by side in rows of at most so many tokens, none cut, none lost unseen.

Rows are filled in the order of the documents: one that no longer fits begins the next row, and one that is longer than a row is
skipped and counted. In a row, `Rows.document` says which document a token belongs to. From it follow `Rows.mask`, by which no document
sees another, `Rows.positions`, which begin anew with each, and `Rows.labels`, what is to be foretold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from data.arrays import TokenIds

PADDING = -1
"""The number of the document that fills a row up."""

IGNORED = -100
"""A label that is not foretold, as torch's cross-entropy has it."""


@dataclass(frozen=True)
class Rows:
    """Documents in rows.

    ``ids`` (row, token): token ids, 0 where a row is filled up. ``document`` (row, token): the number of each token's document
    within its row, counted from 0, and `PADDING` where the row is filled up.
    """

    ids: TokenIds
    document: TokenIds

    @cached_property
    def begins(self) -> NDArray[np.bool_]:
        """Where a document, or the padding, begins; (row, token)."""
        begins: NDArray[np.bool_] = np.diff(self.document, axis=1, prepend=PADDING - 1) != 0
        return begins

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Which key a query sees, (row, query, key): those of its own document, not ahead of it."""
        same: NDArray[np.bool_] = self.document[:, :, None] == self.document[:, None, :]
        mask: NDArray[np.bool_] = same & np.tri(same.shape[1], dtype=bool)
        return mask

    @property
    def positions(self) -> TokenIds:
        """The place of each token in its document, (row, token)."""
        place = np.arange(self.document.shape[1])
        begun: TokenIds = np.maximum.accumulate(np.where(self.begins, place, 0), axis=1)
        return place - begun

    def labels(self, *, across: bool) -> TokenIds:
        """Return the ids, with `IGNORED` in place of those that are not foretold, (row, token).

        Padding is never foretold. The first token of a document is foretold only ``across`` the boundary, from the end of the document
        before it. Labels stand at the place of their token; shifting them by one is the business of the loss.
        """
        left_out = self.document == PADDING
        if not across:
            left_out = left_out | self.begins
        return np.where(left_out, IGNORED, self.ids)


def row_bounds(lengths: TokenIds, row_length: int) -> TokenIds:
    """Return where rows begin and end in a sequence of documents, filled one after the other.

    Parameters
    ----------
    lengths : tokens of each document, (document,), none longer than a row.
    row_length : most tokens in a row.

    Returns
    -------
    bounds : (n_rows + 1,); row r holds the documents from ``bounds[r]`` up to, not including, ``bounds[r + 1]``.

    Examples
    --------
    >>> row_bounds(np.array([3, 4, 2, 5, 5]), row_length=10)
    array([0, 3, 5])
    """
    bounds, filled = [0], 0
    for number, length in enumerate(lengths.tolist()):
        if filled + length > row_length:
            bounds.append(number)
            filled = 0
        filled += length
    return np.array([*bounds, len(lengths)] if len(lengths) else [0])


def pack_rows(rows: Sequence[Sequence[TokenIds]]) -> Rows:
    """Lay documents into rows, filled up to the longest.

    Parameters
    ----------
    rows : the documents of each row, each a sequence of token ids (token,).

    Examples
    --------
    >>> laid = pack_rows([[np.array([5, 6]), np.array([7])], [np.array([8, 9])]])
    >>> laid.ids
    array([[5, 6, 7],
           [8, 9, 0]])
    >>> laid.document
    array([[ 0,  0,  1],
           [ 0,  0, -1]])
    >>> laid.labels(across=False)
    array([[-100,    6, -100],
           [-100,    9, -100]])
    """
    width = max(sum(map(len, documents)) for documents in rows)
    ids = np.zeros((len(rows), width), dtype=np.int64)
    document = np.full((len(rows), width), PADDING, dtype=np.int64)
    for row, documents in enumerate(rows):
        together = np.concatenate(documents)
        ids[row, : len(together)] = together
        document[row, : len(together)] = np.repeat(np.arange(len(documents)), [len(each) for each in documents])
    return Rows(ids, document)


@dataclass(frozen=True)
class ShuffledRows:
    """The rows of several epochs in one stream: every epoch has every document once, in an order of its own.

    ``orders`` (epoch, document) names the documents in the order of an epoch; ``bounds`` cuts each order into rows.
    """

    orders: tuple[TokenIds, ...]
    bounds: tuple[TokenIds, ...]

    @cached_property
    def rows_before(self) -> TokenIds:
        """Return how many rows the epochs before each one have, and all together, (epoch + 1,)."""
        return np.cumsum([0, *(len(bounds) - 1 for bounds in self.bounds)])

    @property
    def n_rows(self) -> int:
        """Return the number of rows of all epochs."""
        return int(self.rows_before[-1])

    def row(self, number: int) -> TokenIds:
        """Return the numbers of the documents in a row of the stream."""
        epoch = int(np.searchsorted(self.rows_before, number, side="right")) - 1
        bounds, within = self.bounds[epoch], number - self.rows_before[epoch]
        return self.orders[epoch][bounds[within] : bounds[within + 1]]


def shuffle_rows(lengths: TokenIds, row_length: int, epochs: int, *, seed: int) -> ShuffledRows:
    """Shuffle documents anew for each epoch, and cut each order into rows; it depends on the arguments alone.

    Examples
    --------
    >>> dealt = shuffle_rows(np.array([3, 4, 2, 5, 5]), 10, epochs=2, seed=1)
    >>> sorted(int(number) for row in range(dealt.rows_before[1]) for number in dealt.row(row))
    [0, 1, 2, 3, 4]
    """
    orders = tuple(np.random.default_rng([seed, epoch]).permutation(len(lengths)) for epoch in range(epochs))
    return ShuffledRows(orders, tuple(row_bounds(lengths[order], row_length) for order in orders))
