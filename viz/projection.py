"""Trajectories laid out in two dimensions, all steps at once: PCA, t-SNE and UMAP behind one function.

Independent layouts of each snapshot jump about, however little the snapshots differ. Here a layout starts from that of the
neighbouring snapshot (t-SNE, UMAP), or all share one basis (PCA), so that what moves in a film has moved in the space.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from data.errors import InputError
from viz.alignment import lay_along_axes, reading_signs, rotate_onto
from viz.fidelity import trustworthiness

METHODS = {"tsne": "t-SNE", "umap": "UMAP", "pca": "PCA"}
FEWEST_ITEMS = 5
LARGEST_PERPLEXITY = 30.0
NEIGHBOURS = 10
"""How many neighbours trustworthiness looks at; fewer where there are few items."""

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Laid:
    """A layout of one snapshot, (item, axis), and what its method measured on the way."""

    points: Matrix
    measures: dict[str, float]


def project(
    trajectory: xr.DataArray,
    method: str = "tsne",
    *,
    seed: int = 0,
    perplexity: float | None = None,
    n_jobs: int = 1,
    progress: Callable[[int], None] | None = None,
) -> xr.Dataset:
    """Lay out a trajectory in two dimensions.

    Parameters
    ----------
    trajectory : (step, token or position, dim).
    method : ``tsne`` (`viz.tsne`), ``umap``, or ``pca`` (one basis for all steps).
    seed : decides everything that is drawn at random; the same seed gives the same bytes on the same machine.
    perplexity : for t-SNE, the number of neighbours, softly counted, that a point should keep near; a sixth of the items, at most 30, if
        not given.
    n_jobs : threads; more than one pays from about a thousand items.
    progress : called with the number of snapshots laid out so far.

    Returns
    -------
    Dataset with ``layout`` (step, item, axis), centred at the origin, in units that mean nothing in themselves; ``trustworthiness``
    (step), 0 to 1; for t-SNE ``kl_divergence`` (step) in nats, for PCA ``explained_variance`` (step), 0 to 1. The attributes name the
    method, its parameters and the seed.

    Raises
    ------
    InputError
        If the method is unknown, a value is not finite (the step is named), there are fewer than five items, or the perplexity is too large.

    Examples
    --------
    >>> cloud = np.random.default_rng(0).normal(size=(1, 12, 6)).repeat(2, axis=0)
    >>> projection = project(xr.DataArray(cloud, dims=("step", "token", "dim"), coords={"step": [0, 100]}), "pca")
    >>> dict(projection["layout"].sizes)
    {'step': 2, 'token': 12, 'axis': 2}
    """
    if method not in METHODS:
        raise InputError(f"there is no method {method!r}; there is {', '.join(METHODS)}")
    _check(trajectory)
    items = trajectory.shape[1]
    perplexity = default_perplexity(items) if perplexity is None else perplexity
    if method == "tsne" and not 1 < perplexity < (items - 1) / 3:
        raise InputError(
            f"perplexity must be below (items - 1) / 3 and above 1; got {perplexity:g} for {items} items: "
            f"pass --perplexity {default_perplexity(items):.3g}"
        )
    neighbours = min(NEIGHBOURS, (items - 1) // 2)
    layouts = np.empty((*trajectory.shape[:2], 2))
    measures: dict[str, Matrix] = {}
    for done, (place, laid) in enumerate(_layouts(trajectory, method, seed, perplexity, n_jobs), 1):
        layouts[place] = laid.points
        trust = trustworthiness(_snapshot(trajectory, place), laid.points, neighbours)
        for name, value in {"trustworthiness": trust, **laid.measures}.items():
            measures.setdefault(name, np.empty(len(layouts)))[place] = value
        if progress is not None:
            progress(done)
    parameters = {"perplexity": perplexity} if method == "tsne" else {}
    return _dataset(
        trajectory, layouts, measures, {"method": method, "neighbours": neighbours, "seed": seed, **parameters}
    )


def default_perplexity(items: int) -> float:
    """Return a sixth of the items, at most 30: small tables have small neighbourhoods."""
    return min(LARGEST_PERPLEXITY, (items - 1) / 6) if items > 13 else max(1.3, (items - 1) / 4)


def _layouts(
    trajectory: xr.DataArray, method: str, seed: int, perplexity: float, n_jobs: int
) -> Iterator[tuple[int, Laid]]:
    """Yield places along ``step`` and their layouts; the chained methods begin with the last snapshot, on which a film ends."""
    backwards = range(trajectory.sizes["step"] - 1, -1, -1)
    snapshots = (_snapshot(trajectory, place) for place in backwards)
    if method == "pca":
        yield from enumerate(_pca(trajectory))
    elif method == "umap":
        yield from zip(backwards, _umap(snapshots, seed), strict=True)
    else:
        from viz.tsne import chain

        fits = chain(snapshots, perplexity=perplexity, seed=seed, n_jobs=n_jobs)
        yield from (
            (place, Laid(f.points, {"kl_divergence": f.kl_divergence()}))
            for place, f in zip(backwards, fits, strict=True)
        )


def _pca(trajectory: xr.DataArray) -> Iterator[Laid]:
    """Yield the layouts on the two directions in which all steps together vary most, and the share of each step's variance they hold."""
    steps = trajectory.sizes["step"]
    mean = np.mean([_snapshot(trajectory, place).mean(axis=0) for place in range(steps)], axis=0)
    covariance = sum(centred.T @ centred for centred in (_snapshot(trajectory, place) - mean for place in range(steps)))
    axes = np.linalg.eigh(covariance)[1][:, ::-1][:, :2]
    axes = axes * reading_signs((_snapshot(trajectory, steps - 1) - mean) @ axes)
    for place in range(steps):
        centred = _snapshot(trajectory, place) - mean
        points = centred @ axes
        about_own_mean = centred - centred.mean(axis=0)
        total = (about_own_mean**2).sum()
        explained = ((about_own_mean @ axes) ** 2).sum() / total if total else 0.0
        yield Laid(points, {"explained_variance": float(explained)})


