"""Projection of a trajectory: a layout in two or three dimensions at every step, and its fidelity.

Three methods behind one function: PCA (`viz.projection.pca`, one basis for all steps), t-SNE (`viz.projection.tsne`) and UMAP
(`viz.projection.umap`). The last two form a chain from the last step back to the first, each layout starting from its neighbour's.
Layouts of t-SNE and UMAP are centred and rotated so that the last one spreads along x; with all three methods the last one's first items
are at its left. No step is scaled: under PCA a table that grows in training grows in the layout.

Then every layout is compared with the vectors that it shows (`viz.fidelity.neighbourhoods`), and every motion with that of the vectors
(`viz.fidelity.motion`). Finally the method continues from its own layouts of unchanged vectors: what moves then is its motion floor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from data.arrays import FloatArray
from data.errors import InputError
from data.free_cores import one_blas_thread
from data.progress import Progress, announce, report_shares_to
from viz.fidelity.motion import FLOOR_STEPS, motion_floor, motion_over_steps
from viz.fidelity.neighbourhoods import METRICS, fidelity_over_steps
from viz.fidelity.trust import item_trust
from viz.projection import tsne, umap
from viz.projection.first_layout import MOST_ITEMS, N_STARTS, FirstLayout, choose_first_layout, neighbourhoods_kept
from viz.projection.pca import pooled_basis
from viz.projection.torch_engine.devices import check_device, find_engine, layout_device

if TYPE_CHECKING:
    import xarray as xr

METHODS = {"tsne": "t-SNE", "umap": "UMAP", "pca": "PCA"}
FEWEST_ITEMS = {"tsne": 8, "umap": 6, "pca": 4}
AXES = ("x", "y", "z")
TRUSTED_NEIGHBOURS = 10

# Wide vectors of many items are first reduced by PCA, as in van der Maaten & Hinton (2008, section 4.2): what is lost is mostly noise, and
# the cost of the neighbour search grows with the dimensions. Fidelity is measured against all dimensions.
REDUCED_DIMS = 50
REDUCED_FROM_DIMS, REDUCED_FROM_ITEMS = 100, 1000

# Of many items a sample is scored, the same at all steps: (up to so many items, this many rows; None for all).
SCORED_ROWS = ((3_000, None), (20_000, 1000), (10**9, 500))
FLOOR_STEPS_MANY, FLOOR_MANY_ITEMS = 2, 3_000

SECONDS_AN_ITEM = {"tsne": (6e-4, 3e-4), "umap": (3e-3, 1.5e-3), "pca": (0, 0)}
"""Roughly, on two cores: of the first layout, and of each that continues from it."""


@dataclass(frozen=True)
class _Layouts:
    """The layouts of a method, last step first: (item, axis), the method's own measure, and its iterations.

    ``continue_layout`` optimises a layout further for given vectors (item, dim), with a number of iterations; None if nothing would move.
    """

    layouts: Iterator[tuple[FloatArray, float | None, int]]
    measure: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    continue_layout: Callable[[FloatArray, FloatArray, int], FloatArray] | None = None


@dataclass(frozen=True)
class _Steps:
    """The matrices (item, dim) to lay out, one a step: normalised for cosine, and reduced where there is a basis."""

    trajectory: xr.DataArray
    metric: str
    basis: Any = None

    def in_metric(self) -> xr.DataArray:
        """Build the trajectory in the metric: unchanged for Euclidean distances, all rows of length 1 for cosine."""
        if self.metric == "euclidean":
            return self.trajectory
        return self.trajectory.copy(data=np.stack(list(_Steps(self.trajectory, self.metric))))

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


@one_blas_thread()
def project(
    trajectory: xr.DataArray,
    method: str = "tsne",
    *,
    n_axes: int = 2,
    metric: str = "euclidean",
    seed: int = 0,
    perplexity: float | None = None,
    device: str = "cpu",
    progress: Progress | None = None,
    fidelity_progress: Progress | None = None,
    n_jobs: int = 1,
    with_fidelity: bool = True,
) -> xr.Dataset:
    """Project every step of a trajectory, so that points move only if their vectors do, and measure the fidelity.

    Parameters
    ----------
    trajectory : dimensions (step, token or position, dim), with coordinates for the first two; a lazy one is loaded step by step.
    method : ``tsne``, ``umap`` or ``pca``.
    n_axes : 2 or 3.
    metric : ``euclidean``, or ``cosine``: vectors are normalised first, so that order by distance is order by cosine.
    seed : the same seed and vectors give the same bytes on one machine; PCA does not need it.
    perplexity : of t-SNE, the effective number of neighbours of each point. If None, that of the best first layout
        (`viz.projection.first_layout`), or `default_perplexity` where items are many.
    device : ``cpu``, or ``cuda`` or ``mps`` for t-SNE of more than 1,000 items in the plane; fewer are laid out on the CPU anyway.
    progress : called with the number of steps laid out so far; for thousands of items also with fractions, within a layout.
    fidelity_progress : called afterwards with the number of steps whose fidelity has been measured.
    n_jobs : threads for t-SNE; more than one pays from about a thousand items.
    with_fidelity : whether to measure the fidelity, which takes most of the time for thousands of items; otherwise only ``layout`` and
        the method's own measure are returned.

    Returns
    -------
    Dataset with the coordinates of the trajectory's steps and items, and ``axis``:

    - ``layout`` (step, item, axis), and by method ``kl_divergence`` (step, nats) or ``explained_variance`` (step, share);
    - the result of `viz.fidelity.neighbourhoods.fidelity_over_steps`: ``trustworthiness``, ``continuity``, ``recall``,
      ``distance_correlation``, ``stress`` (step), and per item ``item_recall`` and others (step, item);
    - for several steps, the result of `viz.fidelity.motion.motion_over_steps`: ``true_motion``, ``drawn_motion`` (step, item),
      ``motion_agreement``, ``static_motion`` (step);
    - ``motion_floor`` (item), layout widths: how far the method moves each item when nothing has changed (95th percentile);
    - ``trust`` (step, item), 0.25 to 1, see `viz.fidelity.trust.item_trust`;

    and the attributes ``method``, ``method_name``, ``metric``, ``seed``, the method's parameters, ``device`` if another than the CPU made
    the layout, those of the measures, and ``motion_floor``, the median over items.

    Raises
    ------
    InputError
        Unknown method or metric; too few items; values that are not finite, or all equal; a perplexity out of range; no such device.

    Example
    -------
    >>> import xarray as xr
    >>> vectors = np.random.default_rng(0).normal(size=(3, 12, 5))
    >>> trajectory = xr.DataArray(vectors, dims=("step", "position", "dim"), coords={"step": [0, 1, 2], "position": range(12)})
    >>> dict(project(trajectory, "pca")["layout"].sizes)
    {'step': 3, 'position': 12, 'axis': 2}
    """
    import xarray as xr

    _check(trajectory, method, n_axes, metric, perplexity, device=device)
    steps = _steps_to_lay_out(trajectory, method, metric)
    device = layout_device(device, method, trajectory.shape[1], n_axes)
    made = _lay_out(steps, method, n_axes=n_axes, seed=seed, perplexity=perplexity, n_jobs=n_jobs, device=device)
    layout = np.empty((*trajectory.shape[:2], n_axes))
    measured, iterations = np.full(len(steps), np.nan), list[int]()
    _announce(trajectory, method)
    for i in reversed(range(len(steps))):
        with report_shares_to(progress, len(iterations)):
            points, measure, n_iter = next(made.layouts)
        layout[i], measured[i] = points, np.nan if measure is None else measure
        iterations.append(n_iter)
        if progress is not None:
            progress(len(iterations))
    step, item = str(trajectory.dims[0]), str(trajectory.dims[1])
    variables: dict[str, Any] = {"layout": ((step, item, "axis"), layout)}
    if made.measure is not None:
        variables[made.measure] = ((step,), measured)
    attributes = {"method": method, "method_name": METHODS[method], "metric": metric, "seed": seed, **made.parameters}
    coordinates = {step: trajectory[step], item: trajectory[item], "axis": list(AXES[:n_axes])}
    projection = xr.Dataset(variables, coords=coordinates, attrs=attributes)
    if not with_fidelity:
        return projection
    return _add_fidelity(projection, trajectory, steps, made, iterations, progress=fidelity_progress)


def _steps_to_lay_out(trajectory: xr.DataArray, method: str, metric: str) -> _Steps:
    steps = _Steps(trajectory, metric)
    if method != "pca" and trajectory.shape[1] > REDUCED_FROM_ITEMS and trajectory.shape[2] > REDUCED_FROM_DIMS:
        return _Steps(trajectory, metric, pooled_basis(steps, REDUCED_DIMS))
    return steps


def _announce(trajectory: xr.DataArray, method: str) -> None:
    """Give a notice if the layouts will take minutes."""
    n_steps, n_items = trajectory.shape[:2]
    first, others = SECONDS_AN_ITEM[method]
    item = str(trajectory.dims[1])
    what = f"laying out {n_items:,} {item}s at {n_steps:,} snapshot{'s' if n_steps > 1 else ''} by {METHODS[method]}"
    fewer = ", and `items=2000` lays out the most frequent tokens only" if item == "token" else ""
    announce(what, n_items * (first + others * (n_steps - 1)), f"`method=pca` takes seconds{fewer}")


def default_perplexity(items: int) -> float:
    """Choose the perplexity for a number of items: a sixth of them, at least 2 and at most the usual 30.

    A third, the largest possible, crowds the two ends of a line: of 32 trained positions, neighbours along the line then lie beside rather
    than behind each other. A sixth draws the line out, and loses nothing on 115 tokens.

    Example
    -------
    >>> [round(default_perplexity(items), 2) for items in (8, 32, 115, 1000)]
    [2.0, 5.17, 19.0, 30.0]
    """
    return min(30.0, max(2.0, (items - 1) / 6))


def trusted_neighbours(items: int) -> int:
    """Choose the size of the neighbourhoods that are compared: 10, or a third of few items."""
    return min(TRUSTED_NEIGHBOURS, (items - 1) // 3)


def _lay_out(
    steps: _Steps, method: str, *, n_axes: int, seed: int, perplexity: float | None, n_jobs: int, device: str
) -> _Layouts:
    items = steps.trajectory.shape[1]
    if method == "pca":
        basis = pooled_basis(steps, n_axes)
        fixed = ((basis.project(vectors), basis.explained_variance(vectors), 0) for vectors in reversed(steps))
        return _Layouts(fixed, "explained_variance")
    reduced = {} if steps.basis is None else {"reduced_dims": REDUCED_DIMS}
    if method == "umap":
        neighbours = umap.default_neighbours(items)
        chain = umap.chain(reversed(steps), neighbours=neighbours, seed=seed, n_axes=n_axes)
        return _Layouts(
            ((points, None, umap.EPOCHS) for points in chain),
            None,
            {"umap_neighbours": neighbours, **reduced},
            lambda vectors, points, _: umap.continue_layout(vectors, points, neighbours=neighbours, seed=seed + 1),
        )
    chosen, first, choice = default_perplexity(items) if perplexity is None else float(perplexity), None, {}
    if perplexity is None and items <= MOST_ITEMS:
        best = choose_first_layout(
            steps[-1], usual=chosen, neighbours=trusted_neighbours(items), seed=seed, n_axes=n_axes
        )
        first, chosen, choice = best.fit, best.fit.perplexity, _described(best, steps, n_axes)
    on_device = {} if device == "cpu" else {"device": device}
    options: dict[str, Any] = {"seed": seed, "n_jobs": n_jobs, "accelerator": find_engine(device)}
    fits = tsne.chain(reversed(steps), perplexity=chosen, n_axes=n_axes, first=first, **options)
    return _Layouts(
        ((fit.points, fit.kl_divergence(), fit.n_iter) for fit in fits),
        "kl_divergence",
        {"perplexity": chosen, **reduced, **choice, **on_device},
        lambda vectors, points, n_iter: tsne.continue_layout(
            vectors, points, perplexity=chosen, n_iter=n_iter, **options
        ),
    )


def _described(chosen: FirstLayout, steps: _Steps, n_axes: int) -> dict[str, Any]:
    """Describe how the first layout was chosen, beside what PCA keeps of the same snapshot."""
    last, neighbours = steps[-1], trusted_neighbours(steps.trajectory.shape[1])
    kept_by_pca = neighbourhoods_kept(last, pooled_basis(steps, n_axes).project(last), neighbours)
    tried = {"tried_perplexities": list(chosen.tried), "starts": N_STARTS}
    return {**tried, "kept": chosen.kept, "kept_by_pca": kept_by_pca}


def _add_fidelity(
    projection: xr.Dataset,
    trajectory: xr.DataArray,
    steps: _Steps,
    made: _Layouts,
    iterations: Sequence[int],
    *,
    progress: Progress | None,
) -> xr.Dataset:
    """Add measures of fidelity, motion floor and trust to a projection."""
    layout, (step, item), items = projection["layout"], map(str, trajectory.dims[:2]), trajectory.shape[1]
    neighbours = trusted_neighbours(items)
    rows = next(rows for most, rows in SCORED_ROWS if items <= most)
    metric = projection.attrs["metric"]
    measures = fidelity_over_steps(trajectory, layout, neighbours, metric, rows=rows, progress=progress)
    measured = projection.assign(measures.data_vars)
    measured = measured.assign_attrs({name: value for name, value in measures.attrs.items() if name != "seed"})
    with report_shares_to(progress and (lambda _, note="": progress(len(steps), note)), len(steps)):
        floor, drawn = _floor(steps, made, layout.values, iterations), None
    if len(steps) > 1:
        moved = motion_over_steps(steps.in_metric(), layout)
        drawn = moved["drawn_motion"].values
        measured = measured.assign(moved.data_vars)
    trust = item_trust(measured["item_recall"].values, measured.attrs["chance"], drawn, floor)
    measured = measured.assign(motion_floor=((item,), floor), trust=((step, item), trust))
    for name in measured:  # float32 halves the size of what has a number for each item and step
        if name != "layout" and measured[name].ndim == 2:
            measured[name] = measured[name].astype(np.float32)
    return measured.assign_attrs(motion_floor=float(np.median(floor)))


def _floor(steps: _Steps, made: _Layouts, layouts: FloatArray, iterations: Sequence[int]) -> FloatArray:
    """Measure the motion floor of each item, (item,); 0 for PCA and for a single step."""
    items = layouts.shape[1]
    if made.continue_layout is None or len(steps) < 2:
        return np.zeros(items)
    continue_layout, n_iter = made.continue_layout, max(1, int(np.median([n for n in iterations if n] or [1])))
    n_steps = FLOOR_STEPS if items <= FLOOR_MANY_ITEMS else FLOOR_STEPS_MANY
    floor = motion_floor(
        lambda vectors, points: continue_layout(vectors, points, n_iter), steps, layouts, steps=n_steps
    )
    return floor.high


def _check(
    trajectory: xr.DataArray, method: str, n_axes: int, metric: str, perplexity: float | None, *, device: str
) -> None:
    """Raise InputError for what cannot be laid out, before any long computation starts."""
    item = str(trajectory.dims[1])
    items = trajectory.sizes[item]
    if method not in METHODS:
        raise InputError(f"unknown method {method!r}: there is {', '.join(METHODS)}")
    if metric not in METRICS:
        raise InputError(f"unknown metric {metric!r}: there is {', '.join(METRICS)}")
    if n_axes not in (2, 3):
        raise InputError(f"a layout has 2 or 3 axes; got {n_axes}")
    check_device(device, method)
    if items < FEWEST_ITEMS[method]:
        instead = ": pass `method=pca`" if FEWEST_ITEMS["pca"] <= items else ""
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
                f"{name} of step {at} contains values that are not finite: the training diverged; lower its learning rate"
            )
    if (values == values[0]).all():  # of the last step, from which the others start
        raise InputError(f"{name} of step {at}: all {len(values)} vectors are equal, so there is nothing to lay out")


def _check_perplexity(perplexity: float, method: str, items: int) -> None:
    if method != "tsne":
        raise InputError(f"perplexity is for t-SNE; got it with {METHODS[method]}: leave it out, or pass `method=tsne`")
    limit = (items - 1) / 3
    if not perplexity < limit:
        largest = int(np.ceil(limit)) - 1
        suggested = largest - largest % 5 if largest >= 5 else largest
        raise InputError(
            f"perplexity must be below (items - 1) / 3; got {perplexity:g} for {items} items: pass `perplexity={suggested}`"
        )
    if perplexity < 1:
        usual = f"{default_perplexity(items):z.0f}"
        raise InputError(f"perplexity must be at least 1; got {perplexity:g}: pass `perplexity={usual}`")
