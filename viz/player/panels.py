"""What a page shows over training: panels of arrays whose first dimension is ``step``."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from numpy.typing import NDArray

from viz.player.serialization import quantize_layout, to_json, with_version


@dataclass(frozen=True)
class Panel:
    """A place on the page: ``area`` is its name in the grid, ``steps`` the snapshots it has if they are not the scene's."""

    kind: ClassVar[str] = ""

    id: str
    area: str
    title: str
    steps: Sequence[int] | None = field(default=None, kw_only=True)

    def to_json(self) -> dict[str, Any]:
        """Return what the browser is sent: the fields, arrays packed, and a hash of it all as ``version``."""
        return self._packed()

    def _packed(self) -> dict[str, Any]:
        fields = {f.name: to_json(getattr(self, f.name)) for f in dataclasses.fields(self)}
        return with_version({"kind": self.kind, **fields})


@dataclass(frozen=True)
class ColoredGroup:
    """Items that are picked out: ``members`` are their numbers."""

    name: str
    color: str
    members: Sequence[int]


@dataclass(frozen=True)
class Scatter(Panel):
    """Points that move: a layout over steps.

    Parameters
    ----------
    layout : (step, item, axis), two axes or three; NaN where a snapshot does not have an item.
    labels, names : what stands in the picture for an item, and what one would say; one each an item.
    colors : ``#RRGGBB`` of each item.
    trust : (step, item) from 0 to 1; points that are not to be believed are drawn faint.
    groups : highlighted ones, which leave trails.
    classes : what the colours mean where nothing is highlighted, for the legend.
    neighbours : (step, item, k) the nearest items in the full space, nearest first; None where that was too much to compute for all.
    thread : whether a line joins the items in their order.
    faint_note : what the faintness means, in words.
    words : of its tools, by name.
    """

    kind = "scatter"

    layout: NDArray[Any]
    labels: Sequence[str]
    names: Sequence[str]
    colors: Sequence[str]
    trust: NDArray[Any] | None = None
    groups: Sequence[ColoredGroup] = ()
    classes: Sequence[ColoredGroup] = ()
    neighbours: NDArray[Any] | None = None
    thread: bool = False
    faint_note: str = ""
    words: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return what the browser is sent: the layout as levels of its own limits, which takes half the room."""
        return dataclasses.replace(self, layout=quantize_layout(self.layout))._packed()


@dataclass(frozen=True)
class Series:
    """A line: ``values`` at ``steps`` of its own, in a colour; ``low`` and ``high`` bound a band around it."""

    name: str
    color: str
    steps: Sequence[int]
    values: Sequence[float]
    dashed: bool = False
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None


@dataclass(frozen=True)
class Curves(Panel):
    """Lines over training with a mark at the slider's step; a click goes there. ``limits`` fix the vertical axis."""

    kind = "curves"

    series: Sequence[Series]
    unit: str = ""
    limits: tuple[float, float] | None = None


@dataclass(frozen=True)
class LargeMap:
    """The map of one head, of more tokens than those of all heads can be sent with: ``values`` (step, 1, 1, cell) as of `HeatMaps`."""

    head: tuple[int, int]
    values: NDArray[Any]
    tokens: Sequence[str]


@dataclass(frozen=True)
class HeatMaps(Panel):
    """Square maps over steps, a row a layer and a column a head; a click shows one of them large.

    Parameters
    ----------
    values : (step, layer, head, cell), uint8 or uint16: whole numbers from 0, which stands for ``low``, to the largest of the type,
        which stands for ``high``. Cells come row by row; of causal maps only those up to the diagonal.
    tokens : the label of each query and key.
    ramp : colours from ``low`` to ``high``, 256 of them.
    low, high : the values at the two ends of the ramp.
    curve : ``sqrt`` colours by the square root, so that small weights show; ``linear`` does not.
    chooses : whether the page says which head is chosen; all panels of a scene show the same one.
    chosen : (layer, head) of the map that is shown large, or None for all.
    large : what is shown instead when its head is shown large.
    causal : whether cells above the diagonal cannot be and are left empty.
    layer_name, head_name : words before the numbers.
    """

    kind = "maps"

    values: NDArray[Any]
    tokens: Sequence[str]
    ramp: Sequence[str]
    low: float = 0.0
    high: float = 1.0
    curve: str = "sqrt"
    chooses: bool = False
    chosen: tuple[int, int] | None = None
    large: LargeMap | None = None
    causal: bool = True
    layer_name: str = "layer"
    head_name: str = "head"


