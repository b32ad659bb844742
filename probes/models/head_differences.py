"""Differences of the scores of attention heads between runs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Literal

import numpy as np
import xarray as xr

from data.errors import InputError

Pairing = Literal["rank", "number"]
"""Which heads of two runs are compared: those of equal rank within their layer, or those of equal number."""


def head_difference(scores: xr.DataArray, other: xr.DataArray, *, pairing: Pairing = "rank") -> xr.DataArray:
    """Subtract the head scores of one run from those of another.

    The order of the heads within a layer is arbitrary: two runs that differ in their seed learn the same heads in different places. By
    rank, the head with the highest score in a layer is compared with the highest in the same layer of the other run, the second with
    the second, and so on, at every step anew.

    Parameters
    ----------
    scores, other : a score of every head, (step, layer, head) each.
    pairing : ``"rank"``, or ``"number"`` for runs whose heads are the same ones, as before and after fine-tuning.

    Returns
    -------
    ``other`` minus ``scores``, (step, layer, head), over the steps at which both have a snapshot, the layers that both have, by their
    number, and as many heads as both have. By rank, head 0 is the highest.

    Raises
    ------
    InputError
        If they have no step in common.

    Examples
    --------
    >>> dims = ("step", "layer", "head")
    >>> one, two = (xr.DataArray([[values]], {"step": [0], "layer": [0], "head": [0, 1]}, dims) for values in ([0.1, 0.9], [0.7, 0.2]))
    >>> head_difference(one, two).values.round(2).tolist(), head_difference(one, two, pairing="number").values.round(2).tolist()
    ([[[-0.2, 0.1]]], [[[0.6, -0.7]]])
    """
    steps = np.intersect1d(scores["step"].values, other["step"].values)
    if not len(steps):
        raise InputError("the runs have no step in common at which both kept a snapshot: choose other runs")
    dims = ("step", "layer", "head")
    one, two = (part.sel(step=steps).transpose(*dims).values.astype(np.float64) for part in (scores, other))
    n_layers, n_heads = (min(one.shape[axis], two.shape[axis]) for axis in (1, 2))
    one, two = one[:, :n_layers], two[:, :n_layers]
    if pairing == "rank":
        one, two = (-np.sort(-values, axis=2) for values in (one, two))
    coords = {"step": steps, "layer": np.arange(n_layers), "head": np.arange(n_heads)}
    return xr.DataArray(two[:, :, :n_heads] - one[:, :, :n_heads], coords, dims, "head_difference")


def spread_of_head_scores(runs: Sequence[xr.DataArray], *, pairing: Pairing = "rank") -> xr.DataArray:
    """Compute the largest difference of any two runs in each head's score, (step, layer, head): what seeds alone do, if they differ in it.

    Parameters
    ----------
    runs : a score of every head, (step, layer, head), of two runs or more.
    pairing : see `head_difference`.

    Examples
    --------
    >>> dims, coords = ("step", "layer", "head"), {"step": [0], "layer": [0], "head": [0]}
    >>> runs = [xr.DataArray([[[score]]], coords, dims) for score in (0.25, 0.5, 0.125)]
    >>> spread_of_head_scores(runs).values.tolist()
    [[[0.375]]]
    """
    differences = [head_difference(one, two, pairing=pairing) for one, two in combinations(runs, 2)]
    stacked = xr.concat([abs(each) for each in differences], dim="pair", join="inner")
    return stacked.max("pair")
