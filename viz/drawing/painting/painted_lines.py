"""Lines painted straight into the pixels of a frame, for trails of hundreds of items; coverage and blending are those of Agg."""

from __future__ import annotations

from math import floor
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from numpy.typing import NDArray

from viz.compiled import compiled
from viz.drawing.painting.pixels import Bounds, Bytes, bounds_in, pixels_of, places_in, to_bytes

RECIPROCAL_BITS = 41
RECIPROCALS = -(-(1 << RECIPROCAL_BITS) // (255 * 256 + np.arange(256)))
"""Multiplied with instead of the division by which Agg blends a colour of each opacity over opaque pixels; the results are the same."""


class PaintedLines(Artist):
    """Straight lines with round ends, each in a colour and an opacity of its own, the last uppermost; clipped to their axes."""

    def __init__(self, width_px: float):
        super().__init__()
        self._width_px = width_px
        self._segments, self._colors = np.empty((0, 2, 2)), np.empty((0, 4), np.uint8)

    def set_segments(self, segments: NDArray[np.float64]) -> None:
        """Set the lines, (line, end, axis); they are not copied, so that writing into the array moves them."""
        self._segments = segments

    def set_color(self, colors: NDArray[np.float64]) -> None:
        """Set the colours of the lines, (line, red green blue alpha), from 0 to 1."""
        self._colors = to_bytes(colors)

    def draw(self, renderer: Any) -> None:
        """Paint the lines; the renderer must be Agg's."""
        pixels = pixels_of(renderer)
        ends = places_in(pixels, self, self._segments.reshape(-1, 2)).reshape(-1, 2, 2)
        compiled(paint_lines)(pixels, ends, self._width_px / 2, self._colors, bounds_in(pixels, self))


def paint_lines(pixels: Bytes, ends: NDArray[np.float64], half: float, colors: Bytes, bounds: Bounds) -> None:
    """Blend lines with round ends, (line, end, column and row), of the half width ``half`` into opaque ``pixels``."""
    (left, top, right, bottom), farthest = bounds, (half + 0.5) ** 2
    for i in range(len(ends)):
        x, y = ends[i, 0, 0], ends[i, 0, 1]
        along_x, along_y = ends[i, 1, 0] - x, ends[i, 1, 1] - y
        length = along_x * along_x + along_y * along_y
        if not 0.0 < length < 1e12:  # nor is NaN
            continue
        per_length, opacity = 1.0 / length, float(colors[i, 3])
        red, green, blue = np.int64(colors[i, 0]), np.int64(colors[i, 1]), np.int64(colors[i, 2])
        rows = floor(min(y, y + along_y) - half - 0.5), floor(max(y, y + along_y) + half + 0.5) + 1
        columns = floor(min(x, x + along_x) - half - 0.5), floor(max(x, x + along_x) + half + 0.5) + 1
        for row in range(max(rows[0], top), min(rows[1], bottom)):
            for column in range(max(columns[0], left), min(columns[1], right)):
                from_x, from_y = column + 0.5 - x, row + 0.5 - y
                share = min(max((from_x * along_x + from_y * along_y) * per_length, 0.0), 1.0)
                off_x, off_y = from_x - share * along_x, from_y - share * along_y
                square = off_x * off_x + off_y * off_y
                if square >= farthest:
                    continue
                distance = np.sqrt(square)
                cover = min(distance + 0.5, half) - max(distance - 0.5, -half)
                alpha = int(opacity * min(cover, 1.0) + 0.5)
                pixel, over, under, scale = pixels[row, column], 256 * alpha, 255 * (256 - alpha), RECIPROCALS[alpha]
                pixel[0] = ((over * red + under * pixel[0]) * scale) >> RECIPROCAL_BITS
                pixel[1] = ((over * green + under * pixel[1]) * scale) >> RECIPROCAL_BITS
                pixel[2] = ((over * blue + under * pixel[2]) * scale) >> RECIPROCAL_BITS
