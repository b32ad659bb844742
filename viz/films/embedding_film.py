"""The film of an embedding: every item a labelled disc that moves from snapshot to snapshot, below it how far it may be believed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from numpy.typing import NDArray

from probes.groups.comparison import GroupComparison
from probes.groups.naming import Group
from viz.drawing.bands import ROW_PX, BandPanel, bands_of
from viz.drawing.canvas import Frame, Size
from viz.drawing.curve_panel import Curve
from viz.drawing.film_frame import FilmFrame
from viz.drawing.frame_layout import FrameLayout, FrameParts, PanelCell
from viz.drawing.legend import LEGEND_ROW, Caption, add_legend, add_panel, item_colors, legend_rows
from viz.drawing.scatter import Discs, Thread, Trails, all_labelled, half_width, landmarks, radius_px
from viz.drawing.sentences import SentencePanel, height_of
from viz.drawing.slide import shorten
from viz.drawing.theme import Theme
from viz.films.timeline import Motion

TRAIL_SNAPSHOTS = 6
TRAIL_POINTS_PER_SNAPSHOT = 5
LEGEND_PX, NAME_TEXT_PX = 22, 26
NAME_PX = 14
"""Half the height of a label among dots."""
CLAIMS_IN_WORDS, PANELS_WITH_ALL = 2, 2
"""So many groups are spoken of below a picture; one, where there are more pictures than this."""


@dataclass(frozen=True)
class ProjectionView:
    """A projection in a panel of its own.

    Parameters
    ----------
    projection : what `viz.projection.projector.project` returns: ``layout`` (step, item, axis), measures over steps, and
    ``trust`` (step, item).
        Measures that are missing are left out of the picture; without ``trust``, all points are drawn boldly.
    groups : what is highlighted, each in its own colour; without any, ``classes`` decide the colours.
    classes : groups for the colours where nothing is highlighted.
    threaded : whether a thin line joins the items in their order (positions).
    name : stands above the panel.
    comparisons : what is said below the panel of the groups.
    """

    projection: xr.Dataset
    groups: Sequence[Group] = ()
    classes: Sequence[Group] = ()
    threaded: bool = False
    name: str = ""
    comparisons: Sequence[GroupComparison] = ()


class EmbeddingFilm:
    """The picture of one or several projections at any time of the film.

    Parameters
    ----------
    views : one to four, of the same steps; the first one's groups are those of the legend.
    curves : what the panels beside or below the pictures show.
    faded : whether points are drawn fainter where there is less reason to believe them (``trust``).
    """

    def __init__(
        self,
        views: Sequence[ProjectionView],
        curves: Sequence[Curve],
        caption: Caption,
        size: Size,
        theme: Theme,
        *,
        faded: bool = True,
    ):
        faded = faded and any("trust" in view.projection for view in views)
        first, unit = views[0], size.unit
        legend = first.groups or first.classes
        parts = _parts(views, size, legend, faded)
        steps = first.projection["step"].values
        self.stage = FilmFrame(steps, curves, caption, size, theme, parts=parts)
        arrangement, figure = self.stage.arrangement, self.stage.canvas.figure
        self.pictures = [
            _Picture(self.stage, view, cell, faded) for view, cell in zip(views, arrangement.cells, strict=True)
        ]
        add_legend(figure, arrangement.legend, arrangement.legend_width, legend, theme, LEGEND_PX * unit, faded=faded)

    @property
    def axes(self) -> Axes:
        """The axes of the first panel."""
        return self.pictures[0].axes

    def frames(self, times: Iterable[float]) -> Iterator[Frame]:
        """Yield the frame at each time (counted in snapshots), a view of (height, width, 4) valid until the next one."""
        return self.stage.frames(times, self._moving)

    def _moving(self, time: float) -> list[Artist]:
        return [artist for picture in self.pictures for artist in picture.moving(time)]


class _Picture:
    """A view in its cell of the stage."""

    def __init__(self, stage: FilmFrame, view: ProjectionView, cell: PanelCell, faded: bool):
        layout, trust = view.projection["layout"], view.projection.get("trust") if faded else None
        size, theme, figure, unit = stage.canvas.size, stage.canvas.theme, stage.canvas.figure, stage.unit
        labels = [str(label) for label in layout[layout.dims[1]].values]
        shown = view.groups or view.classes
        colors = item_colors(len(labels), shown, theme, ordered=view.threaded)
        members = [i for group in view.groups for i in group.members]
        self.motion = Motion(layout.values)
        self.trust = None if trust is None else Motion(trust.values[..., None])
        panel = cell.panel
        width, height = panel[2] * size.width, panel[3] * size.height
        radius = radius_px(len(labels), width, min(height, width), unit)
        named: list[int] = []
        if not all_labelled(labels, radius):
            groups = [group.members for group in view.groups]
            named = landmarks(labels, layout.values, (width, height), NAME_PX * unit, groups=groups)
        margin = max([1.6 * radius, *(half_width(labels[i], NAME_PX * unit) for i in named)])
        self.axes = axes = add_panel(figure, panel, layout.values, margin, theme, corner=14 * unit)
        self._thread = Thread(axes, theme, 2.5 * unit) if view.threaded else None
        self._trails = Trails(axes, members, colors, 3.0 * unit)
        self._discs = Discs(axes, labels, colors, radius, theme, on_top=members, named=named, name_px=NAME_PX * unit)
        for artist in (self._discs.artist, self._trails.artist, *([self._thread.artist] if self._thread else [])):
            artist.set_animated(True)
        self._add_words(stage, view, cell)

    def moving(self, time: float) -> list[Artist]:
        """Return what to draw in the frame at ``time``."""
        places = self.motion.at(time)
        strength = None if self.trust is None else self.trust.at(time)[:, 0]
        self._discs.move(places)
        if strength is not None:
            self._discs.fade(strength)
        past = np.linspace(max(time - TRAIL_SNAPSHOTS, 0), time, TRAIL_SNAPSHOTS * TRAIL_POINTS_PER_SNAPSHOT)
        self._trails.show(self.motion.at(past) if len(self._trails.members) else np.empty((0, 0, 2)), strength)
        artists: list[Artist] = []
        if self._thread is not None:
            self._thread.move(places)
            artists.append(self._thread.artist)
        return [*artists, self._trails.artist, self._discs.artist]

    def _add_words(self, stage: FilmFrame, view: ProjectionView, cell: PanelCell) -> None:
        """Write the name above the panel, and add below it what is said and what is measured."""
        canvas, unit = stage.canvas, stage.unit
        if view.name:
            name = shorten(view.name, 0.8 * cell.panel[2] * canvas.size.width * 18 / (NAME_TEXT_PX * unit))
            style: dict[str, Any] = {"weight": "bold", "va": "center_baseline", "parse_math": False}
            canvas.figure.text(*cell.name, name, color=canvas.theme.text, fontsize=NAME_TEXT_PX * unit, **style)
        if view.comparisons and cell.words[3]:
            stage.add(SentencePanel(canvas, cell.words, _spoken(view, len(stage.arrangement.cells)), unit))
        if rows := bands_of(view.projection):
            stage.add(BandPanel(canvas, cell.strip, rows, stage.clock, unit))


def _parts(views: Sequence[ProjectionView], size: Size, legend: Sequence[Group], faded: bool) -> FrameParts:
    """Measure what goes around the panels: as much for each, so that they are of one size."""
    unit = size.unit
    strips = max(len(bands_of(view.projection)) for view in views) * ROW_PX * unit
    shape = float(np.median([_shape(view.projection["layout"].values) for view in views]))
    parts = FrameParts(len(views), any(view.name for view in views), 0.0, strips, shape=shape)
    width = FrameLayout.of(size, 1, parts).legend_width * size.width
    rows = legend_rows(legend, width, LEGEND_PX * unit, faded=faded)
    parts = replace(parts, legend_px=max(rows - 1, 0) * LEGEND_ROW * LEGEND_PX * unit)
    for _ in range(2):  # room for words may change how the panels stand, and so how wide the words may run
        width = FrameLayout.of(size, 1, parts).panel[2] * size.width
        words = max(height_of(_spoken(view, len(views)), width, unit) for view in views)
        parts = replace(parts, words_px=max(parts.words_px, words))
    return parts


def _spoken(view: ProjectionView, n_panels: int) -> Sequence[GroupComparison]:
    """Return the comparisons that are written below a panel."""
    return view.comparisons[: CLAIMS_IN_WORDS if n_panels <= PANELS_WITH_ALL else 1]


def _shape(layouts: NDArray[np.floating]) -> float:
    """Return the width over the height of what a film's limits hold, layouts (step, item, axis)."""
    width, height = np.ptp(layouts.reshape(-1, 2), axis=0)
    return float(np.clip(width / max(height, 1e-12), 0.5, 4.0))
