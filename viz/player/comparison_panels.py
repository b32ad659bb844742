"""Panels that compare runs: one legend for all pictures, differences of heads, and items whose neighbours differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import NDArray

from viz.player.panels import Panel


@dataclass(frozen=True)
class LegendLine:
    """A line of a legend: a run's curves are a ``line``, a group's points ``disc``, doubtful points a ``ring``."""

    name: str
    color: str
    mark: Literal["line", "disc", "ring"] = "line"
    help: str = ""


@dataclass(frozen=True)
class SharedLegend(Panel):
    """The legend of all panels of a scene. Pointing at a group brings it out in all scatter plots; ``note`` stands below."""

    entries: Sequence[LegendLine]
    note: str = ""


@dataclass(frozen=True)
class HeadGrid(Panel):
    """A measure of every head at the slider's step, on a diverging scale: a row a layer and a column a head.

    Parameters
    ----------
    values : (step, layer, head), float.
    ramp, high : colours from ``-high`` to ``high``, 256 of them.
    rows, columns : names of the layers and of the heads.
    spread : (step, layer, head) or None: values no larger than these are marked as what chance alone gives, by ``within``, a text.
    note : a line above.
    """

    values: NDArray[Any]
    ramp: Sequence[str]
    high: float
    rows: Sequence[str]
    columns: Sequence[str]
    spread: NDArray[Any] | None = None
    within: str = ""
    note: str = ""


@dataclass(frozen=True)
class Neighbourhoods(Panel):
    """The items whose nearest neighbours in two tables differ most, at every step. A click selects the item in all scatter plots.

    Parameters
    ----------
    items : (step, row), indices of the items, those that differ most first.
    overlaps : (step, row), how many of the ``k`` neighbours are the same.
    neighbours : (step, row, table, k), indices of the nearest items in either table, nearest first.
    names : of all items.
    columns, colors : names of the two tables and their colours.
    headings : texts above the items and above the numbers of shared neighbours.
    shared : a text for each row with ``{n}`` and ``{k}``.
    note : a line above, such as what chance gives.
    selected : index of the item that the page has selected.
    """

    items: NDArray[Any]
    overlaps: NDArray[Any]
    neighbours: NDArray[Any]
    names: Sequence[str]
    columns: Sequence[str]
    colors: Sequence[str]
    headings: Sequence[str]
    shared: str
    note: str = ""
    selected: int | None = None
