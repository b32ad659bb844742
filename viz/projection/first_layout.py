"""The t-SNE layout that a film starts from: where items are few, the best of several perplexities and starts.

What is best is decided by the neighbourhoods that a layout keeps, never by the structure that it shows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.arrays import FloatArray
from viz.fidelity.neighbourhoods import measure_fidelity
from viz.projection.tsne import Fit, first_fit

MOST_ITEMS = 150
"""Beyond, trying several layouts takes time, and the choice matters less."""
N_PERPLEXITIES, N_STARTS = 5, 3


@dataclass(frozen=True)
class FirstLayout:
    """The chosen layout of the last snapshot.

    ``kept`` is the mean of its trustworthiness and continuity, 0 to 1; ``tried`` are the perplexities.
    """

    fit: Fit
    kept: float
    tried: tuple[float, ...]


def choose_first_layout(
    vectors: FloatArray, *, usual: float, neighbours: int, seed: int = 0, n_axes: int = 2
) -> FirstLayout:
    """Lay out the last snapshot with several perplexities and starts, and choose the layout that keeps neighbourhoods best.

    Parameters
    ----------
    vectors : (item, dim).
    usual : the perplexity for this number of items; the candidates lie between 0.6 of it and the largest that is possible.
    neighbours : size of the neighbourhoods.
    seed, n_axes : see `viz.projection.tsne.chain`.
    """
    tried = candidate_perplexities(len(vectors), usual)
    best: FirstLayout | None = None
    for perplexity in tried:
        for start in range(N_STARTS):
            fit = first_fit(vectors, perplexity=perplexity, seed=seed, start=start, n_axes=n_axes)
            kept = neighbourhoods_kept(vectors, fit.points, neighbours)
            if best is None or kept > best.kept + 1e-9:  # of equals, the smallest perplexity
                best = FirstLayout(fit, kept, tried)
    assert best is not None
    return best


def candidate_perplexities(items: int, usual: float) -> tuple[float, ...]:
    """List perplexities to try, ascending.

    Examples
    --------
    >>> candidate_perplexities(32, 5.17)
    (3.1, 4.1, 5.6, 7.5, 10.1)
    """
    largest = 0.98 * (items - 1) / 3
    grid = np.geomspace(min(max(2.0, 0.6 * usual), largest), largest, N_PERPLEXITIES)
    return tuple(dict.fromkeys(float(np.floor(10 * perplexity) / 10) for perplexity in grid))


def neighbourhoods_kept(vectors: FloatArray, points: FloatArray, neighbours: int) -> float:
    """Compute the mean of a layout's trustworthiness and continuity, 0 to 1."""
    found = measure_fidelity(vectors, points, neighbours)
    return (found.trustworthiness + found.continuity) / 2
