"""Trust: one number for each item and step, by which a film fades points that it may show wrongly."""

from __future__ import annotations

import numpy as np

from data.arrays import FloatArray

LEAST_TRUST = 0.25  # a faded point must still be visible
VISIBLE_MOTION = 0.005  # layout widths from one step to the next: some five pixels in half a second
GOOD_RECALL = 0.5  # share of the recall beyond chance that a good layout in two dimensions keeps


def item_trust(
    recall: FloatArray, chance: float, drawn: FloatArray | None = None, floor: FloatArray | None = None
) -> FloatArray:
    """Compute how far each item's place and motion can be trusted at each step.

    Trust is the product of two factors, raised to a minimum so that nothing vanishes:

    - *Are its neighbours real?* The factor is the recall beyond chance, relative to the most that is possible. It is 0 at chance level,
      reaches 1 at one half, since two dimensions seldom keep more of many neighbours, and is linear in between.
    - *Is its motion real?* Of a motion d, the motion floor f can explain (f / d)^2 of the square, and all of it up to d = f. This is the
      doubt. It counts in full from d = f, or from 0.005 widths if that is more, and in proportion to d below. So a point at rest is not
      doubted, one that moves by its floor is doubted fully, one that moves by twice its floor by a quarter, and trust never jumps.

    Parameters
    ----------
    recall : (step, item), ``item_recall`` of `~viz.fidelity.neighbourhoods.fidelity_over_steps`. Items that were not scored (NaN)
        get the mean of their step.
    chance : recall of a shuffled layout, the attribute ``chance`` of the same.
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
    scored = np.where(np.isnan(recall), np.nanmean(recall, axis=1, keepdims=True), recall)
    certainty = np.clip((scored - chance) / (1.0 - chance) / GOOD_RECALL, 0.0, 1.0)
    if drawn is not None and floor is not None:
        certainty = certainty * (1.0 - _motion_doubt(np.nan_to_num(drawn), floor))
    return LEAST_TRUST + (1.0 - LEAST_TRUST) * certainty


def _motion_doubt(drawn: FloatArray, floor: FloatArray) -> FloatArray:
    """Compute the share of each visible motion that the floor can explain, 0 to 1; (step, item)."""
    visible = np.minimum(drawn / np.maximum(floor, VISIBLE_MOTION), 1.0)
    explained = np.divide(np.minimum(floor, drawn), drawn, out=np.zeros_like(drawn), where=drawn > 0)
    return visible * np.square(explained)
