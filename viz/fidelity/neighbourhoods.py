"""How far a layout may be believed: which of its neighbourhoods and distances are those of the space it was made from.

Items at the same distance are tied: they share the better rank, and the last places among the nearest k are divided evenly among those
that tie for them, so that no measure depends on the order of the items. Distances a part in 10^10 apart count as the same, or a
turn of the picture would break ties by rounding. Without ties, all measures are those published. All are the same whatever the scale.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from data.arrays import FloatArray
from data.errors import InputError
from probes.parallel import current_client, map_steps
from viz.fidelity.ranking import Distances, Integers, Places, places, rank_correlation

if TYPE_CHECKING:
    import xarray as xr

BLOCK_ENTRIES = 2**21  # distances held at once: 16 MB, whatever the number of items
METRICS = ("euclidean", "cosine")
ALL_ROWS_UP_TO = 3000  # items; beyond, a sample of them is scored, against all
SAMPLED_ROWS = 2000
MOST_PAIRS = 2**20  # whose distances are ranked together; beyond, a sample of the pairs
ITEM_MEASURES = ("trustworthiness", "continuity", "recall", "distance_correlation")
MEASURES = (*ITEM_MEASURES, "stress")


@dataclass(frozen=True)
class Fidelity:
    """What one layout keeps of its space.

    trustworthiness : 0 to 1; lowered by neighbours in the picture that are none in the space. The mean over the scored items.
    continuity : 0 to 1; lowered by neighbours in the space that the picture tears apart. The mean over the scored items.
    recall : 0 to 1; the share of the nearest in the space that are among the nearest in the picture; the mean likewise.
    distance_correlation : -1 to 1; Spearman's, of the distances of all pairs; 0 where all distances are tied.
    stress : 0 to 1; what is left of the distances at the best scale of the picture, 0 for none.
    item_trustworthiness, item_continuity, item_recall : (item,), the same of each item; NaN where it was not scored.
    item_distance_correlation : (item,), the same of an item's distances to all others.
    rows : (row,), the items that were scored, ascending.
    pairs : how many pairs ``distance_correlation`` ranks.
    chance : the recall of a picture that has nothing to do with the space.
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


