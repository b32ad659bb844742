"""Measures are explained once: in the documentation as in the pictures, and on slides that have room."""

from __future__ import annotations

from data.language import LANGUAGES
from data.runs import Run
from tests.commands import ROOT
from viz.explanations import EXPLANATIONS, OF_KINDS, documentation, explain, explained, explanations, help_text
from viz.figures.figure import make_figure
from viz.request import FigureRequest


def test_the_documentation_explains_every_measure_in_the_same_words() -> None:
    page = (ROOT / "docs" / "measures.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in page.split("\n\n")[2].splitlines()[2:]]
    assert dict(rows) == EXPLANATIONS


def test_the_documentation_says_what_the_dashboard_says() -> None:
    page = (ROOT / "docs" / "measures.md").read_text(encoding="utf-8")
    assert documentation() in page


def test_every_explanation_stands_in_every_language() -> None:
    english = explanations("en")
    for language in LANGUAGES:
        found = explanations(language)
        assert found.keys() == english.keys()
        for key, one in found.items():
            assert one.name, key
            assert all(text.strip().endswith((".", "…", ")")) for text in (one.what, one.misleads, one.how)), key
            assert bool(one.short) == bool(english[key].short), key


def test_what_kinds_of_panels_show_is_explained() -> None:
    assert {key for keys in OF_KINDS.values() for key in keys} <= explanations().keys()


def test_help_names_each_of_several() -> None:
    text = help_text("t-sne", "pca", language="pt")
    assert "**t-SNE.**" in text
    assert "**PCA.**" in text
    assert not help_text("temperature").startswith("**")


def test_a_narrow_slide_leaves_explanations_out() -> None:
    wide, square = (FigureRequest(("lens",), size=size) for size in ("16:9", "square"))
    assert explained(wide, "sink") == f". {explain('sink')}"
    assert explained(square, "sink") == ""


def test_figures_explain_what_they_draw(run: Run) -> None:
    for name, terms in {
        "heads": ("induction", "sink"),
        "token-spectrum": ("stable rank", "effective rank"),
        "lens": ("logit lens",),
        "tokens": ("trustworthiness",),
        "attention": ("attention map",),
    }.items():
        drawing = make_figure(run, FigureRequest((name,), method="pca" if name == "tokens" else "tsne")).drawing
        words = " ".join(text.get_text() for text in drawing.texts).lower()
        assert all(EXPLANATIONS[term] in words for term in terms), name
