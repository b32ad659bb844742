"""The slide that figures are drawn on: title, subtitle, takeaway, and the body that is left for the picture.

All lengths are in points, so that text and distances keep their size in each of the three shapes of a slide.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure

from data.language import digits
from viz.drawing.canvas import Surface
from viz.drawing.layout import Box
from viz.drawing.text import TEXT_PT, text_width, wrap
from viz.drawing.theme import THEMES, Theme

TITLE_PT = 30
LEAST_TITLE_PT = 24
LINE_PT = 24
"""From one line of text to the next."""

SIZES = {
    "16:9": (40 / 3, 7.5),
    "4:3": (10.0, 7.5),
    "square": (7.5, 7.5),
    "large": (20.0, 15.0),
    "a3": (420 / 25.4, 297 / 25.4),
}
"""Width and height of a slide in inches, by shape; the large one is for a page, with as much room as four slides, A3 for a wall."""

SIDE_PT, TOP_PT, BOTTOM_PT = 34, 26, 26
"""Margins of a slide."""


class SlideOptions(TypedDict, total=False):
    """The keyword arguments that every function that draws a figure passes on to `blank_slide`."""

    title: str
    subtitle: str
    takeaway: str
    theme: Theme
    inches: tuple[float, float]


class Slide(Surface):
    """A figure with its title and other text; ``body`` is the box that is left for the picture."""

    def __init__(self, figure: Figure, theme: Theme):
        super().__init__(figure, theme)
        self.body = self.area.inset(left=SIDE_PT, bottom=BOTTOM_PT, right=SIDE_PT, top=TOP_PT)


def blank_slide(
    title: str = "",
    subtitle: str = "",
    theme: Theme = THEMES["light"],
    inches: tuple[float, float] = SIZES["16:9"],
    takeaway: str = "",
) -> Slide:
    """Make a slide and write its title, subtitle and takeaway.

    Parameters
    ----------
    title : one line where it fits at 24 points or more, else wrapped.
    subtitle : below it, muted, wrapped.
    inches : width and height.
    takeaway : what the picture shows, in a sentence; stands at the foot.
    """
    slide = Slide(Figure(figsize=inches, dpi=72, facecolor=theme.background), theme)
    body = slide.body
    size, lines = _fit_title(title, body.width)
    y = body.top - 0.78 * size
    for line in lines:
        slide.text(body.left, y, line, size=size, bold=True)
        y -= 1.2 * size
    y += 1.2 * size - 30
    for line in wrap(subtitle, body.width):
        slide.text(body.left, y, line, color=theme.muted)
        y -= LINE_PT
    foot = wrap(takeaway, body.width, bold=True)
    for i, line in enumerate(reversed(foot)):
        slide.text(body.left, body.bottom + 4 + i * LINE_PT, line, bold=True)
    room = len(foot) * LINE_PT + (14 if foot else 0)
    slide.body = body.inset(top=body.top - y + 2, bottom=room)
    return slide


def _fit_title(title: str, width: float) -> tuple[int, list[str]]:
    for size in range(TITLE_PT, LEAST_TITLE_PT - 1, -1):
        if len(wrap(title, width, size, bold=True)) <= 1:
            return size, [title]
    return LEAST_TITLE_PT, wrap(title, width, LEAST_TITLE_PT, bold=True)


def evenly(n: int, most: int) -> list[int]:
    """Choose at most ``most`` of ``n`` indices at even distances, the first and the last among them; of one, the last.

    Examples
    --------
    >>> evenly(58, 3), evenly(2, 5), evenly(9, 1)
    ([0, 28, 57], [0, 1], [8])
    """
    if most == 1:
        return [n - 1]
    return sorted({int(i) for i in np.linspace(0, n - 1, min(n, most))})


def color_bar(slide: Slide, box: Box, scale: tuple[Colormap, Normalize], ticks: Sequence[float], form: str) -> None:
    """Draw the key of a heat map: a narrow upright bar at the left of ``box``, with its values at the right."""
    colormap, norm = scale
    axes = slide.axes(Box(box.left, box.bottom, 12, box.height))
    bar = slide.figure.colorbar(ScalarMappable(norm, colormap), cax=axes)
    bar.outline.set_visible(False)
    bar.set_ticks(list(ticks), labels=[digits(form.format(tick)).replace("-", "−") if tick else "0" for tick in ticks])
    axes.tick_params(colors=slide.theme.muted, labelsize=TEXT_PT, length=0, pad=7)
    labels = axes.get_yticklabels()
    labels[0].set_verticalalignment("bottom")
    labels[-1].set_verticalalignment("top")


def scale_key(slide: Slide, x: float, y: float, names: Sequence[str], colors: Sequence[str]) -> None:
    """Draw the key of a scale of colours from the start of a baseline: ``layer 1 ▮▮▮▮ 4``, with names of the first and last colour."""
    slide.text(x, y, names[0])
    x += text_width(names[0]) + 9
    cell = max(min(72 / len(colors), 16.0), 0.5)
    for i, color in enumerate(colors):
        slide.line([x + i * cell, x + (i + 1) * cell], [y + 6.5] * 2, color, linewidth=12, solid_capstyle="butt")
    if len(colors) > 1:
        slide.text(x + cell * len(colors) + 9, y, names[1])
