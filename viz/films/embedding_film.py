"""The film of embeddings: every item is a labelled disc that moves from snapshot to snapshot; a line of fidelity stands below."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from numpy.typing import NDArray

from data.language import say
from probes.groups.comparison import GroupComparison
from probes.groups.naming import Group
from viz.drawing.bands import LINE_PX, ROW_PX, BandPanel, FidelityLine, bands_of
from viz.drawing.canvas import Frame, Size
from viz.drawing.curve_panel import Curve
from viz.drawing.film_frame import FilmFrame, FrameLayout, FrameParts, PanelCell
from viz.drawing.layout import shrink_to_last
from viz.drawing.legend import (
    DOUBT,
    DOUBT_SHORT,
    LEGEND_ROW,
    LegendEntry,
    add_legend,
    item_colors,
    legend_entries,
    legend_rows,
    others_title,
)
from viz.drawing.scatter import (
    MANY_DOTS,
    Discs,
    Leaders,
    Thread,
    Trails,
    add_scatter_axes,
    all_labelled,
    half_width,
    landmarks,
    radius_px,
)
from viz.drawing.text import Caption, shorten
from viz.drawing.theme import Theme
from viz.fidelity.trust import doubted
from viz.films.comparison_panel import ComparisonPanel, height_of
from viz.films.timeline import Motion, Timeline, interpolate

TRAIL_SNAPSHOTS = 6
TRAIL_POINTS_PER_SNAPSHOT = 5
LEGEND_PX, NAME_TEXT_PX = 28, 28
NAME_PX = 20
"""Half the height of a label among dots."""
WITHOUT_SCALE = ("tsne", "umap")
"""Methods whose layouts have no scale of their own: earlier ones may be drawn smaller, so that the last one fills the panel."""
SHRUNK = "Earlier snapshots are drawn smaller where they would not fit."
MOST_LEGEND_ROWS = 2
LEAST_PANEL = 0.28
"""The least height of a panel, as a share of the frame's; text and measures below it are left out where it would be lower."""
MOST_COMPARISONS, PANELS_WITH_MOST = 2, 2
"""The most comparisons below a panel; one, where there are more panels than this."""


