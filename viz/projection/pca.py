"""Principal components of a whole trajectory: one basis for all steps, so that points move only where vectors move.

The basis is that of the pooled, centred vectors of all steps. It is computed from sums over the steps, so memory does not grow with
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
    """An orthonormal basis: centre (dim,) and axes (dim, axis), in descending order of pooled variance."""

    centre: NDArray[np.float64]
    axes: NDArray[np.float64]

    def project(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Compute the coordinates (item, axis) of vectors (item, dim)."""
        return (vectors - self.centre) @ self.axes

    def explained_variance(self, vectors: NDArray[np.float64]) -> float:
        """Compute the share of one snapshot's variance along the axes, 0 to 1 (1 where nothing varies)."""
        centred = vectors - vectors.mean(axis=0)
        total, along = np.vdot(centred, centred), centred @ self.axes
        return float(np.vdot(along, along) / total) if total > 0 else 1.0


def pooled_basis(snapshots: Iterable[NDArray[np.float64]], n_axes: int = 2) -> Basis:
    """Find the principal axes of all snapshots together.

    Parameters
    ----------
    snapshots : matrices (item, dim); the last one determines the signs (see `viz.projection.alignment.reading_signs`).
    n_axes : number of axes, at most the number of dimensions.

    Example
    -------
    >>> line = np.outer(np.arange(4.0), [3.0, 4.0, 0.0])
    >>> pooled_basis([line, 2 * line], n_axes=1).axes.ravel().round(6).tolist()
    [0.6, 0.8, 0.0]
    """
    # Sums about the first centre: sums of squares about the origin would cancel where the vectors are far from it.
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
