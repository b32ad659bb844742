"""Fidelity below a projection: a line of two measures, or a narrow band of colours over film time for each measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.patheffects import Normal, Stroke
from matplotlib.text import Text
from numpy.typing import NDArray

from data.language import digits, say
from viz.drawing.canvas import AnimatedPanel, Canvas
from viz.drawing.curve_panel import FilmClock
from viz.drawing.layout import Box
from viz.drawing.text import level_text, text_width
from viz.drawing.theme import heat_map

MEASURES = {
    "recall": ("neighbours kept", "neighbours"),
    "trustworthiness": ("trustworthiness", "trust"),
    "distance_correlation": ("order of distances", "distances"),
    "motion_agreement": ("true motion", "motion"),
}
"""Variables of a projection over steps, in the order of the bands, with their names and short names."""

ROW_PX = 31
NAME_PX, CHANCE_PX, VALUE_PX = 24, 24, 24
MOST_FOR_NAMES = 0.46
"""The largest share of the width that names take."""


@dataclass(frozen=True)
class Band:
    """A measure from 0 to 1 over the snapshots, (step,), NaN where it is undefined; ``chance`` is its value for a random layout."""

    name: str
    short: str
    values: NDArray[np.float64]
    chance: float | None = None


def bands_of(projection: xr.Dataset) -> list[Band]:
    """Collect the measures of a projection, in the order of the bands."""
    rows = []
    for variable, names in MEASURES.items():
        if variable in projection and np.isfinite(projection[variable].values).any():
            chance = projection.attrs.get("chance") if variable == "recall" else None
            name, short = map(say, names)
            rows.append(Band(name, short, projection[variable].values.astype(np.float64), chance))
    return rows


LINE_PX, LINE_TEXT_PX = 40, 24
"""Height of the line of fidelity, and the size of its text."""


class FidelityLine(AnimatedPanel):
    """A line that says how far to believe a layout: a local measure and one of the whole; both change with the snapshot.

    What does not fit into the width is left out.
    """

    def __init__(self, canvas: Canvas, box: Box, projection: xr.Dataset, clock: FilmClock, unit: float):
        self.clock = clock
        self._texts: list[tuple[Text, list[str]]] = []
        size, x, y = LINE_TEXT_PX * unit, box.left, box.bottom + box.height / 2
        for part in self._fitting(projection, box.width, size):
            widest = max((text_width(text, size, bold=len(part) > 1) for text in part), default=0.0)
            style: dict[str, Any] = {"size": size, "va": "center_baseline"}
            if len(part) > 1:
                text = canvas.text(x, y, "", bold=True, animated=True, **style)
                self._texts.append((text, part))
            else:
                canvas.text(x, y, part[0], color=canvas.theme.muted, **style)
            x += widest + 0.4 * size

    def show(self, step: int) -> list[Artist]:
        at = int(np.searchsorted(self.clock.steps, step))
        for text, values in self._texts:
            text.set_text(values[at])
        return [text for text, _ in self._texts]

    @staticmethod
    def _fitting(projection: xr.Dataset, width: float, size: float) -> list[list[str]]:
        """Choose the longest line that fits: a list of texts for each part, one of words or a value for each snapshot."""
        lead, local, chance, whole = [[say("How far to believe it:")]], [], [], []
        if "recall" in projection:
            shares = [f"{round(100 * value)}%" for value in projection["recall"].values]
            local = chance = [shares, [say("of neighbours real")]]
            if "chance" in projection.attrs:
                by_chance = str(round(100 * projection.attrs["chance"]))
                chance = [shares, [say("of neighbours real ({chance}% by chance)", chance=by_chance)]]
        if "distance_correlation" in projection:
            numbers = [say("{value} of 1", value=_number(value)) for value in projection["distance_correlation"].values]
            whole = [[say("  distances in order")], numbers]
        lines = [[*lead, *chance, *whole], [*chance, *whole], [*local, *whole], local, []]
        return next(line for line in lines if _line_width(line, size) <= width)


def _line_width(line: list[list[str]], size: float) -> float:
    return sum(max(text_width(text, size, bold=len(part) > 1) for text in part) + 0.4 * size for part in line)


class BandPanel(AnimatedPanel):
    """Names, bands with a cursor, and values that change with the snapshot, in rows that divide the height of a box evenly."""

    def __init__(self, canvas: Canvas, box: Box, rows: list[Band], clock: FilmClock, unit: float):
        self.rows, self.clock = rows, clock
        self._canvas, self._unit = canvas, unit
        names, self._with_chance = self._fitting_names(box.width)
        values = [_number(value) for row in rows for value in row.values]
        longest = max(text_width(value, VALUE_PX * unit, bold=True) for value in values)
        self.band = box.inset(left=self._names_width(names), right=longest + 16 * unit)
        self._draw_bands()
        lines = [box.bottom + box.height * (1 - (i + 0.5) / len(rows)) for i in range(len(rows))]
        for name, row, y in zip(names, rows, lines, strict=True):
            self._write_name(box.left, y, name, row)
        style: dict[str, Any] = {"size": VALUE_PX * unit, "bold": True, "ha": "right", "va": "center_baseline"}
        self._values = [canvas.text(box.right, y, "", animated=True, **style) for y in lines]

    def show(self, step: int) -> list[Artist]:
        at = int(np.searchsorted(self.clock.steps, step))
        for text, row in zip(self._values, self.rows, strict=True):
            text.set_text(_number(row.values[at]))
        return list(self._values)

    def move(self, time: float) -> list[Artist]:
        self._cursor.set_xdata([self.clock.step_of(time)] * 2)
        return [self._cursor]

    def _draw_bands(self) -> None:
        canvas, unit, n = self._canvas, self._unit, len(self.rows)
        axes = canvas.axes(self.band)
        axes.set_axis_off()
        colormap = heat_map(canvas.theme).with_extremes(bad=canvas.theme.panel)
        steps, (first, last) = self.clock.steps, self.clock.limits
        # A snapshot's colour reaches half-way to its neighbours: between snapshots nothing is measured.
        ends = [first, *(steps[:-1] + steps[1:]) / 2, last]
        for i, row in enumerate(self.rows):
            rows = (n - 1 - i + 0.17, n - 1 - i + 0.83)
            axes.pcolormesh(ends, rows, np.ma.masked_invalid(row.values)[None], cmap=colormap, vmin=0, vmax=1)
        axes.set_xlim(first, last)
        axes.set_ylim(0, n)
        (self._cursor,) = axes.plot(
            [0, 0], [0, n], color=canvas.theme.text, linewidth=3.5 * unit, animated=True, clip_on=False
        )
        halo = Stroke(linewidth=6.5 * unit, foreground=canvas.theme.background)
        self._cursor.set_path_effects([halo, Normal()])

    def _fitting_names(self, width_px: float) -> tuple[list[str], bool]:
        """Choose names that fit, and whether the chance level is written beside them."""
        names, short = [row.name for row in self.rows], [row.short for row in self.rows]
        for chosen, self._with_chance in ((names, True), (short, True), (names, False)):
            if self._names_width(chosen) <= MOST_FOR_NAMES * width_px:
                return chosen, self._with_chance
        return short, False

    def _names_width(self, names: list[str]) -> float:
        unit, chances = self._unit, [self._chance(row) for row in self.rows]
        widths = [
            text_width(name, NAME_PX * unit) + text_width(chance, CHANCE_PX * unit)
            for name, chance in zip(names, chances, strict=True)
        ]
        return max(widths) + 16 * unit

    def _chance(self, row: Band) -> str:
        is_written = row.chance is not None and self._with_chance
        return say("  chance {level}", level=level_text(row.chance or 0.0)) if is_written else ""

    def _write_name(self, x: float, y: float, name: str, row: Band) -> None:
        canvas, unit = self._canvas, self._unit
        canvas.text(x, y, name, size=NAME_PX * unit, va="center_baseline")
        x += text_width(name, NAME_PX * unit)
        color, size = canvas.theme.muted, CHANCE_PX * unit
        canvas.text(x, y, self._chance(row), color=color, size=size, va="center_baseline")


def _number(value: float) -> str:
    """Format a measure with two decimals, or as a dash where it is undefined."""
    if not np.isfinite(value):
        return "–"
    return digits(f"{value:z.2f}").replace("-", "−")
