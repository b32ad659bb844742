"""The figure of zero-shot accuracy over training, with its standard error and the accuracy of guessing."""

from __future__ import annotations

from typing import Unpack

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from viz.drawing.lines import LineEnd, name_ends, quiet_axes, single_marker
from viz.drawing.slide import SlideOptions, blank_slide


def draw_zero_shot(
    found: xr.Dataset,
    **options: Unpack[SlideOptions],
) -> Figure:
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
    lines = [("accuracy", "by probability", theme.palette[0]), ("accuracy_by_gain", "by gain", theme.palette[1])]
    ends = [
        LineEnd(float(found[name][-1]), f"{label}{between}{float(found[name][-1]):.0%}", color, bold=True)
        for name, label, color in lines
    ]
    ends.append(LineEnd(chance, f"guessing{between}{chance:.0%}", theme.muted))
    box = slide.body.inset(left=58, right=max(end.width for end in ends) + 16, bottom=58, top=10)
    axes = slide.axes(box)
    quiet_axes(axes, theme)
    axes.axhline(chance, color=theme.muted, linewidth=1.8, dashes=(4, 3), zorder=2, clip_on=False)
    low = high = chance
    for name, _, color in lines:
        values, error = found[name].values.astype(float), float(found[name].attrs["standard_error"])
        if len(steps) > 1:
            axes.fill_between(steps, values - error, values + error, color=color, alpha=0.18, linewidth=0)
        axes.plot(
            steps, values, color=color, linewidth=3.5, solid_capstyle="round", clip_on=False, **single_marker(values)
        )
        low, high = min(low, float(values.min()) - error), max(high, float(values.max()) + error)
    axes.set_ylim(max(0.0, np.floor(20 * low - 0.5) / 20), min(1.0, np.ceil(20 * high + 0.5) / 20))
    axes.set_xlim(0, max(int(steps[-1]), 1))
    axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.locator_params(axis="x", nbins=max(3, int(box.width / 95)), integer=True)
    axes.xaxis.set_major_formatter(lambda step, _: f"{step:,.0f}")
    slide.text(box.left + box.width / 2, box.bottom - 52, "training step", color=theme.muted, ha="center")
    name_ends(slide, axes, box, ends)
    return slide.figure
