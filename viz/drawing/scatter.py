"""Scatter plots of labelled points: each label stands inside its disc, so that no label can stray from its point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_hex, to_rgba
from matplotlib.path import Path
from matplotlib.transforms import Affine2D
from numpy.typing import NDArray

from viz.drawing.canvas import Surface
from viz.drawing.layout import Box, fixed_limits, move_discs_apart
from viz.drawing.painting.painted_discs import PaintedDiscs
from viz.drawing.painting.painted_lines import PaintedLines
from viz.drawing.painting.pixels import to_bytes
from viz.drawing.text import short_label, text_path
from viz.drawing.theme import Theme, over, text_on

DISC_LABEL, NAME_IN_DISC = 3, 2
"""The longest labels in characters that fit into a disc: where all are labelled, and among dots, where all labels have one size."""

Points = NDArray[np.float64]
"""Positions of the items in the picture, (item, axis)."""

MANY_DOTS = 1000
"""From this number on, dots and trails may be painted into the pixels."""
MOST_LABELLED_ITEMS = 600
WIDEST_LABELS = 3.4
"""Not every item is labelled where there are more items, or where labels are on average this many times as wide as a disc."""

HOLE, OPEN = 0.76, 0.8
"""Radius of the hole in a doubted item's disc, in radii of the disc, and how far the hole's colour is that of the panel."""
DOT_RING = 0.26
"""Width of the edge of a dot, in its radii: in the colour of the panel around a full dot, in its own around an open one."""
SHADES = 64
LEADER_FROM = 0.6
"""Discs that were moved by more than this, in radii, have a line to their place."""


class Discs:
    """All items of a scatter plot: a disc each, a hole in it where the item is doubted, and its label as glyphs.

    A label longer than three characters makes the disc a lozenge. Where not all items can be labelled, those in ``named`` are, and
    the others are dots. Glyphs are drawn as paths, not as text: matplotlib sets text on whole pixels, so it would tremble as it moves.

    Parameters
    ----------
    axes : their limits must be set by the caller.
    labels, colors : the label and the fill colour of each item.
    radius_px : radius of a disc in pixels.
    on_top : indices of the items drawn last, the first of them uppermost; their discs have an outline.
    named : indices of the items to label where not all can be.
    name_px : half the height of the lozenges of those.
    paint : whether dots are painted into the pixels if there are many; only Agg can.
    """

    def __init__(
        self,
        axes: Axes,
        labels: Sequence[str],
        colors: Sequence[str],
        *,
        radius_px: float,
        theme: Theme,
        on_top: Sequence[int] = (),
        named: Sequence[int] = (),
        name_px: float = 0.0,
        paint: bool = False,
    ):
        self.labelled = all_labelled(labels, radius_px)
        carried = set(range(len(labels)) if self.labelled else named)
        rank = {item: place for place, item in enumerate(reversed(on_top), 1)}
        self.order = np.array(sorted(range(len(labels)), key=lambda i: (i in carried, rank.get(i, 0))))
        self._axes, self._theme, self._n_held = axes, theme, len(carried & rank.keys())
        kinds = {color: kind for kind, color in enumerate(sorted(set(colors)))}
        self._shades = np.stack([shades(color, theme) for color in kinds])
        self._kind = np.array([kinds[colors[i]] for i in self.order])
        self._n_dots, dot_edge = len(labels) - len(carried), max(radius_px * DOT_RING, 0.8)
        self._dots = PaintedDiscs(radius_px, dot_edge) if paint and self._n_dots >= MANY_DOTS else None
        self._n_painted = self._n_dots if self._dots else 0
        size, in_disc = (radius_px, DISC_LABEL) if self.labelled else (max(name_px, radius_px), NAME_IN_DISC)
        dot, drawn = Path.circle((0, 0), radius_px), self.order[self._n_painted :].tolist()
        parts = [shape_and_glyphs(labels[i], size, in_disc) if i in carried else [dot] for i in drawn]
        self._shapes = np.array([(part[0].get_extents().width / 2 - size, size) for part in parts if len(part) > 1])
        outlined = [i in rank and i in carried for i in drawn]
        self.artist = self._paths(parts, outlined, (max(size * 0.12, 0.6), dot_edge))
        self.show_doubt(np.zeros(len(labels)))
        for artist in self.artists:
            axes.add_artist(artist)

    def _paths(self, parts: list[list[Path]], outlined: list[bool], widths_px: tuple[float, float]) -> PathCollection:
        """Make the artist of the items that are not painted; ``widths_px`` are those of the edge of a labelled disc and of a dot."""
        self._n_parts = np.array([len(part) for part in parts], dtype=int)
        discs = np.cumsum(self._n_parts) - self._n_parts  # the disc of each item among the paths
        self._edges, widths = np.zeros((self._n_parts.sum(), 4)), np.zeros(self._n_parts.sum())
        ink, ground = to_rgba(self._theme.text), to_rgba(self._theme.panel)
        self._edges[discs] = np.where(np.array(outlined, dtype=bool)[:, None], ink, ground)
        widths[discs] = np.where(self._n_parts > 1, *widths_px)
        artist = PathCollection(
            [path for part in parts for path in part],
            offsets=np.zeros((len(widths), 2)),
            offset_transform=self._axes.transData,
            transform=Affine2D().scale(1 / 72) + self._axes.figure.dpi_scale_trans,  # points, at any resolution
            linewidths=widths,
            zorder=3,
        )
        artist.set_snap(False)
        return artist

    @property
    def artists(self) -> list[Artist]:
        """The dots if they are painted, and over them what is drawn as paths."""
        return [self._dots, self.artist] if self._dots else [self.artist]

    @property
    def carried(self) -> NDArray[np.int64]:
        """The items that carry their label, the last uppermost."""
        return self.order[self._n_dots :]

    def move(self, points: Points) -> None:
        """Move the items."""
        if self._dots:
            self._dots.set_points(points[self.order[: self._n_painted]])
        self.artist.set_offsets(np.repeat(points[self.order[self._n_painted :]], self._n_parts, axis=0))

    def at_rest(self, points: Points, size_px: tuple[float, float]) -> Points:
        """Move labelled items apart where one hides another's label in a panel of this size; ``points`` is (item, axis)."""
        low, high = np.array([self._axes.get_xlim(), self._axes.get_ylim()]).T
        pixels, shown, carried = size_px / (high - low), points.astype(np.float64), self.carried
        held = range(len(carried) - self._n_held, len(carried))  # those drawn last
        shown[carried] = move_discs_apart((shown[carried] - low) * pixels, self._shapes, size_px, held) / pixels + low
        return shown

    def show_doubt(self, doubt: NDArray[np.float64]) -> None:
        """Open the discs of the items by their doubt, (item,), from 0 for a full disc to 1 for a ring.

        The ring of a dot is its edge, since a hole of its own would double the time that thousands of dots take.
        """
        share = np.clip(doubt[self.order], 0.0, 1.0)
        shade = np.rint(share * (SHADES - 1)).astype(int)
        first, n = self._n_painted, self._n_dots - self._n_painted
        if self._dots:
            self._dots.set_colors(self._dot_colors()[self._kind[:first], shade[:first]])
        colors, share = (
            self._shades[self._kind[first:], shade[first:]],
            share[first:],
        )  # (item, part, red green blue alpha)
        faces = np.concatenate([colors[:n, 1], colors[n:].reshape(-1, 4)])
        edges = self._edges.copy()
        edges[:n] += share[:n, None] * (colors[:n, 0] - edges[:n])
        self.artist.set_facecolor(faces)  # type: ignore[arg-type]
        self.artist.set_edgecolor(edges)  # type: ignore[arg-type]

    def _dot_colors(self) -> NDArray[np.uint8]:
        """Compute the colours of dots and of their edges, (kind, shade, dot or edge, red green blue)."""
        ring, face, ground = self._shades[:, :, 0], self._shades[:, :, 1], np.array(to_rgba(self._theme.panel))
        edge = ground + np.linspace(0.0, 1.0, SHADES)[:, None] * (ring - ground)
        return to_bytes(np.stack([face, edge], axis=2)[..., :3])


