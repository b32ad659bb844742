"""Names of classes of tokens and of characters that have no ink, in every language; and what readers may write for them."""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

NAMES = Path(__file__).with_name("names.toml")


@lru_cache(maxsize=1)
def names() -> dict[str, dict[str, dict[str, str]]]:
    """Read all names: by section (``classes``, ``symbols``) and key, the name in each language."""
    return tomllib.loads(NAMES.read_text(encoding="utf-8"))


@lru_cache(maxsize=8)
def spellings(section: str) -> Mapping[str, str]:
    """List what readers may write, folded by `fold`, for each key of a section: its name in any language, or a synonym."""
    kinds = {section: names()[section], f"{section}_also": names().get(f"{section}_also", {})}
    written = {fold(key): key for key in kinds[section]}
    for entries in kinds.values():
        for key, texts in entries.items():
            for text in texts.values():
                written.setdefault(fold(text), key)
    return written


def fold(name: str) -> str:
    """Write a name without capitals and accents, and with hyphens for spaces.

    Examples
    --------
    >>> fold("Começa palavra"), fold("VOGAIS")
    ('comeca-palavra', 'vogais')
    """
    plain = (c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    return "-".join("".join(plain).replace("-", " ").split())
