"""A deck holds what was put on its slides, for eyes, screen readers and speakers; the reader is python-pptx."""

from __future__ import annotations

import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from data.errors import InputError
from viz.drawing.theme import THEMES
from viz.figures.deck import SIZES, DeckPage, fit, write_deck

pptx = pytest.importorskip("pptx", reason="python-pptx is not installed")

FILM = b"\x00\x00\x00\x18ftypmp42 and then frames"


@pytest.fixture
def slides(tmp_path: Path) -> list[DeckPage]:
    for name, size in (("wide", (160, 90)), ("tall", (50, 151))):
        Image.new("RGB", size, "#0072B2").save(tmp_path / f"{name}.png")
    (tmp_path / "a & b.mp4").write_bytes(FILM)
    return [
        DeckPage("Loss", tmp_path / "wide.png", 'It falls from "4" to 2 < 3.', notes="Say why.\nThen wait."),
        DeckPage("A tall one", tmp_path / "tall.png", "Points, among them U+001B: \x1b"),
        DeckPage(
            "The film", tmp_path / "wide.png", "Letters part into groups.", "Play it twice.", tmp_path / "a & b.mp4"
        ),
    ]


def written(slides: list[DeckPage], path: Path, size: str = "16:9", theme: str = "dark") -> Any:
    return pptx.Presentation(str(write_deck(slides, path, "What a GPT learns", THEMES[theme], size)))


def shown(page: Any) -> Any:
    """Return the picture or film of a slide: the one thing on it besides its title."""
    [shape] = [shape for shape in page.shapes if not shape.is_placeholder]
    return shape


def test_the_deck_begins_with_its_title_as_text(slides: list[DeckPage], tmp_path: Path) -> None:
    first = written(slides, tmp_path / "deck.pptx").slides[0]
    assert first.shapes.title.text_frame.text == "What a GPT learns"
    assert [shape.text_frame.text for shape in first.placeholders][1:] == ["2 pictures and 1 film, made with GPTLab"]


def test_every_slide_has_its_title_alt_text_and_notes(slides: list[DeckPage], tmp_path: Path) -> None:
    _, *pages = written(slides, tmp_path / "deck.pptx").slides
    assert [page.shapes.title.text_frame.text for page in pages] == [slide.title for slide in slides]
    descriptions = [shown(page)._element.nvPicPr.cNvPr.get("descr") for page in pages]
    assert descriptions == [slides[0].alt_text, "Points, among them U+001B: U+001B", slides[2].alt_text]
    assert [page.notes_slide.notes_text_frame.text if page.has_notes_slide else "" for page in pages] == [
        slide.notes for slide in slides
    ]


@pytest.mark.parametrize("size", SIZES)
def test_pictures_fill_the_slide_undistorted_and_their_titles_do_not_show(
    slides: list[DeckPage], tmp_path: Path, size: str
) -> None:
    deck = written(slides, tmp_path / "deck.pptx", size)
    inches = {"16:9": (13.333, 7.5), "4:3": (10, 7.5), "square": (7.5, 7.5), "large": (20, 15), "a3": (16.535, 11.693)}[
        size
    ]
    assert (deck.slide_width.inches, deck.slide_height.inches) == pytest.approx(inches, abs=1e-3)
    for slide, page in zip(slides, list(deck.slides)[1:], strict=True):
        picture, title = shown(page), page.shapes.title
        with Image.open(slide.picture) as image:
            assert picture.width / picture.height == pytest.approx(image.width / image.height, rel=1e-6)
        assert picture.width == deck.slide_width or picture.height == deck.slide_height
        assert picture.left * 2 + picture.width == pytest.approx(deck.slide_width, abs=1)
        assert picture.top * 2 + picture.height == pytest.approx(deck.slide_height, abs=1)
        assert title.top + title.height < 0


def test_films_are_inside_with_their_picture_in_front(slides: list[DeckPage], tmp_path: Path) -> None:
    movie = shown(written(slides, tmp_path / "deck.pptx").slides[3])
    assert movie.media_type == pptx.enum.shapes.PP_MEDIA_TYPE.MOVIE
    assert movie.poster_frame.blob == slides[2].picture.read_bytes()
    [media] = [link.target_part for link in movie.part.rels.values() if link.reltype.endswith("/media")]
    assert (media.blob, media.content_type) == (FILM, "video/mp4")


@pytest.mark.parametrize("name", THEMES)
def test_the_theme_of_the_deck_has_the_colours(slides: list[DeckPage], tmp_path: Path, name: str) -> None:
    deck, theme = written(slides, tmp_path / "deck.pptx", theme=name), THEMES[name]
    kind = pptx.opc.constants.RELATIONSHIP_TYPE.THEME
    xml = deck.slide_master.part.part_related_by(kind).blob.decode()
    for place, color in (("dk1", theme.text), ("lt1", theme.background), ("accent1", theme.palette[0])):
        assert f'<a:{place}><a:srgbClr val="{color[1:]}"/></a:{place}>' in xml
    assert all(page.follow_master_background for page in deck.slides)
    runs = [shape.text_frame.paragraphs[0].runs[0] for shape in deck.slides[0].placeholders]
    assert [run.font.color.theme_color.name for run in runs] == ["TEXT_1", "TEXT_2"]


def test_the_same_input_gives_the_same_bytes_at_any_time(
    slides: list[DeckPage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "first.pptx", tmp_path / "second.pptx"
    write_deck(slides, first, "Title", THEMES["light"])
    monkeypatch.setattr(time, "time", lambda: 2e9)
    write_deck(slides, second, "Title", THEMES["light"])
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as package:
        assert {entry.date_time for entry in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert not any(str(tmp_path).encode() in package.read(name) for name in package.namelist())
        assert "docProps/thumbnail.jpeg" not in package.namelist()


def test_mistakes_are_named_and_leave_no_file(slides: list[DeckPage], tmp_path: Path) -> None:
    path, theme = tmp_path / "out" / "deck.pptx", THEMES["light"]
    no_picture = tmp_path / "no.png"
    no_picture.write_bytes(b"GIF89a")
    for wrong, message in (
        ([], "at least one slide"),
        ([DeckPage("t", tmp_path / "none.png", "a")], r"none\.png cannot be put on a slide \(No such file"),
        ([DeckPage("t", no_picture, "a")], "it is no PNG"),
        ([DeckPage("t", slides[0].picture, "a", film=tmp_path / "none.mp4")], r"none\.mp4 cannot be put on a slide"),
    ):
        with pytest.raises(InputError, match=message):
            write_deck(wrong, path, "Title", theme)
    with pytest.raises(InputError, match=r"slides are 16:9, 4:3, square, large, a3; got '3:2'"):
        write_deck(slides, path, "Title", theme, "3:2")
    assert not path.parent.exists()


def test_without_python_pptx_the_message_says_how_to_install_it(
    slides: list[DeckPage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pptx", None)
    with pytest.raises(InputError, match=r'pip install "gptlab\[slides\]"'):
        write_deck(slides, tmp_path / "deck.pptx", "Title", THEMES["light"])


def test_fit_leaves_equal_margins() -> None:
    assert fit((100, 200), (300, 100)) == (125, 0, 50, 100)
    assert fit((16, 9), SIZES["16:9"]) == (0, 0, *SIZES["16:9"])
