"""Controls: trajectories with a run's statistics and none of its structure.

A layout of noise looks structured too (Wattenberg, Viégas & Johnson 2016, "How to use t-SNE effectively", Distill). What a control's film
also shows is no evidence about the run.
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
    """Make the control of a trajectory: the same steps, items and dimensions, without the learnt structure.

    Parameters
    ----------
    trajectory : (step, token or position, dim) with the coordinate ``sha256`` on step.
    name : ``shuffled`` (`shuffle_values`) or ``init`` (`redraw_values`).
    seed : of the random numbers; the same seed gives the same control.

    Returns
    -------
    (step, token or position, dim) in the trajectory's own precision, with its coordinates except ``sha256``. That is a hash
    of the snapshot's hash, the name and the seed, so that a control is never mistaken for the run.

    Raises
    ------
    InputError
        Unknown name, or a negative seed.
    """
    if name not in CONTROLS:
        raise InputError(f"there is no control {name!r}; there is {', '.join(CONTROLS)}")
    if seed < 0:
        raise InputError(f"the seed of a control is 0 or more; got {seed}: pass `seed=0`")
    made = trajectory.copy(data=CONTROLS[name](trajectory.values, seed).astype(trajectory.dtype))
    return with_derived_hashes(made, f"control {name} seed {seed}").assign_attrs(control=name, control_seed=seed)


def with_derived_hashes(trajectory: xr.DataArray, what: str) -> xr.DataArray:
    """Replace the hashes of a derived trajectory's snapshots by hashes of them and of ``what`` was done to them."""
    hashes = [hashlib.sha256(f"{digest} {what}".encode()).hexdigest() for digest in trajectory["sha256"].values]
    return trajectory.assign_coords(sha256=("step", hashes))


def shuffle_values(values: NDArray[np.floating], seed: int = 0) -> NDArray[np.floating]:
    """Permute the values of each dimension, (step, item, dim), among the items, by the same permutation at every step.

    Every dimension keeps its values at each step, and with them mean, spread and outliers. Lost is which values belong to one item, and so
    which items are neighbours. Since the permutation is the same at every step, each value moves as in the run: the table changes by
    exactly as much from step to step, and the film is as calm. With a new permutation at each step points would jump, and the run would
    look better by its calm alone.

    Example
    -------
    >>> table = np.arange(8.0).reshape(1, 4, 2)
    >>> sorted(shuffle_values(table)[0, :, 1].tolist())
    [1.0, 3.0, 5.0, 7.0]
    """
    _, items, dims = values.shape
    random = np.random.default_rng([seed, items, dims])
    permutation = random.permuted(np.repeat(np.arange(items)[:, None], dims, axis=1), axis=0)  # (item, dim)
    return np.take_along_axis(values, permutation[None], axis=1)


def redraw_values(values: NDArray[np.floating], seed: int = 0) -> FloatArray:
    """Draw random tables (step, item, dim), float64, that change as much as the run's and learn nothing.

    Each dimension is normal, with the mean and standard deviation that it has over the items at the first step. Independent draws would
    flicker, and a single draw would stand still. So the tables form an autoregressive process,

        Y[s] = mean + a[s] (Y[s-1] - mean) + sqrt(1 - a[s]²) deviation noise,

    which has that distribution at every step. Its expected squared change is 2 (1 - a) times its squared spread; ``a`` is chosen so that
    this equals the run's (`relative_drift`). Where the run does not change, the control does not either.
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
    """Compute the change of a table (step, item, dim) from each step to the next, (step - 1,), relative to its spread.

    It is 0 for no change, and the square root of 2 for independent tables. Both are root mean squares about the mean of the items, so a
    shift of all items together does not count; no layout shows it. The spread is that of both steps.

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
    "shuffled": shuffle_values,
    "init": redraw_values,
}
CONTROL_DESCRIPTIONS = {
    "shuffled": "the values of each dimension dealt out anew among the {items}, the same deal at every step",
    "init": "tables drawn from the distribution of the first snapshot, which change as much as the run's and learn nothing",
}
"""Captions that explain each control, in English; ``{items}`` stands for tokens or positions."""
