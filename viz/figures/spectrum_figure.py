"""The figure of a table's singular values at all snapshots, and of its effective and stable rank."""

from __future__ import annotations

from typing import Literal, Unpack

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from data.language import digits, say
from viz.drawing.curve_panel import FilmClock, step_axis
from viz.drawing.layout import Box
from viz.drawing.lines import draw_fan, name_ends, plain_number, quiet_axes, step_names
from viz.drawing.slide import LINE_PT, Slide, SlideOptions, blank_slide, evenly
from viz.drawing.text import text_width
from viz.drawing.theme import role_color

FAINTEST = 1e-4
"""Singular values below this share of the largest are rounding errors, and would stretch the logarithmic axis."""


def draw_spectra(geometry: xr.Dataset, name: Literal["tokens", "positions"], **options: Unpack[SlideOptions]) -> Figure:
    """Draw the singular values of a table at all snapshots, with its effective and stable rank beside them.

    Parameters
    ----------
    geometry : ``singular_value`` (step, component), largest first; ``effective_rank`` (step) and ``stable_rank`` (step).
    name : of the table.
    **options : title, subtitle, takeaway, theme and inches, as in `viz.drawing.slide.blank_slide`.
    """
    slide = blank_slide(**options)
    if slide.body.width > 600:
        left, right = slide.body.columns([1.55, 1], 44)
        ranks = right.rows([1, 1], 22)
    else:
        left, low = slide.body.rows([1.5, 1], 18)
        ranks = low.columns([1, 1], 28)
    _draw_values(slide, left, geometry["singular_value"].transpose("step", "component"), name)
    clock = FilmClock.of(geometry["step"])
    _draw_rank(slide, ranks[0], geometry["effective_rank"], clock)
    _draw_rank(slide, ranks[1], geometry["stable_rank"], clock)
    return slide.figure


def _draw_values(slide: Slide, cell: Box, spectrum: xr.DataArray, name: str) -> None:
    values = spectrum.values.astype(float)
    floor = FAINTEST * float(np.nanmax(values))
    lines = np.where(values > floor, values, np.nan)
    slide.text(
        cell.left,
        cell.top - 16,
        say("singular values, tokens" if name == "tokens" else "singular values, positions"),
        bold=True,
    )
    names = step_names(spectrum["step"])
    named = [line for i in evenly(len(names), 3) for line in names[i].split("\n")]
    room = max(text_width(text, bold=True) for text in named) + 28
    low, high = float(np.nanmin(lines)) / 1.12, float(np.nanmax(lines)) * 1.12
    ticks = log_ticks(low, high, most=int((cell.height - LINE_PT - 38) / 34))
    labels = [plain_number(tick) for tick in ticks]
    left = max(text_width(label) for label in labels) + 10
    box = cell.inset(left=left, top=LINE_PT + 10, bottom=28, right=room)
    axes = slide.axes(box)
    quiet_axes(axes, slide.theme)
    axes.set_yscale("log")
    ends = draw_fan(axes, np.arange(1, values.shape[1] + 1, dtype=float), lines, names, slide.theme)
    axes.set_ylim(low, high)
    axes.set_yticks(ticks, labels)
    axes.minorticks_off()
    last = values.shape[1]
    axes.set_xticks([1, last] if last > 1 else [1])
    if box.width > 190:
        middle = box.left + box.width / 2
        slide.text(middle, box.bottom - 8, say("component"), color=slide.theme.muted, ha="center", va="top")
    name_ends(slide, axes, box, ends)


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Choose round ticks for a logarithmic axis: 1, 2 and 5 times powers of ten, or fewer; at most ``most`` where possible.

    Examples
    --------
    >>> log_ticks(0.09, 3, most=5), log_ticks(0.09, 3, most=4)
    ([0.1, 0.2, 0.5, 1.0, 2.0], [0.1, 0.3, 1.0, 3.0])
    """
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        ticks = [round(m * 10.0**k, 10) for k in powers for m in factors if low <= m * 10.0**k <= high]
        if len(ticks) <= most:
            break
    return ticks or [round(high / 1.12, 3)]


def _draw_rank(slide: Slide, cell: Box, rank: xr.DataArray, clock: FilmClock) -> None:
    color, values = role_color(slide.theme, "rank"), rank.values.astype(float)
    slide.text(cell.left, cell.top - 16, say(str(rank.name).replace("_", " ")), bold=True)
    slide.text(cell.right, cell.top - 16, digits(f"{values[-1]:z.1f}"), bold=True, ha="right")
    box = cell.inset(left=32, top=LINE_PT + 10, bottom=28, right=6)
    axes = slide.axes(box)
    axes.set_ylim(0, 1.12 * max(float(np.nanmax(values)), 1e-9))
    quiet_axes(axes, slide.theme, bins=4 if box.height > 90 else 3)
    axes.plot(clock.steps, values, color=color, linewidth=3.5, solid_capstyle="round", clip_on=False)
    axes.plot(clock.steps[-1:], values[-1:], "o", color=color, markersize=9, clip_on=False)
    axes.tick_params(axis="x", length=5, color=slide.theme.line, pad=5)
    step_axis(axes, clock)
