"""One catalogue for all words: every key that the pages use is there, in both languages, with the same blanks to fill in."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from string import Formatter

import pytest

from dashboards.state.language import Translation, catalogue
from data.errors import InputError
from data.language import LANGUAGES, LOCALES
from viz.request import FigureRequest, FilmRequest

DASHBOARDS = Path(__file__).parents[3] / "dashboards"
SECTIONS = {key.split(".")[0] for key in catalogue()}
NAMES = re.compile(rf'"((?:{"|".join(sorted(SECTIONS))})\.(?!css")[A-Za-z0-9_-]+)"')  # "page.css" is a file


def blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", sorted(catalogue()))
def test_an_entry_has_both_languages_and_the_same_blanks(key: str) -> None:
    texts = catalogue()[key]
    assert set(texts) == set(LANGUAGES)
    assert all(text.strip() for text in texts.values())
    assert blanks(texts["en"]) == blanks(texts["pt"])


def test_every_key_that_a_page_names_is_there() -> None:
    named = {key for path in DASHBOARDS.rglob("*.py") for key in NAMES.findall(path.read_text(encoding="utf-8"))}
    assert len(named) > 100
    assert named <= set(catalogue())


def test_every_word_that_the_browser_asks_for_is_there() -> None:
    asked = {
        word
        for path in (DASHBOARDS.parent / "viz" / "player").rglob("*.js")
        for word in re.findall(r"\bwords\.(\w+)", path.read_text(encoding="utf-8"))
    }
    assert len(asked) > 15
    assert asked <= {key.split(".")[1] for key in catalogue()}


def test_numbers_are_written_as_the_language_writes_them() -> None:
    assert Translation("en").number(1234567.891, 2) == "1,234,567.89"
    assert Translation("pt").number(1234567.891, 2) == "1.234.567,89"
    assert Translation("pt").number(-0.5, 1) == "-0,5"
    assert set(LOCALES) == set(LANGUAGES)


@pytest.mark.parametrize(("language", "advice"), [("en", "pass “Perplexity” 20"), ("pt", "pass “Perplexidade” 20")])
def test_an_error_names_fields_by_their_labels(language: str, advice: str) -> None:
    error = InputError("30 is too much for 65 items: pass `perplexity=20`; `no_such_field` stays a name")
    assert Translation(language).error(error) == f"30 is too much for 65 items: {advice}; “no_such_field” stays a name"
    assert Translation(language).error(str(error)) == Translation(language).error(error)


def test_every_field_of_a_request_that_the_pages_make_has_a_label() -> None:
    asked = {field.name for request in (FilmRequest, FigureRequest) for field in dataclasses.fields(request)}
    command_only = {"only", "format", "deck", "out", "trace", "scheduler", "transparent", "device"}
    assert {name for name in asked - command_only if Translation().field(name) == name} == set()


def test_a_count_of_one_is_singular_in_both_languages() -> None:
    for language, one, many in (("en", "1 snapshot", "2 snapshots"), ("pt", "1 instantâneo", "2 instantâneos")):
        say = Translation(language)
        assert (say.count("embeddings.n_snapshots", 1), say.count("embeddings.n_snapshots", 2)) == (one, many)
    assert Translation("pt").count("embeddings.n_snapshots", 12345) == "12.345 instantâneos"
    assert Translation().count("embeddings.n_snapshots", 0) == "0 snapshots"


@pytest.mark.parametrize("key", sorted(key for key in catalogue() if key.endswith("_one")))
def test_a_singular_has_its_plural(key: str) -> None:
    assert key.removesuffix("_one") in catalogue() or key == "compare.one_run"
