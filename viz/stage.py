"""What every film has around its picture: title, step, curves with a cursor; and the loop that draws frame after frame."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.artist import Artist
from numpy.typing import NDArray

from viz.canvas import Canvas, Frame, Size
from viz.furniture import Caption, Rect
from viz.sidebar import Clock, Curve, CurvePanel, Readout
from viz.style import Theme


@dataclass(frozen=True)
class Arrangement:
    """Where the parts of the picture stand, as shares of the figure."""

    panel: Rect
    readout: Rect
    curves: tuple[Rect, ...]
    legend: tuple[float, float]
    legend_width: float
    title: tuple[float, float]
    footnote: tuple[float, float]

    @classmethod
    def of(cls, size: Size, n_curves: int) -> Arrangement:
        """Arrange a wide picture with the curves at its right, any other with the curves below."""
        return cls._wide(n_curves) if size.is_wide else cls._tall(n_curves)

    @classmethod
    def _wide(cls, n: int) -> Arrangement:
        left, width, gap = 0.695, 0.275, 0.095
        height = (0.69 - gap * n) / max(n, 1)
        curves = tuple((left, 0.075 + (n - 1 - i) * (height + gap), width, height) for i in range(n))
        return cls(
            (0.025, 0.065, 0.63, 0.77),
            (left, 0.80, width, 0.105),
            curves,
            (0.028, 0.862),
            0.63,
            (0.025, 0.945),
            (0.025, 0.022),
        )

    @classmethod
    def _tall(cls, n: int) -> Arrangement:
        left, gap = 0.07, 0.06
        width = (0.89 - gap * n) / max(n, 1)
        curves = tuple((left + i * (width + 1.7 * gap), 0.075, width, 0.12) for i in range(n))
        return cls(
            (0.03, 0.275, 0.94, 0.575),
            (0.70, 0.882, 0.27, 0.085),
            curves,
            (0.035, 0.868),
            0.6,
            (0.03, 0.955),
            (0.03, 0.018),
        )


class Stage:
    """A canvas with everything that films share; the film itself draws into the panel of `arrangement`.

    Parameters
    ----------
    steps : the training steps of the snapshots.
    curves : what the panel beside the picture shows.
    """

    def __init__(self, steps: NDArray[np.int64], curves: Sequence[Curve], caption: Caption, size: Size, theme: Theme):
        self.canvas = Canvas(size, theme)
        self.clock = Clock(np.asarray(steps, dtype=np.int64))
        self.arrangement = Arrangement.of(size, len(curves))
        self.unit = size.unit
        self._readout = Readout(canvas=self.canvas, at=self.arrangement.readout, unit=self.unit)
        self._curves = [
            CurvePanel(self.canvas, at, curve, self.clock, self.unit, show_ticks=True)
            for at, curve in zip(self.arrangement.curves, curves, strict=True)
        ]
        self._write(caption)

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
                still = [*self._readout.show(step), *(artist for curve in self._curves for artist in curve.show(step))]
                self.canvas.keep_snapshot(still)
            cursors = [artist for curve in self._curves for artist in curve.move(time)]
            yield self.canvas.frame([*cursors, *moving(time)], functools.partial(paint, time) if paint else None)

    def _write(self, caption: Caption) -> None:
        figure, theme, unit = self.canvas.figure, self.canvas.theme, self.unit
        x, y = self.arrangement.title
        line = 40 * unit / self.canvas.size.height
        figure.text(x, y, caption.title, color=theme.text, fontsize=42 * unit, weight="bold", va="baseline")
        figure.text(
            x, y - line, caption.subtitle, color=theme.muted, fontsize=23 * unit, va="baseline", parse_math=False
        )
        figure.text(*self.arrangement.footnote, caption.footnote, color=theme.muted, fontsize=19 * unit, va="baseline")
