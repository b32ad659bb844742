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

from probes.groups import Group
from viz.scatter import fixed_limits
from viz.style import Theme, group_color

Rect = tuple[float, float, float, float]
"""Left, bottom, width, height as shares of the figure."""


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
    r = corner / width
    ground = FancyBboxPatch(
        (rect[0] + r, rect[1] + r),
        rect[2] - 2 * r,
        rect[3] - 2 * r,
        boxstyle=f"round,pad={r}",
        mutation_aspect=width / height,
        facecolor=theme.panel,
        edgecolor="none",
        transform=figure.transFigure,
        zorder=-1,
    )
    figure.add_artist(ground)


def add_legend(
    figure: Figure, at: tuple[float, float], width: float, groups: Sequence[Group], theme: Theme, size: float
) -> None:
    """Write a disc and a name for each group, in rows from the point ``at`` rightwards and down; ``size`` is that of the text."""
    across, down = size_points(figure)
    x, y = at
    for index, group in enumerate(groups):
        advance = (1.5 * size + text_width(group.name, size) + 1.4 * size) / across
        if x > at[0] and x + advance > at[0] + width:
            x, y = at[0], y - 1.8 * size / down
        figure.text(x, y, "●", color=group_color(theme, index), fontsize=1.35 * size, va="center_baseline")
        figure.text(x + 1.5 * size / across, y, group.name, color=theme.text, fontsize=size, va="center_baseline")
        x += advance


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