@dataclass(frozen=True)
class HeadTimeline(Panel):
    """A cell for every row and snapshot (a timeline of heads); a click goes to that snapshot, and chooses that head.

    Parameters
    ----------
    values : (step, row), float.
    rows : names of the rows.
    heads : (layer, head) of each row, if rows are heads; there is more room between layers.
    ramp, low, high : colours, and the values at their two ends.
    note : a line about it.
    uniform : the value that the key marks: what even attention scores.
    chooses, chosen : as of `HeatMaps`.
    """

    kind = "head-timeline"

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
class Bars(Panel):
    """A probability for every label at every step, as bars that stay in their places.

    Parameters
    ----------
    values : (step, label), float.
    labels : as drawn, the ones to be shown first where not all fit.
    names : as said.
    color : of the bars.
    others : what the bar is called that gathers the rest; no such bar if empty.
    n_tokens : how many tokens there are, with those that are not among the labels.
    """

    kind = "bars"

    values: NDArray[Any]
    labels: Sequence[str]
    names: Sequence[str]
    color: str
    others: str = ""
    n_tokens: int = 0


@dataclass(frozen=True)
class StepText:
    """A text of one step, with a line about it."""

    step: int
    text: str
    note: str = ""


@dataclass(frozen=True)
class Samples(Panel):
    """Texts of steps; the one last written at or before the slider's is shown, and with a ``history`` a line of each below it."""

    kind = "samples"

    texts: Sequence[StepText]
    empty: str = ""
    history: bool = False


@dataclass(frozen=True)
class Number:
    """A line of a table: at each of ``steps`` a text, already written as the page's language writes it.

    ``shares``, from 0 to 1, are drawn as a bar beside it.
    """

    name: str
    steps: Sequence[int]
    texts: Sequence[str]
    help: str = ""
    color: str = ""
    shares: Sequence[float] | None = None


@dataclass(frozen=True)
class Numbers(Panel):
    """What is measured at the slider's step, a line each."""

    kind = "numbers"

    lines: Sequence[Number]


@dataclass(frozen=True)
class Comparison:
    """A group against others at one step: how many of them stand further apart, and how likely so many are by chance."""

    share: str
    p: str
    remarkable: bool


@dataclass(frozen=True)
class ComparisonRow:
    """A group against several kinds of others: ``cells`` are (column, step)."""

    name: str
    color: str
    steps: Sequence[int]
    cells: Sequence[Sequence[Comparison | None]]


@dataclass(frozen=True)
class Comparisons(Panel):
    """How close together groups stand in the full space: a row a group, a column a kind of groups to compare with."""

    kind = "comparisons"

    columns: Sequence[str]
    rows: Sequence[ComparisonRow]
    help: str = ""


@dataclass(frozen=True)
class Neighbours(Panel):
    """The nearest items of one in the full space, nearest first.

    Parameters
    ----------
    item : the number of the one.
    measured_steps : the steps.
    items, distances : (step, rank) which items, and how far away they are.
    styles : name and colour of every item that occurs, by its number.
    """

    kind = "neighbours"

    item: int
    measured_steps: Sequence[int]
    items: NDArray[Any]
    distances: NDArray[Any]
    styles: Mapping[int, tuple[str, str]]
