"""Labelled points: discs that carry their label inside, so that no label can stray from its point."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_rgba
from matplotlib.path import Path
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D
from numpy.typing import NDArray

from viz.labels import display
from viz.style import Theme, text_on

Points = NDArray[np.float64]
"""Places of the items in the picture, (item, axis)."""

# Above this many items, or characters in a label, labels no longer fit into discs.
MOST_LABELLED_ITEMS = 600
LONGEST_LABEL = 3


class Discs:
    """All items of a scatter as one artist: a disc each and, where there is room, its label as an outline of glyphs.

    Glyphs are drawn as paths, not as text: text is set on whole pixels and would tremble as it moves.

    Parameters
    ----------
    axes : where to draw; its data limits decide nothing here.
    labels : one per item.
    colors : fill colour of each item.
    radius_px : radius of a disc in pixels.
    on_top : indices of the items drawn last.
    """

    def __init__(
        self,
        axes: Axes,
        labels: Sequence[str],
        colors: Sequence[str],
        radius_px: float,
        theme: Theme,
        on_top: Sequence[int] = (),
    ):
        last = set(on_top)
        self.order = np.array(sorted(range(len(labels)), key=lambda i: i in last))
        shown = [display(label) for label in labels]
        self.labelled = len(labels) <= MOST_LABELLED_ITEMS and max(map(len, shown)) <= LONGEST_LABEL and radius_px >= 6
        disc = Path.circle((0, 0), radius_px)
        paths, faces = [], []
        for i in self.order:
            paths.append(disc)
            faces.append(to_rgba(colors[i]))
            if self.labelled:
                paths.append(glyphs(shown[i], radius_px))
                faces.append(to_rgba(theme.disc_text if colors[i] == theme.disc else text_on(colors[i])))
        edges = [to_rgba(theme.panel), (0, 0, 0, 0)] if self.labelled else [to_rgba(theme.panel)]
        self.artist = PathCollection(
            paths,
            offsets=np.zeros((len(paths), 2)),
            offset_transform=axes.transData,
            transform=Affine2D().scale(1 / 72) + axes.figure.dpi_scale_trans,  # points, at any resolution
            facecolors=faces,
            edgecolors=edges,
            linewidths=[max(radius_px * 0.12, 0.6), 0.0] if self.labelled else [max(radius_px * 0.12, 0.4)],
            zorder=3,
        )
        self.artist.set_snap(False)
        axes.add_collection(self.artist, autolim=False)

    def move(self, points: Points) -> None:
        """Put the items at ``points``, (item, axis)."""
        places = points[self.order]
        self.artist.set_offsets(np.repeat(places, 2, axis=0) if self.labelled else places)


def glyphs(label: str, radius_px: float) -> Path:
    """Return the outline of a label, centred on the origin and small enough for a disc of this radius."""
    size = radius_px * (1.2 if len(label) < 2 else 1.02 if len(label) == 2 else 0.8)
    path = TextPath((0, 0), label, size=size)
    if not len(path.vertices):
        return Path(np.zeros((1, 2)))
    box = path.get_extents()
    # Letters stand on a common line unless they reach below it, so that a row of discs reads as a row of text.
    middle = (box.y0 + box.y1) / 2
    return path.transformed(Affine2D().translate(-(box.x0 + box.x1) / 2, -middle))


def radius_px(n_items: int, width_px: float, height_px: float, unit: float) -> float:
    """Return a radius at which the discs fill a fitting part of the area: large for few items, small for many."""
    return float(np.clip(0.19 * np.sqrt(width_px * height_px / max(n_items, 1)), 2.2 * unit, 21 * unit))


def fixed_limits(
    layouts: NDArray[np.floating], width_px: float, height_px: float, margin_px: float
) -> tuple[Points, Points]:
    """Return x and y limits that hold every item at every step, with equal scales on both axes.

    Parameters
    ----------
    layouts : places of the items, (step, item, axis) or (item, axis).
    width_px, height_px : size of the area.
    margin_px : free space at each edge, at least a disc's radius.
    """
    flat = np.asarray(layouts, dtype=np.float64).reshape(-1, 2)
    low, high = flat.min(axis=0), flat.max(axis=0)
    room = np.array([width_px - 2 * margin_px, height_px - 2 * margin_px])
    scale = max(float(((high - low) / room).max()), 1e-12)  # data units a pixel
    half = scale * np.array([width_px, height_px]) / 2
    centre = (low + high) / 2
    return np.array([centre[0] - half[0], centre[0] + half[0]]), np.array([centre[1] - half[1], centre[1] + half[1]])


class Trails:
    """The way that highlighted items have come: thin lines that fade towards the past."""

    def __init__(self, axes: Axes, members: Sequence[int], colors: Sequence[str], width_px: float):
        self.members = np.array(members, dtype=int)
        self.colors = np.array([to_rgba(colors[i]) for i in members]).reshape(-1, 4)
        self.artist = LineCollection([], linewidths=width_px, capstyle="round", zorder=2)
        axes.add_collection(self.artist, autolim=False)

    def show(self, past: NDArray[np.float64]) -> None:
        """Draw the trail through ``past``, (time, item, axis), oldest first."""
        if len(past) < 2 or not len(self.members):
            self.artist.set_segments([])
            return
        way = past[:, self.members]
        segments = np.stack([way[:-1], way[1:]], axis=2)  # (time - 1, member, 2 ends, axis)
        strongest = 0.75 * min(1.0, np.sqrt(4 / len(self.members)))  # many trails would hide what they lead to
        fade = np.linspace(0.04, strongest, len(segments))
        colors = np.repeat(self.colors[None], len(segments), axis=0)
        colors[..., 3] = fade[:, None]
        self.artist.set_segments(list(segments.reshape(-1, 2, 2)))
        self.artist.set_color(list(map(tuple, colors.reshape(-1, 4))))


class Thread:
    """A thin line through the positions in their order, so that the eye sees whether they lie as a line."""

    def __init__(self, axes: Axes, theme: Theme, width_px: float):
        (self.artist,) = axes.plot([], [], color=theme.line, linewidth=width_px, zorder=1, solid_joinstyle="round")

    def move(self, points: Points) -> None:
        self.artist.set_data(points[:, 0], points[:, 1])
