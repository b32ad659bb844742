"""How far a film's motion may be believed: whether what moves is what changed, and how much would move if nothing did.

True motion is the way of a vector from one step to the next, drawn motion the way of its point. An array over the ways has one entry
fewer than there are steps; a dataset has each way at the step where it arrives, and NaN at the first.

Drawn motion is in widths of the layout. The width is twice the root mean square distance of the points from their centre, pooled over
all steps: it is the same at all steps, as the limits of a film are, and no single point decides it, as it would the limits. An evenly
filled disc is 1.41 such widths across.
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
from viz.fidelity.ranking import places, rank_correlation

if TYPE_CHECKING:
    import xarray as xr

Again = Callable[[FloatArray, FloatArray], FloatArray]

FLOOR_STEPS = 5
HIGH = 95  # percent of the motions on unchanged data are no larger than the floor
LEAST_TRUST = 0.25  # what is drawn fainter must still be seen
VISIBLE = 0.005  # layout widths from one step to the next: some five pixels in half a second
GOOD_RECALL = 0.5  # the share of what chance leaves that two dimensions keep when they keep it well


@dataclass(frozen=True)
class Floor:
    """The motion that a method draws when nothing changes, in widths of the layout.

    median : (item,), over the steps at which it was measured.
    high : (item,), the 95th percentile over these steps; with few of them about the largest.
    steps : (measured,), which steps of the trajectory these were, counted from 0.
    """

    median: FloatArray
    high: FloatArray
    steps: NDArray[np.int64]


def motion_over_steps(trajectory: xr.DataArray, layout: xr.DataArray) -> xr.Dataset:
    """Compare the motion of a film with that of the vectors it shows.

    Parameters
    ----------
    trajectory : dimensions (step, token or position, dim); one that is loaded lazily is loaded step by step.
    layout : dimensions (step, token or position, axis), as `viz.projection.projector.project` returns it.

    Returns
    -------
    Dataset, float64, with the coordinates of the layout's step and items; each step's values are of the way that leads there:

    - over (step, item): ``true_motion`` (units of the vectors) and ``drawn_motion`` (layout widths);
    - over (step,): ``motion_agreement`` (see the function), and ``static_motion``, the mean drawn motion where no vector
      changed, NaN where some did;

    and the attributes ``layout_width`` (layout units), ``motion_agreement`` (over all ways together), and ``static_motion`` (the mean; only
    if there is a step where nothing changed).

    Raises
    ------
    InputError
        If the two do not hold the same steps and items, there are fewer than two steps, or values are not finite.

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
    true, drawn = motion(trajectory), motion(layout) / (width or 1.0)
    agreement, together = motion_agreement(true, drawn)
    static = static_motion(true, drawn)
    each = {"true_motion": true, "drawn_motion": drawn}
    whole = {"motion_agreement": agreement, "static_motion": static}
    variables = {name: ((step, item), _arriving(values)) for name, values in each.items()}
    summaries = {name: ((step,), _arriving(values)) for name, values in whole.items()}
    attributes = {"layout_width": width, "motion_agreement": together}
    if np.isfinite(static).any():
        attributes["static_motion"] = float(np.nanmean(static))
    coordinates = {
        name: coordinate for name, coordinate in layout.coords.items() if set(coordinate.dims) <= {step, item}
    }
    return xr.Dataset(variables | summaries, coords=coordinates, attrs=attributes)


