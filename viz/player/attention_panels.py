"""Panels of attention: maps of all heads or one, and the scores of heads over training and at a step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from viz.player.panels import Panel


@dataclass(frozen=True)
class LargeMap:
    """The map of one head with more tokens than the maps of all heads: ``values`` (step, 1, 1, cell) as in `HeatMaps`."""

    head: tuple[int, int]
    values: NDArray[Any]
    tokens: Sequence[str]


@dataclass(frozen=True)
class HeatMaps(Panel):
    """Attention maps over steps, a row a layer and a column a head; a click enlarges one of them.

    Parameters
    ----------
    values : (step, layer, head, cell), uint8 or uint16: integers from 0, which stands for 0, to the largest of the type, which stands
        for 1. Cells are in row-major order, only those up to the diagonal.
    tokens : labels of the queries and keys.
    ramp : colours from 0 to 1, 256 of them, by the square root of the weight, so that small weights are visible.
    chooses : whether ``chosen`` is the page's choice of a head; all panels of a scene share it.
    chosen : (layer, head) of the map that is enlarged, or None for all.
    picture : how one head is shown: ``map``, or ``words`` with lines between them.
    query : index of the word whose lines alone are shown, or None for all words.
    large : the map that is shown instead when its head is enlarged.
    layer_name, head_name : words before their indices.
    note : a line above the maps.
    """

    values: NDArray[Any]
    tokens: Sequence[str]
    ramp: Sequence[str]
    chooses: bool = False
    chosen: tuple[int, int] | None = None
    picture: str = "map"
    query: int | None = None
    large: LargeMap | None = None
    layer_name: str = "layer"
    head_name: str = "head"
    note: str = ""


@dataclass(frozen=True)
class HeadTimeline(Panel):
    """A heat map of heads over training: a row a head, a cell a snapshot. A click goes to the snapshot and chooses the head.

    Parameters
    ----------
    values : (step, row), float.
    rows : names of the rows.
    heads : (layer, head) of each row, if rows are heads; layers are set apart.
    ramp, low, high : colours, and the values of the first and the last.
    note : a line above the heat map.
    uniform : the value of uniform attention, which the colour bar marks.
    chooses, chosen : as in `HeatMaps`.
    """

    values: NDArray[Any]
    rows: Sequence[str]
    ramp: Sequence[str]
    heads: Sequence[tuple[int, int]] | None = None
    low: float = 0.0
    high: float = 1.0
    note: str = ""
    uniform: float | None = None
    chooses: bool = False
    chosen: tuple[int, int] | None = None


@dataclass(frozen=True)
class HeadRanking(Panel):
    """Heads in the order of a score at the slider's step, the largest first. A click chooses the head.

    Parameters
    ----------
    values : (step, row), float.
    rows : names of the rows.
    heads : (layer, head) of each row.
    color : of the bars.
    high : the value of a bar of full length.
    chooses, chosen : as in `HeatMaps`.
    """

    values: NDArray[Any]
    rows: Sequence[str]
    heads: Sequence[tuple[int, int]]
    color: str
    high: float = 1.0
    chooses: bool = False
    chosen: tuple[int, int] | None = None