@dataclass(frozen=True)
class ProjectionView:
    """A projection to show in a panel of its own.

    Parameters
    ----------
    projection : as from `viz.projection.projector.project`: ``layout`` (step, item, axis), measures over steps, and ``item_recall``
        (step, item). Missing measures are left out; without ``item_recall``, no point is marked as doubtful.
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
    trust : whether points whose neighbours are doubtful are marked.
    bands : whether a band for each measure of fidelity stands below the panels, instead of a line of two.

    Attributes
    ----------
    motion : the path of the point that moves farthest from each snapshot to the next, in pixels of a film 1080 pixels high.
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
        bands: bool = False,
    ):
        first, legend_px = views[0], LEGEND_PX * size.unit
        marks = [doubted(view.projection) if trust else None for view in views]
        legend = _legend(views, size, theme, any_doubted=any(mark is not None and mark.any() for mark in marks))
        parts = _parts(views, size, legend, bands=bands)
        steps = first.projection["step"]
        if len(steps) > 1 and any(view.projection.attrs.get("method") in WITHOUT_SCALE for view in views):
            caption = replace(caption, footnote=f"{caption.footnote} {say(SHRUNK)}".strip())
        self.film_frame = FilmFrame(steps, curves, caption, size, theme, parts=parts)
        layout = self.film_frame.layout
        self.panels = [
            _ProjectionPanel(self.film_frame, view, cell, marks=mark, bands=bands)
            for view, cell, mark in zip(views, layout.cells, marks, strict=True)
        ]
        gaps = np.max([panel.step_px for panel in self.panels], axis=0)
        self.motion = tuple((gaps / size.unit).tolist())
        for panel in self.panels:
            panel.set_pace(Timeline(len(steps), motion=self.motion))
        add_legend(self.film_frame.canvas, layout.legend, legend, legend_px)

    def frames(self, times: Iterable[float]) -> Iterator[Frame]:
        """Draw the frame at each time, counted in snapshots; each is a view of (height, width, 4), valid until the next one."""
        return self.film_frame.frames(times, self._moving)

    def _moving(self, time: float) -> list[Artist]:
        return [artist for panel in self.panels for artist in panel.moving(time)]


class _ProjectionPanel:
    """A view in its cell of the frame."""

    def __init__(
        self,
        film_frame: FilmFrame,
        view: ProjectionView,
        cell: PanelCell,
        *,
        marks: NDArray[np.bool_] | None,
        bands: bool,
    ):
        """``marks`` are the items drawn as rings, (step, item); None where their neighbours were not measured, or are not to be shown."""
        self._frame, self._view, self._cell = film_frame, view, cell
        self._doubt = None if marks is None else marks.astype(np.float64)
        self._add_points()
        self._add_name(film_frame, view.name, cell)
        self._add_below(bands=bands)

    def _add_points(self) -> None:
        view, canvas, panel, unit = self._view, self._frame.canvas, self._cell.panel, self._frame.unit
        layout, theme, name_px = view.projection["layout"], canvas.theme, NAME_PX * unit
        labels = [str(label) for label in layout[layout.dims[1]].values]
        colors = item_colors(len(labels), view.groups or view.classes, theme, ordered=view.threaded)
        members = [i for group in view.groups for i in group.members]
        area = panel.width, panel.height
        radius = radius_px(len(labels), panel.width, min(area), unit)
        named: list[int] = []
        if not all_labelled(labels, radius):
            groups = [group.members for group in view.groups]
            named = landmarks(labels, layout.values[-1], area, name_px, groups=groups)
        margin = max([1.3 * radius, *(half_width(labels[i], name_px) for i in named)])
        is_scaled = view.projection.attrs.get("method") not in WITHOUT_SCALE
        places = layout.values if is_scaled else shrink_to_last(layout.values, *area, margin)
        limits = places if is_scaled else places[-1:]
        self.axes = axes = add_scatter_axes(canvas, panel, limits, margin=margin, corner=14 * unit)
        self._thread = Thread(axes, theme, 2.5 * unit) if view.threaded else None
        paint = len(labels) >= MANY_DOTS
        trailed = [colors[i] for i in members]
        self._trails = Trails(axes, range(len(members)), trailed, 3.0 * unit, paint=paint)
        style: dict[str, Any] = {"on_top": members, "named": named, "name_px": name_px, "paint": paint}
        self._discs = Discs(axes, labels, colors, radius_px=radius, theme=theme, **style)
        shown = places.astype(np.float64)
        shown[-1] = self._discs.at_rest(shown[-1], area)
        per_px = float(np.diff(axes.get_xlim())[0]) / panel.width
        moved = [np.linalg.norm(after - before, axis=-1).max(initial=0.0) for before, after in pairwise(shown)]
        self.step_px = np.array(moved) / per_px
        self.motion, self._member_motion = Motion(shown), Motion(shown[:, members])
        self._carried = np.sort(self._discs.carried)
        self._carried_motion = Motion(places[:, self._carried])
        self._leaders = Leaders(axes, theme, 1.5 * unit, radius_px=radius, width_px=panel.width)
        for artist in self._artists():
            artist.set_animated(True)

    def set_pace(self, timeline: Timeline) -> None:
        """Make the items move smoothly in the film's time, in which the snapshots are not evenly spaced."""
        self.motion, self._member_motion, self._carried_motion = (
            Motion(each.layouts, timeline.starts) for each in (self.motion, self._member_motion, self._carried_motion)
        )

    def moving(self, time: float) -> list[Artist]:
        """Move the items to a time; return the artists to draw."""
        places = self.motion.at(time)
        self._discs.move(places)
        if self._doubt is not None:
            self._discs.show_doubt(interpolate(self._doubt, time))
        past = np.linspace(max(time - TRAIL_SNAPSHOTS, 0), time, TRAIL_SNAPSHOTS * TRAIL_POINTS_PER_SNAPSHOT)
        self._trails.show(self._member_motion.at(past))
        self._leaders.show(self._carried_motion.at(time), places[self._carried])
        if self._thread is not None:
            self._thread.move(places)
        return self._artists()

    def _artists(self) -> list[Artist]:
        """List the artists that move, the uppermost last."""
        thread = [] if self._thread is None else [self._thread.artist]
        return [*thread, self._trails.artist, self._leaders.artist, *self._discs.artists]

    def _add_below(self, *, bands: bool) -> None:
        film_frame, view, cell = self._frame, self._view, self._cell
        canvas, clock, unit = film_frame.canvas, film_frame.clock, film_frame.unit
        if view.comparisons and cell.text.height:
            comparisons = _shown_comparisons(view, len(film_frame.layout.cells))
            film_frame.add(ComparisonPanel(canvas, cell.text, comparisons, unit))
        if not (rows := bands_of(view.projection)) or not cell.bands.height:
            return
        if bands:
            film_frame.add(BandPanel(canvas, cell.bands, rows, clock, unit))
        else:
            film_frame.add(FidelityLine(canvas, cell.bands, view.projection, clock, unit))

    def _add_name(self, film_frame: FilmFrame, name: str, cell: PanelCell) -> None:
        if name:
            size = NAME_TEXT_PX * film_frame.unit
            shown = shorten(name, 0.8 * cell.panel.width, size)
            film_frame.canvas.text(*cell.name, shown, size=size, bold=True, va="center_baseline")


