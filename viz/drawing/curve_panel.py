"""The curves beside a film: the step in large figures, and loss and measures, each a curve with a cursor at the time of the film."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.ticker import Formatter
from numpy.typing import NDArray

from data.language import digits, in_language, picture_language, say
from data.runs.names import step_label
from viz.drawing.canvas import AnimatedPanel, Canvas
from viz.drawing.layout import Box
from viz.drawing.text import TEXT_PT, shorten, text_width
from viz.drawing.theme import Role, Theme, role_color, run_color

MOST_TICKS = 6


TITLE_PX = 24
"""Size of the title of a curve."""


@dataclass(frozen=True)
class Curve:
    """A quantity over the snapshots, drawn with a cursor.

    Parameters
    ----------
    title : the name of the quantity, for newcomers too.
    steps, values : the steps at which it was measured, and its values, (step,).
    form : the format of the current value.
    second_values, second_name : another line in the same axes (training loss beside validation loss).
    limits : limits of the y axis; those of the values by default.
    runs : the quantity in each of several runs, at ``steps``; drawn instead of ``values``, as a line in the colour of each run over a
        band from the least to the greatest.
    run_names : names of these runs, written in the axes; none if they stand elsewhere.
    names_below : whether the names of the lines stand in the lower corner, as they should for curves that rise.
    role : what the quantity is, which decides its colour.
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
    run_names: tuple[str, ...] = ()
    names_below: bool = False
    role: Role = "validation"

    def format_at(self, step: float) -> str:
        """Format the value at a step: ``1.52``, or ``1.52–1.58`` for several runs."""
        values = [float(np.interp(step, self.steps, line)) for line in self.runs or (self.values,)]
        ends = [digits(self.form.format(value)) for value in (min(values), max(values))]
        return "–".join(dict.fromkeys(ends))


