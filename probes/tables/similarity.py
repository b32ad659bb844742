"""How alike the tables of two runs are, over the items that both have: distances, CKA and neighbours, each against permuted items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from data.arrays import FloatArray
from data.errors import InputError
from data.progress import Progress
from probes.tables.agreement import FEWEST_ITEMS, ROUNDING, neighbour_overlap
from probes.tables.neighbours import neighbours_of_all
from probes.tables.spread import centred, unit_rows

MOST_ITEMS = 300
"""Of larger tables, so many items are drawn: a permutation costs the square of their number."""
DRAWS = 199
BAND = (0.05, 0.95)
"""Quantiles of the permutations."""
MEASURES = ("distance_correlation", "cka", "neighbour_overlap")
MOST_NEIGHBOURS = 10


@dataclass(frozen=True)
class TablePair:
    """Two tables over the items and steps that both have; ``left_out`` counts shared items that were not drawn."""

    one: xr.DataArray
    other: xr.DataArray
    left_out: int


def shared_tables(one: xr.DataArray, other: xr.DataArray, *, most: int = MOST_ITEMS, seed: int = 0) -> TablePair:
    """Reduce the tables of two runs, (step, token or position, dim) each, to what both have.

    Parameters
    ----------
    one, other : both of tokens, or both of positions. Their widths may differ.
    most : largest number of items; of more, so many are drawn, which keep their order.
    seed : of the draw.

    Returns
    -------
    The tables over the items that have the same label in both, in the order of the first, and over the steps at which both have a
    snapshot.

    Raises
    ------
    InputError
        If they share fewer than four items, or no step.
    """
    item = str(one.dims[1])
    places = [{str(label): i for i, label in reversed(list(enumerate(table[item].values)))} for table in (one, other)]
    labels = [label for label in places[0] if label in places[1]]
    labels.sort(key=places[0].__getitem__)
    if len(labels) < FEWEST_ITEMS:
        raise InputError(f"the runs share {len(labels)} {item}s: {FEWEST_ITEMS} or more can be compared")
    steps = np.intersect1d(one["step"].values, other["step"].values)
    if not len(steps):
        raise InputError("the runs have no step in common at which both kept a snapshot: choose other runs")
    chosen = np.arange(len(labels))
    if len(labels) > most:
        chosen = np.sort(np.random.default_rng(seed).choice(len(labels), most, replace=False))
    first, second = (
        table.sel(step=steps).isel({item: [place[labels[i]] for i in chosen]})
        for table, place in zip((one, other), places, strict=True)
    )
    return TablePair(first, second, len(labels) - len(chosen))


def table_similarity(
    one: xr.DataArray,
    other: xr.DataArray,
    *,
    metric: str = "euclidean",
    draws: int = DRAWS,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Measure at every step how alike two tables over the same items are, whatever the coordinates of either.

    Parameters
    ----------
    one, other : tables of the same items and steps, (step, token or position, dim), see `shared_tables`.
    metric : euclidean or cosine, for distances and neighbours.
    draws : number of random permutations of the items of the second table; the same ones at every step.
    seed : of the permutations.
    progress : called with the number of steps done so far.

    Returns
    -------
    Dataset, float64:

    - over (step,): ``distance_correlation``, Spearman's correlation of the distances of all pairs of items in either table
      (representational similarity analysis); ``cka``, the debiased linear CKA; ``neighbour_overlap``, the mean share of the nearest
      neighbours that are nearest neighbours in both (attributes ``k`` and ``chance``);
    - for each of them ``..._low`` and ``..._high``, the range that holds 90 in 100 of the permutations, and ``..._p``, the share of
      permutations, the observed order included, that are as much alike or more, corrected for looking at all these steps (single-step
      max-T);
    - over (step, token or position): ``item_overlap``, each item's share of neighbours in both, and ``item_correlation``, Spearman's
      correlation of its distances to all others in either table.

    Examples
    --------
    >>> places = np.random.default_rng(0).normal(size=(1, 12, 3))
    >>> table = xr.DataArray(places, dims=("step", "token", "dim"), coords={"step": [0], "token": list("abcdefghijkl")})
    >>> found = table_similarity(table, 2 * table + 1, draws=99)
    >>> round(float(found["distance_correlation"][0]), 6), round(float(found["cka"][0]), 6), float(found["cka_p"][0])
    (1.0, 1.0, 0.01)

    References
    ----------
    Kriegeskorte, Mur and Bandettini 2008, "Representational similarity analysis", Frontiers in Systems Neuroscience 2. Kornblith et
    al. 2019, arXiv 1905.00414, equation 4 (linear CKA), debiased as in `debiased_cka`. Mantel 1967, "The detection of disease clustering
    and a generalized regression approach" (permutation of the items). Phipson and Smyth 2010, "Permutation p-values should never be
    zero". Westfall and Young 1993, "Resampling-based multiple testing", chapter 2 (max-T).
    """
    n, item = one.shape[1], str(one.dims[1])
    k = max(1, min(MOST_NEIGHBOURS, (n - 1) // 4))
    orders = np.random.default_rng([seed, n]).permuted(np.tile(np.arange(n), (draws, 1)), axis=1)
    near = [neighbours_of_all(table, k, metric=metric).values for table in (one, other)]
    rows = []
    for number, (table, beside) in enumerate(zip(one.values, other.values, strict=True)):
        rows.append(_one_step(table, beside, near[0][number], near[1][number], orders=orders, metric=metric))
        if progress is not None:
            progress(number + 1)
    null = np.array([row.pop("null") for row in rows])  # (step, measure, draw)
    variables: dict[str, Any] = {
        name: (("step", item) if np.ndim(rows[0][name]) else ("step",), np.array([row[name] for row in rows]))
        for name in rows[0]
    }
    for place, name in enumerate(MEASURES):
        low, high = np.quantile(null[:, place], BAND, axis=1)
        largest = null[:, place].max(axis=0)  # (draw,), over the steps
        as_alike = largest[None] >= variables[name][1][:, None] - ROUNDING
        p = (1 + as_alike.sum(axis=1)) / (draws + 1)
        variables |= {
            f"{name}_{part}": (("step",), values) for part, values in (("low", low), ("high", high), ("p", p))
        }
    dataset = xr.Dataset(variables, coords={"step": one["step"].values, item: one[item].values})
    dataset["neighbour_overlap"].attrs.update(k=k, chance=k / (n - 1))
    return dataset.assign_attrs(metric=metric, draws=draws)


def _one_step(
    table: FloatArray,
    other: FloatArray,
    near: NDArray[np.int64],
    near_other: NDArray[np.int64],
    *,
    orders: NDArray[np.int64],
    metric: str,
) -> dict[str, Any]:
    distances = [distance_matrix(values, metric) for values in (table, other)]
    ranks, grams = [_ranks(matrix) for matrix in distances], [gram_matrix(values) for values in (table, other)]
    is_near, is_near_other = (_adjacency(found) for found in (near, near_other))
    row_ranks = [_row_ranks(matrix) for matrix in distances]
    null = permuted_products(
        np.stack([ranks[0], grams[0], is_near / near.size]), np.stack([ranks[1], grams[1], is_near_other]), orders
    )
    return {
        "distance_correlation": float((ranks[0] * ranks[1]).sum()),
        "cka": float((grams[0] * grams[1]).sum()),
        "neighbour_overlap": neighbour_overlap(near, near_other),
        "item_overlap": (is_near * is_near_other).sum(axis=1) / near.shape[1],
        "item_correlation": (row_ranks[0] * row_ranks[1]).sum(axis=1),
        "null": null,
    }


def permuted_products(one: ArrayLike, other: ArrayLike, orders: ArrayLike) -> FloatArray:
    """Multiply each of several matrices with its partner, whose items are permuted: the sums of the products, (matrix, draw).

    Parameters
    ----------
    one, other : (matrix, item, item) each.
    orders : (draw, item), the permutations.

    Examples
    --------
    >>> permuted_products([[[0, 1], [2, 0]]], [[[0, 3], [5, 0]]], [[0, 1], [1, 0]]).tolist()
    [[13.0, 11.0]]
    """
    flat = [np.asarray(each, dtype=np.float64).reshape(len(np.asarray(each)), -1) for each in (one, other)]
    found = []
    for order in np.asarray(orders):
        places = (order[:, None] * len(order) + order).ravel()
        found.append([first @ np.take(second, places) for first, second in zip(*flat, strict=True)])
    return np.array(found).reshape(len(found), -1).T


def distance_matrix(table: ArrayLike, metric: str = "euclidean") -> FloatArray:
    """Compute the distances of all pairs of rows of a table (item, dim), euclidean or cosine: (item, item)."""
    from scipy.spatial.distance import pdist, squareform

    rows = np.nan_to_num(np.asarray(table, dtype=np.float64))
    if (
        metric == "cosine"
    ):  # 1 minus the cosine is half the squared distance of unit vectors; a zero row has no direction
        unit = unit_rows(rows)
        far = np.clip(1.0 - unit @ unit.T, 0.0, 2.0)
        np.fill_diagonal(far, 0.0)
        return np.asarray((far + far.T) / 2)
    return np.asarray(squareform(pdist(rows)))


def gram_matrix(table: ArrayLike) -> FloatArray:
    """Compute the U-centred Gram matrix of a table (item, dim), scaled to length 1: (item, item), 0 on the diagonal.

    The products of two of them add up to their debiased CKA. It is 0 where the rows are all equal, or equally far from each other.

    References
    ----------
    Székely and Rizzo 2014, "Partial distance correlation with methods for dissimilarities", definition 2 (U-centring).
    """
    points = centred(np.nan_to_num(np.asarray(table, dtype=np.float64)))
    gram = points @ points.T
    size, n = np.linalg.norm(gram), len(gram)
    np.fill_diagonal(gram, 0.0)
    rows = gram.sum(axis=1) / (n - 2)
    gram += gram.sum() / ((n - 1) * (n - 2)) - rows[:, None] - rows
    np.fill_diagonal(gram, 0.0)
    length = np.linalg.norm(gram)
    return gram / length if length**2 > ROUNDING * size**2 else np.zeros_like(gram)


def _ranks(distances: FloatArray) -> FloatArray:
    """Rank the distances of all pairs, ties sharing their mean rank, moved and scaled so that products add up to a correlation."""
    from scipy.spatial.distance import squareform
    from scipy.stats import rankdata

    ranks = rankdata(squareform(distances, checks=False))
    return np.asarray(squareform(unit_rows((ranks - ranks.mean())[None])[0] / np.sqrt(2)))


def _row_ranks(distances: FloatArray) -> FloatArray:
    """Rank each item's distances to the others, moved and scaled to mean 0 and length 1: (item, item - 1)."""
    from scipy.stats import rankdata

    n = len(distances)
    ranks = rankdata(distances[~np.eye(n, dtype=bool)].reshape(n, n - 1), axis=1)
    return unit_rows(ranks - ranks.mean(axis=1, keepdims=True))


def _adjacency(near: NDArray[np.int64]) -> FloatArray:
    found = np.zeros((len(near), len(near)))
    np.put_along_axis(found, near, 1.0, axis=1)
    return found
