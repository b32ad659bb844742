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

from viz.drawing.labels import cut_short
from viz.drawing.theme import Theme, text_on

DISC_LABEL, NAME_IN_DISC = 3, 2
"""So many characters fit into a disc; into one among dots, where all names are to be of one size."""

Points = NDArray[np.float64]
"""Places of the items in the picture, (item, axis)."""

# Above this many items, or where the labels are so much wider than the discs on average, not every item is labelled.
MOST_LABELLED_ITEMS = 600
WIDEST_LABELS = 3.4

FAINTEST, GLYPHS_FAINTEST = 0.25, 0.55
"""How much of its colour the least trusted disc keeps, and of its contrast the label on it: it has to be read still."""
SHADES = 151


class Discs:
    """All items of a scatter as one artist: a disc each and, where there is room, its label as an outline of glyphs.

    A label longer than three characters makes the disc a lozenge. Where not all can be labelled, those are that are ``named``, and
    the others are dots. Glyphs are drawn as paths, not as text: text is set on whole pixels and would tremble as it moves.

    Parameters
    ----------
    axes : where to draw; its data limits decide nothing here.
    labels : one per item.
    colors : fill colour of each item.
    radius_px : radius of a disc in pixels.
    on_top : indices of the items drawn last, the first of them uppermost.
    named : indices of the items to label where not all can be.
    name_px : half the height of the lozenges of those.
    """

    def __init__(
        self,
        axes: Axes,
        labels: Sequence[str],
        colors: Sequence[str],
        radius_px: float,
        theme: Theme,
        on_top: Sequence[int] = (),
        *,
        named: Sequence[int] = (),
        name_px: float = 0.0,
    ):
        self.labelled = all_labelled(labels, radius_px)
        carried = set(range(len(labels)) if self.labelled else named)
        rank = {item: place for place, item in enumerate(reversed(on_top), 1)}
        self.order = np.array(sorted(range(len(labels)), key=lambda i: (i in carried, rank.get(i, 0))))
        self._n_dots = len(labels) - len(carried)
        size, in_disc = (radius_px, DISC_LABEL) if self.labelled else (max(name_px, radius_px), NAME_IN_DISC)
        dot, paths = Path.circle((0, 0), radius_px), []
        for i in self.order:
            paths += shape_and_glyphs(labels[i], size, in_disc) if i in carried else [dot]
        kinds = sorted(set(colors))
        self._kind = np.array([kinds.index(colors[i]) for i in self.order])
        self._shades = np.stack([shades(color, theme) for color in kinds])
        self._dot_shades = self._shades[:, :, :1].copy()
        if theme.disc in kinds:  # without a label, a quiet disc that fades would be lost on its ground
            self._dot_shades[kinds.index(theme.disc)] = shades(to_hex(over(theme.muted, theme.disc, 0.6)), theme)[:, :1]
        n, bare, edge = self._n_dots, (0.0, 0.0, 0.0, 0.0), to_rgba(theme.panel)
        self.artist = PathCollection(
            paths,
            offsets=np.zeros((len(paths), 2)),
            offset_transform=axes.transData,
            transform=Affine2D().scale(1 / 72) + axes.figure.dpi_scale_trans,  # points, at any resolution
            facecolors=self._faces(np.ones(len(labels))),
            edgecolors=[edge] * n + [edge, bare] * len(carried),
            linewidths=[max(radius_px * 0.12, 0.4)] * n + [max(size * 0.12, 0.6), 0.0] * len(carried),
            zorder=3,
        )
        self.artist.set_snap(False)
        axes.add_collection(self.artist, autolim=False)

    def move(self, points: Points) -> None:
        """Put the items at ``points``, (item, axis)."""
        places, n = points[self.order], self._n_dots
        self.artist.set_offsets(np.concatenate([places[:n], np.repeat(places[n:], 2, axis=0)]))

    def fade(self, strength: NDArray[np.float64]) -> None:
        """Draw the items as boldly as ``strength`` says, (item,), from `FAINTEST` to 1."""
        self.artist.set_facecolor(self._faces(strength))  # type: ignore[arg-type]

    def _faces(self, strength: NDArray[np.float64]) -> NDArray[np.float64]:
        place = (np.clip(strength[self.order], FAINTEST, 1.0) - FAINTEST) / (1.0 - FAINTEST)
        shade, n = np.rint(place * (SHADES - 1)).astype(int), self._n_dots
        dots = self._dot_shades[self._kind[:n], shade[:n]].reshape(-1, 4)
        return np.concatenate([dots, self._shades[self._kind[n:], shade[n:]].reshape(-1, 4)])


