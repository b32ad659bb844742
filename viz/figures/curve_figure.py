"""Figures of quantities over the training steps: the losses of a run, a quantity of several runs, zero-shot accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Unpack

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from data.arrays import FloatArray
from data.language import digits, format_number, picture_language, say
from viz.drawing.curve_panel import Curve
from viz.drawing.layout import Box
from viz.drawing.lines import END_PT, LineEnd, name_ends, quiet_axes, single_marker
from viz.drawing.slide import Slide, SlideOptions, blank_slide
from viz.drawing.theme import Role, role_color, run_color


def draw_loss(curve: Curve, **options: Unpack[SlideOptions]) -> Figure:
    """Draw a quantity and its companion over the training steps, with name and last value at the end of each line.

    Parameters
    ----------
    curve : the quantity, and its companion as ``second_values``.
    **options : title, subtitle (the unit, say), takeaway, theme and inches, as in `viz.drawing.slide.blank_slide`.
    """
    slide = blank_slide(**options)
    lines = [(curve, role_color(slide.theme, curve.role), 3.5)]
    if curve.second_values is not None:
        second = replace(curve, values=curve.second_values, name=curve.second_name)
        lines.append((second, role_color(slide.theme, "training"), 2.5))
    _draw_lines(slide, lines)
    return slide.figure


def draw_compared(curves: Sequence[Curve], **options: Unpack[SlideOptions]) -> Figure:
    """Draw the same quantity of several runs over the training steps, with name and last value at the end of each line.

    Parameters
    ----------
    curves : one per run.
    **options : title, subtitle (the unit, say), takeaway, theme and inches, as in `viz.drawing.slide.blank_slide`.
    """
    slide = blank_slide(**options)
    _draw_lines(slide, [(curve, run_color(slide.theme, i), 3.5) for i, curve in enumerate(curves)])
    return slide.figure


def draw_zero_shot(found: xr.Dataset, **options: Unpack[SlideOptions]) -> Figure:
    """Draw both accuracies over training, each with a band of one standard error, and the accuracy of guessing as a dashed line.

    Parameters
    ----------
    found : ``accuracy`` and ``accuracy_by_gain`` (step), with the attributes ``chance`` and ``standard_error``.
    **options : title, subtitle, takeaway, theme and inches, as in `viz.drawing.slide.blank_slide`.
    """
    steps, chance = found["step"].values, float(found["accuracy"].attrs["chance"])
    slide = blank_slide(**options)
    theme = slide.theme
    between = " " if slide.body.width > 600 else "\n"
    lines: list[tuple[Role, str]] = [("accuracy", say("by probability")), ("accuracy_by_gain", say("by gain"))]
    ends = [
        LineEnd(last := float(found[name][-1]), f"{label}{between}{last:z.0%}", role_color(theme, name), bold=True)
        for name, label in lines
    ]
    ends.append(LineEnd(chance, f"{say('guessing')}{between}{chance:z.0%}", theme.muted))
    box = slide.body.inset(left=58, right=max(end.width for end in ends) + END_PT, bottom=58, top=10)
    axes = slide.axes(box)
    quiet_axes(axes, theme)
    axes.axhline(chance, color=theme.muted, linewidth=1.8, dashes=(4, 3), zorder=2, clip_on=False)
    low = high = chance
    for name, _ in lines:
        color = role_color(theme, name)
        values, error = found[name].values.astype(float), float(found[name].attrs["standard_error"])
        if len(steps) > 1:
            axes.fill_between(steps, values - error, values + error, color=color, alpha=0.18, linewidth=0)
        _draw_line(axes, steps, values, color, 3.5)
        low, high = min(low, float(values.min()) - error), max(high, float(values.max()) + error)
    axes.set_ylim(max(0.0, np.floor(20 * low - 0.5) / 20), min(1.0, np.ceil(20 * high + 0.5) / 20))
    axes.yaxis.set_major_formatter(lambda share, _: f"{share:z.0%}")
    _format_steps(slide, axes, box, int(steps[-1]), found["step"].attrs.get("unknown", ""))
    name_ends(slide, axes, box, ends)
    return slide.figure


def _draw_lines(slide: Slide, lines: Sequence[tuple[Curve, str, float]]) -> None:
    """Draw curves in a colour and a width, the first uppermost, with name and last value at their ends."""
    between = " " if slide.body.width > 600 else "\n"
    ends = []
    for curve, color, _ in lines:
        last = float(curve.values[-1])
        value = digits(f"{last:z.2f}")
        ends.append(LineEnd(last, f"{curve.name}{between}{value}".strip(), color, bold=True))
    box = slide.body.inset(left=50, right=max(end.width for end in ends) + END_PT, bottom=58, top=10)
    axes = slide.axes(box)
    quiet_axes(axes, slide.theme)
    for curve, color, width in reversed(lines):
        _draw_line(axes, curve.steps, curve.values, color, width)
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, high - 0.2), high)
    _format_steps(slide, axes, box, max(int(curve.steps[-1]) for curve, *_ in lines))
    name_ends(slide, axes, box, ends)


def _draw_line(axes: Axes, steps: NDArray[np.integer], values: FloatArray, color: str, width: float) -> None:
    style = {"color": color, "linewidth": width, "solid_capstyle": "round", **single_marker(values)}
    axes.plot(steps, values, clip_on=False, **style)


def _format_steps(slide: Slide, axes: Axes, box: Box, last: int, unknown: str = "") -> None:
    """Label the axis of training steps, from 0 to the last; ``unknown`` is what `data.runs.names.unknown_step` found."""
    if unknown and last == 0:  # there is nothing to measure the axis by
        axes.set_xticks([0], [say(unknown)])
        return
    axes.set_xlim(0, max(last, 1))
    axes.locator_params(axis="x", nbins=max(3, int(box.width / 95)), integer=True)
    language = picture_language()  # the labels are written when the figure is saved
    axes.xaxis.set_major_formatter(lambda step, _: format_number(step, language=language))
    slide.text(box.left + box.width / 2, box.bottom - 52, say("training step"), color=slide.theme.muted, ha="center")
