"""Discs painted straight into the pixels of a frame: 50,000 in the time in which matplotlib draws a thousand.

matplotlib outlines, fills and strokes every disc anew. Here a disc of the film's size is rasterized once at 16 x 16 positions within a
pixel (its stamps), and each disc of a frame blends the nearest stamp into the pixels. Its place is off by at most 1/32 of a pixel.

The loop over discs is plain Python, compiled by Numba (which UMAP needs anyway). Discs overlap in order, which NumPy alone could only
keep by sorting millions of pixels: that takes as long as matplotlib.
"""

from __future__ import annotations

from math import floor
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from numpy.typing import NDArray

from viz.compiled import compiled
from viz.drawing.painting.pixels import Bounds, Bytes, bounds_in, pixels_of, places_in

PHASES = 16
"""Positions of a disc's centre within a pixel, along each axis."""
FINER = 4
"""How many times finer than the phases the grid is on which stamps are rasterized."""
BITS = 16
WHOLE, HALF = np.int32(1 << BITS), np.int32(1 << (BITS - 1))
"""The weight of a colour that covers a pixel whole, and half of it."""


class PaintedDiscs(Artist):
    """Discs of one size, each with an edge in a colour of its own, the last uppermost; clipped to their axes.

    Parameters
    ----------
    radius_px, edge_px : radius of a disc, and width of the edge, whose middle is the disc's outline.
    """

    def __init__(self, radius_px: float, edge_px: float):
        super().__init__()
        self._stamps = disc_stamps(radius_px, edge_px)
        self._points = np.empty((0, 2))
        self._colors = np.empty((0, 2, 3), np.uint8)

    def set_points(self, points: NDArray[np.float64]) -> None:
        """Set the centres, (disc, axis)."""
        self._points = points

    def set_colors(self, colors: Bytes) -> None:
        """Set the colours of the discs and of their edges, (disc, disc or edge, red green blue)."""
        self._colors = colors

    def draw(self, renderer: Any) -> None:
        """Paint the discs; the renderer must be Agg's."""
        pixels = pixels_of(renderer)
        centres = places_in(pixels, self, self._points)
        compiled(paint_discs)(pixels, centres, self._stamps, self._colors, bounds_in(pixels, self))


def disc_stamps(radius_px: float, edge_px: float) -> NDArray[np.int32]:
    """Rasterize a disc, and over it its edge, at each position within a pixel.

    Returns
    -------
    The weights of the disc's colour and of the edge's in each pixel, in 65,536ths: (phase down, phase across, row, column, disc or edge).
    The centre of phase p is p / 16 of a pixel from the left, or upper, edge of the middle column, or row.
    """
    outer, inner = radius_px + edge_px / 2, max(radius_px - edge_px / 2, 0.0)
    side, fine = 2 * int(np.ceil(outer)) + 1, PHASES * FINER
    half = (side // 2 + 1) * fine
    squares = ((np.arange(-half, half) + 0.5) / fine) ** 2
    distance = np.sqrt(squares[:, None] + squares)
    disc, edge = (
        _coverage(mask, side, fine) for mask in (distance < radius_px, (distance < outer) & (distance >= inner))
    )
    return np.rint(WHOLE * np.stack([disc * (1 - edge), edge], axis=-1)).astype(np.int32)


def _coverage(mask: NDArray[np.bool_], side: int, fine: int) -> NDArray[np.float64]:
    """Compute how far a shape covers each pixel, (phase down, phase across, row, column), from its fine picture, ``fine`` to the pixel."""
    total = np.pad(mask.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    starts = fine + np.arange(side) * fine - np.arange(PHASES)[:, None] * FINER  # (phase, pixel)
    rows = total[starts + fine] - total[starts]  # (phase down, row, fine column)
    area = rows[:, :, starts + fine] - rows[:, :, starts]  # (phase down, row, phase across, column)
    return np.asarray(area.transpose(0, 2, 1, 3) / fine**2)


def paint_discs(
    pixels: Bytes, centres: NDArray[np.float64], stamps: NDArray[np.int32], colors: Bytes, bounds: Bounds
) -> None:
    """Blend the stamps of discs at ``centres`` (disc, column and row) into opaque ``pixels`` (row, column, red green blue alpha)."""
    left, top, right, bottom = bounds
    phases, side = stamps.shape[0], stamps.shape[2]
    for i in range(len(centres)):
        x, y = centres[i, 0], centres[i, 1]
        if not (left - side < x < right + side and top - side < y < bottom + side):  # nor is NaN
            continue
        across, down = floor(x * phases + 0.5), floor(y * phases + 0.5)
        first_column, first_row = across // phases - side // 2, down // phases - side // 2
        stamp = stamps[down % phases, across % phases]
        red, green, blue = np.int32(colors[i, 0, 0]), np.int32(colors[i, 0, 1]), np.int32(colors[i, 0, 2])
        edge_red, edge_green, edge_blue = (
            np.int32(colors[i, 1, 0]),
            np.int32(colors[i, 1, 1]),
            np.int32(colors[i, 1, 2]),
        )
        for row in range(max(first_row, top), min(first_row + side, bottom)):
            for column in range(max(first_column, left), min(first_column + side, right)):
                face, edge = stamp[row - first_row, column - first_column]
                if face + edge == 0:
                    continue
                pixel = pixels[row, column]
                under = WHOLE - face - edge
                pixel[0] = (under * pixel[0] + face * red + edge * edge_red + HALF) >> BITS
                pixel[1] = (under * pixel[1] + face * green + edge * edge_green + HALF) >> BITS
                pixel[2] = (under * pixel[2] + face * blue + edge * edge_blue + HALF) >> BITS
