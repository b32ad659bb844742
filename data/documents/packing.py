"""Packing: documents of different lengths side by side in rows of limited length, without cutting any.

Rows are filled in the order of the documents; one that no longer fits starts the next row. `Rows.document` holds the document of each
token. It determines `Rows.mask`, by which no document attends to another, `Rows.positions`, which start from 0 in each document, and
`Rows.labels`, the tokens to predict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from data.arrays import TokenIds

PADDING = -1
"""The document number of padding."""

IGNORED = -100
"""The label of a token that is not predicted, as in torch's cross-entropy."""


@dataclass(frozen=True)
class Rows:
    """Documents packed into rows.

    ``ids`` (row, token): token ids, 0 for padding. ``document`` (row, token): the number of the token's document within its row,
    counted from 0; `PADDING` for padding.
    """

    ids: TokenIds
    document: TokenIds

    @cached_property
    def starts(self) -> NDArray[np.bool_]:
        """Whether a document, or the padding, starts at a token; (row, token)."""
        starts: NDArray[np.bool_] = np.diff(self.document, axis=1, prepend=PADDING - 1) != 0
        return starts

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Whether a query may attend to a key, (row, query, key): to those of its own document up to itself."""
        same: NDArray[np.bool_] = self.document[:, :, None] == self.document[:, None, :]
        mask: NDArray[np.bool_] = same & np.tri(same.shape[1], dtype=bool)
        return mask

    @property
    def positions(self) -> TokenIds:
        """The position of each token in its document, (row, token)."""
        column = np.arange(self.document.shape[1])
        first: TokenIds = np.maximum.accumulate(np.where(self.starts, column, 0), axis=1)
        return column - first

    def labels(self, *, across: bool) -> TokenIds:
        """Copy the ids with `IGNORED` for tokens that are not predicted, (row, token).

        Padding is never predicted. The first token of a document is predicted only ``across`` the boundary, from the end of the
        document before it. Labels have the position of their token; the loss shifts them by one.
        """
        left_out = self.document == PADDING
        if not across:
            left_out = left_out | self.starts
        return np.where(left_out, IGNORED, self.ids)


def row_bounds(lengths: TokenIds, row_length: int) -> TokenIds:
    """Divide a sequence of documents into rows, filled one after the other.

    Parameters
    ----------
    lengths : tokens of each document, (document,), none longer than a row.
    row_length : maximum number of tokens in a row.

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
    """Pack the documents of each row, token ids (token,), side by side, and pad the rows to the longest.

    Examples
    --------
    >>> packed = pack_rows([[np.array([5, 6]), np.array([7])], [np.array([8, 9])]])
    >>> packed.ids
    array([[5, 6, 7],
           [8, 9, 0]])
    >>> packed.document
    array([[ 0,  0,  1],
           [ 0,  0, -1]])
    >>> packed.labels(across=False)
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
    """The rows of several epochs in one stream: each epoch has every document once, in an order of its own.

    ``orders`` (epoch, document): document numbers in the order of the epoch. ``bounds``: for each epoch, as `row_bounds`.
    """

    orders: tuple[TokenIds, ...]
    bounds: tuple[TokenIds, ...]

    @cached_property
    def rows_before(self) -> TokenIds:
        """The number of rows before each epoch, and in total; (epoch + 1,)."""
        return np.cumsum([0, *(len(bounds) - 1 for bounds in self.bounds)])

    @property
    def n_rows(self) -> int:
        """The number of rows of all epochs."""
        return int(self.rows_before[-1])

    def row(self, number: int) -> TokenIds:
        """Look up the document numbers in a row of the stream."""
        epoch = int(np.searchsorted(self.rows_before, number, side="right")) - 1
        bounds, within = self.bounds[epoch], number - self.rows_before[epoch]
        return self.orders[epoch][bounds[within] : bounds[within + 1]]


def shuffle_rows(lengths: TokenIds, row_length: int, epochs: int, *, seed: int) -> ShuffledRows:
    """Shuffle the documents for each epoch and divide each order into rows; the same arguments give the same rows."""
    orders = tuple(np.random.default_rng([seed, epoch]).permutation(len(lengths)) for epoch in range(epochs))
    return ShuffledRows(orders, tuple(row_bounds(lengths[order], row_length) for order in orders))