@dataclass(frozen=True)
class FilmClock:
    """Conversion between the time of a film, counted in snapshots, and training steps.

    Axes are linear in steps, as in figures. Snapshots lie closer at the start of a training, so the cursor starts slowly.
    """

    steps: NDArray[np.int64]
    unknown: str = ""
    """What stands for step 0 where the step of that snapshot is not known, see `data.runs.names.unknown_step`."""
    continuous: ClassVar[bool] = False
    """Whether numbers follow the time of the film; else they are those of the nearest snapshot."""

    @classmethod
    def of(cls, steps: xr.DataArray | NDArray[np.int64]) -> FilmClock:
        """Build the clock of the coordinate ``step`` of an array, or of bare steps."""
        return cls(np.asarray(steps, dtype=np.int64), getattr(steps, "attrs", {}).get("unknown", ""))

    @property
    def name(self) -> str:
        """Written above the large figures: ``training step``, or ``one snapshot`` above ``trained``."""
        return say(self.unknown.rpartition(", ")[0] or "training step")

    @property
    def limits(self) -> tuple[float, float]:
        """The ends of an axis of steps."""
        first, last = float(self.steps[0]), float(self.steps[-1])
        return first, last if last > first else first + 1

    def write(self, step: float) -> str:
        """Format a step."""
        is_unknown = self.unknown and step == 0
        return say(self.unknown.rpartition(" ")[2]) if is_unknown else digits(f"{step:z,.0f}")

    def label(self, step: int) -> str:
        """Name a snapshot by its step."""
        return step_label(step, self.unknown)

    def step_at(self, time: float) -> int:
        """Look up the step of the snapshot nearest to a time."""
        return int(self.steps[int(np.floor(time + 0.5))])

    def step_of(self, time: float) -> float:
        """Interpolate the step that training has reached at a time."""
        return float(np.interp(time, np.arange(len(self.steps)), self.steps))

    def ticks(self, width: float, size: float) -> tuple[list[int], list[str]]:
        """Choose round steps and their labels for an axis, the last as ``step 3,400``.

        They are as many as fit into ``width`` with labels of this size, but at most six.
        """
        first, last = int(self.steps[0]), int(self.steps[-1])
        end = self.label(last) if text_width(self.label(last), size) <= width else self.write(last)
        room = width - text_width(end, size) - size
        for interval in (m * 10**k for k in range(len(str(last))) for m in (1, 2, 5)):
            steps = range(-(-first // interval) * interval, last, interval)
            if len(steps) > MOST_TICKS:
                continue
            spans = [self._label_span(step, width, size) for step in steps]
            kept = [(step, span) for step, span in zip(steps, spans, strict=True) if span[0] >= 0 and span[1] <= room]
            if all(kept[i][1][1] + size <= kept[i + 1][1][0] for i in range(len(kept) - 1)):
                return [*(step for step, _ in kept), last], [*(self.write(step) for step, _ in kept), end]
        return [last], [end]

    def _label_span(self, step: int, width: float, size: float) -> tuple[float, float]:
        """Compute where the label of a step starts and ends; that of the first step starts at its tick."""
        low, high = self.limits
        long, place = text_width(self.write(step), size), width * (step - low) / (high - low)
        start = place if step == low else place - long / 2
        return start, start + long


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
        return [] if self._clock.continuous else self._write(step)

    def move(self, time: float) -> list[Artist]:
        return self._write(self._clock.step_of(time)) if self._clock.continuous else []

    def _write(self, step: float) -> list[Artist]:
        self._step.set_text(self._clock.write(step))
        return [self._step]


class CurvePanel(AnimatedPanel):
    """A `Curve` in its axes: the cursor moves, and the value changes with the snapshot, or with the cursor if the clock says so."""

    def __init__(self, canvas: Canvas, box: Box, curve: Curve, clock: FilmClock, unit: float):
        self.curve, self.clock = curve, clock
        self._canvas, self._unit = canvas, unit
        axes = canvas.axes(box)
        self._draw_lines(axes, box.width)
        axes.set_ylim(*(curve.limits or _padded(curve.values, curve.second_values, *curve.runs)))
        format_step_axes(axes, clock, canvas.theme, unit, label_px=20, tick_px=5)
        color, y = canvas.theme.text, box.top + 0.008 * canvas.size.height
        self._rule = axes.axvline(0, color=color, linewidth=1.5 * unit, alpha=0.35, animated=True)
        (self._dot,) = axes.plot([], [], "o", color=color, markersize=13 * unit, animated=True, clip_on=False, zorder=5)
        self._value = canvas.text(box.right, y, "", size=30 * unit, bold=True, ha="right", animated=True)
        longest = max((curve.format_at(step) for step in curve.steps), key=len)
        room = box.width - text_width(longest, 30 * unit, bold=True) - 16 * unit
        title = curve.title if text_width(curve.title, TITLE_PX * unit) <= room else curve.title.split(" (")[0]
        canvas.text(box.left, y, shorten(title, room, TITLE_PX * unit), size=TITLE_PX * unit)

    def show(self, step: int) -> list[Artist]:
        return [] if self.clock.continuous else self._write(step)

    def move(self, time: float) -> list[Artist]:
        step, lines = self.clock.step_of(time), self.curve.runs or (self.curve.values,)
        self._rule.set_xdata([step, step])
        self._dot.set_data([step] * len(lines), [np.interp(step, self.curve.steps, values) for values in lines])
        return [self._rule, self._dot, *(self._write(step) if self.clock.continuous else [])]

    def _write(self, step: float) -> list[Artist]:
        self._value.set_text(self.curve.format_at(step))
        return [self._value]

    def _draw_lines(self, axes: Axes, width: float) -> None:
        curve, theme, unit = self.curve, self._canvas.theme, self._unit
        if curve.second_values is not None:
            style: dict[str, Any] = {"color": role_color(theme, "training"), "linewidth": 2 * unit, "alpha": 0.7}
            axes.plot(curve.steps, curve.second_values, label=curve.second_name, **style)
        if curve.runs:
            ends = np.min(curve.runs, axis=0), np.max(curve.runs, axis=0)
            axes.fill_between(curve.steps, *ends, color=theme.muted, alpha=0.2, linewidth=0)
            for i, values in enumerate(curve.runs):
                name = shorten(curve.run_names[i], 0.6 * width, 20 * unit) if curve.run_names else None
                axes.plot(curve.steps, values, color=run_color(theme, i), linewidth=3 * unit, label=name)
        else:
            axes.plot(
                curve.steps, curve.values, color=role_color(theme, curve.role), linewidth=3.5 * unit, label=curve.name
            )
        if curve.second_name or curve.run_names:
            place: Literal["lower right", "upper right"] = "lower right" if curve.names_below else "upper right"
            style = {"fontsize": 20 * unit, "labelcolor": theme.muted, "handlelength": 1.1, "borderaxespad": 0.1}
            axes.legend(frameon=False, loc=place, ncols=2 if curve.names_below else 1, **style)


def format_step_axes(
    axes: Axes, clock: FilmClock, theme: Theme, unit: float, *, label_px: float, tick_px: float = 0.0
) -> None:
    """Give the axes of a film their horizontal axis of steps, and reduce them to what is needed to read values."""
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(theme.line)
    ticks: dict[str, Any] = {"labelsize": label_px * unit, "length": tick_px * unit, "pad": 6 * unit}
    axes.tick_params(colors=theme.muted, color=theme.line, **ticks)
    axes.locator_params(axis="y", nbins=3)
    axes.grid(axis="y", color=theme.line, linewidth=1 * unit, alpha=0.5)
    axes.set_axisbelow(True)
    localize_ticks(axes)
    step_axis(axes, clock, label_px * unit)


def localize_ticks(axes: Axes) -> None:
    """Write the values along the vertical axis as the language of the picture writes numbers."""
    if picture_language() != "en":
        formatter = axes.yaxis.get_major_formatter()
        axes.yaxis.set_major_formatter(_Localized(formatter, picture_language()))


class _Localized(Formatter):
    """Writes ticks as another formatter does, in a language; a picture is drawn after it was built, by whoever saves it."""

    def __init__(self, plain: Formatter, language: str):
        self._plain, self._language = plain, language

    def __call__(self, x: float, pos: int | None = None) -> str:
        with in_language(self._language):
            return digits(self._plain(x, pos))

    def set_locs(self, locs: Any) -> None:
        self._plain.set_locs(locs)

    def set_axis(self, axis: Any) -> None:
        super().set_axis(axis)
        self._plain.set_axis(axis)


def step_axis(axes: Axes, clock: FilmClock, size: float = TEXT_PT) -> None:
    """Give axes a linear horizontal axis of steps, with as many labels of this size as fit."""
    axes.set_xlim(*clock.limits)
    steps, labels = clock.ticks(axes.bbox.width * 72 / axes.figure.dpi, size)
    axes.set_xticks(steps, labels)
    texts = axes.get_xticklabels()
    texts[-1].set_horizontalalignment("right" if len(clock.steps) > 1 else "left")
    if len(steps) > 1 and steps[0] == clock.steps[0]:
        texts[0].set_horizontalalignment("left")


def _padded(*lines: NDArray[np.float64] | None) -> tuple[float, float]:
    values = np.concatenate([np.asarray(line, dtype=float) for line in lines if line is not None])
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    room = max(high - low, 1e-3) * 0.08
    return low - room, high + room
