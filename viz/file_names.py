"""Names of the files of films and figures: readable words for every field that changes the picture."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

from probes.groups.naming import Group
from viz.output import prompt_slug
from viz.registry import FIGURES, FILMS

# A file's name is read from left to right: the kind, then fields in a fixed order, each with its name or a value that no other has. So
# two requests share a name only where a free text looks like a field. A text is written as it is where it cannot (plain labels that are
# no such word), and with six digits of its hash everywhere else.

_PLAIN = re.compile(r"(?:[a-z]+|[0-9]+)(?:,(?:[a-z]+|[0-9]+))*")
NAME_ORDER = (
    *("method", "highlight", "metric", "trust", "control", "layer", "head", "step", "text", "trace"),
    *("perplexity", "seed", "runs", "prompt", "theme", "size", "transparent", "fps", "seconds_per_snapshot", "hold"),
)
"""The fields that change a picture, in the order in which a file's name has them."""
_RESERVED = frozenset(
    {"and", "run", "no", "tsne", "umap", "pca", "cosine", "dark", "square", *FILMS, *FIGURES}
    | {word for name in NAME_ORDER for word in name.split("_")}
)
_LONGEST_HIGHLIGHT, _LONGEST_NAME = 60, 180


def _highlight_word(highlight: Sequence[str | Group]) -> str:
    """Write groups for a file's name: ``a-e`` for one group of two labels, ``a-and-e`` for two groups."""
    texts = [group if isinstance(group, str) else f"{group.name} {group.members}" for group in highlight]
    is_plain = all(_PLAIN.fullmatch(text) and not _RESERVED & set(text.split(",")) for text in texts)
    plain = "-and-".join(text.replace(",", "-") for text in texts)
    if is_plain and len(plain) <= _LONGEST_HIGHLIGHT and all(isinstance(group, str) for group in highlight):
        return plain
    return prompt_slug("\0".join(texts), _LONGEST_HIGHLIGHT)


def name_word(name: str, value: Any) -> str:
    """Write a field's value so that it cannot be read as another field's."""
    if name == "highlight":
        return _highlight_word(value)
    if name == "prompt":
        return prompt_slug(value)
    if name in ("method", "metric", "theme", "size"):
        return str(value).lower().replace(":", "x")
    option = name.replace("_", "-")
    if isinstance(value, bool):
        return option if value else f"no-{option}"
    if isinstance(value, float | int):
        number = int(value) if float(value).is_integer() else value
        digits = str(number).replace("-", "m").replace("+", "").replace(".", "p")
        return f"{option}-{digits}"
    return f"{option}-{value if name == 'control' else prompt_slug(str(value))}"


def run_word(run: str) -> str:
    return run if re.fullmatch(r"[a-z0-9_]+(-[a-z0-9_]+)*", run) else prompt_slug(run)


def join_words(words: Sequence[str]) -> str:
    name = "-".join(words)
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME - 7].rstrip('-')}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"
