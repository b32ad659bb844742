"""Lines in figures: their axes, the names at their ends, the lines of all snapshots, the ticks of training steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from data.arrays import FloatArray
from data.language import digits
from viz.drawing.curve_panel import FilmClock, localize_ticks
from viz.drawing.layout import Box, move_apart
from viz.drawing.slide import LINE_PT, Slide, evenly
from viz.drawing.text import TEXT_PT, text_width
from viz.drawing.theme import Theme, step_colors

MOST_LINES = 60
"""More thin lines than this would merge into an area."""
END_PT = 30
"""Room for the disc before a name at the end of a line."""


@dataclass(frozen=True)
class LineEnd:
    """The value at which a line ends, and its name there, in one or two lines of text."""

    value: float
    text: str
    color: str
    bold: bool = False

    @property
    def width(self) -> float:
        return max(text_width(line, bold=self.bold) for line in self.text.split("\n"))


def single_marker(line: FloatArray) -> dict[str, Any]:
    """Choose the marker that makes a line of a single value visible."""
    return {"marker": "o", "markersize": 10} if len(line) == 1 else {}


def quiet_axes(axes: Axes, theme: Theme, bins: int = 6) -> None:
    """Reduce axes to what is needed to read values: horizontal grid lines, tick labels, the lower spine."""
    axes.set_facecolor("none")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(theme.line)
    axes.grid(axis="y", color=theme.line, linewidth=1, alpha=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", colors=theme.muted, labelsize=TEXT_PT, length=0, pad=8)
    axes.locator_params(nbins=bins)
    localize_ticks(axes)


def name_ends(slide: Slide, axes: Axes, box: Box, ends: Sequence[LineEnd]) -> None:
    """Write the name of each line at its end, at the right of ``box``, without overlaps.

    A disc has the colour of the line; the name has the colour of text, since not every line's colour can be read.
    """
    heights = [LINE_PT * (1 + end.text.count("\n")) for end in ends]
    wanted = [float(axes.transData.transform((0, end.value))[1]) for end in ends]
    for end, y in zip(ends, move_apart(wanted, heights, box.bottom, box.top), strict=True):
        slide.dot(box.right + 14, y + end.text.count("\n") * LINE_PT / 2, end.color)
        color = slide.theme.text if end.bold else slide.theme.muted
        slide.text(box.right + 26, y, end.text, color=color, bold=end.bold, va="center", linespacing=1.15)


def draw_fan(axes: Axes, x: FloatArray, lines: FloatArray, names: Sequence[str], theme: Theme) -> list[LineEnd]:
    """Draw the lines of all snapshots, (step, place), over ``x``, (place,), coloured by step; ``names`` are those of the steps.

    The first, the middle and the last are thick; their ends are returned in this order.
    """
    colors = step_colors(len(lines), theme)
    named = evenly(len(lines), 3)
    for i in sorted({*evenly(len(lines), MOST_LINES), *named}):
        width, alpha = (4.0 if i == len(lines) - 1 else 2.8, 1.0) if i in named else (0.9, 0.7)
        style = single_marker(lines[i]) | {"color": colors[i], "linewidth": width, "alpha": alpha}
        axes.plot(x, lines[i], clip_on=len(x) > 1, **style)
    axes.set_xlim(float(x[0]), float(x[-1]) if len(x) > 1 else float(x[0]) + 1)
    return [
        LineEnd(float(lines[i][np.isfinite(lines[i])][-1]), names[i], colors[i], bold=i == len(lines) - 1)
        for i in named
        if np.isfinite(lines[i]).any()
    ]


def step_names(steps: xr.DataArray) -> list[str]:
    """Name each step of a coordinate, in one or two lines."""
    clock = FilmClock.of(steps)
    return [clock.label(int(step)).replace(", ", ",\n") for step in clock.steps]


def nice_top(value: float) -> float:
    """Round a value up to 1, 2 or 5 times a power of ten.

    Examples
    --------
    >>> nice_top(0.13), nice_top(1.0000001), nice_top(12)
    (0.2, 1.0, 20.0)
    """
    if not value > 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(round(next(m * power for m in (1, 2, 5, 10) if m * power >= 0.999 * value), 12))


def plain_number(value: float) -> str:
    """Format a number as briefly as possible: ``0.2``, ``20``, ``1,000``.

    Examples
    --------
    >>> plain_number(0.2), plain_number(20.0), plain_number(1000)
    ('0.2', '20', '1,000')
    """
    return digits(f"{value:z,.0f}" if value == round(value) else f"{value:.10g}")