def _legend(views: Sequence[ProjectionView], size: Size, theme: Theme, *, any_doubted: bool) -> list[LegendEntry]:
    """List the entries of the legend, from the first view and from whether any view has doubted items."""
    first, unit = views[0], size.unit
    layout = first.projection["layout"]
    labels = [str(label) for label in layout[layout.dims[1]].values]
    items: dict[str, Any] = {"labels": labels, "ordered": first.threaded, "others": others_title(f"{layout.dims[1]}s")}
    entries: list[LegendEntry] = []
    for doubt in (DOUBT, DOUBT_SHORT):
        entries = legend_entries(theme, first.groups or first.classes, **items, doubt=say(doubt) if any_doubted else "")
        room, text_px = FrameLayout.of(size, 1, FrameParts(len(views))).legend.width, LEGEND_PX * unit
        fits = all(entry.width(text_px) <= room for entry in entries)
        if fits and legend_rows(entries, room, text_px) <= MOST_LEGEND_ROWS:
            break
    return entries


def _parts(views: Sequence[ProjectionView], size: Size, legend: Sequence[LegendEntry], *, bands: bool) -> FrameParts:
    """Measure what stands around the panels: as much for each, so that they are of one size."""
    unit = size.unit
    measures = max(len(bands_of(view.projection)) for view in views)
    below = (measures * ROW_PX if bands else LINE_PX if measures else 0) * unit
    shape = float(np.median([_shape(view.projection["layout"].values) for view in views]))
    parts = FrameParts(len(views), any(view.name for view in views), 0.0, below, shape=shape)
    rows = legend_rows(legend, FrameLayout.of(size, 1, parts).legend.width, LEGEND_PX * unit)
    parts = replace(parts, legend_px=max(rows - 1, 0) * LEGEND_ROW * LEGEND_PX * unit)
    for _ in range(2):  # room for text may change how the panels are arranged, and so how wide the text may be
        width = FrameLayout.of(size, 1, parts).panel.width
        height = max(height_of(_shown_comparisons(view, len(views)), width, unit) for view in views)
        parts = replace(parts, text_px=max(parts.text_px, height))
    for without in (replace(parts, text_px=0.0), replace(parts, text_px=0.0, bands_px=0.0)):
        if FrameLayout.of(size, 1, parts).panel.height < LEAST_PANEL * size.height:
            parts = without  # in a small frame the points come first
    return parts


def _shown_comparisons(view: ProjectionView, n_panels: int) -> Sequence[GroupComparison]:
    return view.comparisons[: MOST_COMPARISONS if n_panels <= PANELS_WITH_MOST else 1]


def _shape(layouts: NDArray[np.floating]) -> float:
    """Compute the width over the height of all layouts (step, item, axis) together."""
    width, height = np.ptp(layouts.reshape(-1, 2), axis=0)
    return float(np.clip(width / max(height, 1e-12), 0.5, 4.0))
