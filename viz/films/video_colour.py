"""Conversion of frames to the colours of video: Y'CbCr by BT.709 in the limited range, the two colour planes at half the resolution.

From frame to frame of a film little changes, and only what has changed is converted.

References
----------
Recommendation ITU-R BT.709-6 (2015), section 3.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from viz.drawing.canvas import Frame, Size

BLOCK_PX = 64
"""Pixels beside each other, of two rows, that are converted together."""
BITS = 15
"""Of the fractions in which the weights are given."""

# Weights of red, green and blue, in units of 2^-BITS: luma takes 219 of 255 levels, each colour difference 224.
_KR, _KB = 0.2126, 0.0722
_LUMA = np.array([_KR, 1 - _KR - _KB, _KB]) * 219 / 255
_BLUE = np.array([-_KR, -(1 - _KR - _KB), 1 - _KB]) / (1 - _KB) / 2 * 224 / 255
_RED = np.array([1 - _KR, -(1 - _KR - _KB), -_KB]) / (1 - _KR) / 2 * 224 / 255
WEIGHTS = np.rint(np.stack([_LUMA, _BLUE, _RED]) * 2**BITS).astype(np.int32)


class VideoColours:
    """Converts the frames of a film, (height, width, 4) in red, green, blue and alpha, one after another; width and height are even."""

    def __init__(self, size: Size):
        self.before = np.zeros((size.height, size.width), np.uint32)
        self.planes = np.empty(size.width * size.height * 3 // 2, np.uint8)
        luma, half = size.width * size.height, (size.height // 2, size.width // 2)
        self.y = self.planes[:luma].reshape(size.height, size.width)
        self.blue, self.red = (part.reshape(half) for part in np.split(self.planes[luma:], 2))
        self.y[:], self.blue[:], self.red[:] = 16, 128, 128  # black, as ``before``

    def convert(self, frame: Frame) -> NDArray[np.uint8]:
        """Convert a frame to planar 4:2:0: all of luma, then both colour planes, as one array that the next call overwrites.

        A colour sample is the mean of four pixels.
        """
        pixels = np.ascontiguousarray(frame).view(np.uint32)[:, :, 0]
        _convert(pixels, np.ascontiguousarray(frame), self.before, self.y, self.blue, self.red, WEIGHTS)
        return self.planes


@njit(cache=True, nogil=True)
def _convert(
    pixels: NDArray[np.uint32],
    colours: NDArray[np.uint8],
    before: NDArray[np.uint32],
    y: NDArray[np.uint8],
    blue: NDArray[np.uint8],
    red: NDArray[np.uint8],
    weights: NDArray[np.int32],
) -> None:
    """Convert the blocks in which ``pixels`` differ from ``before``, and copy them there; ``colours`` are the same pixels by channel."""
    height, width = pixels.shape
    n_blocks = (width + BLOCK_PX - 1) // BLOCK_PX
    changed = np.empty(n_blocks, np.bool_)
    for row in range(0, height, 2):
        for block in range(n_blocks):
            start, end = block * BLOCK_PX, min((block + 1) * BLOCK_PX, width)
            difference = np.uint32(0)
            for column in range(start, end):
                difference |= pixels[row, column] ^ before[row, column]
                difference |= pixels[row + 1, column] ^ before[row + 1, column]
            changed[block] = difference != 0
        for block in range(n_blocks):
            if changed[block]:
                start, end = block * BLOCK_PX, min((block + 1) * BLOCK_PX, width)
                for line in range(row, row + 2):
                    _luma(colours, y, line, start, end, weights[0])
                    before[line, start:end] = pixels[line, start:end]
                _difference(colours, blue, row, start, end, weights[1])
                _difference(colours, red, row, start, end, weights[2])


@njit(cache=True, nogil=True)
def _luma(
    colours: NDArray[np.uint8], y: NDArray[np.uint8], row: int, start: int, end: int, weights: NDArray[np.int32]
) -> None:
    r, g, b = weights[0], weights[1], weights[2]
    offset = np.int32((16 << BITS) + (1 << (BITS - 1)))
    for column in range(start, end):
        total = r * colours[row, column, 0] + g * colours[row, column, 1] + b * colours[row, column, 2]
        y[row, column] = (total + offset) >> BITS


@njit(cache=True, nogil=True)
def _difference(
    colours: NDArray[np.uint8], plane: NDArray[np.uint8], row: int, start: int, end: int, weights: NDArray[np.int32]
) -> None:
    """Compute one colour plane of two rows: each sample is that of the mean of four pixels."""
    offset = np.int32((128 << (BITS + 2)) + (1 << (BITS + 1)))
    for column in range(start, end, 2):
        total = offset
        for channel in range(3):
            upper = np.int32(colours[row, column, channel]) + colours[row, column + 1, channel]
            lower = np.int32(colours[row + 1, column, channel]) + colours[row + 1, column + 1, channel]
            total += weights[channel] * (upper + lower)
        plane[row // 2, column // 2] = total >> (BITS + 2)
