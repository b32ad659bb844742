"""The strip below a picture: how far it may be believed, a narrow band of colour over film time for each measure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.patheffects import AbstractPathEffect, Normal, Stroke
from numpy.typing import NDArray

from viz.drawing.canvas import Canvas
from viz.drawing.curve_panel import FilmClock
from viz.drawing.legend import Rect
from viz.drawing.slide import heat_map, text_points

MEASURES = {
    "recall": ("neighbours kept", "neighbours"),
    "trustworthiness": ("trustworthiness", "trust"),
    "distance_correlation": ("order of distances", "distances"),
    "motion_agreement": ("true motion", "motion"),
}
"""The rows of a strip: variables of a projection over steps, their names, and what is written where there is little room."""

ROW_PX = 25
NAME_PX, CHANCE_PX, VALUE_PX = 19, 17, 20
MOST_FOR_NAMES = 0.46
"""Names take no more than this share of the width."""


@dataclass(frozen=True)
class Band:
    """A measure from 0 to 1 over the snapshots, (step,), NaN where there is none; ``chance`` is what a picture of nothing would have."""

    name: str
    short: str
    values: NDArray[np.float64]
    chance: float | None = None


def bands_of(projection: xr.Dataset) -> list[Band]:
    """Return the measures that a projection has, in the order of the strip."""
    rows = []
    for variable, (name, short) in MEASURES.items():
        if variable in projection and np.isfinite(projection[variable].values).any():
            chance = projection.attrs.get("chance") if variable == "recall" else None
            rows.append(Band(name, short, projection[variable].values.astype(np.float64), chance))
    return rows


class BandPanel:
    """Bands that stand still, with a cursor that moves and values that change with the snapshot.

    Parameters
    ----------
    at : where the rows stand, names and values included; each row is an even share of the height.
    """

    def __init__(self, canvas: Canvas, at: Rect, rows: list[Band], clock: FilmClock, unit: float):
        self.rows, self.clock = rows, clock
        self._canvas, self._unit = canvas, unit
        left, bottom, width, height = at
        names, self._with_chance = self._fitting_names(width * canvas.size.width)
        start = self._names_width(names) / canvas.size.width
        values = [_number(value) for row in rows for value in row.values]
        longest = max(text_points(value, VALUE_PX * unit, bold=True) for value in values)
        end = (longest + 16 * unit) / canvas.size.width
        self.band: Rect = (left + start, bottom, width - start - end, height)
        self._draw_bands()
        lines = [bottom + height * (1 - (i + 0.5) / len(rows)) for i in range(len(rows))]
        for name, row, y in zip(names, rows, lines, strict=True):
            self._write_name(left, y, name, row)
        theme = canvas.theme
        self._values = [
            canvas.figure.text(
                left + width,
                y,
                "",
                color=theme.text,
                fontsize=VALUE_PX * unit,
                weight="bold",
                ha="right",
                va="center_baseline",
                animated=True,
            )
            for y in lines
        ]

    def show(self, step: int) -> list[Artist]:
        """Return what to draw once for the snapshot of ``step``."""
        at = int(np.searchsorted(self.clock.steps, step))
        for text, row in zip(self._values, self.rows, strict=True):
            text.set_text(_number(row.values[at]))
        return list(self._values)

    def move(self, time: float) -> list[Artist]:
        """Return what to draw in the frame at ``time``."""
        self._cursor.set_xdata([time, time])
        return [self._cursor]

    def _draw_bands(self) -> None:
        canvas, unit, n = self._canvas, self._unit, len(self.rows)
        axes = canvas.figure.add_axes(self.band)
        axes.set_axis_off()
        colormap = heat_map(canvas.theme).with_extremes(bad=canvas.theme.panel)
        last = len(self.clock.steps) - 1
        for i, row in enumerate(self.rows):
            # A snapshot's colour stands around its own time: there is no measure of what lies between snapshots.
            axes.imshow(
                np.ma.masked_invalid(row.values)[None],
                cmap=colormap,
                vmin=0,
                vmax=1,
                aspect="auto",
                interpolation="nearest",
                extent=(-0.5, last + 0.5, n - 1 - i + 0.17, n - 1 - i + 0.83),
            )
        axes.set_xlim((0, last) if last else (-0.5, 0.5))
        axes.set_ylim(0, n)
        (self._cursor,) = axes.plot(
            [0, 0], [0, n], color=canvas.theme.text, linewidth=3.5 * unit, animated=True, clip_on=False
        )
        self._cursor.set_path_effects(_halo(canvas.theme.background, 6.5 * unit))

    def _fitting_names(self, width_px: float) -> tuple[list[str], bool]:
        """Return the rows' names, and whether chance is written beside them: as much as there is room for."""
        names, short = [row.name for row in self.rows], [row.short for row in self.rows]
        for chosen, self._with_chance in ((names, True), (short, True), (names, False)):
            if self._names_width(chosen) <= MOST_FOR_NAMES * width_px:
                return chosen, self._with_chance
        return short, False

    def _names_width(self, names: list[str]) -> float:
        return max(self._name_width(name, row) for name, row in zip(names, self.rows, strict=True)) + 16 * self._unit

    def _name_width(self, name: str, row: Band) -> float:
        width = text_points(name, NAME_PX * self._unit)
        return width + text_points(self._chance(row), CHANCE_PX * self._unit)

    def _chance(self, row: Band) -> str:
        return f"  chance {_number(row.chance)}" if row.chance is not None and self._with_chance else ""

    def _write_name(self, x: float, y: float, name: str, row: Band) -> None:
        figure, theme, unit = self._canvas.figure, self._canvas.theme, self._unit
        figure.text(x, y, name, color=theme.text, fontsize=NAME_PX * unit, va="center_baseline")
        after = x + text_points(name, NAME_PX * unit) / self._canvas.size.width
        chance = self._chance(row)
        figure.text(after, y, chance, color=theme.muted, fontsize=CHANCE_PX * unit, va="center_baseline")


def _halo(color: str, width: float) -> list[AbstractPathEffect]:
    return [Stroke(linewidth=width, foreground=color), Normal()]


def _number(value: float) -> str:
    """Return a measure with two digits; a dash where there is none."""
    if not np.isfinite(value):
        return "–"
    return f"{value:.2f}".replace("-", "−")
