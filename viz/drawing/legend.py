"""Legends: the colours of groups and of items, and the rows that name them."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib import colormaps
from matplotlib.colors import to_hex

from probes.groups.naming import Group
from probes.groups.wording import short_name
from viz.drawing.canvas import Surface
from viz.drawing.layout import Box, flow
from viz.drawing.text import text_width
from viz.drawing.theme import Theme, group_color, over

LEGEND_ROW = 1.6
"""Distance between rows of a legend, in sizes of its text."""
FAINT = "faint: neighbours or motion not real"
FAINT_DISCS = 2.9
"""Width of the discs before this text, in sizes of the text."""


def add_legend(surface: Surface, box: Box, groups: Sequence[Group], size: float, *, trust: bool = False) -> None:
    """Draw a legend: a disc and a name for each group, and with ``trust`` an entry that explains faint discs.

    The first row is centred on the upper edge of the box, and rows wrap at its width. ``size`` is that of the text, in points.
    """
    theme = surface.theme
    for index, (column, row) in enumerate(flow(_entry_widths(groups, size, trust), box.width)):
        x, y = box.left + column, box.top - row * LEGEND_ROW * size
        if index < len(groups):
            surface.text(x, y, "●", color=group_color(theme, index), size=1.35 * size, va="center_baseline")
            name, start = short_name(groups[index].name), 1.5 * size
        else:
            for disc, opacity in enumerate((1.0, 0.6, 0.25)):
                color = over(theme.muted, theme.background, opacity)
                surface.text(x + 0.8 * disc * size, y, "●", color=color, size=1.1 * size, va="center_baseline")
            name, start = FAINT, FAINT_DISCS * size
        surface.text(x + start, y, name, size=size, va="center_baseline")


def legend_rows(groups: Sequence[Group], width: float, size: float, *, trust: bool = False) -> int:
    """Count the rows that `add_legend` takes in a width in points; each is `LEGEND_ROW` times ``size`` high."""
    return max((row + 1 for _, row in flow(_entry_widths(groups, size, trust), width)), default=0)


def _entry_widths(groups: Sequence[Group], size: float, trust: bool) -> list[float]:
    widths = [2.9 * size + text_width(short_name(group.name), size, ink=True) for group in groups]
    return [*widths, (FAINT_DISCS + 1.4) * size + text_width(FAINT, size, ink=True)] if trust else widths


def item_colors(n_items: int, groups: Sequence[Group], theme: Theme, *, ordered: bool = False) -> list[str]:
    """Choose a colour for each item: that of the first group that holds it, else the theme's colour of other items.

    ``ordered`` items are coloured by their order if there are no groups.
    """
    if ordered and not groups:
        low, high = (0.0, 0.92) if theme.name == "light" else (0.16, 1.0)
        return [to_hex(colormaps["viridis"](low + (high - low) * i / max(n_items - 1, 1))) for i in range(n_items)]
    colors = [theme.disc] * n_items
    for index, group in reversed(list(enumerate(groups))):
        for member in group.members:
            colors[member] = group_color(theme, index)
    return colors
