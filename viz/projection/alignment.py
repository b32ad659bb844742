"""Bring layouts that differ by a turn or a mirror image onto each other.

Nothing in t-SNE or UMAP fixes which way is up; these functions do, so that no motion in a film is a mere turn of the picture.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def rotate_onto(points: NDArray[np.float64], reference: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotate or reflect ``points`` so that they lie as near as can be to ``reference`` (orthogonal Procrustes).

    Parameters
    ----------
    points, reference : (item, axis), both centred at the origin; layout units.

    Returns
    -------
    (item, axis) : ``points``, turned; distances between them are what they were.

    Example
    -------
    >>> square = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0], [-1.0, 2.0]])
    >>> square -= square.mean(axis=0)
    >>> turned = square @ np.array([[0.0, 1.0], [-1.0, 0.0]])
    >>> bool(np.allclose(rotate_onto(turned, square), square))
    True

    References
    ----------
    Schönemann 1966, "A generalized solution of the orthogonal Procrustes problem", Psychometrika 31(1).
    """
    left, _, right = np.linalg.svd(points.T @ reference)
    turned: NDArray[np.float64] = points @ (left @ right)
    return turned


def lay_along_axes(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centre ``points`` and turn them so that they spread most along x, and are read from left to right.

    Parameters
    ----------
    points : (item, axis), layout units.

    Returns
    -------
    (item, axis) : centred at the origin, principal axes along the coordinate axes, signs by `reading_signs`.

    Example
    -------
    >>> diagonal = np.array([[3.0, 3.0], [2.0, 2.0], [1.0, 1.0]])
    >>> lay_along_axes(diagonal)[:, 0].round(3).tolist()
    [-1.414, 0.0, 1.414]
    """
    centred = points - points.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    turned: NDArray[np.float64] = centred @ axes.T
    turned *= reading_signs(turned)
    return turned


def reading_signs(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sign of each axis with which the later items lie on its positive side (so position 0 is at the left).

    Parameters
    ----------
    points : (item, axis), centred at the origin.

    Returns
    -------
    (axis,) : 1.0 or -1.0.

    Example
    -------
    >>> reading_signs(np.array([[2.0, -1.0], [-2.0, 1.0]])).tolist()
    [-1.0, 1.0]
    """
    trend = (np.arange(len(points)) - (len(points) - 1) / 2) @ points
    return np.where(trend < 0, -1.0, 1.0)
