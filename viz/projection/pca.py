"""Principal components of a whole trajectory: one basis for all steps, so that what moves in the picture moved in the space.

The basis is that of the pooled, centred vectors of all steps. It is found from sums over the steps, so memory does not grow with
their number.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viz.projection.alignment import reading_signs


@dataclass(frozen=True)
class Basis:
    """Where a trajectory is looked at from: centre (dim,) and axes (dim, axis), orthonormal, in order of pooled variance."""

    centre: NDArray[np.float64]
    axes: NDArray[np.float64]

    def project(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the coordinates (item, axis) of vectors (item, dim)."""
        return (vectors - self.centre) @ self.axes

    def explained_variance(self, vectors: NDArray[np.float64]) -> float:
        """Return the share of one snapshot's variance that its picture shows, 0 to 1 (1 where nothing varies)."""
        centred = vectors - vectors.mean(axis=0)
        total = np.square(centred).sum()
        return float(np.square(centred @ self.axes).sum() / total) if total > 0 else 1.0


def pooled_basis(snapshots: Iterable[NDArray[np.float64]], n_axes: int = 2) -> Basis:
    """Find the directions in which all snapshots together vary most.

    Parameters
    ----------
    snapshots : matrices (item, dim); the last one decides the signs (see `viz.projection.alignment.reading_signs`).
    n_axes : how many directions; there must be as many dimensions.

    Returns
    -------
    The basis.

    Example
    -------
    >>> line = np.outer(np.arange(4.0), [3.0, 4.0, 0.0])
    >>> pooled_basis([line, 2 * line], n_axes=1).axes.ravel().round(6).tolist()
    [0.6, 0.8, 0.0]
    """
    # Summed about one point near them all: sums of squares about the origin would cancel where the centre is far from it.
    count, origin, total, products = 0, np.zeros(0), np.zeros(0), np.zeros((0, 0))
    vectors = np.zeros((0, 0))
    for vectors in snapshots:
        if not count:
            origin, total = vectors.mean(axis=0), np.zeros(vectors.shape[1])
            products = np.zeros((vectors.shape[1],) * 2)
        shifted = vectors - origin
        count, total = count + len(vectors), total + shifted.sum(axis=0)
        products += shifted.T @ shifted
    mean = total / count
    _, directions = np.linalg.eigh(products / count - np.outer(mean, mean))
    axes = directions[:, ::-1][:, :n_axes]
    last = vectors - vectors.mean(axis=0)
    return Basis(origin + mean, axes * reading_signs(last @ axes))
