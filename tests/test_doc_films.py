"""The films of the documentation: one script makes them all, the pages show each, and none is large."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest
from PIL import Image

from data.runs import Run
from tests.commands import ROOT
from viz.registry import FILMS

FOLDER = ROOT / "docs" / "films"
README, GALLERY = ROOT / "README.md", ROOT / "docs" / "gallery" / "README.md"
MOST_BYTES, MOST_BYTES_OF_FIRST, MOST_BYTES_OF_ALL = 1_000_000, 2_000_000, 5_000_000
PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)]+)\)")


@pytest.mark.slow
def test_the_script_films_every_kind(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(FOLDER / "make_films.py"), run_name="__main__")
    assert {path.name for path in tmp_path.glob("*.gif")} == {f"{name}.gif" for name in FILMS}
    for path in tmp_path.glob("*.gif"):
        with Image.open(path) as gif:
            assert gif.n_frames > 10  # type: ignore[attr-defined]
            assert gif.info["loop"] == 0


def test_the_films_are_small() -> None:
    sizes = {path.stem: path.stat().st_size for path in FOLDER.glob("*.gif")}
    assert set(sizes) == set(FILMS)
    assert sum(sizes.values()) < MOST_BYTES_OF_ALL
    assert sizes.pop("positions") < MOST_BYTES_OF_FIRST
    assert max(sizes.values()) <= MOST_BYTES


def test_the_first_picture_of_the_readme_is_a_film() -> None:
    pictures = PICTURE.findall(README.read_text(encoding="utf-8"))
    assert pictures[0][1] == "docs/films/positions.gif"


def test_the_gallery_shows_a_film_of_every_kind_with_an_alt_text() -> None:
    pictures = PICTURE.findall(GALLERY.read_text(encoding="utf-8"))
    assert {Path(path).name for _, path in pictures} >= {f"{name}.gif" for name in FILMS}
    assert all(alt for alt, _ in pictures)
