"""The losses of a run, as curves and for the slider."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from viz.drawing.theme import Role, Theme, role_color
from viz.player.panels import Curves, Series
from viz.player.words import section

LOSSES: dict[Role, str] = {"validation": "val_loss", "training": "train_loss"}


def loss_panel(
    metrics: Sequence[Mapping[str, Any]], *, theme: Theme, area: str = "loss", language: str = "en"
) -> Curves:
    """Build the curves of validation and training loss from a run's records, as `data.runs.Run.metrics` returns them."""
    words = section("projection", language)
    series = [
        loss_series(words[role], role_color(theme, role), metrics, key)
        for role, key in LOSSES.items()
        if metrics and key in metrics[0]
    ]
    return Curves("loss", area, words["loss"], series=series, about=("loss",))


def loss_series(name: str, color: str, metrics: Sequence[Mapping[str, Any]], key: str = "val_loss") -> Series:
    """Build the series of one loss from a run's records."""
    return Series(name, color, [int(record["step"]) for record in metrics], [record.get(key) for record in metrics])


def validation_loss(metrics: Iterable[Mapping[str, Any]]) -> tuple[list[int], list[float]] | None:
    """Select the steps and values of the finite validation losses, for the slider; None if there is none."""
    found = [(int(one["step"]), float(one["val_loss"])) for one in metrics if one.get("val_loss") is not None]
    found = [(step, loss) for step, loss in found if math.isfinite(loss)]
    return ([step for step, _ in found], [loss for _, loss in found]) if found else None