def all_labelled(labels: Sequence[str], radius_px: float) -> bool:
    """Check whether every item can carry its label: there are few, and their labels are short."""
    if len(labels) > MOST_LABELLED_ITEMS or radius_px < 6:
        return False
    return float(np.mean([half_width(label, radius_px) for label in labels])) <= WIDEST_LABELS / 2 * radius_px


def half_width(label: str, radius_px: float, in_disc: int = DISC_LABEL) -> float:
    """Estimate half the width of the shape that carries a label: a disc up to ``in_disc`` characters, a lozenge beyond."""
    shown = short_label(label)
    return radius_px if len(shown) <= in_disc else max(radius_px, 0.32 * len(shown) * radius_px + 0.5 * radius_px)


def shape_and_glyphs(label: str, radius_px: float, in_disc: int) -> list[Path]:
    """Outline the shape that carries a label (a disc up to ``in_disc`` characters, a lozenge beyond), its hole, and the label."""
    shown = short_label(label)
    if len(shown) <= in_disc:
        return [Path.circle((0, 0), radius_px), Path.circle((0, 0), HOLE * radius_px), glyphs(shown, radius_px)]
    text = glyphs(shown, radius_px, small=False)
    straight = max(radius_px, float(text.get_extents().width) / 2 + 0.5 * radius_px) - radius_px
    return [_lozenge(straight, radius_px), _lozenge(straight, HOLE * radius_px), text]


