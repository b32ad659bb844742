"""The divergence that t-SNE minimises and its gradient, without approximation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz.fidelity.ranking import row_blocks


def kl_divergence(affinities: Any, points: NDArray[np.float64]) -> float:
    """Compute the Kullback-Leibler divergence of a layout exactly, in nats, without an items-by-items matrix in memory.

    Parameters
    ----------
    affinities : (item, item) sparse joint probabilities, summing to 1.
    points : (item, axis), whose Student-t similarities are compared with them.

    Example
    -------
    >>> from scipy.sparse import csr_array
    >>> pairs = csr_array([[0.0, 0.5, 0.0], [0.5, 0.0, 0.0], [0.0, 0.0, 0.0]])
    >>> round(kl_divergence(pairs, np.array([[0.0, 0.0], [0.0, 0.0], [1e6, 0.0]])), 6)
    0.0

    References
    ----------
    Van der Maaten and Hinton 2008, "Visualizing data using t-SNE", equations 2 and 4.
    """
    from scipy.spatial.distance import cdist

    pairs = affinities.tocoo()
    kept = pairs.data > 0
    squared = np.square(points[pairs.row] - points[pairs.col]).sum(axis=1)
    similarity = sum(
        (1.0 / (1.0 + cdist(points[rows], points, "sqeuclidean"))).sum() for rows in row_blocks(len(points))
    )
    similarity -= len(points)  # of each point with itself
    return float(pairs.data[kept] @ np.log(pairs.data[kept] * (1.0 + squared[kept]) * similarity))


def exact_gradient(
    embedding: NDArray[np.float64], affinities: NDArray[np.float64], should_eval_error: bool = False, **_: Any
) -> tuple[float, NDArray[np.float64]]:
    """Compute the exact gradient of t-SNE, and on request the divergence, with the signature that openTSNE calls.

    Parameters
    ----------
    embedding : (item, axis).
    affinities : (item, item), dense, possibly exaggerated.

    Returns
    -------
    The divergence, and a quarter of its gradient (item, axis): openTSNE leaves the factor 4 to the learning rate.

    References
    ----------
    Van der Maaten and Hinton 2008, "Visualizing data using t-SNE", equation 5.
    """
    y = np.asarray(embedding)
    n_axes = y.shape[1]
    # Columns y, 1, |y|^2 and -2y, 1 + |y|^2, 1: their product is 1 + the squared distances. The time goes into passes over
    # (item, item), and for few items into calls.
    right, left = np.ones((2, len(y), n_axes + 2))
    right[:, :n_axes], right[:, -1] = y, np.einsum("ij,ij->i", y, y)
    left[:, :n_axes], left[:, n_axes] = -2.0 * y, 1.0 + right[:, -1]
    w = left @ right.T
    np.reciprocal(w, out=w)
    np.fill_diagonal(w, 0.0)
    total = w.sum()
    divergence = 0.0
    if should_eval_error:
        kept = affinities > 0
        divergence = float(affinities[kept] @ np.log(affinities[kept] * total / w[kept]))
    force = w * (-1.0 / total)
    force += affinities
    force *= w
    pull = force @ right[:, : n_axes + 1]
    return divergence, pull[:, n_axes:] * y - pull[:, :n_axes]
