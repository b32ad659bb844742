"""How tokens are written in pictures, so that also those without ink can be seen."""

from __future__ import annotations

import unicodedata

_WHOLE = {"<|endoftext|>": "∎"}
_SYMBOLS = {" ": "␣", "\n": "⏎", "\t": "⇥", "\r": "␍", "\xa0": "⍽"}
_NAMES = {
    " ": "space",
    "\n": "newline",
    "\t": "tab",
    "\r": "carriage return",
    "\xa0": "no-break space",
    "<|endoftext|>": "end of text",
}


def display(token: str) -> str:
    """Return what a picture shows for a token: white space and the end of text as symbols, what else has no ink as its code point.

    Examples
    --------
    >>> display("a"), display(" "), display(chr(0x200B)), display("<|endoftext|>")
    ('a', '␣', 'U+200B', '∎')
    """
    return _WHOLE.get(token) or "".join(_SYMBOLS.get(c) or (c if _has_ink(c) else f"U+{ord(c):04X}") for c in token)


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


def _has_ink(character: str) -> bool:
    return unicodedata.category(character)[0] not in "CZ"