def _lozenge(straight_px: float, radius_px: float) -> Path:
    """Outline a rectangle with round ends, centred on the origin: half its straight part, and the radius of its ends."""
    angles = np.linspace(-np.pi / 2, np.pi / 2, 15)
    right = radius_px * np.stack([np.cos(angles), np.sin(angles)], axis=1) + [straight_px, 0]
    outline = np.concatenate([right, -right])
    return Path(np.concatenate([outline, outline[:1]]), closed=True)


def landmarks(
    labels: Sequence[str],
    layout: NDArray[np.floating],
    size_px: tuple[float, float],
    name_px: float,
    *,
    groups: Sequence[Sequence[int]] = (),
    most: int = 28,
) -> list[int]:
    """Choose the items to label where not all can be: every member of small groups, then items whose labels do not overlap.

    Words come before short tokens, each in the order of the ids, which for learned sub-words is roughly that of frequency.

    Parameters
    ----------
    layout : positions of the items, (item, axis), of the step at which the labels must not overlap.
    size_px : width and height of the panel.
    name_px : half the height of a label.
    groups : highlighted items; if there are any, no others are labelled.
    most : the number of labels, and the size up to which all members of a group are labelled.
    """
    x, y = fixed_limits(layout, *size_px, margin_px=name_px)
    places = (np.asarray(layout, dtype=np.float64) - [x[0], y[0]]) * (size_px[0] / (x[1] - x[0]))
    named = [i for group in groups if len(group) <= most for i in group]
    others = [i for group in groups if len(group) > most for i in group] if groups else range(len(labels))
    rooms = np.array([half_width(label, name_px, NAME_IN_DISC) for label in labels])
    for i in sorted(others, key=lambda i: sum(c.isalpha() for c in labels[i]) < 3):
        if len(named) >= most:
            break
        across, up = np.abs(places[named] - places[i]).T
        if _has_words(labels[i]) and ((up > 2.6 * name_px) | (across > rooms[named] + rooms[i] + name_px)).all():
            named.append(i)
    return list(dict.fromkeys(named))


def _has_words(label: str) -> bool:
    """Check whether a label can be read: it is not the name of a byte or of an unused token."""
    return any(c.isalpha() for c in label) and not label.startswith(("<", "["))


def shades(color: str, theme: Theme) -> NDArray[np.float64]:
    """Compute the colours of a disc, of its hole and of its glyphs, from full to open: (shade, part, red green blue alpha).

    The disc keeps its colour, so that an open one is a ring of it. The glyphs stand on the hole; they turn from light to dark, or the
    reverse, where they could not be read on it.
    """
    holes = [over(theme.panel, color, OPEN * doubt) for doubt in np.linspace(0.0, 1.0, SHADES)]
    parts = [[to_rgba(color), (*hole, 1.0), to_rgba(text_on(to_hex(hole)))] for hole in holes]
    return np.array(parts)


def glyphs(label: str, radius_px: float, *, small: bool = True) -> Path:
    """Outline a label, centred on the origin and, if ``small``, small enough for a disc of this radius."""
    size = radius_px * (1.4 if len(label) < 2 else 0.8 if small and len(label) > 2 else 1.12)
    path = text_path(label, size)
    if not np.size(path.vertices):
        return Path(np.zeros((1, 2)))
    box = path.get_extents()
    middle = (box.y0 + box.y1) / 2
    return path.transformed(Affine2D().translate(-(box.x0 + box.x1) / 2, -middle))


