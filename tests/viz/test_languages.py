"""Pictures in Portuguese hold no English word of ours, and pictures in English are what they were without a language."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from matplotlib.text import Text

from data.language import in_language, picture_language
from data.runs import Run
from tests.language import left_in_english
from tests.viz.visible import watched_texts
from viz.figures.figure import make_figure
from viz.films.film import make_film
from viz.registry import FIGURES, FILMS, Kind
from viz.request import FigureRequest, FilmRequest

SIZE = "640x360"


def settings(kind: Kind) -> dict[str, Any]:
    """Choose what makes a picture quickly, and with all its texts."""
    chosen: dict[str, Any] = {"highlight": ("vowels", "whitespace") if "token" in kind.name else ("1,2,3",)}
    chosen |= {"method": "pca", "prompt": "ab ", "layer": 0, "head": 0, "bands": True}
    return {name: value for name, value in chosen.items() if name in kind.fields}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_in_portuguese_holds_no_english(run: Run, name: str) -> None:
    request = FigureRequest(only=(name,), language="pt", **settings(FIGURES[name]))
    figure = make_figure(run, request)
    with watched_texts() as seen:
        figure.encode("png")
    texts = [one.text for one in seen] or [text.get_text() for text in figure.drawing.findobj(Text)]  # type: ignore[attr-defined]
    assert texts
    assert left_in_english([*texts, figure.title, figure.alt_text], (run.name, "made")) == {}
    assert picture_language() == "en"


@pytest.mark.parametrize("name", FILMS)
def test_a_film_in_portuguese_holds_no_english(run: Run, name: str) -> None:
    request = FilmRequest(what=name, language="pt", size=SIZE, **settings(FILMS[name]))
    film = make_film(run, request)
    with in_language("pt"), watched_texts() as seen:
        last = film.timeline.n_snapshots - 1.0
        for _ in film.picture.frames([0.0, last]):
            pass
    page = [film.make_page()] if film.make_page else []
    texts = [one.text for one in seen]
    assert texts
    assert left_in_english([*texts, film.title, film.alt_text], (run.name, "made")) == {}
    assert all('<html lang="pt-BR">' in one for one in page)


def test_a_number_in_portuguese_has_a_comma(run: Run) -> None:
    figure = make_figure(run, FigureRequest(only=("loss",), language="pt"))
    with watched_texts() as seen:
        figure.encode("png")
    numbers = [one.text for one in seen if any(c.isdigit() for c in one.text)]
    assert any("," in text for text in numbers)
    assert not any("." in text for text in numbers)


def test_the_language_is_a_part_of_the_name_and_the_options() -> None:
    english, portuguese = FilmRequest(what="tokens"), FilmRequest(what="tokens", language="pt")
    assert english.file_name == replace(portuguese, language="en").file_name
    assert portuguese.file_name == f"{english.file_name}-pt"
    assert portuguese.arguments() == ["--what=tokens", "--language=pt"]
    assert FilmRequest.from_record(portuguese.to_record()) == portuguese


def test_english_pictures_are_the_same_with_and_without_a_language(run: Run) -> None:
    plain = make_figure(run, FigureRequest(only=("next-token",), prompt="ab "))
    with in_language("pt"):  # the language of a request comes before that of its surroundings
        named = make_figure(run, FigureRequest(only=("next-token",), prompt="ab ", language="en"))
    assert plain.encode("png") == named.encode("png")
