"""The map of a table before and after training: first and last snapshot side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from viz.furniture import Caption, Rect, add_legend, add_panel, item_colors, size_points
from viz.scatter import Discs, Thread, radius_px
from viz.style import Theme
from viz.subject import Subject

PANELS = ((0.03, 0.085, 0.46, 0.66), (0.51, 0.085, 0.46, 0.66))
TITLE_PT = 30
TEXT_PT = 18


def draw_maps(
    subject: Subject, projection: xr.Dataset, caption: Caption, theme: Theme, inches: tuple[float, float]
) -> Figure:
    """Draw the first and the last layout of a projection, each in the scale that fits it."""
    figure = Figure(figsize=inches, dpi=72, facecolor=theme.background)
    groups = subject.groups or subject.classes
    colors = item_colors(len(subject.labels), groups, theme, ordered=subject.is_ordered)
    figure.text(0.03, 0.93, caption.title, fontsize=TITLE_PT, weight="bold", color=theme.text, va="center")
    figure.text(0.03, 0.87, caption.subtitle, fontsize=TEXT_PT, color=theme.muted, va="center")
    add_legend(figure, (0.03, 0.805), 0.94, groups, theme, TEXT_PT)
    for panel, which in zip(PANELS, (0, -1), strict=True):
        _draw_panel(figure, panel, subject, projection.isel(step=which), colors, theme)
    return figure


def _draw_panel(
    figure: Figure, panel: Rect, subject: Subject, layout: xr.Dataset, colors: Sequence[str], theme: Theme
) -> None:
    width, height = size_points(figure)
    places = layout["layout"].values.astype(np.float64)
    radius = radius_px(len(subject.labels), panel[2] * width, panel[3] * height, unit=0.6)
    axes = add_panel(figure, panel, places, 1.6 * radius, theme, corner=8)
    if subject.is_ordered:
        Thread(axes, theme, 1.6).move(places)
    members = [i for group in subject.groups for i in group.members]
    Discs(axes, subject.labels, colors, radius, theme, on_top=members).move(places)
    figure.text(
        panel[0],
        0.035,
        f"step {int(layout['step']):,}   trustworthiness {float(layout['trustworthiness']):.2f}",
        fontsize=TEXT_PT,
        color=theme.text,
        va="center",
    )
