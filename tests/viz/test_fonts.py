"""Characters that a font lacks are named once; fonts of packages are used where they are needed, and only there."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager

from data.notices import collect_notices
from data.runs import Run
from viz import fonts
from viz.drawing.canvas import Surface
from viz.drawing.text import label_name, short_label, shorten, text_path, text_width
from viz.drawing.theme import THEMES
from viz.figures.__main__ import main
from viz.request import FigureRequest


@pytest.fixture
def no_packages(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Draw as where no package of fonts is installed."""
    monkeypatch.setattr(fonts, "further_fonts", dict)
    text_width.cache_clear()
    yield
    text_width.cache_clear()


@pytest.fixture
def one_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install a package with a font whose only glyph, a tall box, is that of 東."""
    pen = TTGlyphPen(None)
    for place, point in enumerate([(0, 0), (0, 900), (800, 900), (800, 0)]):
        (pen.lineTo if place else pen.moveTo)(point)
    pen.closePath()
    font = FontBuilder(1000)
    font.setupGlyphOrder([".notdef", "east"])
    font.setupCharacterMap({ord("東"): "east"})
    font.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "east": pen.glyph()})
    font.setupHorizontalMetrics({".notdef": (500, 0), "east": (900, 0)})
    font.setupHorizontalHeader(ascent=900, descent=-100)
    font.setupNameTable({"familyName": "East Only", "styleName": "Regular"})
    font.setupOS2()
    font.setupPost()
    folder = tmp_path / "cvttf_NotoSansCJK_Regular"
    folder.mkdir()
    (folder / "__init__.py").touch()
    font.save(folder / "east.ttf")
    monkeypatch.setattr(fontManager, "ttflist", list(fontManager.ttflist))
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    caches = (fonts.further_fonts, text_width, fontManager._findfont_cached)
    for cached in caches:
        cached.cache_clear()  # type: ignore[attr-defined]
    yield
    for cached in caches:
        cached.cache_clear()  # type: ignore[attr-defined]


def pixels(text: str, **style: bool) -> np.ndarray:
    figure = Figure(figsize=(3, 1), dpi=72)
    Surface(figure, THEMES["light"]).text(10, 10, text, **style)  # type: ignore[arg-type]
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba()).copy()


@pytest.mark.usefixtures("no_packages")
def test_what_the_font_lacks_is_a_code_point_in_every_text() -> None:
    assert short_label("東") == label_name("東").replace("東", "U+6771") == "U+6771"
    assert short_label("東A") == "U+6771U+0041"[:6] + "…"
    assert shorten("a 東 b", 1000) == "a U+6771 b"
    assert text_width("東") == text_width("U+6771")
    assert np.array_equal(pixels("東"), pixels("U+6771"))
    assert np.array_equal(pixels("東", bold=True), pixels("U+6771", bold=True))
    assert text_path("東", 10).vertices.tolist() == text_path("U+6771", 10).vertices.tolist()  # type: ignore[union-attr]


@pytest.mark.usefixtures("one_package")
def test_a_font_of_a_package_is_used_for_what_the_own_font_lacks() -> None:
    assert short_label("東") == "東"
    assert fonts.families("東") == ["sans-serif", "East Only"]
    assert not np.array_equal(pixels("a東"), pixels("aU+6771"))
    (box,) = text_path("東", 100).to_polygons()
    assert np.ptp(box, axis=0).tolist() == pytest.approx([80, 90], abs=1)
    assert short_label("京") == "U+4EAC"
    pixels("a東", bold=True)  # without a warning or a message
    for text in ("Straße, não, Ωμέγα, Привет, שלום", "a\nb"):
        assert fonts.families(text) == ["sans-serif"]


@pytest.mark.slow
@pytest.mark.usefixtures("no_packages")
def test_one_notice_of_a_command_names_the_characters(run: Run, tmp_path: Path) -> None:
    request = FigureRequest(only=("loss", "tokens", "next-token"), method="pca", format="svg", out=tmp_path)
    with collect_notices() as notices:
        main(request)
    assert not notices
    with collect_notices() as notices, fonts.lettering(run):
        main(request)
        assert [fonts.drawable(text) for text in ("東京", "東\u200b", "não")] == ["U+6771U+4EAC", "U+6771U+200B", "não"]
    (notice,) = notices
    assert notice.startswith("the font DejaVu Sans has no glyph for 2 characters (東, 京): written as code points; pip")


def test_dollars_in_labels_are_no_mathematics() -> None:
    widths = [text_path(text, 20).get_extents().width for text in ("$", "$5$", r"\$")]
    assert widths[1] > 2.4 * widths[0]
    assert widths[2] > 1.2 * widths[0]


@pytest.mark.parametrize(
    ("tokens", "coded"),
    [
        (["a", "b", "c", "а"], {"а": "U+0430"}),
        (["а", "б", "в", "г", "a"], {"a": "U+0061"}),
        ([" cap", " сар", "ш", "bd"], {" сар": "␣U+0441U+0430U+0440"}),
        (["привет", "hello", "p"], {}),  # no other token looks like it
        (["-", "‑", "–"], {"‑": "U+2011"}),
        (["µ", "μ", "λ"], {"µ": "U+00B5"}),
    ],
)
def test_tokens_that_look_alike_are_told_apart_by_the_letters_of_the_rarer_script(
    tokens: list[str], coded: dict[str, str]
) -> None:
    shown = dict(zip(tokens, fonts.letter(tokens, tokens), strict=True))
    assert {token: text for token, text in shown.items() if "U+" in text} == coded


def test_a_token_that_spells_a_name_stands_in_quotes() -> None:
    names = [label_name(token) for token in (" ", "space", "“space”", "\n", "newline", "a space")]
    assert names == ["space", "“space”", "““space””", "newline", "“newline”", "a␣space"]
