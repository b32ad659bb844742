"""Distances between items and their ranks: by blocks of rows and, of many items, for a sample, so that memory stays bounded.

Items at equal distances are tied. Distances that differ by less than a part in 10^10 count as equal, or rotating a layout would break ties
by rounding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.arrays import FloatArray
from data.errors import InputError

Integers = NDArray[np.int64]

SAME = 1e-10  # relative: smaller differences are rounding
FEW_DIMS = 16  # up to so many, differences are as fast as a matrix product
CANCELS = 1e-3  # of the sum of two squared norms: a smaller squared distance has lost three digits or more
PARALLEL = 1e-28  # cosine distance below which rows differ in length alone, up to rounding

BLOCK_ENTRIES = 2**21  # distances in memory at once: 16 MB, whatever the number of items
ALL_ROWS_UP_TO = 3000  # items; beyond, a sample of them is scored, each against all
SAMPLED_ROWS = 2000
MOST_PAIRS = 2**20  # pairs whose distances are ranked together; beyond, a sample


class Distances:
    """Distances between the items of one space, up to a factor, computed by blocks of rows.

    Parameters
    ----------
    vectors : (item, dim).
    metric : ``euclidean`` or ``cosine`` (1 - cosine; a row of zeros is at 1 from all).
    """

    def __init__(self, vectors: NDArray[np.floating], metric: str = "euclidean"):
        values = np.asarray(vectors, dtype=np.float64)
        self.cosine = metric == "cosine"
        # Scaled by powers of two, which rounds nothing, so that squares neither overflow nor underflow.
        largest = np.abs(values).max(axis=1 if self.cosine else None, keepdims=True)
        values = np.ldexp(values, -np.frexp(largest)[1])
        if self.cosine:
            lengths = np.linalg.norm(values, axis=1, keepdims=True)
            values = np.divide(values, lengths, out=np.zeros_like(values), where=lengths > 0)
        self.without_direction = ~values.any(axis=1)
        self.values = np.ascontiguousarray(values - values.mean(axis=0))
        self.squares = np.einsum("ij,ij->i", self.values, self.values)

    def of(self, rows: Integers) -> FloatArray:
        """Compute the distances of some items to all, (row, item)."""
        squared = self._squared(rows)
        if not self.cosine:
            return np.sqrt(squared, out=squared)
        squared /= 2
        squared[squared < PARALLEL] = 0.0
        squared[:, self.without_direction] = 1.0
        squared[self.without_direction[rows]] = 1.0
        return squared

    def _squared(self, rows: Integers) -> FloatArray:
        """Compute squared Euclidean distances by a matrix product, and by differences where the product is inexact."""
        from scipy.spatial.distance import cdist

        values = self.values[rows]
        if self.values.shape[1] <= FEW_DIMS:
            return np.asarray(cdist(values, self.values, "sqeuclidean"))
        sums = self.squares[rows, None] + self.squares
        squared: FloatArray = values @ self.values.T
        squared *= -2
        squared += sums
        near = squared < CANCELS * sums
        near[np.arange(len(rows)), rows] = False
        squared[np.arange(len(rows)), rows] = 0.0
        for i in np.nonzero(near.any(axis=1))[0]:
            squared[i, near[i]] = cdist(values[i : i + 1], self.values[near[i]], "sqeuclidean")[0]
        return squared


@dataclass(frozen=True)
class Ranks:
    """Ranks of all items by distance, 1 for the nearest; (row, item), the best and the worst rank that tied items share.

    own : (row,), the item from which a row's distances are measured: it is ranked last and does not count. None if there is none.
    """

    best: Integers
    worst: Integers
    own: Integers | None

    def shares(self, neighbours: int) -> FloatArray:
        """Compute the share of each item that is among the nearest k, 0 to 1; each row sums to k."""
        shares: FloatArray = np.clip((neighbours + 1 - self.best) / (self.worst - self.best + 1), 0.0, 1.0)
        return shares

    def centred(self) -> FloatArray:
        """Compute the mean ranks minus their mean over the row."""
        others = self.best.shape[1] - (self.own is not None)
        centred: FloatArray = (self.best + self.worst - (others + 1)) / 2
        if self.own is not None:
            centred[np.arange(len(centred)), self.own] = 0.0
        return centred


def rank_rows(distances: FloatArray, own: Integers | None = None) -> Ranks:
    """Rank each row of distances, (row, item), which are overwritten with infinity where an item meets itself; for ``own`` see `Ranks`.

    Example
    -------
    >>> ranked = rank_rows(np.array([[0.5, 0.1, 0.5, 0.7]]))
    >>> ranked.best.tolist(), ranked.worst.tolist(), ranked.shares(2).tolist()
    ([[2, 1, 2, 4]], [[3, 1, 3, 4]], [[0.5, 1.0, 0.5, 0.0]])
    """
    if own is not None:
        distances[np.arange(len(own)), own] = np.inf
    order = np.argsort(distances, axis=1)
    ascending = np.take_along_axis(distances, order, axis=1)
    starts = np.ones(order.shape, dtype=bool)  # True where an item is farther than the one before it
    np.greater(ascending[:, 1:], ascending[:, :-1] * (1 + SAME), out=starts[:, 1:])
    place = np.broadcast_to(np.arange(1, order.shape[1] + 1), order.shape)
    best = _scatter(order, place if starts.all() else np.maximum.accumulate(np.where(starts, place, 0), axis=1))
    if starts.all():
        return Ranks(best, best, own)
    ends = np.roll(starts, -1, axis=1)
    ends[:, -1] = True
    backwards = np.where(ends, place, order.shape[1])[:, ::-1]
    return Ranks(best, _scatter(order, np.minimum.accumulate(backwards, axis=1)[:, ::-1]), own)


def _scatter(order: Integers, values: Integers) -> Integers:
    """Reorder values from the order of distance to the order of the items."""
    scattered = np.empty_like(order)
    np.put_along_axis(scattered, order, values, axis=1)
    return scattered


def rank_correlation(one: Ranks, other: Ranks) -> FloatArray:
    """Compute Spearman's rank correlation of each row, (row,), -1 to 1; 0 where all items of a row are tied.

    Example
    -------
    >>> rank_correlation(rank_rows(np.array([[1.0, 2.0, 3.0, 4.0]])), rank_rows(np.array([[2.0, 1.0, 3.0, 4.0]]))).round(3)
    array([0.8])
    """
    a, b = one.centred(), other.centred()
    norm = np.sqrt(np.einsum("ij,ij->i", a, a) * np.einsum("ij,ij->i", b, b))
    covariance = np.einsum("ij,ij->i", a, b)
    correlation: FloatArray = np.clip(np.divide(covariance, norm, out=np.zeros_like(norm), where=norm > 0), -1.0, 1.0)
    return correlation


def row_blocks(items: int, rows: int | None = None) -> Iterator[slice]:
    """Yield slices of at most `BLOCK_ENTRIES` entries that cover the rows of a rows-by-items matrix; square by default."""
    rows = items if rows is None else rows
    height = max(1, BLOCK_ENTRIES // items)
    for start in range(0, rows, height):
        yield slice(start, min(start + height, rows))


def sample_rows(items: int, rows: int | None, seed: int) -> tuple[Integers, Integers | None]:
    """Draw the items to score, (row,), and for each of them the partners (row, partner) of its ranked pairs; None for all pairs.

    Without ``rows``, all items are scored up to `ALL_ROWS_UP_TO`, else `SAMPLED_ROWS`.
    """
    random = np.random.default_rng(seed)
    if rows is None:
        rows = items if items <= ALL_ROWS_UP_TO else SAMPLED_ROWS
    if rows < 1:
        raise InputError(
            f"`rows` must be at least 1; got {rows}: leave it out for {SAMPLED_ROWS}, or for all of few items"
        )
    scored = np.arange(items) if rows >= items else np.sort(random.choice(items, rows, replace=False))
    if rows >= items and items * (items - 1) // 2 <= MOST_PAIRS:
        return scored, None
    partners = random.integers(items - 1, size=(len(scored), max(1, min(items - 1, MOST_PAIRS // len(scored)))))
    return scored, partners + (partners >= scored[:, None])  # no item is its own partner


def pair_distances(distances: FloatArray, own: Integers, partners: Integers | None) -> FloatArray:
    """Select the distances of the sampled pairs, (pair,), from a block (row, item) with the item of each row, (row,).

    ``partners`` is that of `sample_rows`; None selects all items with a higher number, so that each pair occurs once.
    """
    if partners is not None:
        drawn: FloatArray = np.take_along_axis(distances, partners, axis=1).ravel()
        return drawn
    later: NDArray[np.bool_] = np.arange(distances.shape[1]) > own[:, None]
    return distances[later]
