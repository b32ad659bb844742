"""Drawing surfaces measured in points, and the canvas of a film, which draws once what stands still.

matplotlib takes some 70 ms to draw a whole 1080p figure. Restoring a saved background and drawing the animated artists takes a few.
There are two backgrounds: that of the film, and over it that of the snapshot (its numbers, say).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, Rectangle
from matplotlib.text import Text
from numpy.typing import NDArray

from data.errors import InputError
from viz.drawing.layout import Box
from viz.drawing.text import TEXT_PT
from viz.drawing.theme import Theme
from viz.fonts import drawable, families

Frame = NDArray[np.uint8]
Pixels = NDArray[np.uint32]
"""The pixels of a frame, red, green, blue and alpha as one number each."""

TINY = 1.5
"""The most by which text is enlarged in a tiny frame."""
LEAST_UNIT = 0.5
"""The least scale of a frame: text of 24 pixels at 1080p has 12 then."""


class Surface:
    """A figure on which everything is placed in points, measured from its lower left corner."""

    def __init__(self, figure: Figure, theme: Theme):
        self.figure = figure
        self.theme = theme
        width, height = figure.get_size_inches() * 72
        self.area = Box(0.0, 0.0, float(width), float(height))

    def fractions(self, box: Box) -> tuple[float, float, float, float]:
        """Convert a box to matplotlib's figure coordinates: left, bottom, width, height as fractions of the figure."""
        width, height = self.area.width, self.area.height
        return box.left / width, box.bottom / height, box.width / width, box.height / height

    def axes(self, box: Box, *, left: float = 0.0, bottom: float = 0.0, right: float = 0.0, top: float = 0.0) -> Axes:
        """Add axes that fill a box, except for margins of these lengths, with a transparent background."""
        x, y, _, _ = self.fractions(box)
        _, _, width, height = self.fractions(box.inset(left=left, bottom=bottom, right=right, top=top))
        axes = self.figure.add_axes((x + left / self.area.width, y + bottom / self.area.height, width, height))
        axes.set_facecolor("none")
        return axes

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        color: str | tuple[float, float, float] | None = None,
        size: float = TEXT_PT,
        bold: bool = False,
        from_top: bool = False,
        **style: Any,
    ) -> Text:
        """Write a text at a point, ``from_top`` if ``y`` is measured from the upper edge; more style is that of `matplotlib.text.Text`.

        It is never parsed as mathematics, since tokens may be dollar signs. What the fonts lack is written as code points.
        """
        up, text = y / self.area.height, drawable(text, bold=bold)
        style = {"family": families(text, bold=bold)} | style
        return self.figure.text(
            x / self.area.width,
            1 - up if from_top else up,
            text,
            color=color or self.theme.text,
            fontsize=size,
            weight="bold" if bold else "normal",
            parse_math=False,
            **style,
        )

    def line(self, xs: Sequence[float], ys: Sequence[float], color: str, **style: Any) -> None:
        """Draw a line, or markers, outside all axes."""
        places = np.array(xs) / self.area.width, np.array(ys) / self.area.height
        self.figure.add_artist(Line2D(*places, color=color, transform=self.figure.transFigure, **style))

    def dot(self, x: float, y: float, color: str, size: float = 11) -> None:
        """Draw a disc, the marker that ties a name to the line of the same colour."""
        self.line([x], [y], color, marker="o", markersize=size, linestyle="none", markeredgewidth=0)

    def rectangle(self, box: Box, **style: Any) -> None:
        """Draw a rectangle outside all axes."""
        left, bottom, width, height = self.fractions(box)
        patch = Rectangle((left, bottom), width, height, transform=self.figure.transFigure, **style)
        self.figure.add_artist(patch)

    def panel(self, box: Box, corner: float) -> None:
        """Draw the background of a panel, with round corners of this radius."""
        left, bottom, width, height = self.fractions(box)
        across, up = corner / self.area.width, corner / self.area.height
        background = FancyBboxPatch(
            (left + across, bottom + up),
            width - 2 * across,
            height - 2 * up,
            boxstyle=f"round,pad={across}",
            mutation_aspect=self.area.width / self.area.height,
            facecolor=self.theme.panel,
            edgecolor="none",
            transform=self.figure.transFigure,
            zorder=-1,
        )
        self.figure.add_artist(background)