def fidelity(
    vectors: NDArray[np.floating],
    points: NDArray[np.floating],
    neighbours: int,
    metric: str = "euclidean",
    *,
    rows: int | None = None,
    seed: int = 0,
) -> Fidelity:
    """Compare a layout with the space it was made from, item by item and as a whole.

    Memory does not grow with the square of the items: rows of distances are worked through in blocks.

    Parameters
    ----------
    vectors : (item, dim), the space.
    points : (item, axis), the layout.
    neighbours : how many nearest items are looked at; below half the items.
    metric : of the space, ``euclidean`` or ``cosine`` (1 - cosine; a zero row is at 1 from all). The picture's is Euclidean.
    rows : how many items are scored, each against all; not given: all up to 3,000 items, else 2,000 drawn at random. Stress is then over
        the pairs with one of them. At most a million pairs go into ``distance_correlation``, drawn at random beyond.
    seed : of both draws.

    Returns
    -------
    The measures, see `Fidelity`.

    Raises
    ------
    InputError
        Unknown metric; arrays that do not fit; values that are not finite; too few items for so many neighbours.

    Example
    -------
    >>> space = np.array([[0.0, 0.0], [1.0, 0.0], [3.0, 0.0], [7.0, 0.0], [7.0, 5.0]])
    >>> kept = fidelity(space, 2 * space, neighbours=2)
    >>> kept.trustworthiness, kept.continuity, kept.recall, kept.stress
    (1.0, 1.0, 1.0, 0.0)
    >>> flat = fidelity(space, space[:, :1], neighbours=2)
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
    scored, partners = _draw(len(vectors), rows, seed)
    scores, pairs, stress = np.full((len(ITEM_MEASURES), len(vectors)), np.nan), [], _Stress()
    for block in row_blocks(len(vectors), len(scored)):
        own = scored[block]
        in_space, in_picture = space.of(own), picture.of(own)
        stress.add(in_space, in_picture)
        drawn = np.nonzero(np.arange(len(vectors)) > own[:, None]) if partners is None else partners[block]
        pairs.append(np.stack([_pick(in_space, drawn), _pick(in_picture, drawn)]))
        true, shown = places(in_space, own), places(in_picture, own)
        scores[:, own] = [*_neighbourhoods(true, shown, neighbours), rank_correlation(true, shown)]
    ranked = np.concatenate(pairs, axis=1)
    together = rank_correlation(places(ranked[:1]), places(ranked[1:]))
    trust, continuity, recall = (float(measure[scored].mean()) for measure in scores[:3])
    return Fidelity(
        trustworthiness=trust,
        continuity=continuity,
        recall=recall,
        distance_correlation=float(together[0]),
        stress=stress.value(),
        item_trustworthiness=scores[0],
        item_continuity=scores[1],
        item_recall=scores[2],
        item_distance_correlation=scores[3],
        rows=scored,
        pairs=ranked.shape[1],
        chance=neighbours / (len(vectors) - 1),
    )


def fidelity_over_steps(
    trajectory: xr.DataArray,
    layout: xr.DataArray,
    neighbours: int,
    metric: str = "euclidean",
    *,
    rows: int | None = None,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> xr.Dataset:
    """Compare the layout of every step with the vectors of that step.

    Parameters
    ----------
    trajectory : dimensions (step, token or position, dim); one that is loaded lazily is loaded step by step.
    layout : dimensions (step, token or position, axis), as `viz.projection.projector.project` returns it.
    neighbours, metric, rows, seed : see `fidelity`; the same items are scored at every step.
    progress : called with the number of steps scored so far. Inside `probes.parallel.open_client`, workers score them.

    Returns
    -------
    Dataset, float64, with the coordinates of the layout's step and items:

    - over (step,): ``trustworthiness``, ``continuity``, ``recall``, ``distance_correlation``, ``stress``;
    - over (step, item): ``item_trustworthiness``, ``item_continuity``, ``item_recall``, ``item_distance_correlation``;

    and the attributes ``neighbours``, ``metric``, ``scored_items``, ``ranked_pairs``, ``seed``, and ``chance``, the recall of a
    picture that has nothing to do with the space.

    Raises
    ------
    InputError
        If the two do not hold the same steps and items, or `fidelity` cannot measure one of them.

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
    score = partial(_of_step, neighbours=neighbours, metric=metric, rows=rows, seed=seed)
    steps: list[Fidelity] = list(map_steps(score, labelled, current_client(), progress))
    whole = {name: ((step,), [getattr(one, name) for one in steps]) for name in MEASURES}
    each = {f"item_{name}": ((step, item), [getattr(one, f"item_{name}") for one in steps]) for name in ITEM_MEASURES}
    attributes = {"neighbours": neighbours, "metric": metric, "seed": seed, "chance": steps[0].chance}
    attributes |= {"scored_items": len(steps[0].rows), "ranked_pairs": steps[0].pairs}
    coordinates = {
        name: coordinate for name, coordinate in layout.coords.items() if set(coordinate.dims) <= {step, item}
    }
    return xr.Dataset(whole | each, coords=coordinates, attrs=attributes)


def _of_step(
    labelled: tuple[object, tuple[NDArray[np.floating], NDArray[np.floating]]],
    *,
    neighbours: int,
    metric: str,
    rows: int | None,
    seed: int,
) -> Fidelity:
    step, (vectors, points) = labelled
    try:
        return fidelity(vectors, points, neighbours, metric, rows=rows, seed=seed)
    except InputError as error:
        raise InputError(f"step {step}: {error}") from None


def trustworthiness(vectors: NDArray[np.floating], points: NDArray[np.floating], neighbours: int) -> float:
    """Measure how far neighbours in the layout are neighbours in the space.

    1 means that every point's nearest points in the picture are among its nearest in the space; intruders cost by how
    far down the space's ranking they stand. Memory does not grow with the square of the items.

    Parameters
    ----------
    vectors : (item, dim), the space.
    points : (item, axis), the layout.
    neighbours : how many nearest points are looked at; below half the items.

    Returns
    -------
    A number from 0 to 1, as `fidelity` of all rows has it.

    Raises
    ------
    InputError
        Arrays that do not fit; values that are not finite; too few items for so many neighbours.

    Example
    -------
    >>> line = np.arange(12.0)[:, None]
    >>> trustworthiness(line, 2 * line, neighbours=3)
    1.0

    References
    ----------
    Venna and Kaski 2001, "Neighborhood preservation in nonlinear projection methods", equation 1.
    """
    _check(vectors, points, neighbours)
    space, picture = Distances(vectors), Distances(points)
    scores = []
    for block in row_blocks(len(vectors)):
        own = np.arange(block.start, block.stop)
        scores.append(_unpunished(places(space.of(own), own), places(picture.of(own), own), neighbours))
    return float(np.concatenate(scores).mean())


