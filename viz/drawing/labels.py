"""How tokens are written in pictures, so that also those without ink can be seen."""

from __future__ import annotations

from probes.groups.symbols import display

__all__ = ["cut_short", "display", "label_name"]

_NAMES = {
    " ": "space",
    "\n": "newline",
    "\t": "tab",
    "\r": "carriage return",
    "\xa0": "no-break space",
    "<|endoftext|>": "end of text",
}


def cut_short(token: str, most: int = 10) -> str:
    """Return what a picture shows for a token, cut where it has more than ``most`` characters.

    Examples
    --------
    >>> cut_short(" the"), cut_short(" extraordinarily")
    ('␣the', '␣extraord…')
    """
    shown = display(token)
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def label_name(token: str) -> str:
    """Return a token as a text would name it (``'space'`` for a space), for legends, alt texts and messages."""
    return _NAMES.get(token) or display(token)
