"""An SVG keeps its text wherever it is opened: the spaces, the letters in the file, or all of it as paths."""

from __future__ import annotations

import base64
import io
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from viz import blank_slide, save
from viz.drawing.theme import THEMES
from viz.output import encode_figure

SVG = "{http://www.w3.org/2000/svg}"
TEXTS = ("two  spaces,   three", "  at both ends  ", "a < b & c > d", "não, é ’ “ ” – − ␣ ⏎", "Ж Ω א")
FACE = re.compile(r"font-weight:(\w+);src:url\(data:font/woff;base64,([^)]*)\)")


@pytest.fixture
def encoded() -> bytes:
    slide = blank_slide("A  title", "and a subtitle", theme=THEMES["light"])
    for i, text in enumerate(TEXTS):
        slide.text(100, 200 + 40 * i, text)
    return encode_figure(slide.figure, "svg")


def test_the_spaces_of_a_text_stay(encoded: bytes) -> None:
    texts = list(ET.fromstring(encoded).iter(f"{SVG}text"))
    assert {*TEXTS, "A  title"} <= {text.text for text in texts}
    assert {text.get("{http://www.w3.org/XML/1998/namespace}space") for text in texts} == {"preserve"}


def test_an_svg_has_the_letters_of_its_texts(encoded: bytes) -> None:
    fonts = {weight: TTFont(io.BytesIO(base64.b64decode(data))) for weight, data in FACE.findall(encoded.decode())}
    assert set(fonts) == {"normal", "bold"}
    for text in ET.fromstring(encoded).iter(f"{SVG}text"):
        weight = "bold" if "700" in str(text.get("style")) else "normal"
        assert {ord(c) for c in str(text.text)} <= set(fonts[weight].getBestCmap())
    assert all(len(font.getBestCmap()) < 100 for font in fonts.values())  # not the whole font


def test_text_as_paths_needs_no_font(tmp_path: Path) -> None:
    slide = blank_slide("A  title", "and a subtitle", theme=THEMES["light"])
    save(slide.figure, tmp_path / "slide.paths.svg")
    root = ET.fromstring((tmp_path / "slide.paths.svg").read_bytes())
    assert not list(root.iter(f"{SVG}text"))
    assert len(list(root.iter(f"{SVG}use"))) >= len("Atitleandasubtitle")


@pytest.mark.parametrize("suffix", ["svg", "paths.svg"])
def test_the_same_figure_gives_the_same_svg(suffix: str) -> None:
    def encode() -> bytes:
        return encode_figure(blank_slide("A  title", "and a subtitle").figure, suffix)

    assert encode() == encode()
