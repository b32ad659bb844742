"""Controls: trajectories that are like a run's in all that costs nothing, and have none of its structure.

A layout of noise looks structured too (Wattenberg, Viégas & Johnson 2016, "How to use t-SNE effectively", Distill). What a film of a
control shows as well, the film of the run has not shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from data.arrays import FloatArray
from data.errors import InputError

if TYPE_CHECKING:
    import xarray as xr


def control(trajectory: xr.DataArray, name: str, seed: int = 0) -> xr.DataArray:
    """Return the control of a trajectory: the same steps, items and dimensions, without what the run has learnt.

    Parameters
    ----------
    trajectory : (step, token or position, dim) with the coordinate ``sha256`` on step.
    name : ``shuffled`` (`shuffled`) or ``init`` (`redrawn`).
    seed : of the draw; the same seed gives the same control.

    Returns
    -------
    (step, token or position, dim) in the trajectory's own precision, with its coordinates but for ``sha256``: that is a hash of the
    snapshot's hash, the name and the seed, so that a control is never taken for the run.

    Raises
    ------
    InputError
        Unknown name, or a negative seed.
    """
    if name not in CONTROLS:
        raise InputError(f"there is no control {name!r}; there is {', '.join(CONTROLS)}")
    if seed < 0:
        raise InputError(f"the seed of a control is 0 or more; got {seed}: pass --seed 0")
    made = trajectory.copy(data=CONTROLS[name](trajectory.values, seed).astype(trajectory.dtype))
    return marked(made, f"control {name} seed {seed}").assign_attrs(control=name, control_seed=seed)


def marked(trajectory: xr.DataArray, what: str) -> xr.DataArray:
    """Return a trajectory that was derived from snapshots under hashes of its own: those of theirs together with ``what`` was done."""
    hashes = [hashlib.sha256(f"{digest} {what}".encode()).hexdigest() for digest in trajectory["sha256"].values]
    return trajectory.assign_coords(sha256=("step", hashes))


def shuffled(values: NDArray[np.floating], seed: int = 0) -> NDArray[np.floating]:
    """Deal the values of each dimension out to the items anew, the same way at every step.

    Every dimension keeps its values, step by step, so mean, spread and outliers are the run's. What is lost is which values belong to one
    item, and with it who is near whom. Since the deal is the same at every step, each value goes on moving as it does in the run: the
    whole table changes from step to step by exactly as much, and the film is as calm. A new deal each step would make it jump,
    and the eye would take the run for better by its calm alone.

    Parameters
    ----------
    values : (step, item, dim).

    Returns
    -------
    (step, item, dim).

    Example
    -------
    >>> table = np.arange(8.0).reshape(1, 4, 2)
    >>> sorted(shuffled(table)[0, :, 1].tolist())
    [1.0, 3.0, 5.0, 7.0]
    """
    _, items, dims = values.shape
    random = np.random.default_rng([seed, items, dims])
    deal = random.permuted(np.repeat(np.arange(items)[:, None], dims, axis=1), axis=0)  # (item, dim)
    return np.take_along_axis(values, deal[None], axis=1)


def redrawn(values: NDArray[np.floating], seed: int = 0) -> FloatArray:
    """Draw a table at every step from the distribution of the first: a run that moves as much as this one, and learns nothing.

    Each dimension is normal with the mean and the standard deviation that it has over the items of the first step. Draws that had nothing
    to do with each other would flicker, and one draw would stand still. So each table is the one before, partly drawn anew,

        Y[s] = mean + a[s] (Y[s-1] - mean) + sqrt(1 - a[s]²) deviation noise,

    which keeps that distribution at every step. It moves by 2 (1 - a) of its squared spread, on average; ``a`` is chosen so that this is
    the run's own share, `relative_drift`. Where the run does not change, nor does the control.

    Parameters
    ----------
    values : (step, item, dim).

    Returns
    -------
    (step, item, dim), float64.
    """
    first = np.asarray(values[0], dtype=np.float64)
    mean, deviation = first.mean(axis=0), first.std(axis=0)
    random = np.random.default_rng([seed, *first.shape])
    keep = np.clip(1 - relative_drift(values) ** 2 / 2, 0.0, 1.0)
    noise = random.normal(size=first.shape)
    tables = np.empty(values.shape)
    for step in range(len(tables)):
        if step:
            fresh = random.normal(size=first.shape)
            noise = keep[step - 1] * noise + np.sqrt(1 - keep[step - 1] ** 2) * fresh
        tables[step] = mean + deviation * noise
    return tables


def relative_drift(values: NDArray[np.floating]) -> FloatArray:
    """Return how far a table goes from each step to the next, over how far its items lie from their mean.

    Both are root mean squares, the spread over the two steps; a shift of all items together does not count, since no picture shows it.

    Parameters
    ----------
    values : (step, item, dim).

    Returns
    -------
    (step - 1,), 0 for no change, the square root of 2 for tables that have nothing to do with each other.

    Example
    -------
    >>> relative_drift(np.array([[[1.0], [-1.0]], [[1.0], [-1.0]], [[-1.0], [1.0]]])).tolist()
    [0.0, 2.0]
    """
    drift = np.zeros(len(values) - 1)
    before = _centred(values[0])
    for step in range(1, len(values)):
        after = _centred(values[step])
        spread = (np.square(before).sum() + np.square(after).sum()) / 2
        drift[step - 1] = np.sqrt(np.square(after - before).sum() / spread) if spread > 0 else 0.0
        before = after
    return drift


def _centred(table: NDArray[np.floating]) -> FloatArray:
    wide = np.asarray(table, dtype=np.float64)
    return np.asarray(wide - wide.mean(axis=0))


CONTROLS: dict[str, Callable[[NDArray[np.floating], int], NDArray[np.floating]]] = {
    "shuffled": shuffled,
    "init": redrawn,
}
EXPLAINED = {
    "shuffled": "the values of each dimension dealt out anew among the {items}, the same deal at every step",
    "init": "tables drawn from the distribution of the first snapshot, which change as much as the run's and learn nothing",
}
"""What each control is, in words for a caption; ``{items}`` stands for tokens or positions."""
