"""Fidelity of a layout: which of its neighbourhoods and distances are those of the vectors it shows.

Items at equal distances are tied. They share the better rank, and the last places among the nearest k are divided evenly among those that
tie for them, so that no measure depends on the order of the items. Distances that differ by less than a part in 10^10 count as equal, or
rotating a layout would break ties by rounding. Without ties, all measures are those published. No measure depends on scale.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data.arrays import FloatArray
from data.errors import InputError
from data.progress import Progress
from probes.parallel import current_client, map_steps
from viz.fidelity.ranking import (
    ALL_ROWS_UP_TO,
    Distances,
    Integers,
    Ranks,
    pair_distances,
    rank_correlation,
    rank_rows,
    row_blocks,
    sample_rows,
)

if TYPE_CHECKING:
    import xarray as xr

METRICS = ("euclidean", "cosine")
ITEM_MEASURES = ("trustworthiness", "continuity", "recall", "distance_correlation")
MEASURES = (*ITEM_MEASURES, "stress")


@dataclass(frozen=True)
class Fidelity:
    """The fidelity of one layout.

    trustworthiness : 0 to 1; lowered by neighbours in the layout that are none in the space. Mean over the scored items.
    continuity : 0 to 1; lowered by neighbours in the space that the layout separates. Mean over the scored items.
    recall : 0 to 1; share of the nearest items in the space that are among the nearest in the layout. Mean over the scored items.
    distance_correlation : -1 to 1; Spearman's, of the distances of all pairs; 0 where all distances are tied.
    stress : 0 to 1; residual of the distances at the best scale of the layout, 0 for a perfect fit.
    item_trustworthiness, item_continuity, item_recall : (item,), the same of each item; NaN where it was not scored.
    item_distance_correlation : (item,), the same of an item's distances to all others.
    rows : (row,), the items that were scored, ascending.
    pairs : number of pairs that ``distance_correlation`` ranks.
    chance : recall of a layout unrelated to the space.
    """

    trustworthiness: float
    continuity: float
    recall: float
    distance_correlation: float
    stress: float
    item_trustworthiness: FloatArray
    item_continuity: FloatArray
    item_recall: FloatArray
    item_distance_correlation: FloatArray
    rows: Integers
    pairs: int
    chance: float


def measure_fidelity(
    vectors: NDArray[np.floating],
    points: NDArray[np.floating],
    neighbours: int,
    metric: str = "euclidean",
    *,
    rows: int | None = None,
    seed: int = 0,
) -> Fidelity:
    """Measure how well a layout keeps the neighbourhoods and distances of its vectors.

    Distances are computed in blocks of rows, so that memory does not grow with the square of the items.

    Parameters
    ----------
    vectors : (item, dim), the space.
    points : (item, axis), the layout.
    neighbours : number of nearest items that count as neighbours; below half the items.
    metric : of the space, ``euclidean`` or ``cosine`` (1 - cosine; a zero row is at 1 from all). Distances in the layout are Euclidean.
    rows : number of items to score, each against all; by default all up to 3,000 items, else 2,000 drawn at random. Stress is then over
        the pairs with one of them. ``distance_correlation`` uses at most a million pairs, drawn at random.
    seed : of both samples.

    Returns
    -------
    The measures, see `Fidelity`.

    Raises
    ------
    InputError
        Unknown metric; shapes that do not match; values that are not finite; too few items for the neighbours.

    Example
    -------
    >>> space = np.array([[0.0, 0.0], [1.0, 0.0], [3.0, 0.0], [7.0, 0.0], [7.0, 5.0]])
    >>> kept = measure_fidelity(space, 2 * space, neighbours=2)
    >>> kept.trustworthiness, kept.continuity, kept.recall, kept.stress
    (1.0, 1.0, 1.0, 0.0)
    >>> flat = measure_fidelity(space, space[:, :1], neighbours=2)
    >>> round(flat.recall, 2), round(flat.stress, 2)
    (1.0, 0.32)

    References
    ----------
    Venna and Kaski 2001, "Neighborhood preservation in nonlinear projection methods" (trustworthiness, equation 1; continuity).
    Chen and Buja 2009, "Local multidimensional scaling", JASA 104(485) (recall: their N_k / k).
    Smelser, Miller and Kobourov 2024, arXiv 2408.07724 (scale-normalised stress).
    """
    _check(vectors, points, neighbours, metric)
    space, picture = Distances(vectors, metric), Distances(points)
    scored, partners = sample_rows(len(vectors), rows, seed)
    scores, pairs, stress = np.full((len(ITEM_MEASURES), len(vectors)), np.nan), [], _Stress()
    # Of many items space and picture side by side: the time goes into sorting long rows, during which NumPy lets other threads run.
    with ThreadPoolExecutor(2) as pool:
        over_both: Any = pool.map if len(vectors) > ALL_ROWS_UP_TO else map
        for block in row_blocks(len(vectors), len(scored)):
            own = scored[block]
            in_space, in_picture = over_both(lambda one, own=own: one.of(own), (space, picture))
            stress.add(in_space, in_picture)
            chosen = None if partners is None else partners[block]
            pairs.append(np.stack([pair_distances(distances, own, chosen) for distances in (in_space, in_picture)]))
            true, shown = over_both(lambda one, own=own: rank_rows(one, own), (in_space, in_picture))
            scores[:, own] = _item_scores(true, shown, neighbours)
    ranked = np.concatenate(pairs, axis=1)
    together = rank_correlation(rank_rows(ranked[:1]), rank_rows(ranked[1:]))
    means = [float(measure[scored].mean()) for measure in scores[:3]]
    measures: dict[str, Any] = dict(zip(MEASURES, [*means, float(together[0]), stress.value()], strict=True))
    measures |= {f"item_{name}": of_items for name, of_items in zip(ITEM_MEASURES, scores, strict=True)}
    chance = neighbours / (len(vectors) - 1)
    return Fidelity(**measures, rows=scored, pairs=ranked.shape[1], chance=chance)


def fidelity_over_steps(
    trajectory: xr.DataArray,
    layout: xr.DataArray,
    neighbours: int,
    metric: str = "euclidean",
    *,
    rows: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Measure the fidelity of the layout at every step.

    Parameters
    ----------
    trajectory : dimensions (step, token or position, dim); a lazy one is loaded step by step.
    layout : dimensions (step, token or position, axis), as `viz.projection.projector.project` returns it.
    neighbours, metric, rows, seed : see `measure_fidelity`; the same items are scored at every step.
    progress : called with the number of steps scored so far. Inside `probes.parallel.open_client`, Dask workers score them.

    Returns
    -------
    Dataset, float64, with the coordinates of the layout's steps and items:

    - over (step,): ``trustworthiness``, ``continuity``, ``recall``, ``distance_correlation``, ``stress``;
    - over (step, item): ``item_trustworthiness``, ``item_continuity``, ``item_recall``, ``item_distance_correlation``;

    and the attributes ``neighbours``, ``metric``, ``scored_items``, ``ranked_pairs``, ``seed``, and ``chance``, the recall of a
    layout unrelated to the space.

    Raises
    ------
    InputError
        Steps or items differ, or `measure_fidelity` cannot measure one of the layouts.

    Example
    -------
    >>> import xarray as xr
    >>> vectors = np.random.default_rng(0).normal(size=(3, 12, 5))
    >>> trajectory = xr.DataArray(vectors, dims=("step", "position", "dim"), coords={"step": [0, 1, 2], "position": range(12)})
    >>> layout = trajectory[:, :, :2].rename(dim="axis")
    >>> dict(fidelity_over_steps(trajectory, layout, neighbours=3)["item_recall"].sizes)
    {'step': 3, 'position': 12}
    """
    import xarray as xr

    check_fits(trajectory, layout)
    step, item = str(layout.dims[0]), str(layout.dims[1])
    pairs = ((trajectory.variable[i].values, layout.variable[i].values) for i in range(len(trajectory)))
    labelled = zip(layout[step].values.tolist(), pairs, strict=True)
    score = partial(_measure_step, neighbours=neighbours, metric=metric, rows=rows, seed=seed)
    steps: list[Fidelity] = list(map_steps(score, labelled, current_client(), progress))
    of_steps = {name: ((step,), [getattr(one, name) for one in steps]) for name in MEASURES}
    of_items = {
        f"item_{name}": ((step, item), [getattr(one, f"item_{name}") for one in steps]) for name in ITEM_MEASURES
    }
    attributes = {"neighbours": neighbours, "metric": metric, "seed": seed, "chance": steps[0].chance}
    attributes |= {"scored_items": len(steps[0].rows), "ranked_pairs": steps[0].pairs}
    return xr.Dataset(of_steps | of_items, coords=layout.isel({layout.dims[2]: 0}, drop=True).coords, attrs=attributes)


