"""A finished model that was imported, and word vectors, are of no known step: nothing calls theirs step 0, which means untrained."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.text import Text

from dashboards.state.language import Translation
from data.errors import InputError
from data.runs import Run
from data.runs.names import architecture
from probes.__main__ import main as probe
from probes.registry import ProbeRequest
from probes.tables.vectors import import_vectors
from trainer.pretrained.import_options import ImportOptions
from trainer.pretrained.importing import import_model, import_revisions
from viz.figures.deck import write_run_deck
from viz.figures.figure import make_figure
from viz.films.film import make_film
from viz.registry import FIGURES, FILMS, Kind
from viz.request import FigureRequest, FilmRequest

transformers = pytest.importorskip("transformers", reason="the models are Hugging Face's: pip install '.[hf]'")

LETTERS = "\n abcdefghijklmnopqrstuvwxyz.,"
ROWS, CONTEXT, WIDTH = len(LETTERS), 32, 16
LLAMA = {
    "vocab_size": ROWS,
    "hidden_size": WIDTH,
    "intermediate_size": WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": CONTEXT,
}
OPT = {name: LLAMA[name] for name in LLAMA if name != "intermediate_size"} | {
    "word_embed_proj_dim": WIDTH,
    "ffn_dim": WIDTH,
}
GPT = {"vocab_size": ROWS, "n_positions": CONTEXT, "n_embd": WIDTH, "n_layer": 2, "n_head": 2}
ENDS = {"bos_token_id": 0, "eos_token_id": 0}
CLASSES: dict[str, Any] = {
    "Llama": lambda: transformers.LlamaForCausalLM(transformers.LlamaConfig(**LLAMA)),
    "GPT-NeoX": lambda: transformers.GPTNeoXForCausalLM(transformers.GPTNeoXConfig(**LLAMA)),
    "OPT": lambda: transformers.OPTForCausalLM(transformers.OPTConfig(**OPT)),
    "GPT-2": lambda: transformers.GPT2LMHeadModel(transformers.GPT2Config(**GPT, **ENDS)),
    "GPT-1": lambda: transformers.OpenAIGPTLMHeadModel(transformers.OpenAIGPTConfig(**GPT)),
}
UNTRAINED = re.compile(r"\bstep 0\b|steps? 0 to|\bat 1 snapshots")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GPTLAB_RUNS", str(tmp_path / "runs"))
    (tmp_path / "letters.txt").write_text(LETTERS)
    (tmp_path / "text.txt").write_text("the cat sat on the mat, and the dog lay down.\nso it was.\n" * 40)
    return tmp_path


def imported(home: Path, name: str, model: str = "model") -> Run:
    torch.manual_seed(0)
    CLASSES[name]().save_pretrained(home / model)
    return import_model(home / model, symbols_of=str(home / "letters.txt"))


def word_vectors(home: Path) -> Run:
    rows = np.random.default_rng(0).normal(size=(30, 5)).round(3)
    lines = [f"word{i} {' '.join(map(str, row))}" for i, row in enumerate(rows)]
    (home / "vectors.txt").write_text("30 5\n" + "\n".join(lines))
    return import_vectors(home / "vectors.txt")


def fields_of(kind: Kind, home: Path) -> dict[str, Any]:
    given = {"prompt": "the cat", "text": home / "text.txt", "method": "pca"}
    if "items" in kind.fields:  # there, a text only decides which tokens are the most frequent
        del given["text"]
    return {name: value for name, value in given.items() if name in kind.fields}


def all_that_is_written(run: Run, home: Path) -> dict[str, str]:
    """Draw every figure and film that the run has the data for; return the texts in each with its alt text."""
    written = {}
    for kinds, request, make, field in (
        (FIGURES, FigureRequest, make_figure, "only"),
        (FILMS, FilmRequest, make_film, "what"),
    ):
        for name, kind in kinds.items():
            chosen: Any = (name,) if field == "only" else name
            try:
                made: Any = make(run, request(**{field: chosen}, **fields_of(kind, home)))
            except InputError:  # without losses, say
                continue
            if field == "what":
                list(made.picture.frames([0.0]))
            drawing = made.drawing if field == "only" else made.picture.film_frame.canvas.figure
            texts = [text.get_text() for text in drawing.findobj(Text)]
            written[f"{request.__name__} {name}"] = " | ".join([*texts, made.alt_text]).replace("\n", " ")
    return written


@pytest.mark.parametrize("name", ["Llama", *(pytest.param(name, marks=pytest.mark.slow) for name in ("OPT", "GPT-1"))])
def test_no_picture_calls_a_finished_model_untrained_or_by_another_name(home: Path, name: str) -> None:
    run = imported(home, name)
    written = all_that_is_written(run, home)
    assert len(written) >= 12
    for picture, text in written.items():
        assert not UNTRAINED.search(text), picture
        assert "a GPT of" not in text, picture
    for picture in ("FigureRequest next-token", "FigureRequest layer", "FilmRequest temperature"):
        assert "(one snapshot, trained)" in written[picture]
    for picture in ("FilmRequest tokens", "FilmRequest attention", "FilmRequest heads"):
        assert "one snapshot | trained" in written[picture]
        assert "training step" not in written[picture]
    assert f"{name} with {run.info['parameters']:,} parameters" in written["FilmRequest tokens"]


@pytest.mark.parametrize("name", CLASSES)
def test_an_architecture_is_called_by_its_name(home: Path, name: str) -> None:
    assert architecture(imported(home, name).info) == name


def test_no_picture_calls_word_vectors_untrained(home: Path) -> None:
    written = all_that_is_written(word_vectors(home), home)
    assert set(written) >= {"FigureRequest tokens", "FigureRequest token-spectrum", "FilmRequest tokens"}
    for picture, text in written.items():
        assert not UNTRAINED.search(text), picture
        assert "trained" in text, picture


def test_tables_pages_and_cards_say_that_the_step_is_not_known(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, vectors = imported(home, "Llama"), word_vectors(home)
    capsys.readouterr()
    for name, measure in ((run.name, "next-token"), (run.name, "tokens"), (vectors.name, "tokens")):
        probe(ProbeRequest(measure=(measure,), run=name, prompt="the" if measure == "next-token" else None))
    probe(ProbeRequest(measure=("token-geometry",), run=vectors.name))
    printed = capsys.readouterr().out
    assert not UNTRAINED.search(printed)
    assert printed.count("one snapshot, trained") >= 4
    for shown in (run, vectors):
        card = shown._repr_html_()
        assert "1 (trained)" in card
        assert not UNTRAINED.search(card)
    assert ">Llama, 2 layers" in run._repr_html_()
    film: Any = make_film(run, FilmRequest(what="tokens", method="pca"))
    assert '"unknown_step": "one snapshot, trained"' in film.make_page()
    assert Translation("pt").step(run, 0) == "um instantâneo, treinado"


def test_a_step_that_is_known_stays_a_step(home: Path) -> None:
    """Also step 0, where the source says so."""
    torch.manual_seed(0)
    for step in (0, 1000):
        CLASSES["GPT-NeoX"]().save_pretrained(home / "pythia" / f"step{step}")
    run = import_model(home / "pythia", symbols_of=str(home / "letters.txt"))
    assert "step_known" not in run.info["source"]
    assert run.step_attrs == {}
    written = all_that_is_written(run, home)
    assert "at 2 snapshots from step 0 to step 1,000" in written["FilmRequest tokens"]
    assert "training step | 0" in written["FilmRequest tokens"]
    assert "GPT-NeoX with" in written["FilmRequest tokens"]


@pytest.mark.slow
def test_one_unknown_step_among_others_is_called_unknown(home: Path) -> None:
    torch.manual_seed(0)
    for name in ("first", "last"):
        CLASSES["Llama"]().save_pretrained(home / name)
    options = ImportOptions(symbols_of=str(home / "letters.txt"))
    located = [(None, home / "first"), (500, home / "last")]
    run = import_revisions(located, "two", model="two", options=options)
    written = all_that_is_written(run, home)
    for picture, text in written.items():
        assert not UNTRAINED.search(text), picture
    assert "from step unknown to step 500" in written["FilmRequest tokens"]
    assert "training step | unknown" in written["FilmRequest tokens"]
    assert "2 (step unknown to step 500)" in run._repr_html_()


def test_the_deck_of_a_finished_model_does_not_say_that_it_learns(home: Path) -> None:
    pptx = pytest.importorskip("pptx", reason="python-pptx is not installed")
    run = imported(home, "OPT")
    request = FigureRequest(only=("next-token",), prompt="the", format="png", out=home)
    figure = make_figure(run, request)
    figure.save(home / "next.png")
    slides = pptx.Presentation(str(write_run_deck(run, [(figure, home / "next.png")], home, request))).slides
    assert slides[0].shapes[0].text_frame.text == f"{run.name}: OPT"


def test_a_run_of_our_own_keeps_its_name(run: Run) -> None:
    assert architecture(run.info) == "GPT"
    film = make_film(run, dataclasses.replace(FilmRequest(what="tokens", method="pca"), run=run.name))
    picture: Any = film.picture
    assert any("a GPT of" in text.get_text() for text in picture.film_frame.canvas.figure.texts)
