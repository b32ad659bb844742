"""The curves beside a film: the step in large figures, and loss and measures, each a curve with a cursor at the time of the film."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from numpy.typing import NDArray

from data.runs.names import step_label
from viz.drawing.canvas import AnimatedPanel, Canvas
from viz.drawing.layout import Box
from viz.drawing.text import text_width
from viz.drawing.theme import Theme


@dataclass(frozen=True)
class Curve:
    """A quantity over the snapshots, drawn with a cursor.

    Parameters
    ----------
    title : the name of the quantity, for newcomers too.
    steps, values : the steps at which it was measured, and its values, (step,).
    form : the format of the current value, e.g. ``"{:z.2f}"``.
    second_values, second_name : another line in the same axes (training loss beside validation loss).
    limits : limits of the y axis; those of the values by default.
    runs : the quantity in each of several runs, at ``steps``; drawn instead of ``values``, as thin lines over a band from the least
        to the greatest.
    names_below : whether the names of the lines stand in the lower corner, as they should for curves that rise.
    """

    title: str
    steps: NDArray[np.int64]
    values: NDArray[np.float64]
    form: str = "{:z.2f}"
    name: str = ""
    second_values: NDArray[np.float64] | None = None
    second_name: str = ""
    limits: tuple[float, float] | None = None
    runs: tuple[NDArray[np.float64], ...] = ()
    names_below: bool = False

    def format_at(self, step: float) -> str:
        """Format the value at a step: ``1.52``, or ``1.52–1.58`` for several runs."""
        values = [float(np.interp(step, self.steps, line)) for line in self.runs or (self.values,)]
        ends = [self.form.format(value) for value in (min(values), max(values))]
        return "–".join(dict.fromkeys(ends))


@dataclass(frozen=True)
class FilmClock:
    """Conversion between training steps and the time of a film, counted in snapshots.

    The horizontal axis of every curve is film time: snapshots stand at equal distances, so the cursor moves evenly although the steps
    between snapshots differ (1, 2, 4, ... at the start, hundreds later). The ticks are labelled with steps.
    """

    steps: NDArray[np.int64]
    unknown: str = ""
    """What stands for step 0 where the step of that snapshot is not known, see `data.runs.names.unknown_step`."""

    @classmethod
    def of(cls, steps: xr.DataArray | NDArray[np.int64]) -> FilmClock:
        """Build the clock of the coordinate ``step`` of an array, or of bare steps."""
        return cls(np.asarray(steps, dtype=np.int64), getattr(steps, "attrs", {}).get("unknown", ""))

    @property
    def name(self) -> str:
        """Written above the large figures: ``training step``, or ``one snapshot`` above ``trained``."""
        return self.unknown.rpartition(", ")[0] or "training step"

    def write(self, step: int) -> str:
        """Format a step."""
        return self.unknown.rpartition(" ")[2] if self.unknown and step == 0 else f"{step:,}"

    def label(self, step: int) -> str:
        """Name a snapshot by its step."""
        return step_label(step, self.unknown)

    def time_of(self, step: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Interpolate the time at which the film reaches a step."""
        return np.asarray(np.interp(step, self.steps, np.arange(len(self.steps))))

    def step_at(self, time: float) -> int:
        """Look up the step of the snapshot nearest to a time."""
        return int(self.steps[int(np.floor(time + 0.5))])

    def ticks(self, most: int = 6) -> tuple[list[int], list[str]]:
        """Choose the times and labels of at most ``most`` ticks, at the smallest round interval of steps that fits."""
        last = len(self.steps) - 1
        for interval in (m * 10**k for k in range(9) for m in (1, 2, 5)):
            round_ones = [i for i in range(last) if self.steps[i] % interval == 0]
            if len(round_ones) < most:
                break
        times = [*_spread(round_ones, last, most), last]
        return times, [self.write(int(self.steps[i])) for i in times]


def _spread(times: list[int], last: int, most: int) -> list[int]:
    """Keep those of ``times`` that stand far enough from each other and from the end of the axis."""
    kept: list[int] = []
    for time in times:
        if min(time - kept[-1] if kept else last, last - time) >= last / (most + 0.5):
            kept.append(time)
    return kept


