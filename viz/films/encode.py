"""Encoding of frames as MP4 (H.264) and GIF, by an ffmpeg process each, while the next frame is drawn.

A film appears under its name when it is complete. Until then it is a hidden file, which is removed if anything fails.

ffmpeg reads ``films-18:03/film.gif`` as a protocol and ``-out/film.gif`` as an option. It is given absolute paths only, which are neither.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from data.errors import InputError
from viz.drawing.canvas import Frame, Size

GIF_FPS = 10
GIF_WIDTH_PX = 800
GIF_COLORS = 256  # with fewer, panels and background get the same colour
# Without tags a player guesses the matrix by the size of the picture, and orange becomes another orange.
_BT709 = "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"


Sink = Callable[[Frame], object]
"""Writes a frame."""


@contextlib.contextmanager
def encoder(path: Path, size: Size, fps: int, palette_frames: Sequence[Frame] = ()) -> Iterator[Sink]:
    """Open a film for writing, in the format of the suffix of ``path``.

    Parameters
    ----------
    size : size of the frames, (height, width, 4) unsigned bytes.
    fps : frames per second.
    palette_frames : for a GIF, frames that show all colours of the film, of which its palette is made.

    Raises
    ------
    InputError
        If the suffix is unknown, or the folder cannot be written to.
    """
    open_sink = {".mp4": _open_mp4, ".gif": _open_gif}.get(path.suffix)
    if open_sink is None:
        raise InputError(f"a film is written as .mp4 or .gif; got {path.name!r}")
    path = path.absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = path.with_name(f".{path.stem}.partial{path.suffix}")
    hidden.touch()  # fails here if the folder cannot be written to
    try:
        with open_sink(hidden, size, fps, palette_frames) as sink:
            yield sink
        hidden.replace(path)
    finally:
        hidden.unlink(missing_ok=True)


@contextlib.contextmanager
def _open_mp4(path: Path, size: Size, fps: int, _: Sequence[Frame]) -> Iterator[Sink]:
    import imageio.v2 as imageio

    from viz.films.video_colour import VideoColours

    # With quality=None, crf decides. Browsers and PowerPoint need yuv420p and faststart. imageio takes the planes for one grey picture,
    # so ffmpeg gets to know what they are; frame sizes are even (see Size), and nothing has to be rounded up.
    planes = {"input_params": ["-pix_fmt", "yuv420p", "-s", f"{size.width}x{size.height}"], "macro_block_size": 1}
    output = ["-vf", _BT709, "-crf", "20", "-preset", "veryfast", "-movflags", "+faststart"]
    coding = {"codec": "libx264", "pixelformat": "yuv420p", "quality": None, "output_params": output, **planes}
    writer = imageio.get_writer(path, format="FFMPEG", mode="I", fps=fps, **coding)
    colours = VideoColours(size)
    try:
        yield lambda frame: writer.append_data(colours.convert(frame).reshape(-1, size.width))
    finally:
        writer.close()


@contextlib.contextmanager
def _open_gif(path: Path, size: Size, fps: int, palette_frames: Sequence[Frame]) -> Iterator[Sink]:
    from imageio_ffmpeg import get_ffmpeg_exe

    # One palette for all frames and no dither: flat colours stay the same from frame to frame, so that only what moves is stored.
    palette = path.with_suffix(".palette.png")
    _palette(palette_frames or [np.zeros((2, 2, 4), np.uint8)]).save(palette)
    width = min(GIF_WIDTH_PX, size.width)
    filters = f"[0:v]scale={width}:-2:flags=area[small];[small][1:v]paletteuse=dither=none:diff_mode=rectangle"
    raw = f"-f rawvideo -pix_fmt rgba -s {size.width}x{size.height} -r {min(fps, GIF_FPS)} -i -".split()
    output = ["-filter_complex", filters, "-loop", "0", str(path)]
    command = [get_ffmpeg_exe(), "-v", "error", "-y", *raw, "-i", str(palette), *output]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    pipe: Any = process.stdin
    numbers = itertools.count()

    def write(frame: Frame) -> None:
        if is_in_gif(next(numbers), fps):
            pipe.write(np.ascontiguousarray(frame).data.cast("B"))

    try:
        yield write
    finally:
        _, complaint = process.communicate()
        palette.unlink(missing_ok=True)
        if process.returncode:
            raise OSError(f"ffmpeg could not write {path.name}: {complaint.decode(errors='replace').strip()}")


def is_in_gif(number: int, fps: int) -> bool:
    """Check whether a frame, counted from 0, is kept in a GIF: of those that are nearest to one of its moments, the last.

    Examples
    --------
    >>> [number for number in range(10) if is_in_gif(number, fps=30)]
    [1, 4, 7]
    >>> [number for number in range(3) if is_in_gif(number, fps=10)]
    [0, 1, 2]
    """
    kept = min(fps, GIF_FPS)
    moment, next_moment = ((2 * n * kept + fps) // (2 * fps) for n in (number, number + 1))
    return next_moment > moment


def _palette(frames: Sequence[Frame]) -> Image.Image:
    """Compute the palette of these frames, as a picture of 16x16 pixels."""
    pixels: NDArray[np.uint8] = np.concatenate([frame[::2, ::2, :3] for frame in frames])
    quantized = Image.fromarray(pixels).quantize(GIF_COLORS, method=Image.Quantize.MAXCOVERAGE)
    colors = np.array(quantized.getpalette()[: 3 * GIF_COLORS], dtype=np.uint8).reshape(-1, 3)  # type: ignore[index]
    return Image.fromarray(np.resize(colors, (256, 3)).reshape(16, 16, 3))


def write_film(frames: Iterable[Frame], sinks: Sequence[Sink]) -> Iterator[int]:
    """Write every frame to every sink, and yield the number of frames written so far."""
    for number, frame in enumerate(frames, 1):
        for sink in sinks:
            sink(frame)
        yield number


def read_first_frame(film: Path) -> tuple[Image.Image, float]:
    """Decode the first frame of a film; return it with the length of the film in seconds."""
    from imageio_ffmpeg import get_ffmpeg_exe

    # PPM has pixels and no tags of colour, by which viewers of a PNG could change it once more.
    command = [get_ffmpeg_exe(), "-i", str(film.absolute()), "-frames:v", "1", "-f", "image2pipe", "-c:v", "ppm", "-"]
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL)
    length = re.search(rb"Duration: (\d+):(\d+):([\d.]+)", done.stderr)
    if done.returncode or not done.stdout or length is None:
        raise InputError(f"the film {film.name} cannot be read: make it again")
    hours, minutes, seconds = map(float, length.groups())
    return Image.open(io.BytesIO(done.stdout)), 3600 * hours + 60 * minutes + seconds
