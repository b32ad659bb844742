"""Whether positions stand in their order along one path through the full space of the table, at every snapshot.

A path needs no projection to be found: the first Laplacian eigenmap places the items along one axis so that near ones stay near, and it
unrolls a curve that bends. Whether those places follow the numbers of the positions is then a rank correlation, and its null is that of
items in random order.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from data.arrays import FloatArray
from data.runs import Run
from probes.tables.embeddings import position_embeddings
from probes.tables.spread import unit_rows

DRAWS = 9_999
NEIGHBOUR, LEAST_NEIGHBOUR, EIGHTH = 7, 2, 8
"""The scale of an item is its distance to the seventh neighbour (Zelnik-Manor and Perona); of few items, to one in eight."""
FAINT = 1e-12
"""A link between all items, so that the path reaches even those that are near none."""
ENTRIES = 2**22  # ranks in random order held at once: 32 MB
ROUNDING = 1e-9


def position_order(run: Run, *, seed: int = 0) -> xr.Dataset:
    """Measure how far the positions stand in order along a path through the full space, at every whole snapshot.

    Parameters
    ----------
    run : the run to read.
    seed : of the random orders that the correlation is compared with.

    Returns
    -------
    As `order_along_path`, with the coordinates ``step``, ``sha256`` and ``position``.

    Raises
    ------
    InputError
        If the model has no position table, or the run has no whole snapshot.
    """
    return order_along_path(position_embeddings(run), seed=seed)


def order_along_path(
    trajectory: xr.DataArray, *, metric: str = "euclidean", seed: int = 0, draws: int = DRAWS
) -> xr.Dataset:
    """Measure how far the items of a table stand in order along a path through the full space.

    Parameters
    ----------
    trajectory : (step, item, dim); the second dimension may have any name.
    metric : ``"euclidean"``, or ``"cosine"`` (of directions).
    seed, draws : seed and number of the random orders.

    Returns
    -------
    Dataset, float64:

    - ``place`` (step, item): where each item stands along the path, see `path_places`, turned so that the places rise with the order;
    - over (step,): ``order_correlation``, Spearman's correlation of order and places, 0 or more since a path has no direction;
      ``pairs_in_order``, the share of pairs that stand in order, ties as half (attribute ``chance``: about what a random order gives);
      ``p_value``, the share of random orders, the observed one included, that correlate as strongly; and ``p_corrected``, the same
      corrected for looking at all these steps (single-step max-T).

    References
    ----------
    Phipson and Smyth 2010, "Permutation p-values should never be zero". Westfall and Young 1993, "Resampling-based multiple testing",
    chapter 2.
    """
    places = np.array([path_places(table, metric) for table in np.nan_to_num(trajectory.values.astype(np.float64))])
    ranks = _standard_ranks(places)  # (step, item)
    order = _standard_ranks(np.arange(places.shape[1], dtype=np.float64)[None])[0]
    signed = ranks @ order
    found, null = np.abs(signed), _null(ranks, order, seed, draws)
    places *= np.where(signed < 0, -1.0, 1.0)[:, None]
    at_least = {"p_value": null >= found - ROUNDING, "p_corrected": null.max(axis=1)[:, None] >= found - ROUNDING}
    over_steps = {
        "order_correlation": found,
        "pairs_in_order": np.array([_pairs_in_order(row) for row in places]),
        **{name: (1 + as_strong.sum(axis=0)) / (draws + 1) for name, as_strong in at_least.items()},
    }
    variables = {name: (("step",), values) for name, values in over_steps.items()}
    dataset = xr.Dataset({"place": (trajectory.dims[:2], places), **variables}, coords=trajectory.coords)
    dataset["pairs_in_order"].attrs["chance"] = _chance(places.shape[1])
    return dataset.assign_attrs({**trajectory.attrs, "metric": metric})


def path_places(table: ArrayLike, metric: str = "euclidean") -> FloatArray:
    """Place the items of a table (item, dim) along a path, (item,): the first Laplacian eigenmap, with a scale for each item.

    Distances are scaled by those from either item to one of its nearest neighbours, so that an item far from all others does not
    become the whole path. Where all items stand at one point, all places are 0.

    Examples
    --------
    >>> bend = np.linspace(0, 1.5 * np.pi, 32)  # three quarters of a circle, whose first principal component is not in order
    >>> places = path_places(np.column_stack([np.cos(bend), np.sin(bend)]))
    >>> from probes.tables.agreement import rank_correlation
    >>> abs(round(rank_correlation(bend, places), 2))
    1.0

    References
    ----------
    Belkin and Niyogi 2003, "Laplacian eigenmaps for dimensionality reduction and data representation", Neural Computation 15.
    Zelnik-Manor and Perona 2004, "Self-tuning spectral clustering", section 2 (the scale of an item).
    """
    from scipy.linalg import eigh
    from scipy.spatial.distance import pdist, squareform

    rows = np.asarray(table, dtype=np.float64)
    squares = squareform(pdist(rows if metric == "euclidean" else unit_rows(rows), "sqeuclidean"))
    items = len(squares)
    if items < 2 or not squares.any():
        return np.zeros(items)
    scale = np.sqrt(np.sort(squares, axis=1)[:, min(scale_neighbour(items), items - 1)])
    scale = np.maximum(scale, 1e-6 * scale.max())
    near = np.exp(-squares / np.outer(scale, scale)) + FAINT
    np.fill_diagonal(near, 0.0)
    root = np.sqrt(near.sum(axis=1))
    _, vectors = eigh(near / np.outer(root, root), subset_by_index=(items - 2, items - 1))
    return np.asarray(vectors[:, 0] / root)


def scale_neighbour(items: int) -> int:
    """Choose the neighbour whose distance is an item's scale.

    Examples
    --------
    >>> scale_neighbour(16), scale_neighbour(32), scale_neighbour(1024)
    (2, 4, 7)
    """
    return max(LEAST_NEIGHBOUR, min(NEIGHBOUR, items // EIGHTH))


def _standard_ranks(values: FloatArray) -> FloatArray:
    """Rank each row, ties sharing their mean rank, moved and scaled to mean 0 and length 1; a constant row becomes 0."""
    from scipy.stats import rankdata

    ranks = rankdata(values, axis=1)
    return unit_rows(ranks - ranks.mean(axis=1, keepdims=True))


def _null(ranks: FloatArray, order: FloatArray, seed: int, draws: int) -> FloatArray:
    """Correlate the ranks (step, item) with random orders, the same at every step: (draw, step)."""
    random = np.random.default_rng([seed, len(order)])
    at_once = max(1, ENTRIES // len(order))
    sizes = [min(at_once, draws - start) for start in range(0, draws, at_once)]
    drawn = (random.permuted(np.tile(order, (size, 1)), axis=1) for size in sizes)
    return np.asarray(np.abs(np.concatenate([orders @ ranks.T for orders in drawn])))


def _pairs_in_order(places: FloatArray) -> float:
    from scipy.stats import kendalltau

    tau = float(kendalltau(np.arange(len(places)), places, variant="b").statistic) if np.ptp(places) else 0.0
    return 0.5 + tau / 2


def _chance(items: int) -> float:
    """Compute about which share of pairs a random order has in order, in the better of its two directions.

    Kendall's tau of a random order is nearly normal, with the variance 2 (2 n + 5) / (9 n (n - 1)).
    """
    variance = 2 * (2 * items + 5) / (9 * max(1, items) * max(1, items - 1))
    return float(min(1.0, 0.5 + np.sqrt(variance / (2 * np.pi))))