def all_labelled(labels: Sequence[str], radius_px: float) -> bool:
    """Return whether every item of a scatter can carry its label: they are few, and their labels short."""
    if len(labels) > MOST_LABELLED_ITEMS or radius_px < 6:
        return False
    return float(np.mean([half_width(label, radius_px) for label in labels])) <= WIDEST_LABELS / 2 * radius_px


def half_width(label: str, radius_px: float, in_disc: int = DISC_LABEL) -> float:
    """Return half the width of what carries a label: that of a disc up to ``in_disc`` characters, and more beyond."""
    shown = cut_short(label)
    return radius_px if len(shown) <= in_disc else max(radius_px, 0.32 * len(shown) * radius_px + 0.5 * radius_px)


def shape_and_glyphs(label: str, radius_px: float, in_disc: int) -> list[Path]:
    """Return the outline of what carries a label, a disc up to ``in_disc`` characters or else a lozenge, and that of the label."""
    shown = cut_short(label)
    if len(shown) <= in_disc:
        return [Path.circle((0, 0), radius_px), glyphs(shown, radius_px)]
    text = glyphs(shown, radius_px, small=False)
    half = max(radius_px, float(text.get_extents().width) / 2 + 0.5 * radius_px)
    return [_lozenge(half - radius_px, radius_px), text]


def _lozenge(straight_px: float, radius_px: float) -> Path:
    """Return a rectangle with round ends, centred on the origin: half its straight part, and the radius of its ends."""
    angles = np.linspace(-np.pi / 2, np.pi / 2, 15)
    right = radius_px * np.stack([np.cos(angles), np.sin(angles)], axis=1) + [straight_px, 0]
    outline = np.concatenate([right, -right])
    return Path(np.concatenate([outline, outline[:1]]), closed=True)


def landmarks(
    labels: Sequence[str],
    layouts: NDArray[np.floating],
    size_px: tuple[float, float],
    name_px: float,
    *,
    groups: Sequence[Sequence[int]] = (),
    most: int = 28,
) -> list[int]:
    """Return items to be named where not all can be: every member of small groups, then such whose labels stand apart at the last step.

    Longer words come first, in the order of the ids, which is about that of their frequency where sub-words were learned.

    Parameters
    ----------
    labels : one per item.
    layouts : places of the items, (step, item, axis).
    size_px : width and height of the panel.
    name_px : half the height of a label.
    groups : highlighted items; if there are any, nothing else is named.
    most : how many to name, and the size of groups up to which every member is.
    """
    x, y = fixed_limits(layouts, *size_px, margin_px=name_px)
    places = (np.asarray(layouts[-1], dtype=np.float64) - [x[0], y[0]]) * (size_px[0] / (x[1] - x[0]))
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
    """Whether a label is something to read, and no name of a byte or of a token that is not used."""
    return any(c.isalpha() for c in label) and not label.startswith(("<", "["))


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


def glyphs(label: str, radius_px: float, *, small: bool = True) -> Path:
    """Return the outline of a label, centred on the origin and, if ``small``, small enough for a disc of this radius."""
    size = radius_px * (1.2 if len(label) < 2 else 0.8 if small and len(label) > 2 else 1.02)
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
