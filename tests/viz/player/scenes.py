"""Projections and scenes for the tests of the player."""

from __future__ import annotations

import numpy as np
import xarray as xr

STEPS = (0, 1, 10, 100)
LABELS = [*"aeiou", "\n", "<b>"]


def projection(dim: str = "token", axes: int = 2) -> xr.Dataset:
    """Make a projection of seven items over four steps, with trust and two measures."""
    random = np.random.default_rng(0)
    items = LABELS if dim == "token" else list(range(len(LABELS)))
    return xr.Dataset(
        {
            "layout": (("step", dim, "axis"), random.normal(size=(len(STEPS), len(items), axes))),
            "trust": (("step", dim), random.uniform(0.25, 1, size=(len(STEPS), len(items)))),
            "item_recall": (("step", dim), random.uniform(0, 1, size=(len(STEPS), len(items)))),
            "recall": ("step", [0.1, 0.2, 0.3, 0.4]),
            "motion_agreement": ("step", [np.nan, 0.5, 0.6, 0.7]),
        },
        coords={"step": list(STEPS), dim: items},
        attrs={"chance": 0.2},
    )


def losses() -> list[dict[str, float]]:
    """Make the records of a run whose last loss is not finite."""
    values = (4.0, 3.0, 2.0, float("nan"))
    return [{"step": step, "val_loss": loss, "train_loss": loss} for step, loss in zip(STEPS, values, strict=True)]
