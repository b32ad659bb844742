"""Files that play: decoded again, they hold the frames that went in; what goes wrong leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe
from PIL import Image

from data.errors import InputError
from viz.drawing.canvas import Frame, Size
from viz.films.encode import encoder, is_in_gif, read_first_frame, write_film

SIZE = Size(320, 240)


def made_frames(n: int) -> list[Frame]:
    """A blue square that walks to the right over a white ground."""
    frames = np.full((n, 240, 320, 4), 255, np.uint8)
    for i, frame in enumerate(frames):
        frame[100:140, 10 + 8 * i : 50 + 8 * i, :3] = (0, 114, 178)
    return list(frames)


def write(path: Path, n: int, fps: int = 10) -> None:
    frames = made_frames(n)
    with encoder(path, SIZE, fps, frames[:1]) as sink:
        assert list(write_film(frames, [sink])) == list(range(1, n + 1))


def test_an_mp4_holds_the_frames_that_went_in(tmp_path: Path) -> None:
    write(tmp_path / "film.mp4", 20)
    command = [
        get_ffmpeg_exe(),
        "-v",
        "error",
        "-i",
        str(tmp_path / "film.mp4"),
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-",
    ]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    decoded = np.frombuffer(raw, np.uint8).reshape(-1, 240, 320, 3)
    expected = np.stack(made_frames(20))[..., :3].astype(float)
    assert decoded.shape == expected.shape
    assert np.abs(decoded - expected).mean() < 3


def test_an_mp4_plays_in_browsers_and_slides(tmp_path: Path) -> None:
    write(tmp_path / "film.mp4", 12)
    told = subprocess.run([get_ffmpeg_exe(), "-i", str(tmp_path / "film.mp4")], capture_output=True, text=True).stderr
    assert "h264" in told
    assert "yuv420p" in told
    assert "320x240" in told
    content = (tmp_path / "film.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")  # faststart: a player may begin before it has all


def test_the_tags_of_an_mp4_name_its_colours(tmp_path: Path) -> None:
    write(tmp_path / "film.mp4", 3)
    told = subprocess.run([get_ffmpeg_exe(), "-i", str(tmp_path / "film.mp4")], capture_output=True, text=True).stderr
    # The range, then matrix, primaries and transfer, which ffmpeg writes as one word where they are alike.
    assert "yuv420p(tv, bt709, progressive)" in told


def test_a_gif_loops_and_keeps_time(tmp_path: Path) -> None:
    write(tmp_path / "film.gif", 20)
    with Image.open(tmp_path / "film.gif") as gif:
        assert gif.info["loop"] == 0
        seconds = 0.0
        for i in range(gif.n_frames):
            gif.seek(i)
            seconds += gif.info["duration"] / 1000
        assert seconds == pytest.approx(2.0, abs=0.11)
        blue = np.abs(np.asarray(gif.convert("RGB")).astype(int) - (0, 114, 178)).max(axis=-1) < 12
        assert blue[:, 160:].any()


@pytest.mark.parametrize("suffix", ["mp4", "gif"])
def test_the_same_frames_give_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    write(tmp_path / f"a.{suffix}", 8)
    write(tmp_path / f"b.{suffix}", 8)
    assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


NASTY_FOLDERS = (
    "films-18:03",
    "-out",
    "-",
    "--y",
    "a b",
    "100%",
    "%d",
    "%03d",
    "%",
    "file:",
    "pipe:1",
    "concat:a|b",
    "[0:v]",
    "{a,b}*?",
    'it\'s "quoted"',
    "poética 東京 🎞",
    "new\nline",
    "~",
    "$HOME",
    "a&b;c",
    "back\\slash",
    "films.zip",
    "films.mp4",
    "a=b,c@d#e",
)


@pytest.mark.sampled(5)
@pytest.mark.skipif(os.name == "nt", reason="Windows allows few of these names")
@pytest.mark.parametrize("name", NASTY_FOLDERS)
def test_a_film_may_lie_in_a_folder_of_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Relative, as on the command line: the name is all that ffmpeg would see."""
    monkeypatch.chdir(tmp_path)
    for suffix in ("mp4", "gif"):
        write(Path("usual") / f"film.{suffix}", 3)
        write(Path(name) / f"film.{suffix}", 3)
        assert (tmp_path / name / f"film.{suffix}").read_bytes() == (tmp_path / f"usual/film.{suffix}").read_bytes()
    picture, seconds = read_first_frame(Path(name) / "film.mp4")
    assert (picture.size, seconds) == ((SIZE.width, SIZE.height), pytest.approx(0.3, abs=0.01))
    assert sorted(path.name for path in (tmp_path / name).iterdir()) == ["film.gif", "film.mp4"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "usual"])


def test_the_first_frame_has_the_colours_that_were_drawn(tmp_path: Path) -> None:
    write(tmp_path / "film.mp4", 10)
    picture, seconds = read_first_frame(tmp_path / "film.mp4")
    assert seconds == pytest.approx(1.0, abs=0.01)
    for place, color in (((30, 120), (0, 114, 178)), ((120, 120), (255, 255, 255))):
        assert np.abs(np.subtract(picture.getpixel(place), color)).max() <= 2
    (tmp_path / "no.mp4").write_bytes(b"no film")
    for name in ("no", "none"):
        with pytest.raises(InputError, match=rf"the film {name}\.mp4 cannot be read: make it again"):
            read_first_frame(tmp_path / f"{name}.mp4")


@pytest.mark.parametrize("suffix", ["mp4", "gif"])
def test_a_film_that_fails_half_way_leaves_the_old_one(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"film.{suffix}"
    path.write_bytes(b"old")

    def fail() -> None:
        with encoder(path, SIZE, 10, made_frames(1)) as sink:
            sink(made_frames(1)[0])
            raise RuntimeError("drawing failed")

    with pytest.raises(RuntimeError, match="drawing failed"):
        fail()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.mp4 or \.gif"), encoder(tmp_path / "film.avi", SIZE, 10):
        pass


@pytest.mark.parametrize("fps", [7, 10, 12, 24, 25, 29, 30, 60])
def test_a_gif_keeps_the_frames_that_ffmpeg_would(fps: int) -> None:
    """Which frames are kept when frames are dropped evenly is compared with ffmpeg's own filter."""
    numbers = np.arange(101, dtype=np.uint8)
    frames = np.broadcast_to(numbers[:, None, None], (101, 2, 2)).tobytes()
    read = f"-v error -f rawvideo -pix_fmt gray -s 2x2 -r {fps} -i -".split()
    write = f"-vf fps={min(fps, 10)} -f rawvideo -pix_fmt gray -".split()
    kept = subprocess.run([get_ffmpeg_exe(), *read, *write], input=frames, capture_output=True, check=True).stdout[::4]
    assert [number for number in range(101) if is_in_gif(number, fps)] == list(kept)
