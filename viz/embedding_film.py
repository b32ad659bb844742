"""The film of an embedding: every item a labelled disc that moves from snapshot to snapshot, beside it the training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from matplotlib.artist import Artist

from probes.groups import Group
from viz.canvas import Canvas, Frame, Size
from viz.film import Motion
from viz.furniture import Caption, Rect, add_legend, add_panel, item_colors
from viz.scatter import Discs, Thread, Trails, radius_px
from viz.sidebar import Clock, Curve, CurvePanel, Readout
from viz.style import Theme

TRAIL_SNAPSHOTS = 6
TRAIL_POINTS_PER_SNAPSHOT = 5


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
        height = (0.69 - gap * n) / n
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
        width = (0.89 - gap * n) / n
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


class EmbeddingFilm:
    """The picture of a projection at any time of the film.

    Parameters
    ----------
    projection : what `viz.projection.project` returns: ``layout`` (step, item, axis) and measures over steps.
    groups : what is highlighted, each in its own colour; without any, ``classes`` decide the colours.
    classes : groups for the colours where nothing is highlighted.
    curves : what the panel beside the picture shows.
    threaded : whether a thin line joins the items in their order (positions).
    """

    def __init__(
        self,
        projection: xr.Dataset,
        groups: Sequence[Group],
        curves: Sequence[Curve],
        caption: Caption,
        size: Size,
        theme: Theme,
        *,
        classes: Sequence[Group] = (),
        threaded: bool = False,
    ):
        layout = projection["layout"]
        item = str(layout.dims[1])
        self.canvas = Canvas(size, theme)
        self.motion = Motion(layout.values)
        self.clock = Clock(layout["step"].values.astype(np.int64))
        labels = [str(label) for label in layout[item].values]
        shown = groups or classes
        colors = item_colors(len(labels), shown, theme, ordered=threaded)
        arrangement, unit = Arrangement.of(size, len(curves)), size.unit
        panel = arrangement.panel
        radius = radius_px(len(labels), panel[2] * size.width, panel[3] * size.height, unit)
        axes = add_panel(self.canvas.figure, panel, layout.values, 1.6 * radius, theme, corner=14 * unit)
        members = [i for group in groups for i in group.members]
        self._thread = Thread(axes, theme, 2.5 * unit) if threaded else None
        self._trails = Trails(axes, members, colors, 3.0 * unit)
        self._discs = Discs(axes, labels, colors, radius, theme, on_top=members)
        self._readout = Readout(canvas=self.canvas, at=arrangement.readout, unit=unit)
        self._curves = [
            CurvePanel(self.canvas, at, curve, self.clock, unit, show_ticks=True)
            for at, curve in zip(arrangement.curves, curves, strict=True)
        ]
        self._write(caption, arrangement, unit, shown)
        for artist in (self._discs.artist, self._trails.artist, *([self._thread.artist] if self._thread else [])):
            artist.set_animated(True)

    def frames(self, times: Iterable[float]) -> Iterator[Frame]:
        """Yield the frame at each time (counted in snapshots), a view of (height, width, 4) valid until the next one."""
        self.canvas.keep_still()
        shown_step = None
        for time in times:
            step = self.clock.step_at(time)
            if step != shown_step:
                shown_step = step
                still = [*self._readout.show(step), *(artist for curve in self._curves for artist in curve.show(step))]
                self.canvas.keep_snapshot(still)
            yield self.canvas.frame(self._moving(time))

    def _moving(self, time: float) -> list[Artist]:
        places = self.motion.at(time)
        self._discs.move(places)
        past = np.linspace(max(time - TRAIL_SNAPSHOTS, 0), time, TRAIL_SNAPSHOTS * TRAIL_POINTS_PER_SNAPSHOT)
        self._trails.show(self.motion.at(past) if len(self._trails.members) else np.empty((0, 0, 2)))
        artists = [artist for curve in self._curves for artist in curve.move(time)]
        if self._thread is not None:
            self._thread.move(places)
            artists.append(self._thread.artist)
        return [*artists, self._trails.artist, self._discs.artist]

    def _write(self, caption: Caption, arrangement: Arrangement, unit: float, groups: Sequence[Group]) -> None:
        figure, theme = self.canvas.figure, self.canvas.theme
        x, y = arrangement.title
        line = 40 * unit / self.canvas.size.height
        figure.text(x, y, caption.title, color=theme.text, fontsize=42 * unit, weight="bold", va="baseline")
        figure.text(x, y - line, caption.subtitle, color=theme.muted, fontsize=23 * unit, va="baseline")
        figure.text(*arrangement.footnote, caption.footnote, color=theme.muted, fontsize=19 * unit, va="baseline")
        add_legend(figure, arrangement.legend, arrangement.legend_width, groups, theme, 22 * unit)
