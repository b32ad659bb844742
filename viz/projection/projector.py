"""A trajectory laid out in two or three dimensions at every step, with how far each layout may be believed beside it.

Three methods behind one function: PCA (`viz.projection.pca`, one basis for all steps), t-SNE (`viz.projection.tsne`) and UMAP
(`viz.projection.umap`), the last two
as a chain from the last step back to the first, each layout starting from its neighbour's. Layouts of t-SNE and UMAP are centred and
turned so that the last one spreads along x; in all three the last one's first items are at its left. No step is scaled: under PCA
a table that grows in training grows in the picture.

Then every layout is compared with the vectors it shows (`viz.fidelity.neighbourhoods`), every motion with that of the vectors
(`viz.fidelity.motion`), and
the method is let loose once more on vectors that have not changed: what it moves then is its motion floor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from data.arrays import FloatArray
from data.errors import InputError
from viz.fidelity.motion import motion_floor, motion_over_steps, trust
from viz.fidelity.neighbourhoods import fidelity_over_steps

if TYPE_CHECKING:
    import xarray as xr

METHODS = {"tsne": "t-SNE", "umap": "UMAP", "pca": "PCA"}
METRICS = ("euclidean", "cosine")
FEWEST_ITEMS = {"tsne": 8, "umap": 6, "pca": 4}
AXES = ("x", "y", "z")
TRUSTED_NEIGHBOURS = 10

# Wide vectors of many items are brought to so many dimensions first, as van der Maaten & Hinton (2008, section 4.2) did: what is lost
# is mostly noise, and the search for neighbours costs as much as there are dimensions. The measures compare with all dimensions.
REDUCED_DIMS = 50
REDUCED_FROM_DIMS, REDUCED_FROM_ITEMS = 100, 1000

# Of many items only some are scored at each step, the same at all steps: up to so many items, this many rows; None is all of them.
SCORED_ROWS = ((3_000, None), (20_000, 1000), (10**9, 500))
FLOOR_STEPS = 5
FLOOR_STEPS_MANY, FLOOR_MANY_ITEMS = 2, 3_000


@dataclass(frozen=True)
class _Layouts:
    """What a method makes of the steps, last one first: layouts (item, axis) with the method's own measure and its effort.

    ``again`` lays out vectors (item, dim) once more from their own layout, with the given effort; None if nothing would move.
    """

    layouts: Iterator[tuple[FloatArray, float | None, int]]
    measure: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    again: Callable[[FloatArray, FloatArray, int], FloatArray] | None = None


@dataclass(frozen=True)
class _Steps:
    """The matrices (item, dim) that are laid out, one a step: of unit length for cosine, in fewer dimensions where those are many."""

    trajectory: xr.DataArray
    metric: str
    basis: Any = None

    def as_compared(self) -> xr.DataArray:
        """Return the trajectory in the metric: as it is, or all rows of length 1."""
        if self.metric == "euclidean":
            return self.trajectory
        unit = _Steps(self.trajectory, self.metric)
        return self.trajectory.copy(data=np.stack(list(unit)))

    def __len__(self) -> int:
        return self.trajectory.shape[0]

    def __getitem__(self, i: int) -> FloatArray:
        vectors = np.ascontiguousarray(self.trajectory.variable[i].values, dtype=np.float64)
        if self.metric == "cosine":
            lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
            vectors = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
        return vectors if self.basis is None else self.basis.project(vectors)

    def __iter__(self) -> Iterator[FloatArray]:
        return (self[i] for i in range(len(self)))

    def __reversed__(self) -> Iterator[FloatArray]:
        return (self[i] for i in reversed(range(len(self))))


def project(
    trajectory: xr.DataArray,
    method: str = "tsne",
    *,
    n_axes: int = 2,
    metric: str = "euclidean",
    seed: int = 0,
    perplexity: float | None = None,
    progress: Callable[[int], None] | None = None,
    n_jobs: int = 1,
    judged: bool = True,
) -> xr.Dataset:
    """Lay out every step of a trajectory, so that points keep their places unless the vectors move, and say how far to believe it.

    Parameters
    ----------
    trajectory : dimensions (step, token or position, dim), with coordinates for the first two; loaded step by step if it is lazy.
    method : ``tsne``, ``umap`` or ``pca``.
    n_axes : 2 or 3.
    metric : ``euclidean``, or ``cosine``: then vectors are brought to length 1 first, under which order by distance is order by cosine.
    seed : the same seed and vectors give the same bytes on one machine; PCA does not need it.
    perplexity : for t-SNE: about how many neighbours each point attends to; `default_perplexity` if not given.
    progress : called with the number of steps laid out so far.
    n_jobs : threads for t-SNE; more than one pays from about a thousand items.
    judged : whether to say how far it may be believed, which takes most of the time where there are thousands of items; without it, only
        ``layout`` and the method's own measure are returned.

    Returns
    -------
    Dataset with the coordinates of the trajectory's step and items, and ``axis``:

    - ``layout`` (step, item, axis), and by method ``kl_divergence`` (step, nats) or ``explained_variance`` (step, share);
    - what `viz.fidelity.neighbourhoods.fidelity_over_steps` returns: ``trustworthiness``, ``continuity``, ``recall``,
    ``distance_correlation``,
      ``stress`` (step), and per item ``item_recall`` and others (step, item);
    - where there are several steps, what `viz.fidelity.motion.motion_over_steps` returns: ``true_motion``, ``drawn_motion`` (step, item),
      ``motion_agreement``, ``static_motion`` (step);
    - ``motion_floor`` (item), layout widths: how far the method moves each item when nothing has changed (95th percentile);
    - ``trust`` (step, item), 0.25 to 1, see `viz.fidelity.motion.trust`;

    and the attributes ``method``, ``method_name``, ``metric``, ``seed``, the method's parameters, those of the measures, and
    ``motion_floor``, the median over items.

    Raises
    ------
    InputError
        Unknown method or metric; too few items; values that are not finite, or all equal; a perplexity that does not fit.

    Example
    -------
    >>> import xarray as xr
    >>> vectors = np.random.default_rng(0).normal(size=(3, 12, 5))
    >>> trajectory = xr.DataArray(vectors, dims=("step", "position", "dim"), coords={"step": [0, 1, 2], "position": range(12)})
    >>> dict(project(trajectory, "pca")["layout"].sizes)
    {'step': 3, 'position': 12, 'axis': 2}
    """
    import xarray as xr

    _check(trajectory, method, n_axes, metric, perplexity)
    steps = _prepared(trajectory, method, metric)
    made = _lay_out(steps, method, n_axes, seed, perplexity, n_jobs)
    layout = np.empty((*trajectory.shape[:2], n_axes))
    measured, efforts = np.full(len(steps), np.nan), []
    for done, (points, measure, effort) in enumerate(made.layouts, 1):
        i = len(steps) - done
        layout[i], measured[i] = points, np.nan if measure is None else measure
        efforts.append(effort)
        if progress is not None:
            progress(done)
    step, item = str(trajectory.dims[0]), str(trajectory.dims[1])
    variables: dict[str, Any] = {"layout": ((step, item, "axis"), layout)}
    if made.measure is not None:
        variables[made.measure] = ((step,), measured)
    attributes = {"method": method, "method_name": METHODS[method], "metric": metric, "seed": seed, **made.parameters}
    coordinates = {step: trajectory[step], item: trajectory[item], "axis": list(AXES[:n_axes])}
    projection = xr.Dataset(variables, coords=coordinates, attrs=attributes)
    return _judged(projection, trajectory, steps, made, efforts) if judged else projection


def default_perplexity(items: int) -> float:
    """Return the perplexity for so many items: a sixth of them, at most the usual 30.

    A third, the most that is possible, crowds the two ends of a line (32 trained positions: neighbours along the line then stand
    beside rather than behind each other); a sixth draws it out, and loses nothing on 115 tokens.

    Example
    -------
    >>> [round(default_perplexity(items), 2) for items in (8, 32, 115, 1000)]
    [2.0, 5.17, 19.0, 30.0]
    """
    return min(30.0, max(2.0, (items - 1) / 6))


def _prepared(trajectory: xr.DataArray, method: str, metric: str) -> _Steps:
    """Return the matrices to lay out, reduced to `REDUCED_DIMS` for the methods that search for neighbours."""
    steps = _Steps(trajectory, metric)
    _, items, dims = trajectory.shape
    if method == "pca" or dims <= REDUCED_FROM_DIMS or items <= REDUCED_FROM_ITEMS:
        return steps
    from viz.projection.pca import pooled_basis

    return _Steps(trajectory, metric, pooled_basis(steps, REDUCED_DIMS))


def _lay_out(steps: _Steps, method: str, n_axes: int, seed: int, perplexity: float | None, n_jobs: int) -> _Layouts:
    items = steps.trajectory.shape[1]
    if method == "pca":
        from viz.projection.pca import pooled_basis

        basis = pooled_basis(steps, n_axes)
        fixed = ((basis.project(vectors), basis.explained_variance(vectors), 0) for vectors in reversed(steps))
        return _Layouts(fixed, "explained_variance")
    reduced = {} if steps.basis is None else {"reduced_dims": REDUCED_DIMS}
    if method == "umap":
        from viz.projection import umap

        neighbours = umap.default_neighbours(items)
        chain = umap.chain(reversed(steps), neighbours=neighbours, seed=seed, n_axes=n_axes)
        return _Layouts(
            ((points, None, umap.EPOCHS) for points in chain),
            None,
            {"umap_neighbours": neighbours, **reduced},
            lambda vectors, points, _: umap.again(vectors, points, neighbours=neighbours, seed=seed + 1),
        )
    from viz.projection import tsne

    chosen = default_perplexity(items) if perplexity is None else float(perplexity)
    fits = tsne.chain(reversed(steps), perplexity=chosen, seed=seed, n_jobs=n_jobs, n_axes=n_axes)
    return _Layouts(
        ((fit.points, fit.kl_divergence(), fit.n_iter) for fit in fits),
        "kl_divergence",
        {"perplexity": chosen, **reduced},
        lambda vectors, points, n_iter: tsne.again(
            vectors, points, perplexity=chosen, n_iter=n_iter, seed=seed, n_jobs=n_jobs
        ),
    )


def _judged(
    projection: xr.Dataset, trajectory: xr.DataArray, steps: _Steps, made: _Layouts, efforts: Sequence[int]
) -> xr.Dataset:
    """Add to a projection how far it may be believed."""
    layout, items = projection["layout"], trajectory.shape[1]
    neighbours = min(TRUSTED_NEIGHBOURS, (items - 1) // 3)
    rows = next(rows for most, rows in SCORED_ROWS if items <= most)
    kept = fidelity_over_steps(trajectory, layout, neighbours, projection.attrs["metric"], rows=rows)
    judged = projection.assign(kept.data_vars).assign_attrs({k: v for k, v in kept.attrs.items() if k != "seed"})
    floor = np.zeros(items)
    if made.again is not None and len(steps) > 1:
        again, effort = made.again, max(1, int(np.median([n for n in efforts if n] or [1])))
        n_tries = FLOOR_STEPS if items <= FLOOR_MANY_ITEMS else FLOOR_STEPS_MANY
        floor = motion_floor(
            lambda vectors, points: again(vectors, points, effort), steps, layout.values, steps=n_tries
        ).high
    drawn = None
    if len(steps) > 1:
        moved = motion_over_steps(steps.as_compared(), layout)
        drawn = moved["drawn_motion"].values
        judged = judged.assign(moved.data_vars)
    item = str(trajectory.dims[1])
    bold = trust(judged["item_recall"].values, judged.attrs["chance"], drawn, floor)
    judged = judged.assign(motion_floor=((item,), floor), trust=((str(trajectory.dims[0]), item), bold))
    for name in judged:  # one number an item and step: with half the digits they take half the room
        if name != "layout" and judged[name].ndim == 2:
            judged[name] = judged[name].astype(np.float32)
    return judged.assign_attrs(motion_floor=float(np.median(floor)))


def _check(trajectory: xr.DataArray, method: str, n_axes: int, metric: str, perplexity: float | None) -> None:
    """Raise InputError for what cannot be laid out, before any long work begins."""
    item = str(trajectory.dims[1])
    items = trajectory.sizes[item]
    if method not in METHODS:
        raise InputError(f"unknown method {method!r}: there is {', '.join(METHODS)}")
    if metric not in METRICS:
        raise InputError(f"unknown metric {metric!r}: there is {', '.join(METRICS)}")
    if n_axes not in (2, 3):
        raise InputError(f"a layout has 2 or 3 axes; got {n_axes}")
    if items < FEWEST_ITEMS[method]:
        instead = ": pass --method pca" if FEWEST_ITEMS["pca"] <= items else ""
        raise InputError(f"{METHODS[method]} needs at least {FEWEST_ITEMS[method]} {item}s; got {items}{instead}")
    if trajectory.shape[2] < n_axes:
        raise InputError(f"vectors of at least {n_axes} dimensions can be laid out; got {trajectory.shape[2]}")
    if perplexity is not None:
        _check_perplexity(perplexity, method, items)
    _check_values(trajectory)


def _check_values(trajectory: xr.DataArray) -> None:
    step, item, _ = (str(dim) for dim in trajectory.dims)
    name, values = trajectory.name or f"{item} vectors", np.zeros(0)
    for i, at in enumerate(trajectory[step].values):
        values = trajectory.variable[i].values
        if not np.isfinite(values).all():
            raise InputError(
                f"{name} of step {at} holds values that are not finite: the training diverged; lower its rate"
            )
    if (values == values[0]).all():  # of the last step, which the others start from
        raise InputError(f"{name} of step {at}: all {len(values)} vectors are equal, so there is nothing to lay out")


def _check_perplexity(perplexity: float, method: str, items: int) -> None:
    if method != "tsne":
        raise InputError(f"perplexity is for t-SNE; got it with {METHODS[method]}: leave it out, or pass --method tsne")
    limit = (items - 1) / 3
    if not perplexity < limit:
        largest = int(np.ceil(limit)) - 1
        suggested = largest - largest % 5 if largest >= 5 else largest
        raise InputError(
            f"perplexity must be below (items - 1) / 3; got {perplexity:g} for {items} items: pass --perplexity {suggested}"
        )
    if perplexity < 1:
        raise InputError(
            f"perplexity must be at least 1; got {perplexity:g}: pass --perplexity {default_perplexity(items):.0f}"
        )
