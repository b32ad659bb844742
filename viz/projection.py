"""A trajectory laid out in two dimensions at every step, with how far each layout may be believed beside it.

Three methods behind one function: PCA (`viz.pca`, one basis for all steps), t-SNE (`viz.tsne`) and UMAP (`viz.umap`), the last two
as a chain from the last step back to the first, each layout starting from its neighbour's. Layouts of t-SNE and UMAP are centred and
turned so that the last one spreads along x; in all three the last one's first items are at its left. No step is scaled: under PCA
a table that grows in training grows in the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from data.errors import InputError
from viz.fidelity import trustworthiness

if TYPE_CHECKING:
    import xarray as xr

METHODS = {"tsne": "t-SNE", "umap": "UMAP", "pca": "PCA"}
FEWEST_ITEMS = {"tsne": 8, "umap": 6, "pca": 4}
AXES = ("x", "y")
TRUSTED_NEIGHBOURS = 10


@dataclass(frozen=True)
class _Layouts:
    """What a method makes of the steps, last one first: layouts (item, axis) and the method's own measure of each."""

    layouts: Iterator[tuple[NDArray[np.float64], float | None]]
    measure: str | None = None
    parameters: dict[str, float] = field(default_factory=dict)


def project(
    trajectory: xr.DataArray,
    method: str = "tsne",
    *,
    seed: int = 0,
    perplexity: float | None = None,
    progress: Callable[[int], None] | None = None,
    n_jobs: int = 1,
) -> xr.Dataset:
    """Lay out every step of a trajectory in two dimensions, so that points keep their places unless the vectors move.

    Parameters
    ----------
    trajectory : dimensions (step, token or position, dim), with coordinates for the first two.
    method : ``tsne``, ``umap`` or ``pca``.
    seed : the same seed and vectors give the same bytes on one machine; PCA does not need it.
    perplexity : for t-SNE: about how many neighbours each point attends to; `default_perplexity` if not given.
    progress : called with the number of steps laid out so far.
    n_jobs : threads for t-SNE; more than one pays from about a thousand items.

    Returns
    -------
    Dataset with ``layout`` (step, item, axis), ``trustworthiness`` (step), and by method ``kl_divergence`` (step, nats) or
    ``explained_variance`` (step, share); the coordinates of the trajectory's step and items, and ``axis``; the attributes
    ``method``, ``method_name``, ``seed``, the parameters, and ``neighbours``, the number that trustworthiness looks at.

    Raises
    ------
    InputError
        Unknown method; too few items; values that are not finite; a perplexity that does not fit.

    Example
    -------
    >>> import xarray as xr
    >>> vectors = np.random.default_rng(0).normal(size=(3, 12, 5))
    >>> trajectory = xr.DataArray(vectors, dims=("step", "position", "dim"), coords={"step": [0, 1, 2], "position": range(12)})
    >>> dict(project(trajectory, "pca")["layout"].sizes)
    {'step': 3, 'position': 12, 'axis': 2}
    """
    import xarray as xr

    n_steps, items, _ = trajectory.shape
    _check(trajectory, method, perplexity)
    made = _lay_out(trajectory, method, seed, perplexity, n_jobs)
    neighbours = min(TRUSTED_NEIGHBOURS, (items - 1) // 3)
    layout = np.empty((n_steps, items, len(AXES)))
    measured, trust = np.empty(n_steps), np.empty(n_steps)
    for done, (points, measure) in enumerate(made.layouts, 1):
        i = n_steps - done
        layout[i], measured[i] = points, np.nan if measure is None else measure
        trust[i] = trustworthiness(_vectors(trajectory, i), points, neighbours)
        if progress is not None:
            progress(done)
    step, item = str(trajectory.dims[0]), str(trajectory.dims[1])
    variables = {"layout": ((step, item, "axis"), layout), "trustworthiness": ((step,), trust)}
    if made.measure is not None:
        variables[made.measure] = ((step,), measured)
    attributes = {
        "method": method,
        "method_name": METHODS[method],
        "seed": seed,
        **made.parameters,
        "neighbours": neighbours,
    }
    coordinates = {step: trajectory[step], item: trajectory[item], "axis": list(AXES)}
    return xr.Dataset(variables, coords=coordinates, attrs=attributes)


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


def _lay_out(trajectory: xr.DataArray, method: str, seed: int, perplexity: float | None, n_jobs: int) -> _Layouts:
    items = trajectory.shape[1]
    if method == "pca":
        from viz.pca import pooled_basis

        basis = pooled_basis(_vectors(trajectory, i) for i in range(trajectory.shape[0]))
        pairs = ((basis.project(vectors), basis.explained_variance(vectors)) for vectors in _backwards(trajectory))
        return _Layouts(pairs, "explained_variance")
    if method == "umap":
        from viz import umap

        neighbours = umap.default_neighbours(items)
        layouts = umap.chain(_backwards(trajectory), neighbours=neighbours, seed=seed)
        return _Layouts(((points, None) for points in layouts), None, {"umap_neighbours": neighbours})
    from viz import tsne

    chosen = default_perplexity(items) if perplexity is None else float(perplexity)
    fits = tsne.chain(_backwards(trajectory), perplexity=chosen, seed=seed, n_jobs=n_jobs)
    return _Layouts(((fit.points, fit.kl_divergence()) for fit in fits), "kl_divergence", {"perplexity": chosen})


def _vectors(trajectory: xr.DataArray, i: int) -> NDArray[np.float64]:
    """Return the matrix (item, dim) of the i-th step; a trajectory that is loaded lazily is loaded step by step."""
    return np.ascontiguousarray(trajectory.variable[i].values, dtype=np.float64)


def _backwards(trajectory: xr.DataArray) -> Iterator[NDArray[np.float64]]:
    return (_vectors(trajectory, i) for i in reversed(range(trajectory.shape[0])))


def _check(trajectory: xr.DataArray, method: str, perplexity: float | None) -> None:
    """Raise InputError for what cannot be laid out, before any long work begins."""
    step, item, _ = (str(dim) for dim in trajectory.dims)
    items = trajectory.sizes[item]
    if method not in METHODS:
        raise InputError(f"unknown method {method!r}: there is {', '.join(METHODS)}")
    if items < FEWEST_ITEMS[method]:
        instead = ": pass --method pca" if FEWEST_ITEMS["pca"] <= items else ""
        raise InputError(f"{METHODS[method]} needs at least {FEWEST_ITEMS[method]} {item}s; got {items}{instead}")
    if trajectory.shape[2] < len(AXES):
        raise InputError(f"vectors of at least {len(AXES)} dimensions can be laid out; got {trajectory.shape[2]}")
    if perplexity is not None:
        _check_perplexity(perplexity, method, items)
    for i, at in enumerate(trajectory[step].values):
        if not np.isfinite(trajectory.variable[i].values).all():
            name = trajectory.name or f"{item} vectors"
            raise InputError(
                f"{name} of step {at} holds values that are not finite: the training diverged; lower its rate"
            )


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
