"""Trust in each point of a layout at each step, and the doubt that pictures mark.

Two things can be wrong about a point: its place, if its neighbours in the picture are not those of the space, and its motion. Pictures
mark the doubt of places alone. A point that stands still has no motion to doubt, and what moves by little was never asserted to move.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from data.arrays import FloatArray

if TYPE_CHECKING:
    import xarray as xr

LEAST_TRUST = 0.25
VISIBLE_MOTION = 0.005  # layout widths from one step to the next: some five pixels in half a second
GOOD_RECALL = 0.5  # share of the recall beyond chance that a good layout in two dimensions keeps

DOUBTED_BELOW = 0.5  # of `neighbour_trust`: a quarter of the recall beyond chance
DOUBT_MARGIN = 0.1  # by which an item must pass that value to change from one step to the next


def neighbour_trust(recall: FloatArray, chance: float) -> FloatArray:
    """Compute how far each item's neighbours in the picture are those of the space: its recall beyond chance, of what is possible.

    It is 0 at chance level, reaches 1 at one half, since two dimensions seldom keep more of many neighbours, and is linear in between.

    Parameters
    ----------
    recall : (step, item), ``item_recall`` of `~viz.fidelity.neighbourhoods.fidelity_over_steps`. Items that were not scored (NaN)
        get the mean of their step.
    chance : recall of a shuffled layout, the attribute ``chance`` of the same.

    Returns
    -------
    (step, item), 0 to 1.

    Example
    -------
    >>> neighbour_trust(np.array([[0.0, 0.1, 0.325, 0.55, 1.0]]), chance=0.1).round(3)
    array([[0. , 0. , 0.5, 1. , 1. ]])
    """
    scored = np.where(np.isnan(recall), np.nanmean(recall, axis=1, keepdims=True), recall)
    trust: FloatArray = np.clip((scored - chance) / (1.0 - chance) / GOOD_RECALL, 0.0, 1.0)
    return trust


def doubted(projection: xr.Dataset) -> NDArray[np.bool_] | None:
    """Find the items that a picture marks as doubtful, (step, item): few of their neighbours in it are neighbours in the space.

    At the last step an item is doubted if its `neighbour_trust` is below one half. From there back in time it changes only where its trust
    passes this value by 0.1, so that no mark flickers. None if the projection has no ``item_recall``.

    Example
    -------
    >>> import xarray as xr
    >>> recall = xr.DataArray([[0.1], [0.3], [0.26], [0.24]], dims=("step", "position"))
    >>> doubted(xr.Dataset({"item_recall": recall}, attrs={"chance": 0.0})).ravel()
    array([ True, False,  True,  True])
    """
    if "item_recall" not in projection:
        return None
    trust = neighbour_trust(projection["item_recall"].values.astype(np.float64), float(projection.attrs["chance"]))
    marked = trust < DOUBTED_BELOW
    for i in reversed(range(len(trust) - 1)):
        bound = np.where(marked[i + 1], DOUBTED_BELOW + DOUBT_MARGIN, DOUBTED_BELOW - DOUBT_MARGIN)
        marked[i] = trust[i] < bound
    return marked


def item_trust(
    recall: FloatArray, chance: float, drawn: FloatArray | None = None, floor: FloatArray | None = None
) -> FloatArray:
    """Compute how far each item's place and motion can be trusted at each step.

    Trust is the product of two factors, scaled to a range of 0.25 to 1:

    - *Are its neighbours real?* The factor is `neighbour_trust`.
    - *Is its motion real?* Of a motion d, the motion floor f can explain (f / d)^2 of the square, and all of it up to d = f. This is the
      doubt. It counts in full from d = f, or from 0.005 widths if that is more, and in proportion to d below. So a point at rest is not
      doubted, one that moves by its floor is doubted fully, one that moves by twice its floor by a quarter, and trust never jumps.

    Parameters
    ----------
    recall, chance : see `neighbour_trust`.
    drawn : (step, item), ``drawn_motion`` of `~viz.fidelity.motion.motion_over_steps`, layout widths; NaN counts as rest. Without it,
        motion is not doubted.
    floor : (item,), ``high`` of `~viz.fidelity.motion.motion_floor`, layout widths; without it, motion is not doubted.

    Returns
    -------
    (step, item), 0.25 to 1.

    Example
    -------
    >>> item_trust(np.array([[0.0, 0.1, 0.325, 0.55, 1.0]]), chance=0.1).round(3)
    array([[0.25 , 0.25 , 0.625, 1.   , 1.   ]])
    >>> item_trust(np.ones((1, 5)), 0.1, drawn=np.array([[0.0, 0.01, 0.02, 0.04, 0.2]]), floor=np.full(5, 0.02)).round(3)
    array([[1.   , 0.625, 0.25 , 0.812, 0.992]])
    """
    certainty = neighbour_trust(recall, chance)
    if drawn is not None and floor is not None:
        certainty = certainty * (1.0 - _motion_doubt(np.nan_to_num(drawn), floor))
    return LEAST_TRUST + (1.0 - LEAST_TRUST) * certainty


def _motion_doubt(drawn: FloatArray, floor: FloatArray) -> FloatArray:
    """Compute the share of each visible motion that the floor can explain, 0 to 1; (step, item)."""
    visible = np.minimum(drawn / np.maximum(floor, VISIBLE_MOTION), 1.0)
    explained = np.divide(np.minimum(floor, drawn), drawn, out=np.zeros_like(drawn), where=drawn > 0)
    return visible * np.square(explained)
