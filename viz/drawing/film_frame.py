"""What every film has around its picture: title, step, curves with a cursor; and the loop that draws frame after frame."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from matplotlib.artist import Artist
from numpy.typing import NDArray

from viz.drawing.canvas import Canvas, Frame, Size
from viz.drawing.curve_panel import Curve, CurvePanel, FilmClock, Readout
from viz.drawing.frame_layout import FOOTNOTE_LINE_PX, FOOTNOTE_PX, FrameLayout, FrameParts
from viz.drawing.legend import Caption
from viz.drawing.slide import text_points, wrap
from viz.drawing.theme import Theme

SUBTITLE_PX, LEAST_SUBTITLE = 23, 0.85
"""Size of the text below the title, and the part of it to which it shrinks before it takes two lines."""


class Dial(Protocol):
    """What shows where the film stands."""

    def show(self, step: int) -> list[Artist]:
        """Return what to draw once for the snapshot of ``step``."""

    def move(self, time: float) -> list[Artist]:
        """Return what to draw in the frame at ``time``, counted in snapshots."""


class FilmFrame:
    """A canvas with everything that films share; the film itself draws into the panel of `arrangement`.

    Parameters
    ----------
    steps : the training steps of the snapshots.
    curves : what the panel beside the picture shows.
    parts : what the picture holds; one panel if not given.
    clock : what counts them and writes them; training steps if not given.
    """

    def __init__(
        self,
        steps: NDArray[np.int64],
        curves: Sequence[Curve],
        caption: Caption,
        size: Size,
        theme: Theme,
        *,
        parts: FrameParts | None = None,
        clock: FilmClock | None = None,
    ):
        self.canvas = Canvas(size, theme)
        self.clock = clock or FilmClock(np.asarray(steps, dtype=np.int64))
        self.arrangement = FrameLayout.of(size, len(curves), parts)
        self.unit = size.unit
        at, below = self.arrangement.readout, self.arrangement.curves_below
        self._dials: list[Dial] = [Readout(self.canvas, at, self.unit, self.clock, to_the_right=below)]
        for at, curve in zip(self.arrangement.curves, curves, strict=True):
            self.add(CurvePanel(self.canvas, at, curve, self.clock, self.unit, show_ticks=True))
        self._write(caption)

    def add(self, dial: Dial) -> None:
        """Have something drawn in every frame that shows where the film stands."""
        self._dials.append(dial)

    def panel_px(self) -> tuple[int, int, int, int]:
        """Return left, top, width and height of the panel in pixels, counted from the upper left corner of the frame."""
        left, bottom, width, height = self.arrangement.panel
        across, down = self.canvas.size.width, self.canvas.size.height
        return round(left * across), round((1 - bottom - height) * down), round(width * across), round(height * down)

    def frames(
        self,
        times: Iterable[float],
        moving: Callable[[float], list[Artist]],
        paint: Callable[[float, Frame], None] | None = None,
    ) -> Iterator[Frame]:
        """Yield the frame at each time (counted in snapshots), a view of (height, width, 4) valid until the next one.

        Parameters
        ----------
        moving : returns the artists of the panel at a time; they must be animated.
        paint : changes pixels of the ground before the artists are drawn.
        """
        self.canvas.keep_still()
        shown_step = None
        for time in times:
            step = self.clock.step_at(time)
            if step != shown_step:
                shown_step = step
                self.canvas.keep_snapshot([artist for dial in self._dials for artist in dial.show(step)])
            cursors = [artist for dial in self._dials for artist in dial.move(time)]
            yield self.canvas.frame([*cursors, *moving(time)], functools.partial(paint, time) if paint else None)

    def _write(self, caption: Caption) -> None:
        figure, theme, unit = self.canvas.figure, self.canvas.theme, self.unit
        x, y = self.arrangement.title
        line = 40 * unit / self.canvas.size.height
        figure.text(x, y, caption.title, color=theme.text, fontsize=42 * unit, weight="bold", va="baseline")
        room = (self.arrangement.readout[0] - 0.01 - x) * self.canvas.size.width
        whole = text_points(caption.subtitle, SUBTITLE_PX * unit)
        size = SUBTITLE_PX * unit * (room / whole if LEAST_SUBTITLE * whole < room < whole else 1.0)
        style: dict[str, Any] = {"color": theme.muted, "fontsize": size, "va": "baseline", "parse_math": False}
        for place, text in enumerate(wrap(caption.subtitle, 1.01 * room, size)):
            figure.text(x, y - line - place * 0.75 * line, text, **style)
        x, y = self.arrangement.footnote
        lines = wrap(caption.footnote, (1 - 2 * x) * self.canvas.size.width, FOOTNOTE_PX * unit)
        pitch = FOOTNOTE_LINE_PX * unit / self.canvas.size.height
        y = max(y - (len(lines) - 1) * pitch / 2, 0.4 * pitch)
        for place, text in enumerate(reversed(lines)):
            figure.text(
                x,
                y + place * pitch,
                text,
                color=theme.muted,
                fontsize=FOOTNOTE_PX * unit,
                va="baseline",
                parse_math=False,
            )
