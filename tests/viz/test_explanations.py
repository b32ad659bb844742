"""Measures are explained once: in the documentation as in the pictures, and on slides that have room."""

from __future__ import annotations

from data.runs import Run
from tests.commands import ROOT
from viz.explanations import EXPLANATIONS, explain, explained
from viz.figures.figure import make_figure
from viz.request import FigureRequest


def test_the_documentation_explains_every_measure_in_the_same_words() -> None:
    page = (ROOT / "docs" / "measures.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in page.split("\n\n")[2].splitlines()[2:]]
    assert dict(rows) == EXPLANATIONS


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