def _umap(snapshots: Iterator[Matrix], seed: int) -> Iterator[Laid]:
    """Yield UMAP layouts, each starting from the one before."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numba and the seeded single thread have things to say that no user can mend
        from umap import UMAP

        before: Matrix | None = None
        vectors_before: Matrix | None = None
        for vectors in snapshots:
            if before is None:
                start: Matrix | str = "pca"
            elif np.array_equal(vectors, vectors_before):
                yield Laid(before, {})
                continue
            else:
                start = before * (
                    10.0 / max(float(np.abs(before).max()), 1e-12)
                )  # the extent that UMAP gives its own starts
            model = UMAP(
                n_neighbors=min(15, len(vectors) - 1),
                init=start,
                n_epochs=500 if before is None else 60,
                learning_rate=1.0 if before is None else 0.3,
                random_state=seed,
                n_jobs=1,
            )
            points = np.asarray(model.fit_transform(vectors), dtype=np.float64)
            points = lay_along_axes(points) if before is None else rotate_onto(points - points.mean(axis=0), before)
            before, vectors_before = points, vectors
            yield Laid(points, {})


def _dataset(
    trajectory: xr.DataArray, layouts: Matrix, measures: dict[str, Matrix], about: dict[str, object]
) -> xr.Dataset:
    item = trajectory.dims[1]
    return xr.Dataset(
        {"layout": (("step", item, "axis"), layouts), **{name: ("step", values) for name, values in measures.items()}},
        coords={"step": trajectory["step"], item: trajectory[item], "axis": ["x", "y"]},
        attrs={**about, "method_name": METHODS[str(about["method"])]},
    )


def _snapshot(trajectory: xr.DataArray, place: int) -> Matrix:
    return np.asarray(trajectory[place].values, dtype=np.float64)


def _check(trajectory: xr.DataArray) -> None:
    items = trajectory.shape[1]
    if items < FEWEST_ITEMS:
        raise InputError(f"a layout needs {FEWEST_ITEMS} items or more; {trajectory.name or 'this table'} has {items}")
    for place, step in enumerate(trajectory["step"].values):
        if not np.isfinite(trajectory[place].values).all():
            raise InputError(
                f"{trajectory.name or 'the table'} holds a value that is not finite at step {step}: leave out that snapshot"
            )
