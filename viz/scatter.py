"""Labelled points: discs that carry their label inside, so that no label can stray from its point."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_hex, to_rgb, to_rgba
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

FAINTEST, GLYPHS_FAINTEST = 0.25, 0.55
"""How much of its colour the least trusted disc keeps, and of its contrast the label on it: it has to be read still."""
SHADES = 151


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
        paths = []
        for i in self.order:
            paths += [disc, glyphs(shown[i], radius_px)] if self.labelled else [disc]
        kinds = sorted(set(colors))
        self._kind = np.array([kinds.index(colors[i]) for i in self.order])
        self._shades = np.stack([shades(color, theme)[:, : 1 + self.labelled] for color in kinds])
        faces = self._shades[self._kind, -1].reshape(-1, 4)
        if (
            not self.labelled and theme.disc in kinds
        ):  # without a label, a quiet disc that fades would be lost on its ground
            self._shades[kinds.index(theme.disc)] = shades(to_hex(over(theme.muted, theme.disc, 0.6)), theme)[:, :1]
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

    def fade(self, strength: NDArray[np.float64]) -> None:
        """Draw the items as boldly as ``strength`` says, (item,), from `FAINTEST` to 1."""
        self.artist.set_facecolor(self._faces(strength))  # type: ignore[arg-type]

    def _faces(self, strength: NDArray[np.float64]) -> NDArray[np.float64]:
        place = (np.clip(strength[self.order], FAINTEST, 1.0) - FAINTEST) / (1.0 - FAINTEST)
        found: NDArray[np.float64] = self._shades[self._kind, np.rint(place * (SHADES - 1)).astype(int)].reshape(-1, 4)
        return found


def shades(color: str, theme: Theme) -> NDArray[np.float64]:
    """Return the colours of a disc and of its glyphs from the faintest to the boldest.

    They are laid over the panel's own colour rather than made transparent: where faint discs overlap, one still covers the other. Glyphs
    keep more than half their strength; where a light one can no longer be read on its faint disc it is dark, or the other way round.

    Returns
    -------
    (shade, disc and glyph, 4), red, green, blue and alpha from 0 to 1.
    """
    strengths = np.linspace(FAINTEST, 1.0, SHADES)
    discs = [over(color, theme.panel, strength) for strength in strengths]
    boldness = GLYPHS_FAINTEST + (1.0 - GLYPHS_FAINTEST) * (strengths - FAINTEST) / (1.0 - FAINTEST)
    inks = [theme.disc_text if color == theme.disc else text_on(to_hex(disc)) for disc in discs]
    glyphs = [over(ink, to_hex(disc), bold) for ink, disc, bold in zip(inks, discs, boldness, strict=True)]
    both = np.stack([np.array(discs), np.array(glyphs)], axis=1)
    return np.concatenate([both, np.ones((SHADES, 2, 1))], axis=2)


def over(color: str, ground: str, strength: float) -> tuple[float, float, float]:
    """Return a colour laid over a ground with this opacity: red, green and blue from 0 to 1."""
    red, green, blue = strength * np.array(to_rgb(color)) + (1.0 - strength) * np.array(to_rgb(ground))
    return float(red), float(green), float(blue)


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
        # The collection's paths are views of this array: to write into it moves them, which spares making hundreds of paths a frame.
        self._ways = np.empty((0, 0, 2, 2))
        axes.add_collection(self.artist, autolim=False)

    def show(self, past: NDArray[np.float64], strength: NDArray[np.float64] | None = None) -> None:
        """Draw the trail through ``past``, (time, item, axis), oldest first; as boldly as ``strength`` says, (item,)."""
        if len(past) < 2 or not len(self.members):
            self.artist.set_segments([])
            return
        way = past[:, self.members]
        if self._ways.shape[:2] != (len(way) - 1, len(self.members)) or not self.artist.get_paths():
            self._ways = np.empty((len(way) - 1, len(self.members), 2, 2))  # (time - 1, member, 2 ends, axis)
            self.artist.set_segments(list(self._ways.reshape(-1, 2, 2)))
        self._ways[:, :, 0], self._ways[:, :, 1] = way[:-1], way[1:]
        strongest = 0.75 * min(1.0, np.sqrt(4 / len(self.members)))  # many trails would hide what they lead to
        fade = np.linspace(0.04, strongest, len(self._ways))
        colors = np.repeat(self.colors[None], len(self._ways), axis=0)
        colors[..., 3] = fade[:, None] * (1.0 if strength is None else strength[self.members])
        self.artist.set_color(colors.reshape(-1, 4))  # type: ignore[arg-type]


class Thread:
    """A thin line through the positions in their order, so that the eye sees whether they lie as a line."""

    def __init__(self, axes: Axes, theme: Theme, width_px: float):
        (self.artist,) = axes.plot([], [], color=theme.line, linewidth=width_px, zorder=1, solid_joinstyle="round")

    def move(self, points: Points) -> None:
        self.artist.set_data(points[:, 0], points[:, 1])
