"""One catalogue for all words: every key that the pages use is there, in both languages, with the same blanks to fill in."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

from dashboards.state.language import LANGUAGES, TAGS, Translation, catalogue

DASHBOARDS = Path(__file__).parents[3] / "dashboards"
SECTIONS = {key.split(".")[0] for key in catalogue()}
NAMES = re.compile(rf'"((?:{"|".join(sorted(SECTIONS))})\.[A-Za-z0-9_-]+)"')


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
    assert set(TAGS) == set(LANGUAGES)