def radius_px(n_items: int, width_px: float, height_px: float, unit: float) -> float:
    """Choose the radius of the discs from their number and the area: large for few items, small for many."""
    return float(np.clip(0.21 * np.sqrt(width_px * height_px / max(n_items, 1)), 2.2 * unit, 32 * unit))


def add_scatter_axes(
    surface: Surface, box: Box, layouts: NDArray[np.floating], *, margin: float, corner: float
) -> Axes:
    """Add a panel for a scatter plot, without ticks (t-SNE's axes mean nothing), with limits that hold all ``layouts``."""
    surface.panel(box, corner)
    axes = surface.axes(box)
    axes.set_axis_off()
    x, y = fixed_limits(layouts, box.width, box.height, margin)
    axes.set_xlim(*x)
    axes.set_ylim(*y)
    return axes


class Trails:
    """The recent paths of highlighted items: thin lines that fade towards the past.

    With ``paint`` they are painted into the pixels, as `Discs` are.
    """

    def __init__(
        self, axes: Axes, members: Sequence[int], colors: Sequence[str], width_px: float, *, paint: bool = False
    ):
        self.members = np.array(members, dtype=int)
        self.colors = np.array([to_rgba(colors[i]) for i in members]).reshape(-1, 4)
        lines = LineCollection([], linewidths=width_px, capstyle="round", zorder=2)
        self.artist: LineCollection | PaintedLines = PaintedLines(width_px) if paint else lines
        # The artist's lines are views of this array: writing into it moves them, so that no frame has to make hundreds of paths.
        self._segments = np.empty((0, 0, 2, 2))
        axes.add_artist(self.artist)

    def show(self, past: NDArray[np.float64]) -> None:
        """Set the trails to ``past``, (time, item, axis), oldest first."""
        if (shape := (max(len(past) - 1, 0), len(self.members))) != self._segments.shape[:2]:
            self._segments = np.empty((*shape, 2, 2))  # (time - 1, member, 2 ends, axis)
            self.artist.set_segments(self._segments.reshape(-1, 2, 2))  # type: ignore[arg-type]
            self.artist.set_color(self._faded(*shape))  # type: ignore[arg-type]
        if self._segments.size:
            path = past[:, self.members]
            self._segments[:, :, 0], self._segments[:, :, 1] = path[:-1], path[1:]

    def _faded(self, n_segments: int, n_members: int) -> NDArray[np.float64]:
        """Compute the colours of all segments, (segment, red green blue alpha)."""
        most = 0.75 * min(1.0, np.sqrt(4 / max(n_members, 1)))  # many opaque trails would hide the items
        colors = np.repeat(self.colors[None], n_segments, axis=0)
        colors[..., 3] = np.linspace(0.04, most, n_segments)[:, None]
        return colors.reshape(-1, 4)


class Thread:
    """A thin line through the items in their order."""

    def __init__(self, axes: Axes, theme: Theme, width_px: float):
        (self.artist,) = axes.plot([], [], color=theme.line, linewidth=width_px, zorder=1, solid_joinstyle="round")

    def move(self, points: Points) -> None:
        """Move the line to ``points``, (item, axis)."""
        self.artist.set_data(points[:, 0], points[:, 1])


class Leaders:
    """Thin lines from discs that were moved aside to their places, which are dots."""

    def __init__(self, axes: Axes, theme: Theme, line_px: float, *, radius_px: float, width_px: float):
        """``radius_px`` is the radius of the discs, ``width_px`` the width of the panel."""
        low, high = axes.get_xlim()
        self._least = LEADER_FROM * radius_px * (high - low) / width_px
        style: dict[str, Any] = {"color": theme.muted, "linewidth": line_px, "marker": "o", "markersize": 3 * line_px}
        (self.artist,) = axes.plot([], [], markevery=3, zorder=2, **style)

    def show(self, places: Points, shown: Points) -> None:
        """Set the true places of the items and those of their discs, (item, axis)."""
        far = np.hypot(*(shown - places).T) > self._least
        ends = np.stack([places[far], shown[far], np.full((far.sum(), 2), np.nan)], axis=1)
        self.artist.set_data(*ends.reshape(-1, 2).T)
