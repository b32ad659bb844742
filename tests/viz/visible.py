"""What a machine can see of a picture: text that is small, pale, cut off or covered by other text, and colours that look alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations
from typing import Any
from unittest.mock import patch

import numpy as np
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from numpy.typing import NDArray

from viz.drawing.theme import contrast
from viz.fidelity.trust import doubted
from viz.films.film import Film

LEAST_CONTRAST = 4.5
"""Of text against its ground (WCAG 2.2, 1.4.3)."""
LEAST_DIFFERENCE = 8.0
"""Of two colours in a legend, in units of CIE 1976 L*a*b*; about 2.3 can just be seen side by side."""
MARK = "●"
_DESCENDING = set("gjpqyQ,;()[]{}|_/$@çµ“”")
_DEUTERANOPIA = np.array(  # Machado, Oliveira and Fernandes (2009), table 1, severity 1.0, for linear RGB
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)
_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
_WHITE = np.array([0.9505, 1.0, 1.089])

Color = str | tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class SeenText:
    """A text of a picture: its size and its box (left, bottom, right, top) in pixels, its colour."""

    text: str
    size_px: float
    box: NDArray[np.float64]
    color: Color


@contextmanager
def watched_texts() -> Iterator[list[SeenText]]:
    """Record every text that is drawn to pixels, as it was drawn last; the markers of legends count as texts `MARK`."""
    seen: dict[int, SeenText] = {}
    texts: list[SeenText] = []
    draw_text, draw_line = Text.draw, Line2D.draw

    def text(self: Text, renderer: Any, *more: Any, **named: Any) -> None:
        seen.pop(id(self), None)
        if self.get_visible() and self.get_text().strip():
            box, size = (
                np.array(self.get_window_extent(renderer).extents),
                renderer.points_to_pixels(self.get_fontsize()),
            )
            seen[id(self)] = SeenText(self.get_text(), float(size), box, to_rgb(self.get_color()))
        draw_text(self, renderer, *more, **named)

    def line(self: Line2D, renderer: Any) -> None:
        if len(self.get_xydata()) == 1 and self.axes is None:
            half = renderer.points_to_pixels(self.get_markersize()) / 2
            x, y = self.get_transform().transform(self.get_xydata())[0]
            box = np.array([x - half, y - half, x + half, y + half])
            seen[id(self)] = SeenText(MARK, 2 * half, box, to_rgb(self.get_color()))
        draw_line(self, renderer)

    with patch.object(Text, "draw", text), patch.object(Line2D, "draw", line):
        yield texts
    texts += seen.values()


def drawn_film(film: Film, time: float) -> tuple[NDArray[np.uint8], list[SeenText]]:
    """Draw the frame of a film at a time, counted in snapshots; list its texts."""
    with watched_texts() as texts:
        frame = next(iter(film.picture.frames([time]))).copy()
    return frame, texts


def drawn_figure(figure: Figure) -> tuple[NDArray[np.uint8], list[SeenText]]:
    """Draw a figure at 72 dots an inch, so that a point is a pixel; list its texts."""
    canvas = FigureCanvasAgg(figure)
    with watched_texts() as texts:
        canvas.draw()
    return np.asarray(canvas.buffer_rgba()).copy(), texts


def ground_of(text: SeenText, pixels: NDArray[np.uint8]) -> Color:
    """Find the colour that a text stands on: the most frequent one at the rim of its box, 0 to 1."""
    height, width = pixels.shape[:2]
    around = np.round(text.box).astype(int) + np.array([-2, -2, 2, 2])
    left, right = np.clip(around[[0, 2]], 0, width - 1)
    low, high = np.clip(around[[1, 3]], 0, height - 1)
    rows = height - 1 - np.array([low, high])
    rim = np.concatenate([pixels[rows[0], left:right, :3], pixels[rows[1], left:right, :3]])
    colors, counts = np.unique(rim, axis=0, return_counts=True)
    red, green, blue = colors[counts.argmax()] / 255
    return float(red), float(green), float(blue)


@dataclass(frozen=True)
class Seen:
    """What there is to see in the text of a picture: the smallest text, the lowest contrast, and sentences on each defect."""

    least_px: float
    least_contrast: float
    overlaps: tuple[str, ...]
    cut_off: tuple[str, ...]
    alike: tuple[str, ...]

    @property
    def defects(self) -> list[str]:
        pale = [f"a text has a contrast of {self.least_contrast:.1f}"] * (self.least_contrast < LEAST_CONTRAST)
        return [*pale, *self.overlaps, *self.cut_off, *self.alike]


def look_at(texts: Sequence[SeenText], pixels: NDArray[np.uint8]) -> Seen:
    """Check the texts of a picture. Discs that are written as text are marks of legends, not to be read."""
    marks, words = ([text for text in texts if (text.text == MARK) == is_mark] for is_mark in (True, False))
    height, width = pixels.shape[:2]
    inside = [t for t in words if min(t.box[:2]) >= -1 and t.box[2] <= width + 1 and t.box[3] <= height + 1]
    return Seen(
        min((text.size_px for text in words), default=np.inf),
        min((contrast(text.color, ground_of(text, pixels)) for text in inside), default=np.inf),  # type: ignore[arg-type]
        tuple(f"{a.text!r} and {b.text!r} overlap" for a, b in combinations(words, 2) if _overlap(a, b)),
        tuple(f"{text.text!r} is cut off" for text in words if text not in inside),
        tuple(f"the marks of {a!r} and {b!r} look alike" for a, b in _alike_marks(marks, words)),
    )


def _overlap(one: SeenText, other: SeenText) -> bool:
    """Check whether two texts cover each other; the room below a line counts only where a letter reaches into it."""
    boxes = []
    for text in (one, other):
        left, low, right, high = text.box
        boxes.append((left, low + (0.0 if _DESCENDING & set(text.text) else 0.21 * text.size_px), right, high))
    across = min(boxes[0][2], boxes[1][2]) - max(boxes[0][0], boxes[1][0])
    up = min(boxes[0][3], boxes[1][3]) - max(boxes[0][1], boxes[1][1])
    return bool(across > 1 and up > 0.1 * min(one.size_px, other.size_px))


def _alike_marks(marks: Sequence[SeenText], words: Sequence[SeenText]) -> Iterator[tuple[str, str]]:
    """Find names whose marks have different colours that cannot be told apart, by usual eyes or by deuteranopic ones.

    The same colour stands for the same thing wherever it is repeated.
    """
    named = [(mark.color, name) for mark in marks if (name := _name_of(mark, words))]
    for (color, name), (other, other_name) in combinations(named, 2):
        pairs = (color, other), (deuteranopic(color), deuteranopic(other))
        if color != other and min(difference(a, b) for a, b in pairs) < LEAST_DIFFERENCE:
            yield name, other_name


def _name_of(mark: SeenText, words: Sequence[SeenText]) -> str:
    """Find the text that begins right of a mark, on its line."""
    middle = (mark.box[1] + mark.box[3]) / 2
    behind = [t for t in words if t.box[1] < middle < t.box[3] and 0 <= t.box[0] - mark.box[2] < 1.5 * t.size_px]
    return min(behind, key=lambda text: float(text.box[0])).text if behind else ""


def fastest_px(film: Film) -> float:
    """Measure how far the fastest point of a film of a table moves between two frames, in pixels; NaN for other films."""
    panels = getattr(film.picture, "panels", [])
    times, fastest = np.array(list(film.timeline)), np.nan
    for panel in panels:
        places = panel.motion.at(times)  # (frame, item, axis)
        drawn = panel.axes.transData.transform(places.reshape(-1, 2)).reshape(places.shape)
        fastest = np.fmax(fastest, np.linalg.norm(np.diff(drawn, axis=0), axis=2).max(initial=0.0))
    return float(fastest)


def share_doubted(film: Film) -> float:
    """Measure the share of the points that are doubted at the end of a film; NaN where none can be."""
    marks = doubted(film.shown) if isinstance(film.shown, xr.Dataset) and "trust" in film.shown else None
    return float("nan") if marks is None else float(marks[-1].mean())


def deuteranopic(color: Color) -> tuple[float, float, float]:
    """Simulate how a colour looks to eyes without green cones.

    References
    ----------
    Machado, Oliveira and Fernandes (2009), "A Physiologically-based Model for Simulation of Color Vision Deficiency".
    """
    red, green, blue = _encoded(np.clip(_DEUTERANOPIA @ _linear(np.array(to_rgb(color))), 0, 1))
    return float(red), float(green), float(blue)


def difference(one: Color, other: Color) -> float:
    """Compute how different two colours look: their distance in CIE 1976 L*a*b*."""
    return float(np.linalg.norm(_lab(one) - _lab(other)))


def _linear(channels: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def _encoded(channels: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(channels <= 0.0031308, 12.92 * channels, 1.055 * channels ** (1 / 2.4) - 0.055)


def _lab(color: Color) -> NDArray[np.float64]:
    xyz = _TO_XYZ @ _linear(np.array(to_rgb(color))) / _WHITE
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])
