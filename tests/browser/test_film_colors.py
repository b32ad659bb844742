"""A film has in a browser the colours that were drawn: a frame of patches is read back."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from tests.browser.visit import FLAGS, chromium
from viz.drawing.canvas import Frame, Size
from viz.drawing.theme import THEMES
from viz.films.encode import encoder, write_film

PATCH_PX, COLUMNS, MARGIN_PX = 80, 8, 20
EXTREMES = ("#000000", "#FFFFFF", "#FF0000", "#00FF00", "#0000FF", "#00FFFF", "#FF00FF", "#FFFF00", "#808080")
DRAWN = [color for one in THEMES.values() for color in (*one.palette, one.text, one.muted, one.disc, one.panel)]
COLORS = [*dict.fromkeys([*EXTREMES, *DRAWN])]
PLACES = [(i // COLUMNS * PATCH_PX, i % COLUMNS * PATCH_PX) for i in range(len(COLORS))]
# A shader converts colours as a graphics card does. Without one, Chromium on x86 computes with coefficients of eight bits, whose largest
# is less than BT.709 needs for blue: any film of this standard, by whomever, is up to 12 levels off there.
SHADER = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
# A frame is read once it is presented: the inner part of each patch.
READ_PATCHES = """async ({source, places, side}) => {
  const video = document.createElement('video');
  video.muted = true;
  video.src = source;
  await new Promise((done, fail) => {
    video.requestVideoFrameCallback(done);
    video.onerror = () => fail(new Error(video.error.message));
    video.play();
  });
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0);
  return places.map(([y, x]) => Array.from(context.getImageData(x, y, side, side).data));
}"""


@pytest.fixture(scope="module")
def blank_page(browser: Browser) -> Iterator[Page]:
    flags = [flag for flag in FLAGS if flag != "--disable-gpu"]
    shading = browser.browser_type.launch(executable_path=chromium(), args=[*flags, *SHADER])
    yield shading.new_page()
    shading.close()


def rgb(color: str) -> list[int]:
    return [int(color[i : i + 2], 16) for i in (1, 3, 5)]


def patches(height: int) -> Frame:
    """Draw a patch of each colour on a white frame of this height."""
    frame = np.full((height, PATCH_PX * COLUMNS, 4), 255, np.uint8)
    for color, (y, x) in zip(COLORS, PLACES, strict=True):
        frame[y : y + PATCH_PX, x : x + PATCH_PX, :3] = rgb(color)
    return frame


def write(path: Path, frame: Frame) -> Path:
    with encoder(path, Size(frame.shape[1], frame.shape[0]), 10) as sink:
        list(write_film([frame] * 10, [sink]))
    return path


@pytest.mark.slow
@pytest.mark.parametrize("height", [480, 1080])  # below and above 720 lines players guess other matrices
def test_a_browser_shows_the_colours_that_were_drawn(blank_page: Page, tmp_path: Path, height: int) -> None:
    film = write(tmp_path / "film.mp4", patches(height))
    source = f"data:video/mp4;base64,{base64.b64encode(film.read_bytes()).decode()}"
    places = [[y + MARGIN_PX, x + MARGIN_PX] for y, x in PLACES]
    asked = {"source": source, "places": places, "side": PATCH_PX - 2 * MARGIN_PX}
    shown = np.array(blank_page.evaluate(READ_PATCHES, asked)).reshape(len(COLORS), -1, 4)[..., :3]
    off = np.abs(shown - np.array([[rgb(color)] for color in COLORS])).max(axis=(1, 2))
    assert {color: int(far) for color, far in zip(COLORS, off, strict=True) if far > 2} == {}