def _measure_step(labelled: tuple[object, tuple[FloatArray, FloatArray]], **options: Any) -> Fidelity:
    step, (vectors, points) = labelled
    try:
        return measure_fidelity(vectors, points, **options)
    except InputError as error:
        raise InputError(f"step {step}: {error}") from None


def check_fits(trajectory: xr.DataArray, layout: xr.DataArray) -> None:
    """Raise InputError unless a layout has the steps and items of a trajectory."""
    if trajectory.shape[:2] != layout.shape[:2] or trajectory.dims[:2] != layout.dims[:2]:
        raise InputError(
            f"a layout has the steps and items of its trajectory; got {dict(layout.sizes)} for {dict(trajectory.sizes)}: "
            "pass the layout that was made from it"
        )


class _Stress:
    """Running sums for the stress at the best scale of the layout.

    The sums are over residuals at the scale that fits the first block, so that little precision is lost where the stress is near 0.
    """

    def __init__(self) -> None:
        self.scale: float | None = None
        self.true = self.shown = self.residual = self.product = 0.0

    def add(self, in_space: FloatArray, in_picture: FloatArray) -> None:
        true, shown = in_space.ravel(), in_picture.ravel()
        if self.scale is None:
            self.scale = float(true @ shown) / (float(shown @ shown) or 1.0)
        residual = true - self.scale * shown
        self.true += float(true @ true)
        self.shown += float(shown @ shown)
        self.residual += float(residual @ residual)
        self.product += float(residual @ shown)

    def value(self) -> float:
        if self.true == 0:
            return float(self.shown > 0)  # equal vectors: only a layout of a single point fits
        least = self.residual - self.product**2 / (self.shown or 1.0)
        return float(np.sqrt(np.clip(least / self.true, 0.0, 1.0)))


