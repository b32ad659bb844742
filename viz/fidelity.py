"""How far a layout may be believed: which of its neighbourhoods are those of the space it was made from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

BLOCK_ENTRIES = 2**21  # distances held at once: 16 MB, whatever the number of items


def trustworthiness(vectors: NDArray[np.float64], points: NDArray[np.float64], neighbours: int) -> float:
    """Measure how far neighbours in the layout are neighbours in the space.

    1 means that every point's nearest points in the picture are among its nearest in the space; intruders cost by how
    far down the space's ranking they stand. Equal distances share the better rank. Memory does not grow with the items.

    Parameters
    ----------
    vectors : (item, dim), the space.
    points : (item, axis), the layout.
    neighbours : how many nearest points are looked at; below half the items.

    Returns
    -------
    A number from 0 to 1.

    Example
    -------
    >>> line = np.arange(12.0)[:, None]
    >>> trustworthiness(line, 2 * line, neighbours=3)
    1.0

    References
    ----------
    Venna and Kaski 2001, "Neighborhood preservation in nonlinear projection methods", equation 1.
    """
    items, k = len(vectors), neighbours
    intrusion = 0.0
    for rows in row_blocks(items):
        in_space = _distances(vectors, rows)
        nearest = np.argpartition(_distances(points, rows), k - 1, axis=1)[:, :k]
        for column in nearest.T:
            rank = 1 + np.count_nonzero(in_space < np.take_along_axis(in_space, column[:, None], axis=1), axis=1)
            intrusion += np.maximum(rank - k, 0).sum()
    return float(1.0 - intrusion * 2.0 / (items * k * (2.0 * items - 3.0 * k - 1.0)))


def row_blocks(items: int) -> Iterator[slice]:
    """Cut the rows of an items-by-items matrix into slices of at most `BLOCK_ENTRIES` entries."""
    height = max(1, BLOCK_ENTRIES // items)
    for start in range(0, items, height):
        yield slice(start, min(start + height, items))


def _distances(points: NDArray[np.float64], rows: slice) -> NDArray[np.float64]:
    """Return the distances of some points to all, (row, item), with infinity from a point to itself."""
    from scipy.spatial.distance import cdist

    distances = np.asarray(cdist(points[rows], points), dtype=np.float64)
    distances[np.arange(len(distances)), np.arange(rows.start, rows.stop)] = np.inf
    return distances