def motion(places_over_steps: xr.DataArray | NDArray[np.floating]) -> FloatArray:
    """Measure how far each item goes from each step to the next.

    Parameters
    ----------
    places_over_steps : (step, item, dim or axis), vectors or layouts; loaded step by step if need be.

    Returns
    -------
    (step - 1, item), in the units of the vectors or of the layout.

    Raises
    ------
    InputError
        Fewer than two steps, or values that are not finite.

    Example
    -------
    >>> motion(np.array([[[0.0, 0.0], [1.0, 1.0]], [[3.0, 4.0], [1.0, 1.0]]])).tolist()
    [[5.0, 0.0]]
    """
    values = places_over_steps if isinstance(places_over_steps, np.ndarray) else places_over_steps.variable
    if len(values) < 2:
        raise InputError(f"motion is from one step to the next; got {len(values)} step: pass two or more")
    ways = np.empty((len(values) - 1, values.shape[1]))
    before = _finite(np.asarray(values[0]))
    for i in range(1, len(values)):
        after = _finite(np.asarray(values[i]))
        ways[i - 1] = np.linalg.norm(after - before, axis=-1)
        before = after
    return ways


def layout_width(layouts: NDArray[np.floating]) -> float:
    """Measure how wide a layout is, in a way that no single point decides.

    Parameters
    ----------
    layouts : (step, item, axis), or (item, axis) of a single step.

    Returns
    -------
    Twice the root mean square distance of the points from the centre of their step, over all steps; layout units.

    Example
    -------
    >>> layout_width(np.array([[-1.0, 0.0], [1.0, 0.0]]))
    2.0
    """
    centred = layouts - layouts.mean(axis=-2, keepdims=True, dtype=np.float64)
    return float(2.0 * np.sqrt(np.square(centred).sum(axis=-1).mean()))


def motion_agreement(true: FloatArray, drawn: FloatArray) -> tuple[FloatArray, float]:
    """Correlate true and drawn motion by rank: whether the items that move most in the picture are those that changed most.

    Parameters
    ----------
    true, drawn : (step - 1, item), from `motion`; the scale of either does not matter.

    Returns
    -------
    Spearman's rank correlation over the items of each way, (step - 1,), and over all ways together. NaN where no vector changed; 0
    where all changed by as much, or all points moved by as much. Ties share the mean rank.

    Example
    -------
    >>> motion_agreement(np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]]), np.array([[0.1, 0.4, 0.2], [0.0, 0.1, 0.0]]))[0]
    array([0.5, nan])

    References
    ----------
    Vernier, Garcia, da Silva, Comba and Telea 2020, "Quantitative evaluation of time-dependent multidimensional projection
    techniques", arXiv 2002.07481, temporal stability (theirs is over all ways together).
    """
    changed = true.any(axis=1)
    agreement = np.full(len(true), np.nan)
    if not changed.any():
        return agreement, float("nan")
    agreement[changed] = rank_correlation(places(true[changed]), places(drawn[changed]))
    return agreement, float(rank_correlation(places(true.reshape(1, -1)), places(drawn.reshape(1, -1)))[0])


def static_motion(true: FloatArray, drawn: FloatArray) -> FloatArray:
    """Return the mean drawn motion where no vector changed, (step - 1,), and NaN where some did.

    Example
    -------
    >>> static_motion(np.array([[1.0, 0.0], [0.0, 0.0]]), np.array([[0.5, 0.1], [0.1, 0.3]]))
    array([nan, 0.2])
    """
    return np.where(true.any(axis=1), np.nan, drawn.mean(axis=1))


