"""What pictures, measures and controls are, once for all: dashboard, figures, films, slides and docs/measures.md read these texts."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from data.language import say

if TYPE_CHECKING:
    from viz.request import FigureRequest

TEXTS = Path(__file__).with_name("explanations.toml")
OF_KINDS = {
    "scatter": ("embeddings", "doubt"),
    "heat-maps": ("attention-map",),
    "bars": ("next-token",),
    "samples": ("sample",),
    "comparisons": ("group-comparison",),
    "neighbours": ("neighbours",),
    "neighbourhoods": ("neighbours",),
    "model-flow": ("next-token", "attention-map", "logit-lens"),
}
"""The keys of what a kind of panel shows, where the panel does not name others itself."""


@dataclass(frozen=True)
class Explanation:
    """What something is, when it misleads, and how it is computed; ``short`` is for figures, empty where there is none."""

    name: str
    what: str
    misleads: str
    how: str
    short: str = ""


@lru_cache(maxsize=1)
def _texts() -> dict[str, dict[str, dict[str, str]]]:
    return tomllib.loads(TEXTS.read_text(encoding="utf-8"))


@lru_cache(maxsize=8)
def explanations(language: str = "en") -> dict[str, Explanation]:
    """Read all explanations in a language, by key.

    Examples
    --------
    >>> explanations()["sink"].short, explanations("pt")["sink"].name
    ('rests on the first token', 'ralo')
    """
    return {
        key: Explanation(**{field: texts[language] for field, texts in entry.items()})
        for key, entry in _texts().items()
    }


EXPLANATIONS = {found.name: found.short for found in explanations().values() if found.short}
"""The short explanations of measures, by name, as figures and films write them."""


def explain(*names: str) -> str:
    """Write the explanations of some measures, one after another.

    Examples
    --------
    >>> explain("sink", "distance")
    'Sink: rests on the first token. Distance: how many tokens back it looks.'
    """
    named = ((say(name), say(EXPLANATIONS[name])) for name in names)
    return " ".join(f"{name[0].upper()}{name[1:]}: {text}." for name, text in named)


def explained(request: FigureRequest, *names: str) -> str:
    """Write explanations to be added to the subtitle of a figure; nothing on a slide that has no room for them."""
    return f". {explain(*names)}" if request.is_wide else ""


def help_text(*keys: str, language: str = "en") -> str:
    """Write explanations for the help of a control: what it is, and when it misleads; several with their names before them."""
    found = [explanations(language)[key] for key in keys]
    return "\n\n".join(f"{f'**{one.name}.** ' * (len(found) > 1)}{one.what} {one.misleads}" for one in found)


def documentation(keys: Sequence[str] = ()) -> str:
    """Write the explanations (all if no ``keys`` are given) as Markdown, a section each, for docs/measures.md."""
    found = explanations()
    sections = (found[key] for key in keys or found)
    return "\n\n".join(
        f"### {one.name[0].upper()}{one.name[1:]}\n\n{one.what}\n\n*When it misleads:* {one.misleads}\n\n*How it is computed:* {one.how}"
        for one in sections
    )
