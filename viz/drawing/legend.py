"""What stands around the points: title, legend, the ground they lie on. Sizes are in points of a 72-dot inch, which are pixels in films."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from matplotlib.textpath import TextPath
from numpy.typing import NDArray

from probes.groups.naming import Group
from probes.groups.wording import short_name
from viz.drawing.scatter import fixed_limits, over
from viz.drawing.theme import Theme, group_color

Rect = tuple[float, float, float, float]
"""Left, bottom, width, height as shares of the figure."""

LEGEND_ROW = 1.6
"""From one row of a legend to the next, in sizes of its text."""
FAINT = "faint: neighbours or motion not real"
FAINT_DISCS = 2.9
"""Room for the discs before these words, in sizes of the text."""


@dataclass(frozen=True)
class Caption:
    """The words around a picture."""

    title: str
    subtitle: str
    footnote: str


def size_points(figure: Figure) -> tuple[float, float]:
    """Return width and height of a figure in points."""
    width, height = figure.get_size_inches() * 72
    return float(width), float(height)


def add_panel(
    figure: Figure, rect: Rect, layouts: NDArray[np.floating], margin: float, theme: Theme, corner: float
) -> Axes:
    """Add axes for points: a quiet ground with round corners, no ticks (t-SNE's axes mean nothing), limits that hold all ``layouts``.

    ``margin`` (free space at the edges) and ``corner`` (radius) are in points.
    """
    add_ground(figure, rect, theme, corner)
    width, height = size_points(figure)
    axes = figure.add_axes(rect)
    axes.set_axis_off()
    x, y = fixed_limits(layouts, rect[2] * width, rect[3] * height, margin)
    axes.set_xlim(*x)
    axes.set_ylim(*y)
    return axes


def add_ground(figure: Figure, rect: Rect, theme: Theme, corner: float) -> None:
    """Draw the quiet ground with round corners (of radius ``corner``, in points) that a picture lies on."""
    width, height = size_points(figure)
    r, up = corner / width, corner / height
    ground = FancyBboxPatch(
        (rect[0] + r, rect[1] + up),
        rect[2] - 2 * r,
        rect[3] - 2 * up,
        boxstyle=f"round,pad={r}",
        mutation_aspect=width / height,
        facecolor=theme.panel,
        edgecolor="none",
        transform=figure.transFigure,
        zorder=-1,
    )
    figure.add_artist(ground)


def add_legend(
    figure: Figure,
    at: tuple[float, float],
    width: float,
    groups: Sequence[Group],
    theme: Theme,
    size: float,
    *,
    faded: bool = False,
) -> None:
    """Write a disc and a name for each group, in rows from the point ``at`` rightwards and down; ``size`` is that of the text.

    With ``faded``, the last entry says what faint discs mean.
    """
    across, down = size_points(figure)
    widths = _entry_widths(groups, size, faded)
    for index, (column, row) in enumerate(_places(widths, width * across)):
        x, y = at[0] + column / across, at[1] - row * LEGEND_ROW * size / down
        if index < len(groups):
            figure.text(x, y, "●", color=group_color(theme, index), fontsize=1.35 * size, va="center_baseline")
            name, start = short_name(groups[index].name), 1.5 * size
        else:
            for disc, strength in enumerate((1.0, 0.6, 0.25)):
                color = over(theme.muted, theme.background, strength)
                place = x + 0.8 * disc * size / across
                figure.text(place, y, "●", color=color, fontsize=1.1 * size, va="center_baseline")
            name, start = FAINT, FAINT_DISCS * size
        figure.text(
            x + start / across, y, name, color=theme.text, fontsize=size, va="center_baseline", parse_math=False
        )


def legend_rows(groups: Sequence[Group], width: float, size: float, *, faded: bool = False) -> int:
    """Return how many rows `add_legend` takes in a width in points; each is `LEGEND_ROW` times ``size`` high."""
    return max((row + 1 for _, row in _places(_entry_widths(groups, size, faded), width)), default=0)


def _entry_widths(groups: Sequence[Group], size: float, faded: bool) -> list[float]:
    widths = [2.9 * size + text_width(short_name(group.name), size) for group in groups]
    return [*widths, (FAINT_DISCS + 1.4) * size + text_width(FAINT, size)] if faded else widths


def _places(widths: Sequence[float], room: float) -> list[tuple[float, int]]:
    """Return the place along its row, and the row, of entries of these widths."""
    places, x, row = [], 0.0, 0
    for width in widths:
        if x and x + width > room:
            x, row = 0.0, row + 1
        places.append((x, row))
        x += width
    return places


def text_width(text: str, size: float) -> float:
    """Return the width of a text in points."""
    return float(TextPath((0, 0), text, size=size).get_extents().width) if text.strip() else 0.0


def item_colors(n_items: int, groups: Sequence[Group], theme: Theme, *, ordered: bool = False) -> list[str]:
    """Return a colour for each item: that of the first group that holds it, else the theme's quiet one.

    Without any group, items that have an order take a colour from a scale.
    """
    if ordered and not groups:
        low, high = (0.0, 0.92) if theme.name == "light" else (0.16, 1.0)
        return [to_hex(colormaps["viridis"](low + (high - low) * i / max(n_items - 1, 1))) for i in range(n_items)]
    colors = [theme.disc] * n_items
    for index, group in reversed(list(enumerate(groups))):
        for member in group.members:
            colors[member] = group_color(theme, index)
    return colors