def motion_floor(
    again: Again,
    trajectory: Any,
    layouts: NDArray[np.floating],
    *,
    steps: int = FLOOR_STEPS,
) -> Floor:
    """Measure how far a method moves each point when nothing has changed.

    Motion that is no larger says nothing about the vectors. A method that is a fixed function of the vectors, such as PCA in one basis,
    has a floor of 0.

    Parameters
    ----------
    again : the method, applied to vectors (item, dim) that have not changed and starting from their own layout (item, axis), with as
        much effort as it makes for a step of a film; returns the new layout. It may not merely hand back what it is given.
    trajectory : (step, item, dim); anything that gives the matrix of a step by its place.
    layouts : (step, item, axis), the film's.
    steps : at how many steps, spread evenly from the first to the last.

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
        raise InputError(f"the floor is measured at one step or more; got {steps}: pass {FLOOR_STEPS}")
    values: Any = getattr(trajectory, "variable", trajectory)
    chosen = np.unique(np.linspace(0, len(layouts) - 1, min(steps, len(layouts))).round().astype(np.int64))
    width = layout_width(layouts) or 1.0
    ways = []
    for i in chosen:
        before = np.asarray(layouts[i], dtype=np.float64)
        after = again(np.asarray(values[int(i)], dtype=np.float64), before.copy())
        ways.append(np.linalg.norm(_finite(np.asarray(after)) - before, axis=-1) / width)
    median, high = np.percentile(ways, [50, HIGH], axis=0)
    return Floor(median, high, chosen)


def trust(
    recall: FloatArray, chance: float, drawn: FloatArray | None = None, floor: FloatArray | None = None
) -> FloatArray:
    """Say how boldly each item may be drawn at each step.

    The product of two answers, raised to a least value so that nothing vanishes:

    - *Are its neighbours real?* The recall beyond chance, as a share of what chance leaves, is 0 for no more real neighbours than a
      shuffled picture has, and counts in full from one half: two dimensions seldom keep more of many. In between it is linear.
    - *Is its motion real?* Of a motion d, the floor f can account for (f / d)^2 of the square, and for all of it up to d = f. This is
      the doubt, as far as the motion is seen at all: in full from f, or from 0.005 widths if that is more, and in proportion below. So
      a point at rest is not doubted, one that moves by its floor wholly, by twice its floor a quarter, and nothing jumps.

    Parameters
    ----------
    recall : (step, item), ``item_recall`` of `~viz.fidelity.neighbourhoods.fidelity_over_steps`. What was not scored (NaN) gets
    its step's mean.
    chance : the recall of a shuffled picture, the attribute ``chance`` of the same.
    drawn : (step, item), ``drawn_motion`` of `motion_over_steps`, layout widths; NaN is rest. Without it, motion is not doubted.
    floor : (item,), ``high`` of `motion_floor`, layout widths; 0 if not given.

    Returns
    -------
    (step, item), 0.25 to 1: 1 for an item half of whose neighbours are real, beyond chance, and that rests or moves far beyond its
    floor; 0.25 for one none of whose neighbours in the picture is real, or that moves by just as much as the floor.

    Example
    -------
    >>> trust(np.array([[0.0, 0.1, 0.325, 0.55, 1.0]]), chance=0.1).round(3)
    array([[0.25 , 0.25 , 0.625, 1.   , 1.   ]])
    >>> trust(np.ones((1, 5)), 0.1, drawn=np.array([[0.0, 0.01, 0.02, 0.04, 0.2]]), floor=np.full(5, 0.02)).round(3)
    array([[1.   , 0.625, 0.25 , 0.812, 0.992]])
    """
    scored = np.where(np.isnan(recall), np.nanmean(recall, axis=1, keepdims=True), recall)
    near = np.clip((scored - chance) / (1.0 - chance) / GOOD_RECALL, 0.0, 1.0)
    if drawn is not None and floor is not None:
        near = near * (1.0 - _doubt(np.nan_to_num(drawn), floor))
    return LEAST_TRUST + (1.0 - LEAST_TRUST) * near


def _doubt(drawn: FloatArray, floor: FloatArray) -> FloatArray:
    """Return how much of each motion may be the method's own, as far as it is seen, 0 to 1; (step, item)."""
    seen = np.minimum(drawn / np.maximum(floor, VISIBLE), 1.0)
    accountable = np.divide(np.minimum(floor, drawn), drawn, out=np.zeros_like(drawn), where=drawn > 0)
    return seen * np.square(accountable)


def _finite(values: NDArray[np.floating]) -> FloatArray:
    if not np.isfinite(values).all():
        raise InputError("vectors or layouts hold values that are not finite: leave out the steps that diverged")
    return values.astype(np.float64)


def _arriving(ways: FloatArray) -> FloatArray:
    """Put each way at the step where it arrives, with NaN at the first step."""
    return np.concatenate([np.full_like(ways[:1], np.nan), ways])
