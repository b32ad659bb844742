"""Drawing of a film's frames by several workers; the film is the same to the byte.

The times are divided into pieces of a second or two. Each worker makes the picture once, and sends for each frame the pixels that differ
from the frame before: a frame of 1920x1080 has 8 MB, its changes some tens of kilobytes.
"""

from __future__ import annotations

import pickle
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from probes.parallel import map_steps

if TYPE_CHECKING:
    from viz.drawing.canvas import Frame
    from viz.films.film import Picture

FRAMES_AT_ONCE = 48
FASTEST = 1  # the fastest of zlib's levels
PIXEL = np.uint32  # red, green, blue and alpha as one number

Pixels = NDArray[np.uint32]
Changes = tuple[bytes, bytes]
"""The distances between changed pixels, and the values of the changed pixels; both compressed."""


def frames_of(picture: Picture, times: Iterable[float], client: Any = None) -> Iterator[Frame]:
    """Draw the frames of a picture, by the workers of a client if there is one.

    The workers get pickled copies, so the picture must not have been drawn: the backgrounds of a canvas cannot be pickled.

    Parameters
    ----------
    picture : each worker gets a copy.
    times, client : as in `frames_in_parallel`.
    """
    if client is None:
        return picture.frames(times)
    return frames_in_parallel(partial(pickle.loads, import_module("cloudpickle").dumps(picture)), list(times), client)


def frames_in_parallel(make_picture: Callable[[], Picture], times: Sequence[float], client: Any) -> Iterator[Frame]:
    """Draw the frames of a picture at the given times, in order, by the workers of a client.

    Parameters
    ----------
    make_picture : makes a new picture; it is sent to every worker once, with the arrays that it encloses.
    times : counted in snapshots; ``list`` of a `viz.films.timeline.Timeline`.
    client : from `probes.parallel.open_client`; if None, everything is drawn in this process.

    Yields
    ------
    Frames of (height, width, 4), unsigned bytes, equal to those of ``make_picture().frames(times)`` if the workers have the same
    version of matplotlib. Frames from workers stay valid when the next one comes.
    """
    if client is None:
        yield from make_picture().frames(times)
        return
    pieces = [tuple(times[i : i + FRAMES_AT_ONCE]) for i in range(0, len(times), FRAMES_AT_ONCE)]
    for shape, packed in map_steps(_draw, pieces, client, shared=_Maker(make_picture)):
        yield from _unpacked(shape, packed)


class _Maker:
    """Makes a picture once in each thread, since two threads cannot draw on one canvas; pickled without the pictures made."""

    def __init__(self, make_picture: Callable[[], Picture]):
        self._make_picture = make_picture
        self._made = threading.local()

    def __reduce__(self) -> tuple[Any, ...]:
        return _Maker, (self._make_picture,)

    def picture(self) -> Picture:
        if not hasattr(self._made, "picture"):
            self._made.picture = self._make_picture()
        picture: Picture = self._made.picture
        return picture


def _draw(maker: _Maker, times: Sequence[float]) -> tuple[tuple[int, ...], list[Changes]]:
    """Draw frames; return their shape and the changes from frame to frame, of the first from a black frame."""
    shape, packed = (0, 0, 4), list[Changes]()
    before: Pixels = np.empty(0, PIXEL)
    for frame in maker.picture().frames(times):
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
