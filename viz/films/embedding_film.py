"""The film of embeddings: every item is a labelled disc that moves from snapshot to snapshot; fidelity bands stand below."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from numpy.typing import NDArray

from probes.groups.comparison import GroupComparison
from probes.groups.naming import Group
from viz.drawing.bands import ROW_PX, BandPanel, bands_of
from viz.drawing.canvas import Frame, Size
from viz.drawing.curve_panel import Curve
from viz.drawing.film_frame import FilmFrame, FrameLayout, FrameParts, PanelCell
from viz.drawing.legend import LEGEND_ROW, add_legend, item_colors, legend_rows
from viz.drawing.scatter import Discs, Thread, Trails, add_scatter_axes, all_labelled, half_width, landmarks, radius_px
from viz.drawing.text import Caption, shorten
from viz.drawing.theme import Theme
from viz.films.comparison_panel import ComparisonPanel, height_of
from viz.films.timeline import Motion

TRAIL_SNAPSHOTS = 6
TRAIL_POINTS_PER_SNAPSHOT = 5
LEGEND_PX, NAME_TEXT_PX = 22, 26
NAME_PX = 14
"""Half the height of a label among dots."""
MOST_COMPARISONS, PANELS_WITH_MOST = 2, 2
"""The most comparisons below a panel; one, where there are more panels than this."""


@dataclass(frozen=True)
class ProjectionView:
    """A projection to show in a panel of its own.

    Parameters
    ----------
    projection : as from `viz.projection.projector.project`: ``layout`` (step, item, axis), measures over steps, and ``trust``
        (step, item). Missing measures are left out; without ``trust``, all points are opaque.
    groups : the highlighted items, each group in a colour of its own.
    classes : groups that are coloured where nothing is highlighted.
    threaded : whether a thin line joins the items in their order (positions).
    name : stands above the panel.
    comparisons : of the groups; stand below the panel.
    """

    projection: xr.Dataset
    groups: Sequence[Group] = ()
    classes: Sequence[Group] = ()
    threaded: bool = False
    name: str = ""
    comparisons: Sequence[GroupComparison] = ()


class EmbeddingFilm:
    """A film of one or several projections.

    Parameters
    ----------
    views : one to four, of the same steps; the legend shows the groups of the first.
    curves : shown beside or below the panels.
    trust : whether points of low trust are drawn faint.
    """

    def __init__(
        self,
        views: Sequence[ProjectionView],
        curves: Sequence[Curve],
        caption: Caption,
        size: Size,
        theme: Theme,
        *,
        trust: bool = True,
    ):
        trust = trust and any("trust" in view.projection for view in views)
        first, legend_px = views[0], LEGEND_PX * size.unit
        legend = first.groups or first.classes
        parts = _parts(views, size, legend, trust=trust)
        steps = first.projection["step"]
        self.film_frame = FilmFrame(steps, curves, caption, size, theme, parts=parts)
        layout = self.film_frame.layout
        self.panels = [
            _ProjectionPanel(self.film_frame, view, cell, trust=trust)
            for view, cell in zip(views, layout.cells, strict=True)
        ]
        add_legend(self.film_frame.canvas, layout.legend, legend, legend_px, trust=trust)

    def frames(self, times: Iterable[float]) -> Iterator[Frame]:
        """Draw the frame at each time, counted in snapshots; each is a view of (height, width, 4), valid until the next one."""
        return self.film_frame.frames(times, self._moving)

    def _moving(self, time: float) -> list[Artist]:
        return [artist for panel in self.panels for artist in panel.moving(time)]


class _ProjectionPanel:
    """A view in its cell of the frame."""

    def __init__(self, film_frame: FilmFrame, view: ProjectionView, cell: PanelCell, *, trust: bool):
        layout, panel = view.projection["layout"], cell.panel
        theme, unit, name_px = film_frame.canvas.theme, film_frame.unit, NAME_PX * film_frame.unit
        labels = [str(label) for label in layout[layout.dims[1]].values]
        colors = item_colors(len(labels), view.groups or view.classes, theme, ordered=view.threaded)
        members = [i for group in view.groups for i in group.members]
        self.motion = Motion(layout.values)
        values = view.projection.get("trust") if trust else None
        self.trust = None if values is None else Motion(values.values[..., None])
        radius = radius_px(len(labels), panel.width, min(panel.height, panel.width), unit)
        named: list[int] = []
        if not all_labelled(labels, radius):
            groups = [group.members for group in view.groups]
            named = landmarks(labels, layout.values, (panel.width, panel.height), name_px, groups=groups)
        margin = max([1.6 * radius, *(half_width(labels[i], name_px) for i in named)])
        self.axes = axes = add_scatter_axes(film_frame.canvas, panel, layout.values, margin=margin, corner=14 * unit)
        self._thread = Thread(axes, theme, 2.5 * unit) if view.threaded else None
        self._trails = Trails(axes, members, colors, 3.0 * unit)
        self._discs = Discs(
            axes, labels, colors, radius_px=radius, theme=theme, on_top=members, named=named, name_px=name_px
        )
        for artist in (self._discs.artist, self._trails.artist, *([self._thread.artist] if self._thread else [])):
            artist.set_animated(True)
        self._add_name(film_frame, view.name, cell)
        if view.comparisons and cell.text.height:
            comparisons = _shown_comparisons(view, len(film_frame.layout.cells))
            film_frame.add(ComparisonPanel(film_frame.canvas, cell.text, comparisons, unit))
        if rows := bands_of(view.projection):
            film_frame.add(BandPanel(film_frame.canvas, cell.bands, rows, film_frame.clock, unit))

    def moving(self, time: float) -> list[Artist]:
        """Move the items to a time; return the artists to draw."""
        places = self.motion.at(time)
        trust = None if self.trust is None else self.trust.at(time)[:, 0]
        self._discs.move(places)
        if trust is not None:
            self._discs.show_trust(trust)
        past = np.linspace(max(time - TRAIL_SNAPSHOTS, 0), time, TRAIL_SNAPSHOTS * TRAIL_POINTS_PER_SNAPSHOT)
        self._trails.show(self.motion.at(past) if len(self._trails.members) else np.empty((0, 0, 2)), trust)
        artists: list[Artist] = []
        if self._thread is not None:
            self._thread.move(places)
            artists.append(self._thread.artist)
        return [*artists, self._trails.artist, self._discs.artist]

    def _add_name(self, film_frame: FilmFrame, name: str, cell: PanelCell) -> None:
        if name:
            size = NAME_TEXT_PX * film_frame.unit
            shown = shorten(name, 0.8 * cell.panel.width, size)
            film_frame.canvas.text(*cell.name, shown, size=size, bold=True, va="center_baseline")


def _parts(views: Sequence[ProjectionView], size: Size, legend: Sequence[Group], *, trust: bool) -> FrameParts:
    """Measure what stands around the panels: as much for each, so that they are of one size."""
    unit = size.unit
    bands = max(len(bands_of(view.projection)) for view in views) * ROW_PX * unit
    shape = float(np.median([_shape(view.projection["layout"].values) for view in views]))
    parts = FrameParts(len(views), any(view.name for view in views), 0.0, bands, shape=shape)
    rows = legend_rows(legend, FrameLayout.of(size, 1, parts).legend.width, LEGEND_PX * unit, trust=trust)
    parts = replace(parts, legend_px=max(rows - 1, 0) * LEGEND_ROW * LEGEND_PX * unit)
    for _ in range(2):  # room for text may change how the panels are arranged, and so how wide the text may be
        width = FrameLayout.of(size, 1, parts).panel.width
        height = max(height_of(_shown_comparisons(view, len(views)), width, unit) for view in views)
        parts = replace(parts, text_px=max(parts.text_px, height))
    return parts


def _shown_comparisons(view: ProjectionView, n_panels: int) -> Sequence[GroupComparison]:
    return view.comparisons[: MOST_COMPARISONS if n_panels <= PANELS_WITH_MOST else 1]


def _shape(layouts: NDArray[np.floating]) -> float:
    """Compute the width over the height of all layouts (step, item, axis) together."""
    width, height = np.ptp(layouts.reshape(-1, 2), axis=0)
    return float(np.clip(width / max(height, 1e-12), 0.5, 4.0))
