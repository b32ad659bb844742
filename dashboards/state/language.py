"""The page's words: one catalogue, English and Brazilian Portuguese side by side, and numbers as each language writes them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

CATALOGUE = Path(__file__).with_name("catalogue.toml")
LANGUAGES = {"en": "English", "pt": "Português"}
#: What a browser calls them.
TAGS = {"en": "en", "pt": "pt-BR"}


@lru_cache(maxsize=1)
def catalogue() -> dict[str, dict[str, str]]:
    """Return every entry: by key, the text in each language."""
    sections = tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))
    return {f"{section}.{key}": texts for section, entries in sections.items() for key, texts in entries.items()}


@dataclass(frozen=True)
class Translation:
    """The catalogue in one language.

    Examples
    --------
    >>> say = Translation("pt")
    >>> say("slider.step")
    'passo'
    >>> say.number(1234.5, 1)
    '1.234,5'
    """

    language: str = "en"

    def __call__(self, key: str, **values: object) -> str:
        """Return the text of a key, e.g. ``"slider.step"``, with ``{name}`` replaced by the values."""
        text = catalogue()[key][self.language]
        return text.format(**values) if values else text

    def section(self, section: str) -> Mapping[str, str]:
        """Return all texts of a section by their short keys: what the browser's part of the page is given."""
        return {
            key.removeprefix(f"{section}."): texts[self.language]
            for key, texts in catalogue().items()
            if key.startswith(f"{section}.")
        }

    def number(self, value: float, decimals: int = 0) -> str:
        """Write a number with thousands set apart."""
        text = f"{value:,.{decimals}f}"
        return text.translate(str.maketrans(",.", ".,")) if self.language == "pt" else text

    @property
    def tag(self) -> str:
        """Return the language as browsers name it."""
        return TAGS[self.language]
