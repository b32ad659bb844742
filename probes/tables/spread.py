"""How the vectors of one table spread: cosines, ranks, isotropy.

The formulas are functions on arrays, in float64. A zero row has no direction: its cosine with anything counts as 0, so that no NaN
spreads from it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from data.arrays import FloatArray


def centred(table: ArrayLike) -> FloatArray:
    """Subtract the mean row from a table (item, dim).

    What rounding leaves of a column of equal numbers is set to 0.
    """
    values = np.asarray(table, dtype=np.float64)
    rest = values - values.mean(axis=0)
    floor = np.finfo(np.float64).eps * len(values) * np.abs(values).max(axis=0)
    return np.where(np.abs(rest) > floor, rest, 0.0)


def unit_rows(table: ArrayLike) -> FloatArray:
    """Scale the rows of a table (item, dim) to length 1; a zero row stays zero."""
    values = np.asarray(table, dtype=np.float64)
    norm = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(np.divide(values, norm, out=np.zeros_like(values), where=norm > 0))


def mean_cosine(table: ArrayLike) -> float:
    """Compute the mean cosine over all pairs of different rows of a table (item, dim); 0 for a single row.

    Examples
    --------
    >>> round(mean_cosine([[1, 0], [2, 0], [0, 3]]), 4)  # cosines 1, 0, 0
    0.3333

    References
    ----------
    Ethayarajh 2019, arXiv 1909.00512, there the baseline for anisotropy, over sampled pairs.
    """
    directions = unit_rows(table)
    items = len(directions)
    pairs = np.square(directions.sum(axis=0)).sum() - np.square(directions).sum()  # each pair twice
    return float(pairs / max(1, items * (items - 1)))


def singular_values(table: ArrayLike) -> FloatArray:
    """Compute the singular values of a column-centred table (item, dim), largest first: min(item, dim) of them.

    Examples
    --------
    >>> singular_values([[2, 1], [-2, 1], [0, 1]]).round(4)
    array([2.8284, 0.    ])
    """
    return np.asarray(np.linalg.svd(centred(table), compute_uv=False), dtype=np.float64)


def effective_rank(values: ArrayLike) -> float:
    """Compute the effective rank from singular values: the exponential of the entropy of their shares of the sum.

    It is 0 where all are 0.

    Examples
    --------
    >>> effective_rank([5, 5, 0])
    2.0

    References
    ----------
    Roy and Vetterli 2007, "The effective rank: a measure of effective dimensionality", EUSIPCO, pages 606-610, definition of erank.
    """
    sizes = np.asarray(values, dtype=np.float64)
    if not sizes.any():
        return 0.0
    share = sizes[sizes > 0] / sizes.sum()
    return float(np.exp(-(share * np.log(share)).sum()))


def stable_rank(values: ArrayLike) -> float:
    """Compute the stable rank from singular values: the sum of their squares over the largest square; 0 where all are 0.

    Examples
    --------
    >>> stable_rank([2, 1])
    1.25

    References
    ----------
    Rudelson and Vershynin 2007, "Sampling from large matrices", arXiv math/0503442, section 1, there called the numerical rank.
    """
    sizes = np.asarray(values, dtype=np.float64)
    return float(np.square(sizes / sizes.max()).sum()) if sizes.any() else 0.0


def iso_score(table: ArrayLike) -> float:
    """Compute the IsoScore of a table (item, dim): 1 if its variance is the same in all directions, 0 if it lies on a line.

    Without any variance, or with a single dimension, the score is not defined, and 0 is returned.

    Examples
    --------
    >>> round(iso_score([[2, 0], [-2, 0], [0, 1], [0, -1]]), 4)  # variances 4 to 1: (4 + 1)^2 / (4^2 + 1^2) - 1
    0.4706

    References
    ----------
    Rudman, Gillman, Rayne and Eickhoff 2022, "IsoScore", arXiv 2108.07344, algorithm 1.
    """
    points = centred(table)
    n = points.shape[1]
    if n < 2 or not points.any():
        return 0.0
    # Along the principal axes, the diagonal of the covariance holds its eigenvalues. Its scale goes with the normalisation.
    variance = np.linalg.eigvalsh(points.T @ points)
    normalised = np.sqrt(n) * variance / np.linalg.norm(variance)
    defect = np.linalg.norm(normalised - 1) / np.sqrt(2 * (n - np.sqrt(n)))
    dimensions = (n - defect**2 * (n - np.sqrt(n))) ** 2 / n
    return float((dimensions - 1) / (n - 1))


def white_iso_score(items: int, dims: int) -> float:
    """Compute the IsoScore that is expected of white noise of this shape."""
    # The score is (P - 1) / (dims - 1), P = tr(W)^2 / tr(W^2). Of white noise, W is Wishart with items - 1 degrees of freedom m,
    # and the mean of 1 / P is (m + dims + 1) / (m dims + 2), around which P hardly strays.
    m = items - 1
    return ((m * dims + 2) / (m + dims + 1) - 1) / (dims - 1) if dims > 1 else 0.0
