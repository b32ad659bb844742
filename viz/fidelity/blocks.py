"""Which rows and pairs of a distance matrix are measured, and in blocks of which size, so that memory does not grow with its square."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from data.arrays import FloatArray
from data.errors import InputError
from viz.fidelity.ranking import Integers

BLOCK_ENTRIES = 2**21  # distances in memory at once: 16 MB, whatever the number of items
ALL_ROWS_UP_TO = 3000  # items; beyond, a sample of them is scored, each against all
SAMPLED_ROWS = 2000
MOST_PAIRS = 2**20  # pairs whose distances are ranked together; beyond, a sample


def row_blocks(items: int, rows: int | None = None) -> Iterator[slice]:
    """Yield slices of at most `BLOCK_ENTRIES` entries that cover the rows of a rows-by-items matrix; square by default."""
    rows = items if rows is None else rows
    height = max(1, BLOCK_ENTRIES // items)
    for start in range(0, rows, height):
        yield slice(start, min(start + height, rows))


def sample_rows(items: int, rows: int | None, seed: int) -> tuple[Integers, Integers | None]:
    """Draw the items to score and the pairs whose distances are ranked together.

    Parameters
    ----------
    items : number of items.
    rows : number of items to score; None for all up to `ALL_ROWS_UP_TO`, else `SAMPLED_ROWS`.
    seed : of the draw.

    Returns
    -------
    The items to score, (row,), and for each of them its partners (row, partner); None stands for all pairs.
    """
    random = np.random.default_rng(seed)
    if rows is None:
        rows = items if items <= ALL_ROWS_UP_TO else SAMPLED_ROWS
    if rows < 1:
        raise InputError(
            f"`rows` must be at least 1; got {rows}: leave it out for {SAMPLED_ROWS}, or for all of few items"
        )
    scored = np.arange(items) if rows >= items else np.sort(random.choice(items, rows, replace=False))
    if rows >= items and items * (items - 1) // 2 <= MOST_PAIRS:
        return scored, None
    partners = random.integers(items - 1, size=(len(scored), max(1, min(items - 1, MOST_PAIRS // len(scored)))))
    return scored, partners + (partners >= scored[:, None])  # no item is its own partner


def pair_distances(distances: FloatArray, own: Integers, partners: Integers | None) -> FloatArray:
    """Select the distances of the sampled pairs from a block.

    Parameters
    ----------
    distances : (row, item).
    own : (row,), the item of each row.
    partners : (row, partner) from `sample_rows`; None for all items with a higher number, so that each pair occurs once.

    Returns
    -------
    (pair,).
    """
    if partners is not None:
        drawn: FloatArray = np.take_along_axis(distances, partners, axis=1).ravel()
        return drawn
    later: NDArray[np.bool_] = np.arange(distances.shape[1]) > own[:, None]
    return distances[later]
