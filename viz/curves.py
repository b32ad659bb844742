"""Losses and scores over steps, as stills."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from viz.sidebar import Curve
from viz.style import Theme

TITLE_PT = 30
TEXT_PT = 18


def draw_loss(curve: Curve, title: str, unit: str, theme: Theme, inches: tuple[float, float]) -> Figure:
    """Draw a quantity and its companion over the training steps, each line named at its end and its last value printed."""
    figure = Figure(figsize=inches, facecolor=theme.background)
    axes = figure.add_axes((0.085, 0.125, 0.70, 0.70))
    quiet_axes(axes, theme)
    figure.text(0.035, 0.915, title, fontsize=TITLE_PT, weight="bold", color=theme.text, va="center")
    figure.text(0.035, 0.862, unit, fontsize=TEXT_PT, color=theme.muted, va="center")
    lines = [(curve.values, curve.name, theme.palette[1], 3.5)]
    if curve.second_values is not None:
        lines.append((curve.second_values, curve.second_name, theme.palette[0], 2.5))
    for values, _, color, width in lines:
        axes.plot(curve.steps, values, color=color, linewidth=width, solid_capstyle="round")
    axes.set_xlim(0, max(int(curve.steps[-1]), 1))
    axes.set_xlabel("training step", fontsize=TEXT_PT, color=theme.muted, labelpad=8)
    axes.xaxis.set_major_formatter(lambda step, _: f"{step:,.0f}")
    _name_at_end(axes, [(float(values[-1]), name, color) for values, name, color, _ in lines])
    return figure


def quiet_axes(axes: Axes, theme: Theme) -> None:
    """Leave of the axes what is needed to read a value."""
    axes.set_facecolor("none")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(theme.line)
    axes.grid(axis="y", color=theme.line, linewidth=1, alpha=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(colors=theme.muted, labelsize=TEXT_PT, length=0, pad=8)
    axes.locator_params(nbins=6)


def _name_at_end(axes: Axes, ends: list[tuple[float, str, str]]) -> None:
    """Write each line's name and last value beside its end, moved apart where they would overlap."""
    low, high = axes.get_ylim()
    values, height = [value for value, _, _ in ends], 0.085 * (high - low)
    for (value, name, color), y in zip(ends, _apart(values, height, low + height / 2), strict=True):
        axes.annotate(
            f"{name} {value:.2f}",
            (1.0, y),
            xycoords=("axes fraction", "data"),
            xytext=(12, 0),
            textcoords="offset points",
            fontsize=TEXT_PT + 2,
            weight="bold",
            color=color,
            va="center",
            annotation_clip=False,
        )


def _apart(values: list[float], height: float, lowest: float) -> list[float]:
    """Return places near ``values`` that are ``height`` apart, none below ``lowest``."""
    order = np.argsort(values)
    places = np.maximum(np.array(values)[order], lowest)
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + height)
    return [float(places[list(order).index(i)]) for i in range(len(values))]
