"""What the measures in pictures are, in a few plain words each: for titles, footnotes and the documentation (docs/measures.md)."""

from __future__ import annotations

from data.language import say
from viz.request import FigureRequest

EXPLANATIONS = {
    "previous token": "looks at the token before",
    "same token earlier": "looks at an earlier copy of the token it reads",
    "induction": "looks at what followed an earlier copy of the token",
    "sink": "rests on the first token",
    "entropy": "how evenly it looks (1: at all alike)",
    "distance": "how many tokens back it looks",
    "effective rank": "about how many directions the table uses",
    "stable rank": "how many directions as strong as the strongest it would fill",
    "logit lens": "what the model would say if this layer were the last",
    "trustworthiness": "how many of the neighbours are real (1: all)",
    "attention map": "row: the token that looks; column: what it looks at",
}


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
