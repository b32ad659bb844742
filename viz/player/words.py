"""Texts of the player, in the languages of the pages."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path

WORDS = Path(__file__).with_name("words.toml")


@lru_cache(maxsize=1)
def catalogue() -> dict[str, dict[str, dict[str, str]]]:
    """Read all texts: by section and key, the text in each language."""
    return tomllib.loads(WORDS.read_text(encoding="utf-8"))


def section(name: str, language: str = "en") -> dict[str, str]:
    """Select the texts of a section in a language, by key.

    Examples
    --------
    >>> section("slider")["step"], section("slider", "pt")["step"]
    ('step', 'passo')
    """
    return {key: texts[language] for key, texts in catalogue()[name].items()}


def unknown_step(unknown: str, language: str = "en") -> str:
    """Translate what `data.runs.names.unknown_step` found."""
    key = "trained" if unknown.endswith("trained") else "unknown_step"
    return section("slider", language)[key] if unknown else ""