def row_blocks(items: int, rows: int | None = None) -> Iterator[slice]:
    """Cut the rows of a rows-by-items matrix (square, if rows are not given) into slices of at most `BLOCK_ENTRIES` entries."""
    rows = items if rows is None else rows
    height = max(1, BLOCK_ENTRIES // items)
    for start in range(0, rows, height):
        yield slice(start, min(start + height, rows))


def check_fits(trajectory: xr.DataArray, layout: xr.DataArray) -> None:
    """Raise InputError unless a layout has the steps and the items of a trajectory."""
    if trajectory.shape[:2] != layout.shape[:2] or trajectory.dims[:2] != layout.dims[:2]:
        raise InputError(
            f"a layout has the steps and items of its trajectory; got {dict(layout.sizes)} for {dict(trajectory.sizes)}: "
            "pass the layout that was made from it"
        )


class _Stress:
    """Sums from which follows the least stress over all scales of the picture.

    What is summed are residuals at a scale that fits the first block, so that little is lost where the stress is near 0.
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
            return float(self.shown > 0)  # vectors all alike: right is only a picture that is a single point
        least = self.residual - self.product**2 / (self.shown or 1.0)
        return float(np.sqrt(np.clip(least / self.true, 0.0, 1.0)))


def _neighbourhoods(true: Places, shown: Places, neighbours: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return trustworthiness, continuity and recall, each (row,)."""
    both = np.minimum(true.shares(neighbours), shown.shares(neighbours)).sum(axis=1)
    recall = np.minimum(both / neighbours, 1.0)  # shares of ties need not add up to a whole number
    return _unpunished(true, shown, neighbours), _unpunished(shown, true, neighbours), recall


def _unpunished(judge: Places, listed: Places, neighbours: int) -> FloatArray:
    """Return 1 less the penalty for those listed among the nearest that the judge places farther off, (row,)."""
    items, k = judge.best.shape[1], neighbours
    beyond = np.einsum("ij,ij->i", listed.shares(k), np.maximum(judge.best - k, 0))
    unpunished: FloatArray = 1.0 - beyond * 2.0 / (k * (2.0 * items - 3.0 * k - 1.0))
    return np.maximum(unpunished, 0.0)


def _draw(items: int, rows: int | None, seed: int) -> tuple[Integers, Integers | None]:
    """Return the items to score, (row,), and for each the partners whose distances are ranked together; None for all pairs."""
    random = np.random.default_rng(seed)
    if rows is None:
        rows = items if items <= ALL_ROWS_UP_TO else SAMPLED_ROWS
    if rows < 1:
        raise InputError(
            f"rows must be at least 1; got {rows}: leave it out for {SAMPLED_ROWS}, or for all of few items"
        )
    scored = np.arange(items) if rows >= items else np.sort(random.choice(items, rows, replace=False))
    if rows >= items and items * (items - 1) // 2 <= MOST_PAIRS:
        return scored, None
    partners = random.integers(items - 1, size=(len(scored), max(1, min(items - 1, MOST_PAIRS // len(scored)))))
    return scored, partners + (partners >= scored[:, None])  # no item is its own partner


def _pick(distances: FloatArray, drawn: tuple[NDArray[np.intp], ...] | Integers) -> FloatArray:
    """Return the distances of the pairs that were drawn, (pair,)."""
    picked: FloatArray = (
        distances[drawn] if isinstance(drawn, tuple) else np.take_along_axis(distances, drawn, axis=1).ravel()
    )
    return picked


def _check(
    vectors: NDArray[np.floating], points: NDArray[np.floating], neighbours: int, metric: str = "euclidean"
) -> None:
    """Raise InputError for what cannot be compared."""
    if metric not in METRICS:
        raise InputError(f"unknown metric {metric!r}: there is {', '.join(METRICS)}")
    if np.ndim(vectors) != 2 or np.ndim(points) != 2 or len(vectors) != len(points):
        raise InputError(
            f"vectors (item, dim) and points (item, axis) are of the same items; got {np.shape(vectors)} and {np.shape(points)}"
        )
    if not 1 <= neighbours < len(vectors) / 2:
        most = (len(vectors) - 1) // 2
        instead = f"pass neighbours from 1 to {most}" if most else "at least 3 items can be compared"
        raise InputError(
            f"neighbours must be below half the items; got {neighbours} for {len(vectors)} items: {instead}"
        )
    for name, values in {"vectors": vectors, "points": points}.items():
        if not np.isfinite(values).all():
            raise InputError(f"{name} hold values that are not finite: leave out what diverged")
