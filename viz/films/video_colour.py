"""Conversion of frames to the colours of video: Y'CbCr by BT.709 in the limited range, the two colour planes at half the resolution.

From frame to frame of a film little changes, and only what has changed is converted.

References
----------
Recommendation ITU-R BT.709-6 (2015), section 3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from viz.compiled import compiled
from viz.drawing.canvas import Frame, Pixels, Size

Planes = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]
"""Luma, blue difference and red difference."""

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
        _convert(pixels, np.ascontiguousarray(frame), self.before, (self.y, self.blue, self.red), WEIGHTS)
        return self.planes


@compiled
def _convert(pixels: Pixels, colours: Frame, before: Pixels, planes: Planes, weights: NDArray[np.int32]) -> None:
    """Convert the blocks in which ``pixels`` differ from ``before``, and copy them there; ``colours`` are the same pixels by channel."""
    y, blue, red = planes
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
                part = colours[row : row + 2, start:end]
                _luma(part, y[row : row + 2, start:end], weights[0])
                _difference(part, blue[row // 2, start // 2 : end // 2], weights[1])
                _difference(part, red[row // 2, start // 2 : end // 2], weights[2])
                before[row : row + 2, start:end] = pixels[row : row + 2, start:end]


@compiled
def _luma(colours: Frame, y: NDArray[np.uint8], weights: NDArray[np.int32]) -> None:
    """Compute the luma of two rows."""
    r, g, b = weights[0], weights[1], weights[2]
    offset = np.int32((16 << BITS) + (1 << (BITS - 1)))
    for row in range(2):
        for column in range(colours.shape[1]):
            total = r * colours[row, column, 0] + g * colours[row, column, 1] + b * colours[row, column, 2]
            y[row, column] = (total + offset) >> BITS


@compiled
def _difference(colours: Frame, samples: NDArray[np.uint8], weights: NDArray[np.int32]) -> None:
    """Compute one colour plane of two rows: each sample is that of the mean of four pixels."""
    offset = np.int32((128 << (BITS + 2)) + (1 << (BITS + 1)))
    for sample in range(len(samples)):
        total, column = offset, 2 * sample
        for channel in range(3):
            upper = np.int32(colours[0, column, channel]) + colours[0, column + 1, channel]
            lower = np.int32(colours[1, column, channel]) + colours[1, column + 1, channel]
            total += weights[channel] * (upper + lower)
        samples[sample] = total >> (BITS + 2)
