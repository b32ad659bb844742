"""Fidelity of motion: whether the points that move are those whose vectors changed, and how far points move when nothing changes.

*True motion* is the distance of a vector from one step to the next, *drawn motion* that of its point. An array of motions has one entry
fewer than there are steps. A dataset holds each motion at the step where it ends, and NaN at the first step.

Drawn motion is measured in layout widths. The width is twice the root mean square distance of the points from their centre, pooled over
all steps. So it is the same at every step, as the limits of a film are, and unlike the limits it does not depend on any single point. A
uniformly filled disc is 1.41 such widths across.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data.arrays import FloatArray
from data.errors import InputError
from viz.fidelity.neighbourhoods import check_fits
from viz.fidelity.ranking import rank_correlation, rank_rows

if TYPE_CHECKING:
    import xarray as xr

FLOOR_STEPS = 5
FLOOR_PERCENTILE = 95  # of the motions on unchanged data


@dataclass(frozen=True)
class Floor:
    """The motion that a method draws when no vector changes, in layout widths.

    median : (item,), over the steps at which it was measured.
    high : (item,), the 95th percentile over these steps; with few steps about the largest.
    steps : (measured,), indices of these steps in the trajectory.
    """

    median: FloatArray
    high: FloatArray
    steps: NDArray[np.int64]


def motion_over_steps(trajectory: xr.DataArray, layout: xr.DataArray) -> xr.Dataset:
    """Compare the motion of the points with that of the vectors they show.

    Parameters
    ----------
    trajectory : dimensions (step, token or position, dim); a lazy one is loaded step by step.
    layout : dimensions (step, token or position, axis), as `viz.projection.projector.project` returns it.

    Returns
    -------
    Dataset, float64, with the coordinates of the layout's steps and items. The values at a step are those of the motion that ends there:

    - over (step, item): ``true_motion`` (units of the vectors) and ``drawn_motion`` (layout widths);
    - over (step,): ``motion_agreement`` (see `motion_agreement`), and ``static_motion``, the mean drawn motion where no vector
      changed, NaN where some did;

    and the attributes ``layout_width`` (layout units), ``motion_agreement`` (over all steps together), and ``static_motion`` (the mean;
    only if there is a step at which nothing changed).

    Raises
    ------
    InputError
        Steps or items differ, there are fewer than two steps, or values are not finite.

    Example
    -------
    >>> import xarray as xr
    >>> vectors = np.array([[[0.0, 0], [0, 1], [1, 0]], [[2.0, 0], [0, 1], [1, 1]], [[2.0, 0], [0, 1], [1, 1]]])
    >>> trajectory = xr.DataArray(vectors, dims=("step", "token", "dim"))
    >>> moved = motion_over_steps(trajectory, 3 * trajectory.rename(dim="axis"))
    >>> moved["motion_agreement"].values, moved.attrs["static_motion"]
    (array([nan,  1., nan]), 0.0)
    """
    import xarray as xr

    check_fits(trajectory, layout)
    step, item = str(layout.dims[0]), str(layout.dims[1])
    width = layout_width(layout.values)
    true, drawn = displacements(trajectory), displacements(layout) / (width or 1.0)
    agreement, together = motion_agreement(true, drawn)
    static = static_motion(true, drawn)
    measures = {"true_motion": true, "drawn_motion": drawn, "motion_agreement": agreement, "static_motion": static}
    variables = {name: ((step, item)[: values.ndim], _at_end_step(values)) for name, values in measures.items()}
    attributes = {"layout_width": width, "motion_agreement": together}
    if np.isfinite(static).any():
        attributes["static_motion"] = float(np.nanmean(static))
    coordinates = layout.isel({layout.dims[2]: 0}, drop=True).coords
    return xr.Dataset(variables, coords=coordinates, attrs=attributes)


def displacements(trajectory: xr.DataArray | NDArray[np.floating]) -> FloatArray:
    """Compute the distance of each item from each step to the next, (step - 1, item), for vectors or layouts (step, item, dim or axis).

    A lazy trajectory is loaded step by step.

    Example
    -------
    >>> displacements(np.array([[[0.0, 0.0], [1.0, 1.0]], [[3.0, 4.0], [1.0, 1.0]]])).tolist()
    [[5.0, 0.0]]
    """
    values = trajectory if isinstance(trajectory, np.ndarray) else trajectory.variable
    if len(values) < 2:
        raise InputError(f"motion needs two steps or more; got {len(values)}")
    moved = np.empty((len(values) - 1, values.shape[1]))
    before = _finite(np.asarray(values[0]))
    for i in range(1, len(values)):
        after = _finite(np.asarray(values[i]))
        moved[i - 1] = np.linalg.norm(after - before, axis=-1)
        before = after
    return moved


def layout_width(layouts: NDArray[np.floating]) -> float:
    """Compute the width (see the module) of layouts (step, item, axis), or of a single one (item, axis).

    Example
    -------
    >>> layout_width(np.array([[-1.0, 0.0], [1.0, 0.0]]))
    2.0
    """
    centred = layouts - layouts.mean(axis=-2, keepdims=True, dtype=np.float64)
    return float(2.0 * np.sqrt(np.square(centred).sum(axis=-1).mean()))


def motion_agreement(true: FloatArray, drawn: FloatArray) -> tuple[FloatArray, float]:
    """Correlate true and drawn motion by rank: do the points that move most show the vectors that changed most?

    Parameters
    ----------
    true, drawn : (step - 1, item), from `displacements`; the scale of either does not matter.

    Returns
    -------
    Spearman's rank correlation over the items, (step - 1,), and over all items and steps together. NaN where no vector changed; 0 where
    all vectors changed equally, or all points moved equally. Ties share the mean rank.

    Example
    -------
    >>> motion_agreement(np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]]), np.array([[0.1, 0.4, 0.2], [0.0, 0.1, 0.0]]))[0]
    array([0.5, nan])

    References
    ----------
    Vernier, Garcia, da Silva, Comba and Telea 2020, "Quantitative evaluation of time-dependent multidimensional projection
    techniques", arXiv 2002.07481, temporal stability (theirs is over all steps together).
    """
    changed = true.any(axis=1)
    agreement = np.full(len(true), np.nan)
    if not changed.any():
        return agreement, float("nan")
    agreement[changed] = rank_correlation(rank_rows(true[changed]), rank_rows(drawn[changed]))
    return agreement, float(rank_correlation(rank_rows(true.reshape(1, -1)), rank_rows(drawn.reshape(1, -1)))[0])


def static_motion(true: FloatArray, drawn: FloatArray) -> FloatArray:
    """Compute the mean drawn motion where no vector changed, (step - 1,); NaN where some did.

    Example
    -------
    >>> static_motion(np.array([[1.0, 0.0], [0.0, 0.0]]), np.array([[0.5, 0.1], [0.1, 0.3]]))
    array([nan, 0.2])
    """
    return np.where(true.any(axis=1), np.nan, drawn.mean(axis=1))


def motion_floor(
    continue_layout: Callable[[FloatArray, FloatArray], FloatArray],
    trajectory: Any,
    layouts: NDArray[np.floating],
    *,
    steps: int = FLOOR_STEPS,
) -> Floor:
    """Measure how far a method moves each point when its vector has not changed.

    Motion no larger than the floor says nothing about the vectors. A method that is a fixed function of the vectors, such as PCA in one
    basis, has a floor of 0.

    Parameters
    ----------
    continue_layout : the method, called with unchanged vectors (item, dim) and their own layout (item, axis) to start from; returns the
        new layout. It must make as much effort as for a step of a film, and may not return its input unchanged by a shortcut.
    trajectory : (step, item, dim); anything that is indexed by step and yields a matrix.
    layouts : (step, item, axis).
    steps : number of steps at which the floor is measured, spread evenly from the first to the last.

    Returns
    -------
    The floor of each item.

    Raises
    ------
    InputError
        ``steps`` below 1, or a new layout whose values are not finite.

    Example
    -------
    >>> film = np.random.default_rng(0).normal(size=(9, 20, 2))
    >>> jolt = np.array([0.1, 0.0]) * layout_width(film)
    >>> floor = motion_floor(lambda vectors, layout: layout + jolt, film, film, steps=3)
    >>> floor.high[:4].round(6), floor.steps
    (array([0.1, 0.1, 0.1, 0.1]), array([0, 4, 8]))
    """
    if steps < 1:
        raise InputError(f"`steps` must be at least 1; got {steps}: pass `steps={FLOOR_STEPS}`")
    values: Any = getattr(trajectory, "variable", trajectory)
    chosen = np.unique(np.linspace(0, len(layouts) - 1, min(steps, len(layouts))).round().astype(np.int64))
    width = layout_width(layouts) or 1.0
    moved = []
    for i in chosen:
        before = np.asarray(layouts[i], dtype=np.float64)
        after = continue_layout(np.asarray(values[int(i)], dtype=np.float64), before.copy())
        moved.append(np.linalg.norm(_finite(np.asarray(after)) - before, axis=-1) / width)
    median, high = np.percentile(moved, [50, FLOOR_PERCENTILE], axis=0)
    return Floor(median, high, chosen)


def _finite(values: NDArray[np.floating]) -> FloatArray:
    if not np.isfinite(values).all():
        raise InputError("vectors or layouts contain values that are not finite: leave out the steps that diverged")
    return values.astype(np.float64)


def _at_end_step(moved: FloatArray) -> FloatArray:
    """Put each motion at the step where it ends, with NaN at the first step."""
    return np.concatenate([np.full_like(moved[:1], np.nan), moved])
