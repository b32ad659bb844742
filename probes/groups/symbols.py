"""How tokens are written in pictures and texts, so that white space and characters without ink can be seen."""

from __future__ import annotations

import unicodedata

_WHOLE = {"<|endoftext|>": "∎"}
_SYMBOLS = {" ": "␣", "\n": "⏎", "\t": "⇥", "\r": "␍", "\xa0": "⍽"}


def display(token: str) -> str:
    """Write a token visibly: white space and the end of text as symbols, other characters without ink as code points.

    Examples
    --------
    >>> display("a"), display(" "), display(chr(0x200B)), display("<|endoftext|>")
    ('a', '␣', 'U+200B', '∎')
    """
    return _WHOLE.get(token) or "".join(_SYMBOLS.get(c) or (c if _has_ink(c) else f"U+{ord(c):04X}") for c in token)


def _has_ink(character: str) -> bool:
    return unicodedata.category(character)[0] not in "CZ"
