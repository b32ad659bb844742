"""Names of the files of films and figures: readable words for every field that changes the picture.

A name is read from left to right: the kind, then fields in a fixed order, each with its name or a value that no other has. So two
requests could share a name only where a free text looks like a field. A text is written as it is where it cannot (plain labels that are
no such word), and with six digits of its hash everywhere else.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from probes.groups.naming import Group
from viz.registry import FIGURES, FILMS

FIELDS = (  # noqa: SIM905 - words in two lines, not in twenty
    "method highlight metric trust bands control layer head layers step text items trace all_tokens perplexity seed device runs prompt "
    "theme size transparent language fps seconds_per_snapshot duration hold"
).split()
"""The fields that change a picture, in the order in which a file's name has them."""
_VALUES = {"en", "pt", "and", "run", "no", "tsne", "umap", "pca", "cosine", "dark", "square", "large"}
_RESERVED = {*_VALUES, *FILMS, *FIGURES, *" ".join(FIELDS).replace("_", " ").split()}
_PLAIN = re.compile(r"[a-z]+|[0-9]+")
_LONGEST_HIGHLIGHT, _LONGEST_NAME = 60, 180


def file_name(words: Sequence[str]) -> str:
    """Join words to a name; a long one is cut and ends with six digits of its hash."""
    name = "-".join(words)
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME - 7].rstrip('-')}-{_digits(name)}"


def field_word(name: str, value: Any) -> str:
    """Write a field's value so that it cannot be read as another field's."""
    if name == "highlight":
        return _highlight_word(value)
    if name == "prompt":
        return hashed_word(value)
    if name in ("method", "metric", "theme", "size", "language"):
        return str(value).lower().replace(":", "x")
    option = name.replace("_", "-")
    if isinstance(value, bool):
        return option if value else f"no-{option}"
    if isinstance(value, float | int):
        digits = f"{int(value) if float(value).is_integer() else value}"
        return f"{option}-{digits.replace('-', 'm').replace('+', '').replace('.', 'p')}"
    return f"{option}-{value if name in ('control', 'device') else hashed_word(str(value))}"


def run_word(run: str) -> str:
    """Write the name of a run, as it is where it is plain."""
    return run if re.fullmatch(r"[a-z0-9_]+(-[a-z0-9_]+)*", run) else hashed_word(run)


def hashed_word(text: str, longest: int = 40) -> str:
    """Write a free text as its letters without accents, or code points where it has none, and six digits of its hash.

    Examples
    --------
    >>> hashed_word("A figura é poética")
    'a-figura-e-poetica-871687'
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    slug = re.sub(r"[^0-9A-Za-z]+", "-", plain).strip("-") or "-".join(f"u{ord(c):04x}" for c in plain)
    return f"{slug.lower()[:longest].strip('-')}-{_digits(text)}"


def _highlight_word(highlight: Sequence[str | Group]) -> str:
    """Write groups: ``a-e`` for one of two labels, ``a-and-e`` for two groups."""
    texts = [group if isinstance(group, str) else f"{group.name} {group.members}" for group in highlight]
    words = "-and-".join(texts).replace(",", "-")
    is_plain = all(_PLAIN.fullmatch(label) and label not in _RESERVED for text in texts for label in text.split(","))
    return words if is_plain and len(words) <= _LONGEST_HIGHLIGHT else hashed_word("\0".join(texts), _LONGEST_HIGHLIGHT)


def _digits(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:6]