class StepReadout(AnimatedPanel):
    """The training step in large figures; it changes with the snapshot. With ``align_right`` it stands at the right end of ``box``."""

    def __init__(self, canvas: Canvas, box: Box, clock: FilmClock, unit: float, *, align_right: bool = False):
        self._clock = clock
        x = box.right if align_right else box.left
        ha = "right" if align_right else "left"
        canvas.text(x, box.top, clock.name, color=canvas.theme.muted, size=24 * unit, va="bottom", ha=ha)
        size = 92 * unit
        if clock.unknown:  # words are wider than most steps
            size *= min(1, box.width / text_width(clock.write(0), size, bold=True))
        self._step = canvas.text(x, box.bottom, "", size=size, bold=True, ha=ha, animated=True)

    def show(self, step: int) -> list[Artist]:
        self._step.set_text(self._clock.write(step))
        return [self._step]


class CurvePanel(AnimatedPanel):
    """A `Curve` in its axes: the cursor moves, and the value changes with the snapshot."""

    def __init__(self, canvas: Canvas, box: Box, curve: Curve, clock: FilmClock, unit: float):
        self.curve, self.clock = curve, clock
        self._canvas, self._unit = canvas, unit
        self._times = clock.time_of(curve.steps.astype(float))
        axes = canvas.axes(box)
        self._draw_lines(axes)
        axes.set_ylim(*(curve.limits or _padded(curve.values, curve.second_values, *curve.runs)))
        format_time_axes(axes, clock, canvas.theme, unit, label_px=20, tick_px=5)
        color, y = canvas.theme.text, box.top + 0.008 * canvas.size.height
        self._rule = axes.axvline(0, color=color, linewidth=1.5 * unit, alpha=0.35, animated=True)
        (self._dot,) = axes.plot([], [], "o", color=color, markersize=13 * unit, animated=True, clip_on=False, zorder=5)
        self._value = canvas.text(box.right, y, "", size=30 * unit, bold=True, ha="right", animated=True)
        longest = max((curve.format_at(step) for step in curve.steps), key=len)
        room = box.width - text_width(longest, 30 * unit, bold=True) - 16 * unit
        title = curve.title if text_width(curve.title, 22 * unit) <= room else curve.title.split(" (")[0]
        canvas.text(box.left, y, title, size=22 * unit)

    def show(self, step: int) -> list[Artist]:
        self._value.set_text(self.curve.format_at(step))
        return [self._value]

    def move(self, time: float) -> list[Artist]:
        self._rule.set_xdata([time, time])
        lines = self.curve.runs or (self.curve.values,)
        self._dot.set_data([time] * len(lines), [np.interp(time, self._times, values) for values in lines])
        return [self._rule, self._dot]

    def _draw_lines(self, axes: Axes) -> None:
        curve, theme, unit = self.curve, self._canvas.theme, self._unit
        if curve.second_values is not None:
            style: dict[str, Any] = {"color": theme.muted, "linewidth": 2 * unit, "alpha": 0.7}
            axes.plot(self._times, curve.second_values, label=curve.second_name, **style)
        color = theme.palette[1]
        if curve.runs:
            runs = np.array(curve.runs)
            axes.fill_between(self._times, runs.min(axis=0), runs.max(axis=0), color=color, alpha=0.2, linewidth=0)
            axes.plot(self._times, runs.T, color=color, linewidth=1.8 * unit)
        else:
            axes.plot(self._times, curve.values, color=color, linewidth=3.5 * unit, label=curve.name)
        if curve.second_name:
            place: Literal["lower right", "upper right"] = "lower right" if curve.names_below else "upper right"
            style = {"fontsize": 20 * unit, "labelcolor": theme.muted, "handlelength": 1.1, "borderaxespad": 0.1}
            axes.legend(frameon=False, loc=place, ncols=2 if curve.names_below else 1, **style)


def format_time_axes(
    axes: Axes, clock: FilmClock, theme: Theme, unit: float, *, label_px: float, tick_px: float = 0.0, most: int = 6
) -> None:
    """Give axes the horizontal axis of a film's time, with at most ``most`` ticks, and reduce them to what is needed to read values."""
    axes.set_xlim(0, max(len(clock.steps) - 1, 1))
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(theme.line)
    ticks: dict[str, Any] = {"labelsize": label_px * unit, "length": tick_px * unit, "pad": 6 * unit}
    axes.tick_params(colors=theme.muted, color=theme.line, **ticks)
    axes.locator_params(axis="y", nbins=3)
    axes.grid(axis="y", color=theme.line, linewidth=1 * unit, alpha=0.5)
    axes.set_axisbelow(True)
    axes.set_xticks(*clock.ticks(most))


def _padded(*lines: NDArray[np.float64] | None) -> tuple[float, float]:
    values = np.concatenate([np.asarray(line, dtype=float) for line in lines if line is not None])
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    room = max(high - low, 1e-3) * 0.08
    return low - room, high + room
