"""Rotations and reflections that align layouts.

t-SNE and UMAP leave the orientation of a layout open. It is fixed here, so that no motion in a film is a mere rotation of the whole layout.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def rotate_onto(points: NDArray[np.float64], reference: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotate or reflect points (item, axis) to lie as close as possible to a reference; both are centred at the origin.

    Example
    -------
    >>> square = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0], [-1.0, 2.0]])
    >>> square -= square.mean(axis=0)
    >>> rotated = square @ np.array([[0.0, 1.0], [-1.0, 0.0]])
    >>> bool(np.allclose(rotate_onto(rotated, square), square))
    True

    References
    ----------
    Schönemann 1966, "A generalized solution of the orthogonal Procrustes problem", Psychometrika 31(1).
    """
    left, _, right = np.linalg.svd(points.T @ reference)
    rotated: NDArray[np.float64] = points @ (left @ right)
    return rotated


def align_to_axes(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centre points (item, axis) and rotate them so that they spread most along x, with signs by `reading_signs`.

    Example
    -------
    >>> diagonal = np.array([[3.0, 3.0], [2.0, 2.0], [1.0, 1.0]])
    >>> align_to_axes(diagonal)[:, 0].round(3).tolist()
    [-1.414, 0.0, 1.414]
    """
    centred = points - points.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    rotated: NDArray[np.float64] = centred @ axes.T
    rotated *= reading_signs(rotated)
    return rotated


def reading_signs(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Find the sign of each axis, (axis,), that puts later ones of centred points (item, axis) on its positive side.

    So position 0 is at the left.

    Example
    -------
    >>> reading_signs(np.array([[2.0, -1.0], [-2.0, 1.0]])).tolist()
    [-1.0, 1.0]
    """
    trend = (np.arange(len(points)) - (len(points) - 1) / 2) @ points
    return np.where(trend < 0, -1.0, 1.0)
