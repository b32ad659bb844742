"""Legends: the colours of groups and of items, and the rows that name them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_hex

from data.language import names, picture_language, say
from probes.groups.naming import Group
from probes.groups.wording import short_name
from viz.drawing.layout import Box, flow
from viz.drawing.text import text_width
from viz.drawing.theme import Theme, group_color, over

if TYPE_CHECKING:
    from viz.drawing.canvas import Surface

LEGEND_ROW = 1.6
"""Distance between rows of a legend, in sizes of its text."""
DOUBT, DOUBT_SHORT = "open: few of its neighbours here are neighbours in the model", "open: neighbours doubtful"
"""Explains the holes of doubted items, at full length and where there is little room."""
PALE = 0.5
"""How far ordered items keep the colours of their order beside highlighted ones."""
SCALE_COLORS, SCALE_WIDTH = 24, 4.0
"""Colours in the key of an order, and its width in sizes of the text."""


@dataclass(frozen=True)
class LegendEntry:
    """An entry of a legend: a name behind a disc of a colour, a ring (``is_open``), or a scale of several colours."""

    name: str
    colors: tuple[str, ...]
    is_open: bool = False

    def start(self, size: float) -> float:
        """Compute where the name starts, in points."""
        return (0.6 + (SCALE_WIDTH if len(self.colors) > 1 else 0.9)) * size

    def width(self, size: float) -> float:
        """Compute the width with the gap to the next entry, in points."""
        return self.start(size) + 1.4 * size + text_width(self.name, size, ink=True)


def legend_entries(
    theme: Theme,
    groups: Sequence[Group],
    *,
    labels: Sequence[str] = (),
    ordered: bool = False,
    others: str = "",
    doubt: str = "",
) -> list[LegendEntry]:
    """List what the colours of items and the holes in them mean.

    Parameters
    ----------
    groups : highlighted groups, or the classes that colour the items.
    labels, ordered : of the items; ordered ones have a scale of colours.
    others : what items outside the groups are called, if there are any.
    doubt : explains the holes, if there are any.
    """
    entries = [
        LegendEntry(short_name(class_title(group.name)), (group_color(theme, i),)) for i, group in enumerate(groups)
    ]
    if ordered:
        colors = order_colors(SCALE_COLORS, theme, pale=bool(groups))
        name = say("{first} to {last}", first=labels[0], last=labels[-1])
        entries.append(LegendEntry(say("others, {name}", name=name) if groups else name, tuple(colors)))
    elif groups and others and len({i for group in groups for i in group.members}) < len(labels):
        entries.append(LegendEntry(others, (other_color(theme),)))
    if doubt:
        entries.append(LegendEntry(doubt, (theme.muted,), is_open=True))
    return entries


def class_title(name: str) -> str:
    """Name a class of tokens in the language of the picture; other groups keep their names."""
    shown = names()["classes"]
    return shown[name][picture_language()] if name in shown and picture_language() != "en" else name


def others_title(what: str) -> str:
    """Name the items that are in no group; ``what`` is ``tokens`` or ``positions``."""
    return say("other tokens") if what == "tokens" else say("other positions")


def add_legend(surface: Surface, box: Box, entries: Sequence[LegendEntry], size: float) -> None:
    """Draw a legend; its first row is centred on the upper edge of the box, and rows wrap at its width.

    ``size`` is that of the text, in points.
    """
    for entry, (column, row) in zip(entries, _flow(entries, box.width, size), strict=True):
        x, y = box.left + column, box.top - row * LEGEND_ROW * size
        if len(entry.colors) > 1:
            ends = np.linspace(x, x + SCALE_WIDTH * size, len(entry.colors) + 1)
            for color, left, right in zip(entry.colors, ends, ends[1:], strict=False):
                surface.line([left, right], [y, y], color, linewidth=0.7 * size, solid_capstyle="butt")
        else:
            surface.dot(x + 0.5 * size, y, entry.colors[0], size=0.9 * size)
            if entry.is_open:
                surface.dot(x + 0.5 * size, y, surface.theme.background, size=0.6 * size)
        surface.text(x + entry.start(size), y, entry.name, size=size, va="center_baseline")


def legend_rows(entries: Sequence[LegendEntry], width: float, size: float) -> int:
    """Count the rows that `add_legend` takes in a width in points; each is `LEGEND_ROW` times ``size`` high."""
    return max((row + 1 for _, row in _flow(entries, width, size)), default=0)


def _flow(entries: Sequence[LegendEntry], width: float, size: float) -> list[tuple[float, int]]:
    return flow([entry.width(size) for entry in entries], width + 1.4 * size)


def item_colors(n_items: int, groups: Sequence[Group], theme: Theme, *, ordered: bool = False) -> list[str]:
    """Choose a colour for each item: that of the first group that holds it, else a grey.

    ``ordered`` items outside the groups are coloured by their order, in pale colours if there are groups.
    """
    colors = order_colors(n_items, theme, pale=bool(groups)) if ordered else [other_color(theme)] * n_items
    for index, group in reversed(list(enumerate(groups))):
        color = group_color(theme, index)
        for member in group.members:
            colors[member] = color
    return colors


def order_colors(n_items: int, theme: Theme, *, pale: bool = False) -> list[str]:
    """Choose the colours of items in their order; ``pale`` ones stand back behind the colours of groups."""
    low, high = (0.0, 0.92) if theme.name == "light" else (0.16, 1.0)
    colors = [to_hex(colormaps["viridis"](place)) for place in np.linspace(low, high, n_items)]
    return [to_hex(over(color, theme.panel, PALE)) for color in colors] if pale else colors


def other_color(theme: Theme) -> str:
    """Choose the colour of items that belong to no group: a grey that stands out from the panel."""
    return to_hex(over(theme.muted, theme.disc, 0.5))
