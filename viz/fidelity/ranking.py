"""Who is near whom: distances between items, and places in the lists they make.

Items at the same distance are tied. Distances a part in 10^10 apart count as the same, or a turn of a picture would break ties by
rounding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.arrays import FloatArray

Integers = NDArray[np.int64]

SAME = 1e-10  # relative: closer distances differ by rounding
FEW_DIMS = 16  # differences are as quick up to here
CANCELS = 1e-3  # of the sum of two squared lengths: a squared distance below has lost three digits or more
PARALLEL = 1e-28  # cosine distance: rows nearer than this differ in length alone, but for rounding


class Distances:
    """Distances between the items of one space, up to a factor, worked out row by row.

    Parameters
    ----------
    vectors : (item, dim).
    metric : ``euclidean`` or ``cosine`` (1 - cosine; a row of zeros is at 1 from all).
    """

    def __init__(self, vectors: NDArray[np.floating], metric: str = "euclidean"):
        values = np.asarray(vectors, dtype=np.float64)
        self.cosine = metric == "cosine"
        # Powers of two, so that nothing is rounded: squares of what is left neither overflow nor vanish.
        largest = np.abs(values).max(axis=1 if self.cosine else None, keepdims=True)
        values = np.ldexp(values, -np.frexp(largest)[1])
        if self.cosine:
            lengths = np.linalg.norm(values, axis=1, keepdims=True)
            values = np.divide(values, lengths, out=np.zeros_like(values), where=lengths > 0)
        self.without_direction = ~values.any(axis=1)
        self.values = np.ascontiguousarray(values - values.mean(axis=0))
        self.squares = np.einsum("ij,ij->i", self.values, self.values)

    def of(self, rows: Integers) -> FloatArray:
        """Return the distances of some items to all, (row, item)."""
        squared = self._squared(rows)
        if not self.cosine:
            return np.sqrt(squared, out=squared)
        squared /= 2
        squared[squared < PARALLEL] = 0.0
        squared[:, self.without_direction] = 1.0
        squared[self.without_direction[rows]] = 1.0
        return squared

    def _squared(self, rows: Integers) -> FloatArray:
        """Return squared Euclidean distances: by a product of matrices, which is quick, and where that is inexact by differences."""
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
class Places:
    """Places of all items in a list by distance, 1 for the nearest; (row, item), the best and the worst that tied items share.

    own : (row,), the item whose list it is: it stands last, and does not count. None if there is none.
    """

    best: Integers
    worst: Integers
    own: Integers | None

    def shares(self, neighbours: int) -> FloatArray:
        """Return how much of each item is among the nearest k, 0 to 1; k in each row."""
        shares: FloatArray = np.clip((neighbours + 1 - self.best) / (self.worst - self.best + 1), 0.0, 1.0)
        return shares

    def centred(self) -> FloatArray:
        """Return the mean places less their mean over the row."""
        others = self.best.shape[1] - (self.own is not None)
        centred: FloatArray = (self.best + self.worst - (others + 1)) / 2
        if self.own is not None:
            centred[np.arange(len(centred)), self.own] = 0.0
        return centred


def places(distances: FloatArray, own: Integers | None = None) -> Places:
    """Rank each row of distances.

    Parameters
    ----------
    distances : (row, item); those of an item to itself are overwritten with infinity.
    own : (row,), the item that a row's distances are from; None if it is not in the row.

    Returns
    -------
    The places, 1 for the least distance.

    Example
    -------
    >>> ranked = places(np.array([[0.5, 0.1, 0.5, 0.7]]))
    >>> ranked.best.tolist(), ranked.worst.tolist(), ranked.shares(2).tolist()
    ([[2, 1, 2, 4]], [[3, 1, 3, 4]], [[0.5, 1.0, 0.5, 0.0]])
    """
    if own is not None:
        distances[np.arange(len(own)), own] = np.inf
    order = np.argsort(distances, axis=1)
    ascending = np.take_along_axis(distances, order, axis=1)
    begins = np.ones(order.shape, dtype=bool)  # whether an item is farther than the one before it
    np.greater(ascending[:, 1:], ascending[:, :-1] * (1 + SAME), out=begins[:, 1:])
    place = np.broadcast_to(np.arange(1, order.shape[1] + 1), order.shape)
    best = _scatter(order, place if begins.all() else np.maximum.accumulate(np.where(begins, place, 0), axis=1))
    if begins.all():
        return Places(best, best, own)
    ends = np.roll(begins, -1, axis=1)
    ends[:, -1] = True
    backwards = np.where(ends, place, order.shape[1])[:, ::-1]
    return Places(best, _scatter(order, np.minimum.accumulate(backwards, axis=1)[:, ::-1]), own)


def _scatter(order: Integers, values: Integers) -> Integers:
    """Return the values, given in the order of distance, in the order of the items."""
    scattered = np.empty_like(order)
    np.put_along_axis(scattered, order, values, axis=1)
    return scattered


def rank_correlation(one: Places, other: Places) -> FloatArray:
    """Compute Spearman's rank correlation of each row.

    Parameters
    ----------
    one, other : places of the same items, (row, item).

    Returns
    -------
    (row,) : -1 to 1; 0 where all items of a row are tied.

    Example
    -------
    >>> rank_correlation(places(np.array([[1.0, 2.0, 3.0, 4.0]])), places(np.array([[2.0, 1.0, 3.0, 4.0]]))).round(3)
    array([0.8])
    """
    a, b = one.centred(), other.centred()
    norm = np.sqrt(np.einsum("ij,ij->i", a, a) * np.einsum("ij,ij->i", b, b))
    covariance = np.einsum("ij,ij->i", a, b)
    correlation: FloatArray = np.clip(np.divide(covariance, norm, out=np.zeros_like(norm), where=norm > 0), -1.0, 1.0)
    return correlation