@dataclass(frozen=True)
class Size:
    """The size of a frame in pixels."""

    width: int
    height: int

    @classmethod
    def parse(cls, text: str) -> Size:
        """Parse ``"1920x1080"``.

        Raises
        ------
        InputError
            If the text is no size, or one that video cannot have: H.264 halves the colour planes, so both numbers must be even.
        """
        parts = text.lower().split("x")
        if len(parts) != 2 or not all(part.isascii() and part.isdigit() for part in parts):
            raise InputError(f"a size is WIDTHxHEIGHT in pixels; got {text!r}: pass `size=1920x1080`")
        size = cls(int(parts[0]), int(parts[1]))
        if size.width % 2 or size.height % 2:
            even = f"{size.width + size.width % 2}x{size.height + size.height % 2}"
            raise InputError(f"width and height must be even for video; got {text}: pass `size={even}`")
        if not (320 <= size.width <= 7680 and 240 <= size.height <= 4320):
            raise InputError(f"a size must lie between 320x240 and 7680x4320; got {text}")
        return size

    @property
    def unit(self) -> float:
        """The scale of the frame, 1 for 1920x1080: all lengths in films are given for that size and multiplied by it.

        It does not fall further than text stays legible, unless the frame is tiny; a small picture leaves out what does not fit instead.
        """
        return max(self._scale, min(LEAST_UNIT, TINY * self._scale))

    @property
    def is_small(self) -> bool:
        """Whether the frame has no room for small print."""
        return self._scale < LEAST_UNIT

    @property
    def _scale(self) -> float:
        width, height = (1920, 1080) if self.is_wide else (1080, 1500)
        return min(self.width / width, self.height / height)

    @property
    def is_wide(self) -> bool:
        """Whether the curves stand beside the picture rather than below it."""
        return self.width >= 1.3 * self.height


class Canvas(Surface):
    """The surface of a film, of 72 dots to the inch, so that a point is a pixel; it saves the backgrounds of frames."""

    def __init__(self, size: Size, theme: Theme):
        super().__init__(Figure(figsize=(size.width / 72, size.height / 72), dpi=72, facecolor=theme.background), theme)
        self.size = size
        self.area = Box(0.0, 0.0, size.width, size.height)
        self._agg = FigureCanvasAgg(self.figure)
        self._backgrounds: list[Any] = []

    def save_film_background(self) -> None:
        """Draw everything that is not animated, and save it as the background of all frames."""
        self._agg.draw()
        self._backgrounds = [self._copy()]

    def save_snapshot_background(self, artists: Sequence[Artist]) -> None:
        """Draw ``artists`` over the film's background, and save the result as the background until the next snapshot."""
        self._agg.restore_region(self._backgrounds[0])
        self._draw(artists)
        self._backgrounds[1:] = [self._copy()]

    def frame(self, artists: Sequence[Artist], paint: Callable[[Frame], None] | None = None) -> Frame:
        """Draw ``artists`` over the latest background.

        Parameters
        ----------
        paint : changes pixels of the background first; a heat map is painted faster than drawn.

        Returns
        -------
        A view of the pixels, (height, width, 4), valid until the next call.
        """
        self._agg.restore_region(self._backgrounds[-1])
        pixels = np.asarray(self._agg.buffer_rgba())
        if paint is not None:
            paint(pixels)
        self._draw(artists)
        return pixels

    def _copy(self) -> Any:
        return self._agg.copy_from_bbox(self.figure.bbox)

    def _draw(self, artists: Sequence[Artist]) -> None:
        renderer = self._agg.get_renderer()
        for artist in artists:
            artist.draw(renderer)


class AnimatedPanel:
    """A part of the frame that follows the time of the film."""

    def show(self, step: int) -> list[Artist]:
        """Update what changes with the snapshot; return its artists, which are drawn once for the snapshot of ``step``."""
        return []

    def move(self, time: float) -> list[Artist]:
        """Update what moves; return its artists, which are drawn in the frame at ``time``, counted in snapshots."""
        return []
