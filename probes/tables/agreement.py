"""How far two tables over the same items agree: CKA, neighbours in common, rank correlation."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from data.arrays import FloatArray
from data.errors import InputError
from probes.tables.spread import centred, unit_rows

FEWEST_ITEMS = 4  # unbiased HSIC divides by items - 3
BLOCK_ENTRIES = 2**21  # similarities held at once: 16 MB, whatever the number of tokens
ROUNDING = 1e-12  # what is smaller than this beside its terms is rounding


def debiased_cka(table: ArrayLike, other: ArrayLike) -> float:
    """Compute the linear CKA of two tables over the same items, (item, dim) each, from unbiased estimates of HSIC.

    It is 1 if one table is the other rotated, moved and scaled, and around 0, also below, if they are independent. It is 0 where the
    rows of a table are all equal, or equally far from each other. Fewer than four items are an `InputError`.

    Examples
    --------
    >>> across, along = [[-1], [-1], [1], [1]], [[-1], [1], [-1], [1]]
    >>> round(debiased_cka(across, along), 4)  # -16/3 against 32/3
    -0.5

    References
    ----------
    Kornblith et al. 2019, arXiv 1905.00414, equation 4, with HSIC_1 of Nguyen et al. 2021, arXiv 2010.15327, equation 3, which is
    the unbiased estimate of Song et al. 2012, "Feature selection via dependence maximization", JMLR 13, pages 1393-1434.
    """
    x, y = centred(table), centred(other)
    if len(x) < FEWEST_ITEMS:
        raise InputError(f"the debiased CKA needs {FEWEST_ITEMS} items or more; got {len(x)}")
    own = [_unbiased_hsic(points, points) for points in (x, y)]
    if any(value <= ROUNDING * np.square(points.T @ points).sum() for value, points in zip(own, (x, y), strict=True)):
        return 0.0
    return float(_unbiased_hsic(x, y) / np.sqrt(own[0] * own[1]))


def _unbiased_hsic(x: FloatArray, y: FloatArray) -> float:
    # n (n - 3) times HSIC_1. The estimate does not change when a table moves, and for centred ones the row sums of the Gram matrices
    # without their diagonals are minus the squared norms: no matrix of items by items is needed.
    n, x_squared, y_squared = len(x), np.square(x).sum(axis=1), np.square(y).sum(axis=1)
    cross = np.square(x.T @ y).sum()
    return float(cross - n / (n - 2) * x_squared @ y_squared + x_squared.sum() * y_squared.sum() / ((n - 1) * (n - 2)))


def nearest(table: ArrayLike, k: int) -> NDArray[np.intp]:
    """Find the k nearest other rows of each row of a table (item, dim), by cosine, nearest first: (item, k).

    Examples
    --------
    >>> nearest([[1, 0], [3, 1], [0, 1]], k=1).tolist()
    [[1], [0], [1]]
    """
    directions = unit_rows(table)
    items = len(directions)
    chosen = np.empty((items, k), dtype=np.intp)
    height = max(1, BLOCK_ENTRIES // items)
    for start in range(0, items, height):
        rows = np.arange(start, min(start + height, items))
        distance = -directions[rows] @ directions.T
        distance[np.arange(len(rows)), rows] = np.inf
        found = np.sort(np.argpartition(distance, k - 1, axis=1)[:, :k], axis=1)
        order = np.argsort(np.take_along_axis(distance, found, axis=1), axis=1, kind="stable")
        chosen[rows] = np.take_along_axis(found, order, axis=1)
    return chosen


def neighbour_overlap(neighbours: ArrayLike, others: ArrayLike) -> float:
    """Compute the mean share of the neighbours of each item, (item, k), that are its neighbours in another table too, (item, k).

    Examples
    --------
    >>> neighbour_overlap([[1, 2], [0, 2]], [[2, 3], [2, 0]])  # one of two, both
    0.75

    References
    ----------
    Wendlandt, Kummerfeld and Mihalcea 2018, arXiv 1804.09692, there called stability.
    """
    one, two = np.asarray(neighbours), np.asarray(others)
    return float((one[:, :, None] == two[:, None, :]).any(axis=2).mean())


def rank_correlation(one: ArrayLike, two: ArrayLike) -> float:
    """Compute Spearman's correlation of two lists (item,); ties share their mean rank, and a constant list gives 0.

    Examples
    --------
    >>> rank_correlation([1, 10, 100, 1000], [2, 1, 3, 4])  # one neighbouring pair exchanged: 1 - 6 * 2 / (4 * 15)
    0.8

    References
    ----------
    Spearman 1904, "The proof and measurement of association between two things", American Journal of Psychology 15.
    """
    from scipy.stats import rankdata

    a, b = (ranks - ranks.mean() for ranks in (rankdata(one), rankdata(two)))
    return float(a @ b / np.sqrt((a @ a) * (b @ b))) if a.any() and b.any() else 0.0
