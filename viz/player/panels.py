"""What a page shows over training: panels of arrays whose first dimension is ``step``."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from viz.player.serialization import pack, pack_choices, pack_texts, quantize_layout, to_json, with_version


@dataclass(frozen=True)
class Pending:
    """What a panel waits for, or could show on request: a line over the panel, whose content stays usable meanwhile.

    Parameters
    ----------
    text : what is being computed, or could be.
    done : share that is done, from 0 to 1, shown as a bar; None for no bar.
    cancel, start : texts of the buttons that end and begin the computation; no such button if empty. A click is an event with the
        panel's ``id``, see `dashboards.player.Events`.
    """

    text: str
    done: float | None = None
    cancel: str = ""
    start: str = ""


@dataclass(frozen=True)
class Panel:
    """A panel of a scene: ``area`` is its place in the grid, ``steps`` its snapshots where they are not the scene's.

    ``about`` are keys of `viz.explanations` that explain what it shows; if empty, those of its kind.

    ``pending`` stands over the panel; it is not part of the panel's ``version``, so that its progress leaves the content alone.
    """

    kind: ClassVar[str] = ""
    """The name of the class as the browser knows it, e.g. ``heat-maps``."""

    id: str
    area: str
    title: str
    steps: Sequence[int] | None = field(default=None, kw_only=True)
    about: Sequence[str] = field(default=(), kw_only=True)
    pending: Pending | None = field(default=None, kw_only=True)

    def __init_subclass__(cls) -> None:
        cls.kind = re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()

    def to_json(self) -> dict[str, Any]:
        """Build the JSON object that is sent: the fields, arrays packed, and a hash of all of them as ``version``."""
        content = with_version({"kind": self.kind, **self._content()})
        return {**content, "pending": to_json(self.pending)}

    def _content(self) -> dict[str, Any]:
        return {f.name: to_json(getattr(self, f.name)) for f in dataclasses.fields(self) if f.name != "pending"}


@dataclass(frozen=True)
class ColoredGroup:
    """A group of items in a colour; ``members`` are indices of items."""

    name: str
    color: str
    members: Sequence[int]


@dataclass(frozen=True)
class Scatter(Panel):
    """A scatter plot: the points of a layout over steps.

    Parameters
    ----------
    layout : (step, item, axis), with two axes or three; NaN where a snapshot lacks an item.
    labels, names : of each item, for the plot and for sentences.
    colors : ``#RRGGBB`` of each item.
    trust : (step, item), uint8: 0 where an item is drawn as doubtful, a ring, else 255.
    groups : highlighted groups, which leave trails.
    classes : the meaning of the colours where nothing is highlighted, for the legend.
    neighbours : (step, item, k), the nearest items in the full space, nearest first; None where computing them for all takes too long.
    thread : whether a line connects the items in their order.
    camera : yaw and pitch in degrees, and magnification, of three dimensions at page entry; afterwards the browser has the camera.
    has_legend : whether the panel holds its own legend; without, a panel `viz.player.comparison_panels.SharedLegend` holds that of all.
    words : texts of the tools, by name.
    """

    layout: NDArray[Any]
    labels: Sequence[str]
    names: Sequence[str]
    colors: Sequence[str]
    trust: NDArray[Any] | None = None
    groups: Sequence[ColoredGroup] = ()
    classes: Sequence[ColoredGroup] = ()
    neighbours: NDArray[Any] | None = None
    thread: bool = False
    camera: tuple[float, float, float] | None = None
    has_legend: bool = True
    words: Mapping[str, str] = field(default_factory=dict)

    def _content(self) -> dict[str, Any]:
        """Pack what there is of each item: the layout quantised to its limits, texts joined, of the names those unlike the labels."""
        names = [name if name != label else "" for name, label in zip(self.names, self.labels, strict=True)]
        packed = {
            "layout": pack(quantize_layout(self.layout)),
            "labels": pack_texts(self.labels),
            "names": pack_texts(names),
            "colors": pack_choices(self.colors),
            "groups": [_packed_group(group) for group in self.groups],
            "classes": [_packed_group(group) for group in self.classes],
        }
        rest = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name not in {*packed, "pending"}}
        return {name: to_json(value) for name, value in rest.items()} | packed


def _packed_group(group: ColoredGroup) -> dict[str, Any]:
    members = np.array(group.members, dtype=np.uint32)
    return {"name": group.name, "color": group.color, "members": pack(members)}


@dataclass(frozen=True)
class Series:
    """A curve: ``values`` at ``steps`` of its own, in a colour; ``low`` and ``high`` bound a band around it."""

    name: str
    color: str
    steps: Sequence[int]
    values: Sequence[float | None]
    dashed: bool = False
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None


@dataclass(frozen=True)
class Curves(Panel):
    """Curves over training with a cursor at the slider's step; a click goes there, and pointing shows all values at a step.

    ``limits`` are those of the vertical axis. With ``has_names``, the legend names the curves; without, another panel's does.
    """

    series: Sequence[Series]
    unit: str = ""
    limits: tuple[float, float] | None = None
    has_names: bool = True


@dataclass(frozen=True)
class Bars(Panel):
    """The most probable tokens of every step, as bars in the order of their probabilities at that step.

    The scale of the bars is the same at all steps. Between snapshots, rows move to their next place. Of a token that is not among those of
    a step, it is known that its probability is at most the last one there.

    Parameters
    ----------
    tokens : (step, rank), indices of labels, the most probable first.
    values : (step, rank), float, their probabilities.
    labels, names : of all tokens that occur, for the plot and for sentences.
    color : of the bars.
    high : the probability of a bar of full length.
    others : name of the last row, the sum of all tokens that are not shown, which has no bar; no such row if empty.
    n_tokens : size of the vocabulary.
    note : a line above the bars.
    """

    tokens: NDArray[Any]
    values: NDArray[Any]
    labels: Sequence[str]
    names: Sequence[str]
    color: str
    high: float = 1.0
    others: str = ""
    n_tokens: int = 0
    note: str = ""


@dataclass(frozen=True)
class StepText:
    """A text at a step, with a note about it."""

    step: int
    text: str
    note: str = ""


@dataclass(frozen=True)
class Samples(Panel):
    """Texts over steps. The last one at or before the slider's step is shown, and with ``history`` a list of all below it."""

    texts: Sequence[StepText]
    empty: str = ""
    history: bool = False


