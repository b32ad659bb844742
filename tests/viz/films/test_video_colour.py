"""Frames in the colours of video, against the formulas of the standard and ffmpeg's own conversion."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe
from numpy.typing import NDArray

from viz.drawing.canvas import Frame, Size
from viz.films.video_colour import VideoColours

SIZE = Size(150, 38)  # the last block of a row is narrower than the others


def random_frame(seed: int) -> Frame:
    frame = np.full((SIZE.height, SIZE.width, 4), 255, np.uint8)
    frame[..., :3] = np.random.default_rng(seed).integers(0, 256, (SIZE.height, SIZE.width, 3))
    return frame


def by_formula(frame: Frame) -> NDArray[np.float64]:
    """Convert by BT.709's equations in floating point, colour planes from the means of four pixels."""
    rgb = frame[..., :3] / 255
    small = rgb.reshape(SIZE.height // 2, 2, SIZE.width // 2, 2, 3).mean(axis=(1, 3))
    weights = np.array([0.2126, 0.7152, 0.0722])
    y = 16 + 219 * rgb @ weights
    blue = 128 + 224 * (small[..., 2] - small @ weights) / 1.8556
    red = 128 + 224 * (small[..., 0] - small @ weights) / 1.5748
    return np.concatenate([y.ravel(), blue.ravel(), red.ravel()])


def test_colours_are_those_of_the_standard() -> None:
    for seed in range(3):
        frame = random_frame(seed)
        assert np.abs(VideoColours(SIZE).convert(frame) - by_formula(frame)).max() <= 0.51


@pytest.mark.parametrize(
    ("color", "expected"),
    [
        ((0, 0, 0), (16, 128, 128)),
        ((255, 255, 255), (235, 128, 128)),
        ((255, 0, 0), (63, 102, 240)),
        ((0, 255, 0), (173, 42, 26)),
        ((0, 0, 255), (32, 240, 118)),
    ],
)
def test_primary_colours_have_the_codes_of_colour_bars(color: tuple[int, ...], expected: tuple[int, ...]) -> None:
    frame = np.full((SIZE.height, SIZE.width, 4), (*color, 255), np.uint8)
    planes = VideoColours(SIZE).convert(frame)
    n = SIZE.width * SIZE.height
    assert tuple(int(part[0]) for part in (planes[:n], planes[n : n + n // 4], planes[n + n // 4 :])) == expected


def test_flat_colours_are_those_of_ffmpeg() -> None:
    frame = random_frame(0)
    frame[:, :, :3] = frame[::2, ::2, :3].repeat(2, axis=0).repeat(2, axis=1)
    scale = "scale=in_range=full:out_range=tv:out_color_matrix=bt709:flags=accurate_rnd+full_chroma_int+neighbor"
    read = f"-v error -f rawvideo -pix_fmt rgba -s {SIZE.width}x{SIZE.height} -i -".split()
    write = ["-vf", f"{scale},format=yuv420p", "-f", "rawvideo", "-"]
    done = subprocess.run(
        [get_ffmpeg_exe(), *read, *write], input=frame.tobytes(), capture_output=True, check=True
    ).stdout
    theirs = np.frombuffer(done, np.uint8).astype(int)
    assert np.abs(VideoColours(SIZE).convert(frame) - theirs).max() <= 1


def test_a_frame_is_converted_as_if_it_were_the_first() -> None:
    """Only changes are converted: of single pixels at all edges of blocks and of the frame, and of what changes back."""
    converter, frame = VideoColours(SIZE), random_frame(1)
    converter.convert(frame)
    random = np.random.default_rng(2)
    places = [(0, 0), (SIZE.height - 1, SIZE.width - 1), (1, 63), (1, 64), (2, 127), (3, 128), (7, 149)]
    for place in [*places, *zip(*random.integers(0, [[38], [150]], (2, 40)), strict=True)]:
        frame[place] = (*random.integers(0, 256, 3), 255)
        np.testing.assert_array_equal(converter.convert(frame), VideoColours(SIZE).convert(frame))
    np.testing.assert_array_equal(converter.convert(random_frame(1)), VideoColours(SIZE).convert(random_frame(1)))
