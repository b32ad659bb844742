"""The film of an embedding: every item a labelled disc that moves from snapshot to snapshot, beside it the training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import xarray as xr
from matplotlib.artist import Artist

from probes.groups import Group
from viz.canvas import Frame, Size
from viz.film import Motion
from viz.furniture import Caption, add_legend, add_panel, item_colors
from viz.scatter import Discs, Thread, Trails, radius_px
from viz.sidebar import Curve
from viz.stage import Stage
from viz.style import Theme

TRAIL_SNAPSHOTS = 6
TRAIL_POINTS_PER_SNAPSHOT = 5


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
        self.stage = Stage(layout["step"].values, curves, caption, size, theme)
        self.motion = Motion(layout.values)
        labels = [str(label) for label in layout[item].values]
        shown = groups or classes
        colors = item_colors(len(labels), shown, theme, ordered=threaded)
        arrangement, unit, figure = self.stage.arrangement, size.unit, self.stage.canvas.figure
        panel = arrangement.panel
        radius = radius_px(len(labels), panel[2] * size.width, panel[3] * size.height, unit)
        self.axes = axes = add_panel(figure, panel, layout.values, 1.6 * radius, theme, corner=14 * unit)
        members = [i for group in groups for i in group.members]
        self._thread = Thread(axes, theme, 2.5 * unit) if threaded else None
        self._trails = Trails(axes, members, colors, 3.0 * unit)
        self._discs = Discs(axes, labels, colors, radius, theme, on_top=members)
        add_legend(figure, arrangement.legend, arrangement.legend_width, shown, theme, 22 * unit)
        for artist in (self._discs.artist, self._trails.artist, *([self._thread.artist] if self._thread else [])):
            artist.set_animated(True)

    def frames(self, times: Iterable[float]) -> Iterator[Frame]:
        """Yield the frame at each time (counted in snapshots), a view of (height, width, 4) valid until the next one."""
        return self.stage.frames(times, self._moving)

    def _moving(self, time: float) -> list[Artist]:
        places = self.motion.at(time)
        self._discs.move(places)
        past = np.linspace(max(time - TRAIL_SNAPSHOTS, 0), time, TRAIL_SNAPSHOTS * TRAIL_POINTS_PER_SNAPSHOT)
        self._trails.show(self.motion.at(past) if len(self._trails.members) else np.empty((0, 0, 2)))
        artists: list[Artist] = []
        if self._thread is not None:
            self._thread.move(places)
            artists.append(self._thread.artist)
        return [*artists, self._trails.artist, self._discs.artist]
