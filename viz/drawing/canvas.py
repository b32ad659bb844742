"""A picture that is drawn many times: what stands still is drawn once, what moves is drawn over it.

matplotlib draws a whole 1080p figure in some 70 ms; restoring a kept ground and drawing the moving artists takes a few.
Grounds lie in layers: the still one of the film, and over it one that changes with the snapshot (numbers, say).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from data.errors import InputError
from viz.drawing.theme import Theme

Frame = NDArray[np.uint8]


@dataclass(frozen=True)
class Size:
    """The size of a frame in pixels."""

    width: int
    height: int

    @classmethod
    def parse(cls, text: str) -> Size:
        """Read ``"1920x1080"``; an `InputError` tells what a size must be (even, since H.264 halves the colour planes)."""
        parts = text.lower().split("x")
        if len(parts) != 2 or not all(part.isascii() and part.isdigit() for part in parts):
            raise InputError(f"a size is WIDTHxHEIGHT in pixels; got {text!r}: pass --size 1920x1080")
        size = cls(int(parts[0]), int(parts[1]))
        if size.width % 2 or size.height % 2:
            even = f"{size.width + size.width % 2}x{size.height + size.height % 2}"
            raise InputError(f"width and height must be even for video; got {text}: pass --size {even}")
        if not (320 <= size.width <= 7680 and 240 <= size.height <= 4320):
            raise InputError(f"a size must lie between 320x240 and 7680x4320; got {text}")
        return size

    @property
    def unit(self) -> float:
        """How many pixels of this picture one pixel of a 1920x1080 picture is: every size is given in those."""
        return (
            min(self.width / 1920, self.height / 1080) if self.is_wide else min(self.width / 1080, self.height / 1500)
        )

    @property
    def is_wide(self) -> bool:
        """Whether the side panel stands beside the picture rather than below it."""
        return self.width >= 1.3 * self.height


class Canvas:
    """A figure in pixels (72 dots an inch, so that one point is one pixel) with layers of kept ground."""

    def __init__(self, size: Size, theme: Theme):
        self.size = size
        self.theme = theme
        self.figure = Figure(figsize=(size.width / 72, size.height / 72), dpi=72, facecolor=theme.background)
        self._agg = FigureCanvasAgg(self.figure)
        self._ground: list[Any] = []

    def keep_still(self) -> None:
        """Draw everything that is not animated and keep it as the ground of all frames."""
        self._agg.draw()
        self._ground = [self._copy()]

    def keep_snapshot(self, artists: Sequence[Artist]) -> None:
        """Draw ``artists`` over the still ground and keep the result until the next snapshot."""
        self._agg.restore_region(self._ground[0])
        self._draw(artists)
        self._ground[1:] = [self._copy()]

    def frame(self, artists: Sequence[Artist], paint: Callable[[Frame], None] | None = None) -> Frame:
        """Draw ``artists`` over the newest ground; return a view of the pixels, (height, width, 4), valid until the next call.

        ``paint`` may change pixels of the ground first: a heat map is set faster so than drawn.
        """
        self._agg.restore_region(self._ground[-1])
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
