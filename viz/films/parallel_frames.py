"""Drawing of a film's frames by several workers; the film is the same to the byte.

The times are divided into pieces of a second or two. Each worker gets the picture once, and sends for each frame the pixels that differ
from the frame before: a frame of 1920x1080 has 8 MB, its changes some tens of kilobytes.
"""

from __future__ import annotations

import pickle
import threading
import zlib
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from data.language import in_language, picture_language
from probes.parallel import map_steps
from viz.fonts import further_fonts

if TYPE_CHECKING:
    from viz.drawing.canvas import Frame, Pixels
    from viz.films.film import Picture

FRAMES_AT_ONCE = 48
FASTEST = 1  # the fastest of zlib's levels
PIXEL = np.uint32  # red, green, blue and alpha as one number

Changes = tuple[bytes, bytes]
"""The distances between changed pixels, and the values of the changed pixels; both compressed."""


def frames_of(picture: Picture, times: Iterable[float], client: Any = None) -> Iterator[Frame]:
    """Draw the frames of a picture in order, by the workers of a client if there is one.

    The workers get pickled copies, so the picture must not have been drawn: the backgrounds of a canvas cannot be pickled.

    Parameters
    ----------
    picture : each thread of a worker draws on a copy of its own.
    times : counted in snapshots; those of a `viz.films.timeline.Timeline`.
    client : from `probes.parallel.open_client`; if None, everything is drawn in this process.

    Returns
    -------
    Frames of (height, width, 4), unsigned bytes, equal to those of ``picture.frames(times)`` if the workers have the same version of
    matplotlib. Frames from workers stay valid when the next one comes.
    """
    if client is None:
        return picture.frames(times)
    every = list(times)
    pieces = [tuple(every[i : i + FRAMES_AT_ONCE]) for i in range(0, len(every), FRAMES_AT_ONCE)]
    copies = _Copies(import_module("cloudpickle").dumps(picture), picture_language())
    drawn = map_steps(_draw, pieces, client, shared=copies)
    return (frame for shape, packed in drawn for frame in _unpacked(shape, packed))


class _Copies:
    """Copies of a picture, one for each thread, since two threads cannot draw on one canvas; pickled without them."""

    def __init__(self, pickled: bytes, language: str):
        self._pickled, self.language = pickled, language
        self._made = threading.local()

    def __reduce__(self) -> tuple[Any, ...]:
        return _Copies, (self._pickled, self.language)

    def picture(self) -> Picture:
        if not hasattr(self._made, "picture"):
            further_fonts()
            self._made.picture = pickle.loads(self._pickled)
        picture: Picture = self._made.picture
        return picture


def _draw(copies: _Copies, times: Sequence[float]) -> tuple[tuple[int, ...], list[Changes]]:
    """Draw frames; return their shape and the changes from frame to frame, of the first from a black frame."""
    shape, packed = (0, 0, 4), list[Changes]()
    before: Pixels = np.empty(0, PIXEL)
    with in_language(copies.language):
        for frame in copies.picture().frames(times):
            pixels = np.array(frame).view(PIXEL).reshape(-1)  # a copy: the frame is a view that the next one overwrites
            if not packed:
                shape, before = frame.shape, np.zeros_like(pixels)
            packed.append(_changes(before, pixels))
            before = pixels
    return shape, packed


def _changes(before: Pixels, after: Pixels) -> Changes:
    changed = np.flatnonzero(before != after)
    gaps = np.diff(changed, prepend=0).astype(PIXEL)
    return zlib.compress(gaps.data, FASTEST), zlib.compress(after[changed].data, FASTEST)


def _unpacked(shape: tuple[int, ...], packed: Sequence[Changes]) -> Iterator[Frame]:
    pixels = np.zeros(shape[0] * shape[1], PIXEL)
    for gaps, values in packed:
        pixels = pixels.copy()
        changed = np.cumsum(np.frombuffer(zlib.decompress(gaps), PIXEL), dtype=np.int64)
        pixels[changed] = np.frombuffer(zlib.decompress(values), PIXEL)
        yield pixels.view(np.uint8).reshape(shape)