def _item_scores(true: Ranks, shown: Ranks, neighbours: int) -> list[FloatArray]:
    """Compute the measures of the scored items, (row,) each, in the order of `ITEM_MEASURES`."""
    both = np.minimum(true.shares(neighbours), shown.shares(neighbours)).sum(axis=1)
    return [
        _rank_score(true, shown, neighbours),
        _rank_score(shown, true, neighbours),
        np.minimum(both / neighbours, 1.0),  # shares of ties may add up to slightly more
        rank_correlation(true, shown),
    ]


def _rank_score(judge: Ranks, listed: Ranks, neighbours: int) -> FloatArray:
    """Compute 1 minus the penalty for items listed among the nearest that the judge ranks farther off, (row,)."""
    items, k = judge.best.shape[1], neighbours
    beyond = np.einsum("ij,ij->i", listed.shares(k), np.maximum(judge.best - k, 0))
    score: FloatArray = 1.0 - beyond * 2.0 / (k * (2.0 * items - 3.0 * k - 1.0))
    return np.maximum(score, 0.0)


def _check(
    vectors: NDArray[np.floating], points: NDArray[np.floating], neighbours: int, metric: str = "euclidean"
) -> None:
    """Raise InputError for arrays or options that cannot be compared."""
    if metric not in METRICS:
        raise InputError(f"unknown metric {metric!r}: there is {', '.join(METRICS)}")
    if np.ndim(vectors) != 2 or np.ndim(points) != 2 or len(vectors) != len(points):
        raise InputError(
            f"vectors (item, dim) and points (item, axis) must have the same items; got {np.shape(vectors)} and {np.shape(points)}"
        )
    if not 1 <= neighbours < len(vectors) / 2:
        most = (len(vectors) - 1) // 2
        instead = f"pass neighbours from 1 to {most}" if most else "at least 3 items can be compared"
        raise InputError(
            f"neighbours must be below half the items; got {neighbours} for {len(vectors)} items: {instead}"
        )
    for name, values in {"vectors": vectors, "points": points}.items():
        if not np.isfinite(values).all():
            raise InputError(f"{name} contain values that are not finite: leave out the steps that diverged")
