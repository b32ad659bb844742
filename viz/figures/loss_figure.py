"""Figures of losses, or of other quantities, over the training steps: of one run, or of several runs compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Unpack

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from data.arrays import FloatArray
from viz.drawing.curve_panel import Curve
from viz.drawing.lines import LineEnd, name_ends, quiet_axes, single_marker
from viz.drawing.slide import Slide, SlideOptions, blank_slide
from viz.drawing.theme import group_color


def draw_loss(curve: Curve, **options: Unpack[SlideOptions]) -> Figure:
    """Draw a quantity and its companion over the training steps, with name and last value at the end of each line.

    Parameters
    ----------
    curve : the quantity, and its companion as ``second_values``.
    **options : title, subtitle (the unit, say), takeaway, theme and inches, as in `viz.drawing.slide.blank_slide`.
    """
    slide = blank_slide(**options)
    palette = slide.theme.palette
    lines = [CurveLine(curve.steps, curve.values, curve.name, palette[1], 3.5)]
    if curve.second_values is not None:
        lines.append(CurveLine(curve.steps, curve.second_values, curve.second_name, palette[0], 2.5))
    _draw_lines(slide, lines)
    return slide.figure


def draw_compared(curves: Sequence[Curve], **options: Unpack[SlideOptions]) -> Figure:
    """Draw the same quantity of several runs over the training steps, with name and last value at the end of each line.

    Parameters
    ----------
    curves : one per run; there are colours for 7.
    **options : title, subtitle (the unit, say), takeaway, theme and inches, as in `viz.drawing.slide.blank_slide`.
    """
    slide = blank_slide(**options)
    colors = [group_color(slide.theme, i) for i in range(len(curves))]
    _draw_lines(
        slide,
        [CurveLine(one.steps, one.values, one.name, color, 3.5) for one, color in zip(curves, colors, strict=True)],
    )
    return slide.figure


@dataclass(frozen=True)
class CurveLine:
    """A quantity over the steps, with the style of its line."""

    steps: NDArray[np.integer]
    values: FloatArray
    name: str
    color: str
    width: float


def _draw_lines(slide: Slide, lines: Sequence[CurveLine]) -> None:
    """Draw lines over the training steps, the first uppermost, with name and last value at their ends."""
    theme, between = slide.theme, " " if slide.body.width > 600 else "\n"
    ends = [
        LineEnd(float(line.values[-1]), f"{line.name}{between}{line.values[-1]:.2f}".strip(), line.color, bold=True)
        for line in lines
    ]
    box = slide.body.inset(left=50, right=max(end.width for end in ends) + 16, bottom=58, top=10)
    axes = slide.axes(box)
    quiet_axes(axes, theme)
    for line in reversed(lines):
        style = {"color": line.color, "linewidth": line.width, **single_marker(line.values)}
        axes.plot(line.steps, line.values, solid_capstyle="round", clip_on=False, **style)
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, high - 0.2), high)
    axes.set_xlim(0, max(*(int(line.steps[-1]) for line in lines), 1))
    axes.locator_params(axis="x", nbins=max(3, int(box.width / 95)), integer=True)
    axes.xaxis.set_major_formatter(lambda step, _: f"{step:,.0f}")
    slide.text(box.left + box.width / 2, box.bottom - 52, "training step", color=theme.muted, ha="center")
    name_ends(slide, axes, box, ends)
