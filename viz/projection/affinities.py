"""Affinities of t-SNE: for each pair of neighbours a joint probability, from their distance and the perplexity.

Up to `SEARCHED_BY_OPENTSNE` items openTSNE searches the neighbours. Of more items it would search approximately, with trees that are built
anew for each snapshot. scikit-learn computes all distances, block by block as matrix products, which takes less time up to some hundred
thousand items (50,000 items of 50 dimensions: 12 s of processor time instead of 43 s), little memory, and finds the true neighbours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

SEARCHED_BY_OPENTSNE = 1000

NeighbourLists = tuple[NDArray[np.int32], NDArray[np.float64]]
"""The indices of the neighbours of each item, and their distances, nearest first; both (item, neighbour)."""


def joint_probabilities(
    vectors: NDArray[np.float64],
    perplexity: float,
    *,
    seed: int = 0,
    n_jobs: int = 1,
    search: Callable[[NDArray[np.float64], int], NeighbourLists] | None = None,
) -> Any:
    """Compute the affinities of all pairs of neighbours.

    Parameters
    ----------
    vectors : (item, dim).
    perplexity : effective number of neighbours; three times as many are searched.
    seed : of openTSNE's search.
    n_jobs : threads.
    search : called with the vectors of many items and the number of neighbours, instead of `nearest_neighbours`.

    Returns
    -------
    (item, item), sparse rows (CSR), symmetric; they sum to 1. Of many items they are in single precision.

    Example
    -------
    >>> pairs = joint_probabilities(np.random.default_rng(0).normal(size=(40, 3)), 5.0)
    >>> round(float(pairs.sum()), 6)
    1.0
    """
    from openTSNE.affinity import PerplexityBasedNN, joint_probabilities_nn

    if len(vectors) <= SEARCHED_BY_OPENTSNE:
        return PerplexityBasedNN(vectors, perplexity, random_state=seed, n_jobs=n_jobs).P
    count = int(min(len(vectors) - 1, 3 * perplexity))
    neighbours, distances = search(vectors, count) if search else nearest_neighbours(vectors, count, n_jobs)
    pairs = joint_probabilities_nn(neighbours, distances, [perplexity], n_jobs=n_jobs)
    return pairs.astype(np.float32)


def nearest_neighbours(vectors: NDArray[np.float64], count: int, n_jobs: int = 1) -> NeighbourLists:
    """Find the ``count`` nearest neighbours of each of the vectors (item, dim), and their distances, nearest first; (item, count)."""
    from sklearn.neighbors import NearestNeighbors
    from threadpoolctl import threadpool_limits

    # Distances come from products of vectors, which lose digits far from the origin.
    centred = vectors - vectors.mean(axis=0)
    with threadpool_limits(n_jobs, user_api="openmp"):
        distances, neighbours = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(centred).kneighbors()
    return neighbours.astype(np.int32), distances
