"""Mean distances of pairs within groups and of all pairs at every step, in memory that does not grow with their number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from data.arrays import FloatArray, TokenIds
from probes.tables.spread import unit_rows

STEPS_AT_ONCE = 16
BLOCK_ENTRIES = 2**20  # distances held at once: 8 MB, whatever the number of items and steps
MANY_ITEMS = 1500  # with more, single distances are computed within groups only


def ratios_to_all(values: NDArray[Any], groups: TokenIds, metric: str) -> Iterator[FloatArray]:
    """Yield the mean distance of the pairs within each group over that of all pairs, (group, step), for some steps at a time.

    ``values`` is (step, item, dim); ``groups`` holds the indices of the members, (group, member); the metric is euclidean or cosine.
    """
    n_steps = max(1, min(STEPS_AT_ONCE, BLOCK_ENTRIES // max(values.shape[1] ** 2, len(groups))))
    for start in range(0, len(values), n_steps):
        yield _ratio(values[start : start + n_steps].astype(np.float64), groups, metric)


def _ratio(tables: FloatArray, groups: TokenIds, metric: str) -> FloatArray:
    steps, items, _ = tables.shape
    vectors = tables if metric == "euclidean" else np.stack([unit_rows(table) for table in tables])
    if items > MANY_ITEMS and groups.size * (groups.shape[1] - 1) < items**2:
        return np.stack([_sparse_ratio(table, groups, metric) for table in vectors], axis=1)
    within, overall = np.zeros((len(groups), steps)), np.zeros(steps)
    height = max(1, min(items, BLOCK_ENTRIES // (items * steps)))
    for start in range(0, items, height):
        block = _distances(vectors, slice(start, start + height), metric)  # (row, item, step)
        overall += block.sum(axis=(0, 1))
        _add_pairs(within, block, start, groups)
    within /= groups.shape[1] * (groups.shape[1] - 1) / 2
    overall /= items * (items - 1)  # each pair was counted twice
    return np.asarray(np.divide(within, overall, out=np.ones_like(within), where=overall > 0))


def _sparse_ratio(vectors: FloatArray, groups: TokenIds, metric: str) -> FloatArray:
    """Compute the cohesion of every group at one step, (group,), where the groups hold few of the pairs of many items.

    Only the distances within groups are computed one by one; the mean of all distances comes from matrix products.
    """
    first, second = np.triu_indices(groups.shape[1], 1)
    zero, within = np.asarray(~vectors.any(axis=1)), np.zeros(len(groups))
    height = max(1, BLOCK_ENTRIES // (len(first) * vectors.shape[1]))
    for top in range(0, len(groups), height):
        one, two = groups[top : top + height, first], groups[top : top + height, second]  # (group, pair)
        squares = ((vectors[one] - vectors[two]) ** 2).sum(axis=-1)
        if metric == "euclidean":
            within[top : top + height] = np.sqrt(squares).mean(axis=1)
        else:  # of unit vectors, 1 - cos is half the squared distance; a zero row has no direction
            within[top : top + height] = np.where(zero[one] | zero[two], 1.0, squares / 2).mean(axis=1)
    overall = _mean_distance(vectors, metric)
    return within / overall if overall > 0 else np.ones_like(within)


def _mean_distance(vectors: FloatArray, metric: str) -> float:
    """Compute the mean distance of all pairs of rows (item, dim); for cosines the rows have length 1, or 0."""
    items = len(vectors)
    if metric == "cosine":
        total = vectors.sum(axis=0)
        # The sum of 1 - cos, from both ends and with themselves: 0 for a direction, 1 for none.
        pairs = items**2 - total @ total
        return max(0.0, float(pairs - (~vectors.any(axis=1)).sum())) / (items * (items - 1))
    centred = vectors - vectors.mean(axis=0)  # large squares would hide small distances
    squares, summed = (centred**2).sum(axis=1), 0.0
    height = max(1, BLOCK_ENTRIES // items)
    for start in range(0, items, height):
        block = squares[start : start + height, None] + squares - 2 * centred[start : start + height] @ centred.T
        own = np.arange(len(block))
        block[own, start + own] = 0.0
        summed += float(np.sqrt(np.maximum(block, 0.0)).sum())
    return summed / (items * (items - 1))


def _distances(vectors: FloatArray, rows: slice, metric: str) -> FloatArray:
    """Compute the distances from some rows to all rows at every step, (row, item, step)."""
    from scipy.spatial.distance import cdist

    kind: Literal["euclidean", "sqeuclidean"] = "euclidean" if metric == "euclidean" else "sqeuclidean"
    block = np.stack([cdist(table[rows], table, kind) for table in vectors], axis=-1)
    if metric == "cosine":
        block /= 2  # of unit vectors, 1 - cos is half the squared distance: exactly 0 for equal ones
        for step, table in enumerate(vectors):
            zero = ~table.any(axis=1)
            block[zero[rows], :, step] = block[:, zero, step] = 1.0  # no direction: cosine 0 with all others
            own = np.arange(len(table))[rows]
            block[np.arange(len(own)), own, step] = 0.0
    return block


def _add_pairs(within: FloatArray, block: FloatArray, start: int, groups: TokenIds) -> None:
    """Add the distances of the pairs of each group whose first member is a row of the block to ``within`` (group, step)."""
    from scipy.sparse import csr_array

    rows, items, steps = block.shape
    distances = block.reshape(rows * items, steps)
    first, second = np.triu_indices(groups.shape[1], 1)
    height = max(1, BLOCK_ENTRIES // len(first))
    for top in range(0, len(groups), height):
        part = groups[top : top + height]
        place = (part[:, first] - start) * items + part[:, second]  # (group, pair)
        inside = (place >= 0) & (place < len(distances))
        ends = np.concatenate([[0], np.cumsum(inside.sum(axis=1))])
        # Row g of this 0-1 matrix picks the pairs of group g: one product sums their distances, for all steps at once.
        picks = csr_array((np.ones(ends[-1]), place[inside], ends), shape=(len(part), len(distances)))
        within[top : top + height] += picks @ distances
