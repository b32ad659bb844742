"""Names are known in every language, and no name stands for two things."""

from __future__ import annotations

import pytest

from data.language import LANGUAGES, LOCALES, names
from data.language.displayed_names import fold, spellings
from probes.groups.token_classes import CHARACTER_CLASSES, SUBWORD_CLASSES


@pytest.mark.parametrize("section", ["classes", "symbols"])
def test_every_name_stands_for_one_thing(section: str) -> None:
    owners: dict[str, set[str]] = {}
    for part in (section, f"{section}_also"):
        for key, texts in names()[part].items():
            assert set(texts) == set(LANGUAGES)
            for text in texts.values():
                owners.setdefault(fold(text), set()).add(key)
    assert all(len(keys) == 1 for keys in owners.values())
    assert all(spellings(section)[text] in keys for text, keys in owners.items())


def test_every_class_of_tokens_has_a_name() -> None:
    assert set(names()["classes"]) == {*CHARACTER_CLASSES, *SUBWORD_CLASSES}


def test_every_language_has_a_tag() -> None:
    assert set(LOCALES) == set(LANGUAGES)