@dataclass(frozen=True)
class Number:
    """A line of a table: a text at each of ``steps``, in the page's language; ``shares`` from 0 to 1 are drawn as a bar beside it."""

    name: str
    steps: Sequence[int]
    texts: Sequence[str]
    help: str = ""
    color: str = ""
    shares: Sequence[float] | None = None


@dataclass(frozen=True)
class Numbers(Panel):
    """A table of measures at the slider's step, a line each."""

    lines: Sequence[Number]


@dataclass(frozen=True)
class Comparison:
    """A group against null groups at a step: the share of these that are further apart, the p-value, and whether it is notable."""

    share: str
    p: str
    notable: bool


@dataclass(frozen=True)
class ComparisonRow:
    """A group against several kinds of null groups: ``cells`` are (column, step)."""

    name: str
    color: str
    steps: Sequence[int]
    cells: Sequence[Sequence[Comparison | None]]


@dataclass(frozen=True)
class Comparisons(Panel):
    """Comparisons of groups with null groups in the full space: a row a group, a column a kind of null groups."""

    columns: Sequence[str]
    rows: Sequence[ComparisonRow]
    help: str = ""


@dataclass(frozen=True)
class Neighbours(Panel):
    """The nearest items of a selected one in the full space, nearest first.

    Parameters
    ----------
    item : index of the selected item.
    measured_steps : the steps of the arrays.
    items, distances : (step, rank), indices of the nearest items, and their distances.
    styles : name and colour of every item that occurs, by its index.
    """

    item: int
    measured_steps: Sequence[int]
    items: NDArray[Any]
    distances: NDArray[Any]
    styles: Mapping[int, tuple[str, str]]
