"""The pixels of a frame into which is painted: places in them, and the bounds that clip."""

from __future__ import annotations

from math import floor
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Bounds = tuple[int, int, int, int]
"""The columns and rows to be painted: left, top, right and bottom, of which the last two are the first beyond."""


def pixels_of(renderer: Any) -> Bytes:
    """View the picture of Agg's renderer, (row, column, red green blue alpha); no other renderer has one."""
    return np.asarray(renderer.buffer_rgba())


def places_in(pixels: Bytes, artist: Artist, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert an artist's data coordinates, (point, axis), to columns and rows from the upper left corner."""
    axes: Any = artist.axes
    places = np.array(axes.transData.transform(points))
    places[:, 1] = len(pixels) - places[:, 1]
    return places


def bounds_in(pixels: Bytes, artist: Artist) -> Bounds:
    """Round an artist's axes to whole pixels, as Agg does with what clips."""
    (height, width), axes = pixels.shape[:2], artist.axes
    box: Any = None if axes is None else axes.bbox
    left, right = (min(max(floor(x + 0.5), 0), width) for x in (box.x0, box.x1))
    top, bottom = (min(max(floor(height - y + 0.5), 0), height) for y in (box.y1, box.y0))
    return left, top, right, bottom


def to_bytes(colors: NDArray[np.float64]) -> Bytes:
    """Convert channels from 0 to 1 to bytes, rounded as Agg does."""
    return (colors * 255.0 + 0.5).astype(np.uint8)
