"""The panel beside a film: step, loss and measures, each with its curve and a cursor that shows where the film stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from numpy.typing import NDArray

from viz.drawing.canvas import Canvas
from viz.drawing.legend import Rect
from viz.drawing.slide import text_points
from viz.drawing.theme import Theme


@dataclass(frozen=True)
class Curve:
    """A quantity over the snapshots, drawn with a cursor.

    Parameters
    ----------
    title : what it is, in words a newcomer understands.
    steps, values : where it was measured.
    form : how the current value is written, e.g. ``"{:.2f}"``.
    second_values, second_name : another line in the same axes (training loss beside validation loss).
    limits : limits of the y axis; from the values if None.
    runs : the quantity in each of several runs at ``steps``; they are drawn instead of ``values``, thin, with the band from the least to
        the greatest.
    names_below : whether the names of the lines stand in the lower corner: for curves that rise.
    """

    title: str
    steps: NDArray[np.int64]
    values: NDArray[np.float64]
    form: str = "{:.2f}"
    name: str = ""
    second_values: NDArray[np.float64] | None = None
    second_name: str = ""
    limits: tuple[float, float] | None = None
    runs: tuple[NDArray[np.float64], ...] = ()
    names_below: bool = False

    def written(self, step: float) -> str:
        """Return how the value at a step is written: ``1.52``, or ``1.52–1.58`` for several runs."""
        if not self.runs:
            return self.form.format(self.at(step))
        values = [np.interp(step, self.steps, run) for run in self.runs]
        ends = [self.form.format(float(value)) for value in (min(values), max(values))]
        return "–".join(dict.fromkeys(ends))

    def at(self, step: float) -> float:
        """Return the value at a step, interpolated between measurements."""
        return float(np.interp(step, self.steps, self.values))


@dataclass(frozen=True)
class FilmClock:
    """Film time, counted in snapshots, and training steps.

    The horizontal axis of every curve is film time: snapshots stand at even distances, so the cursor moves evenly although the steps
    between snapshots differ (1, 2, 4, ... at the start, hundreds later). The ticks are labelled with steps.
    """

    steps: NDArray[np.int64]
    name: ClassVar[str] = "training step"
    """What is written above the figures that count them."""

    def write(self, step: int) -> str:
        """Return a step as it is written."""
        return f"{step:,}"

    def time_of(self, step: NDArray[np.float64] | float) -> NDArray[np.float64]:
        return np.asarray(np.interp(step, self.steps, np.arange(len(self.steps))))

    def step_at(self, time: float) -> int:
        """Return the step of the snapshot nearest in time."""
        return int(self.steps[int(np.floor(time + 0.5))])

    def ticks(self, most: int = 6) -> tuple[list[int], list[str]]:
        """Return the times of at most ``most`` ticks and their labels: the smallest round interval of steps that leaves room."""
        last = len(self.steps) - 1
        for interval in (m * 10**k for k in range(9) for m in (1, 2, 5)):
            round_ones = [i for i in range(last) if self.steps[i] % interval == 0]
            if len(round_ones) < most:
                break
        times = [*_spread(round_ones, last, most), last]
        return times, [self.write(int(self.steps[i])) for i in times]


def _spread(times: list[int], last: int, most: int) -> list[int]:
    """Return those of ``times`` that stand an even share of the axis apart from each other and from its end."""
    kept: list[int] = []
    for time in times:
        if min(time - kept[-1] if kept else last, last - time) >= last / (most + 0.5):
            kept.append(time)
    return kept


class Readout:
    """The training step in large figures; it changes with the snapshot. ``to_the_right`` sets it flush with the right end of ``at``."""

    def __init__(self, canvas: Canvas, at: Rect, unit: float, clock: FilmClock, *, to_the_right: bool = False):
        left, bottom, width, height = at
        self._clock = clock
        theme, figure = canvas.theme, canvas.figure
        x: float = left + width if to_the_right else left
        style: dict[str, Any] = {"ha": "right" if to_the_right else "left"}
        figure.text(x, bottom + height, clock.name, color=theme.muted, fontsize=24 * unit, va="bottom", **style)
        self._step = figure.text(
            x, bottom, "", color=theme.text, fontsize=92 * unit, va="baseline", weight="bold", animated=True, **style
        )

    def show(self, step: int) -> list[Artist]:
        self._step.set_text(self._clock.write(step))
        return [self._step]

    def move(self, time: float) -> list[Artist]:
        """Return nothing: the figures stand still from snapshot to snapshot."""
        return []


class CurvePanel:
    """One `Curve` in its axes: the line stands still, the cursor moves, the value changes with the snapshot."""

    def __init__(self, canvas: Canvas, at: Rect, curve: Curve, clock: FilmClock, unit: float, *, show_ticks: bool):
        theme = canvas.theme
        self.curve, self.clock = curve, clock
        axes = canvas.figure.add_axes(at)
        self._draw_still(axes, theme, unit, show_ticks)
        color = theme.text
        self._rule = axes.axvline(0, color=color, linewidth=1.5 * unit, alpha=0.35, animated=True)
        (self._dot,) = axes.plot([], [], "o", color=color, markersize=13 * unit, animated=True, clip_on=False, zorder=5)
        left, bottom, width, height = at
        self._value = canvas.figure.text(
            left + width,
            bottom + height + 0.008,
            "",
            color=color,
            fontsize=30 * unit,
            weight="bold",
            ha="right",
            animated=True,
        )
        room = width * canvas.size.width - text_points(self._longest_value(), 30 * unit, bold=True) - 16 * unit
        title = curve.title if text_points(curve.title, 22 * unit) <= room else curve.title.split(" (")[0]
        canvas.figure.text(left, bottom + height + 0.008, title, color=theme.text, fontsize=22 * unit)
        self._times = clock.time_of(curve.steps.astype(float))

    def _draw_still(self, axes: Axes, theme: Theme, unit: float, show_ticks: bool) -> None:
        curve = self.curve
        times = self.clock.time_of(curve.steps.astype(float))
        if curve.second_values is not None:
            axes.plot(
                times, curve.second_values, color=theme.muted, linewidth=2 * unit, alpha=0.7, label=curve.second_name
            )
        if curve.runs:
            self._draw_runs(axes, times, theme, unit)
        else:
            axes.plot(times, curve.values, color=theme.palette[1], linewidth=3.5 * unit, label=curve.name)
        if curve.second_name:
            axes.legend(
                frameon=False,
                fontsize=20 * unit,
                labelcolor=theme.muted,
                loc="lower right" if curve.names_below else "upper right",
                ncols=2 if curve.names_below else 1,
                handlelength=1.1,
                borderaxespad=0.1,
            )
        axes.set_facecolor("none")
        axes.set_xlim(0, max(len(self.clock.steps) - 1, 1))
        axes.set_ylim(*(curve.limits or _padded(curve.values, curve.second_values, *curve.runs)))
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.spines["bottom"].set_color(theme.line)
        axes.tick_params(colors=theme.muted, labelsize=20 * unit, length=5 * unit, color=theme.line, pad=6 * unit)
        axes.locator_params(axis="y", nbins=3)
        axes.grid(axis="y", color=theme.line, linewidth=1 * unit, alpha=0.5)
        axes.set_axisbelow(True)
        ticks, labels = self.clock.ticks()
        axes.set_xticks(ticks, labels if show_ticks else [""] * len(labels))

    def show(self, step: int) -> list[Artist]:
        """Return what to draw once for the snapshot of ``step``."""
        self._value.set_text(self.curve.written(step))
        return [self._value]

    def move(self, time: float) -> list[Artist]:
        """Return what to draw in the frame at ``time``."""
        self._rule.set_xdata([time, time])
        lines = self.curve.runs or (self.curve.values,)
        self._dot.set_data([time] * len(lines), [np.interp(time, self._times, values) for values in lines])
        return [self._rule, self._dot]

    def _longest_value(self) -> str:
        return max((self.curve.written(step) for step in self.curve.steps), key=len)

    def _draw_runs(self, axes: Axes, times: NDArray[np.float64], theme: Theme, unit: float) -> None:
        runs, color = np.array(self.curve.runs), theme.palette[1]
        axes.fill_between(times, runs.min(axis=0), runs.max(axis=0), color=color, alpha=0.2, linewidth=0)
        for values in runs:
            axes.plot(times, values, color=color, linewidth=1.8 * unit)


def _padded(*lines: NDArray[np.float64] | None) -> tuple[float, float]:
    values = np.concatenate([np.asarray(line, dtype=float) for line in lines if line is not None])
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    room = max(high - low, 1e-3) * 0.08
    return low - room, high + room
