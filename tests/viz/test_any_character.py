"""Every figure, film and export of a run whose vocabulary has characters of every category of Unicode."""

from __future__ import annotations

import sys
import unicodedata
import xml.dom.minidom
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from data.notices import collect_notices
from data.printing import has_ink
from data.runs import Run
from probes.export import export_files
from probes.tables.embeddings import token_embeddings
from probes.tables.vectors import read_word2vec, unescape
from trainer.config import preset, replace
from trainer.session import start
from viz.drawing.text import label_name, short_label, text_path
from viz.figures.deck import write_run_deck
from viz.figures.figure import make_figure
from viz.films.film import make_film
from viz.fonts import lettering
from viz.registry import FIGURES, FILMS
from viz.request import FigureRequest, FilmRequest

OF_A_CATEGORY = 3
ALIKE = "AΑАKKéoοо-‐‑µμ;\u037e␣⏎∎◌\u0301\u0302$\\_^{}<>&\"'"
PROMPTS = ("is $5\x0cp & $6 <b>", "\u0301é\u00ad\u200b\x1b\x00東🚀\ufffe", "A\u202eАΑ␣⏎\u3164\n")


@cache
def characters() -> str:
    """Choose some characters of every category but surrogates, which no text file holds, at even distances."""
    by_category: dict[str, list[str]] = {}
    for code in range(sys.maxunicode + 1):
        by_category.setdefault(unicodedata.category(chr(code)), []).append(chr(code))
    assert len(by_category) == 30
    del by_category["Cs"]
    chosen = [
        found[i * (len(found) - 1) // OF_A_CATEGORY] for found in by_category.values() for i in range(OF_A_CATEGORY)
    ]
    return "".join(dict.fromkeys([*chosen, *ALIKE, *"".join(PROMPTS)]))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("any")
    lines = [characters()[i:] + characters()[:i] for i in range(0, len(characters()), 8)]
    (folder / "any.txt").write_bytes("\n".join(lines).encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GPTLAB_RUNS", str(folder / "runs"))
        fields = {"corpus": str(folder / "any.txt"), "steps": 10}
        start(replace(preset("tiny"), fields, "test"), "any").go(lambda *_: None)
        yield Run(folder / "runs" / "any")


def test_no_two_labels_look_alike(run: Run) -> None:
    tokens = run.tokenizer.labels
    assert len(tokens) > 100
    with collect_notices(), lettering(run):
        for write in (short_label, label_name):
            labels = [write(token) for token in tokens]
            assert len(set(labels)) == len(tokens)
            outlines = [text_path(label, 20).vertices for label in labels]
            assert all(map(len, outlines))
            assert len({bytes(outline.round(3).tobytes()) for outline in outlines}) == len(tokens)  # type: ignore[union-attr]


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("name", "prompt"),
    [(name, prompt) for name, kind in FIGURES.items() for prompt in (PROMPTS if "prompt" in kind.fields else [None])],
)
def test_every_figure_is_valid_and_shows_only_what_can_be_seen(run: Run, name: str, prompt: str | None) -> None:
    with collect_notices() as notices:
        figure = make_figure(run, FigureRequest(only=(name,), method="pca", prompt=prompt))
        shown = xml.dom.minidom.parseString(figure.encode("svg")).getElementsByTagName("text")
        figure.encode("png")
        assert figure.encode("pdf").startswith(b"%PDF")
    texts = ["".join(str(node.data) for node in text.childNodes) for text in shown]
    assert all(has_ink(c) or c == " " for text in texts for c in text)
    assert all(has_ink(c) or c == " " for c in figure.alt_text)
    assert sum("no glyph for" in notice for notice in notices) <= 1


@pytest.mark.parametrize("what", FILMS)
def test_every_film_is_drawn(run: Run, what: str) -> None:
    fields = {"prompt": PROMPTS[1]} if "prompt" in FILMS[what].fields else {}
    if what == "tokens":
        fields["highlight"] = ("U+6771,U+000C,␣; U+0410,⏎",)  # type: ignore[assignment]
    with collect_notices():
        film = make_film(run, FilmRequest(what=what, method="pca", size="640x480", **fields))  # type: ignore[arg-type]
        assert next(iter(film.picture.frames([0.0]))).any()
        if film.make_page:
            assert all(has_ink(c) or c.isspace() for c in film.make_page())


def test_exports_are_escaped_and_read_back(run: Run, tmp_path: Path) -> None:
    vectors, tokens = token_embeddings(run), run.tokenizer.labels
    export_files(vectors, tmp_path, "tokens", ["csv", "parquet", "word2vec", "projector"])
    written = next(tmp_path.glob("*.vec"))
    assert list(read_word2vec(written)["token"].values) == tokens
    assert all(has_ink(c) or c in " \n" for c in written.read_text(encoding="utf-8"))
    labels = next(tmp_path.rglob("metadata.tsv")).read_text(encoding="utf-8").removesuffix("\n").split("\n")
    assert len(set(labels)) == len(tokens)
    assert all(map(has_ink, "".join(labels)))
    assert list(map(unescape, labels)) == tokens


def test_a_deck_holds_every_character(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("pptx")
    request = FigureRequest(only=("next-token",), prompt=PROMPTS[1], format="png", out=tmp_path)
    with collect_notices():
        figure = make_figure(run, request)
    figure.save(tmp_path / "next.png")
    assert write_run_deck(run, [(figure, tmp_path / "next.png")], tmp_path, request).stat().st_size > 10_000
