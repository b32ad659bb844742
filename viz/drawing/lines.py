"""Quantities over training steps as stills, and the lines, names and axes that other stills of curves are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from data.arrays import FloatArray
from viz.drawing.curve_panel import Curve, FilmClock
from viz.drawing.slide import LIGHT, LINE_PT, TEXT_PT, WIDE, Box, Slide, blank_slide, evenly, step_colors, text_points
from viz.drawing.theme import Theme, group_color

MOST_LINES = 60
"""More than so many thin lines would become an area."""


@dataclass(frozen=True)
class LineEnd:
    """Where a line ends and what is written there: one or two lines of text."""

    value: float
    text: str
    color: str
    bold: bool = False

    @property
    def width(self) -> float:
        return max(text_points(line, bold=self.bold) for line in self.text.split("\n"))


def draw_loss(
    curve: Curve, title: str, unit: str, theme: Theme = LIGHT, inches: tuple[float, float] = WIDE, takeaway: str = ""
) -> Figure:
    """Draw a quantity and its companion over the training steps, each line named at its end and its last value printed.

    Parameters
    ----------
    curve : the quantity, and its companion as ``second_values``.
    unit : stands below the title.
    inches : width and height of the slide.
    takeaway : what to see, in a sentence, at the foot.
    """
    slide = blank_slide(title, unit, theme, inches, takeaway)
    lines = [CurveLine(curve.steps, curve.values, curve.name, theme.palette[1], 3.5)]
    if curve.second_values is not None:
        lines.append(CurveLine(curve.steps, curve.second_values, curve.second_name, theme.palette[0], 2.5))
    _draw_lines(slide, lines)
    return slide.figure


def draw_compared(
    curves: Sequence[Curve],
    title: str,
    unit: str,
    theme: Theme = LIGHT,
    inches: tuple[float, float] = WIDE,
    takeaway: str = "",
) -> Figure:
    """Draw the same quantity of several runs over the training steps, each line named at its end and its last value printed.

    Parameters
    ----------
    curves : one a run, up to as many as there are colours (7).
    unit : stands below the title.
    inches : width and height of the slide.
    takeaway : what to see, in a sentence, at the foot.
    """
    slide = blank_slide(title, unit, theme, inches, takeaway)
    _draw_lines(
        slide, [CurveLine(one.steps, one.values, one.name, group_color(theme, i), 3.5) for i, one in enumerate(curves)]
    )
    return slide.figure


@dataclass(frozen=True)
class CurveLine:
    """A quantity over the steps as it is drawn."""

    steps: NDArray[np.integer]
    values: FloatArray
    name: str
    color: str
    width: float


def _draw_lines(slide: Slide, lines: Sequence[CurveLine]) -> None:
    """Draw lines over the training steps on a slide, the first uppermost."""
    theme, between = slide.theme, " " if slide.body.width > 600 else "\n"
    ends = [
        LineEnd(float(line.values[-1]), f"{line.name}{between}{line.values[-1]:.2f}".strip(), line.color, bold=True)
        for line in lines
    ]
    box = slide.body.inset(left=50, right=max(end.width for end in ends) + 16, bottom=58, top=10)
    axes = slide.axes(box)
    quiet_axes(axes, theme)
    for line in reversed(lines):
        style = {"color": line.color, "linewidth": line.width, **mark(line.values)}
        axes.plot(line.steps, line.values, solid_capstyle="round", clip_on=False, **style)
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, high - 0.2), high)
    axes.set_xlim(0, max(*(int(line.steps[-1]) for line in lines), 1))
    axes.locator_params(axis="x", nbins=max(3, int(box.width / 95)), integer=True)
    axes.xaxis.set_major_formatter(lambda step, _: f"{step:,.0f}")
    slide.text(box.left + box.width / 2, box.bottom - 52, "training step", color=theme.muted, ha="center")
    name_ends(slide, axes, box, ends)


def mark(line: FloatArray) -> dict[str, Any]:
    """Return the style by which a line of a single value is seen too."""
    return {"marker": "o", "markersize": 10} if len(line) == 1 else {}


def quiet_axes(axes: Axes, theme: Theme, bins: int = 6) -> None:
    """Leave of the axes what is needed to read a value."""
    axes.set_facecolor("none")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(theme.line)
    axes.grid(axis="y", color=theme.line, linewidth=1, alpha=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", colors=theme.muted, labelsize=TEXT_PT, length=0, pad=8)
    axes.locator_params(nbins=bins)


def name_ends(slide: Slide, axes: Axes, box: Box, ends: Sequence[LineEnd], *, dots: bool = False) -> None:
    """Write what each line is beside its end at the right of ``box``, moved apart where texts would overlap.

    With ``dots`` a disc carries the colour and the text is that of the theme: for colours too faint to be read.
    """
    heights = [LINE_PT * (1 + end.text.count("\n")) for end in ends]
    wanted = [float(axes.transData.transform((0, end.value))[1]) for end in ends]
    for end, y in zip(ends, apart(wanted, heights, box.bottom, box.top), strict=True):
        if dots:
            slide.dot(box.right + 14, y + end.text.count("\n") * LINE_PT / 2, end.color)
        color = end.color if not dots else slide.theme.text if end.bold else slide.theme.muted
        slide.text(
            box.right + (26 if dots else 12), y, end.text, color=color, bold=end.bold, va="center", linespacing=1.15
        )


def apart(wanted: Sequence[float], heights: Sequence[float], low: float, high: float) -> list[float]:
    """Return middles near those ``wanted`` for things of these heights, so that none overlap and all lie from ``low`` to ``high``.

    Examples
    --------
    >>> apart([50, 52, 10], [20, 20, 20], 0, 100)
    [41.0, 61.0, 10.0]
    """
    order = np.argsort(wanted, kind="stable")
    half = np.array(heights, dtype=float)[order] / 2
    places = np.clip(np.array(wanted, dtype=float)[order], low + half, high - half)
    distance = half[1:] + half[:-1]
    for i, least in enumerate(distance):  # each close pair moves by the same amount
        overlap = max(0.0, least - (places[i + 1] - places[i]))
        places[i] -= overlap / 2
        places[i + 1] += overlap / 2
    for i, least in enumerate(distance):
        places[i] = max(places[i], low + half[i])
        places[i + 1] = max(places[i + 1], places[i] + least)
    places[-1] = min(places[-1], high - half[-1])
    for i in reversed(range(len(distance))):
        places[i] = min(places[i], places[i + 1] - distance[i])
    found = np.empty_like(places)
    found[order] = places
    return [float(place) for place in found]


def draw_fan(axes: Axes, x: FloatArray, lines: FloatArray, steps: Sequence[int], theme: Theme) -> list[LineEnd]:
    """Draw the lines of all snapshots, thin and early to late on a scale, and thicker the first, the middle and the last.

    Parameters
    ----------
    x : (place,)
    lines : (step, place)
    steps : the snapshots' steps.

    Returns
    -------
    The names of the thicker lines with the values at which they end, first to last.
    """
    colors = step_colors(len(lines), theme)
    named = evenly(len(lines), 3)
    for i in sorted({*evenly(len(lines), MOST_LINES), *named}):
        width, alpha = (4.0 if i == len(lines) - 1 else 2.8, 1.0) if i in named else (0.9, 0.7)
        axes.plot(x, lines[i], color=colors[i], linewidth=width, alpha=alpha, clip_on=len(x) > 1, **mark(lines[i]))
    axes.set_xlim(float(x[0]), float(x[-1]) if len(x) > 1 else float(x[0]) + 1)
    return [
        LineEnd(float(lines[i][np.isfinite(lines[i])][-1]), f"step {steps[i]:,}", colors[i], bold=i == len(lines) - 1)
        for i in named
        if np.isfinite(lines[i]).any()
    ]


def step_axis(axes: Axes, clock: FilmClock, width: float, theme: Theme) -> None:
    """Label an axis of snapshots with as many steps as fit in ``width`` points, the last one as ``step 3,400``."""
    times, labels = _fitting_ticks(clock, width)
    axes.set_xlim(0, max(len(clock.steps) - 1, 1))
    axes.set_xticks(times, labels)
    axes.tick_params(axis="x", length=5, color=theme.line, pad=5)
    texts = axes.get_xticklabels()
    texts[-1].set_horizontalalignment("right" if len(clock.steps) > 1 else "left")
    if times[0] == 0:
        texts[0].set_horizontalalignment("left")


def _fitting_ticks(clock: FilmClock, width: float) -> tuple[list[int], list[str]]:
    last = max(len(clock.steps) - 1, 1)
    for most in range(6, 0, -1):
        times, labels = clock.ticks(most)
        labels = [*labels[:-1], f"step {labels[-1]}"]
        sizes = [text_points(label) for label in labels]
        starts = [width * time / last - size / 2 for time, size in zip(times, sizes, strict=True)]
        starts[-1] = width - sizes[-1]
        if times[0] == 0:
            starts[0] = 0
        if all(starts[i] + sizes[i] + 12 <= starts[i + 1] for i in range(len(starts) - 1)):
            return times, labels
    return [last], [f"step {int(clock.steps[-1]):,}"]


def nice_top(value: float) -> float:
    """Return the least of 1, 2 and 5 times a power of ten that is not below ``value``, but for rounding.

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
    """Return a number as short as it can be written: ``0.2``, ``20``, ``1,000``.

    Examples
    --------
    >>> plain_number(0.2), plain_number(20.0), plain_number(1000)
    ('0.2', '20', '1,000')
    """
    return f"{value:,.0f}" if value == round(value) else f"{value:.10g}"
