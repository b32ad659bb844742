"""How tokens are written in pictures, pages and texts, so that everything can be seen and no two tokens look the same.

- White space and the end of text are symbols: ``␣ ⏎ ⇥ ␍ ⍽ ∎``. Where a text has such a symbol itself, it is written as its code point.
- What has no ink is a code point: control and format characters, further spaces, fillers, variation selectors: ``U+200B``.
- A combining mark without a letter before it stands on a dotted circle: ``◌́``. Where letter and mark could also be one character
  (``é``), the mark is a code point.
- ``U+200B`` that stands in the text itself is ``U+0055+200B``, and a hexadecimal digit behind a code point is a code point as well.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from unicodedata import category, normalize

from data.printing import HEXADECIMAL, code_point, has_ink

_WHOLE = {"<|endoftext|>": "∎"}
_SYMBOLS = {" ": "␣", "\n": "⏎", "\t": "⇥", "\r": "␍", "\xa0": "⍽"}
_CIRCLE = "◌"
_MEANINGS = {written: text for text, written in (_WHOLE | _SYMBOLS).items()} | {_CIRCLE: ""}
_CODE_POINT = re.compile(r"U\+(10[0-9A-F]{4}|[1-9A-F][0-9A-F]{4}|[0-9A-F]{4})")


def display(token: str, *, keep: str = "", coded: Collection[str] = ()) -> str:
    """Write a token visibly: white space and the end of text as symbols, other characters without ink as code points.

    Parameters
    ----------
    token : a token or, with ``keep``, a text.
    keep : white space that stays as it is.
    coded : characters to write as code points, such as those that look like others.

    Examples
    --------
    >>> display("a"), display(" "), display(chr(0x200B)), display("<|endoftext|>")
    ('a', '␣', 'U+200B', '∎')
    >>> display("␣"), display("U+200B"), display("two words", keep=" ")
    ('U+2423', 'U+0055+200B', 'two words')
    """
    if token in _WHOLE:
        return _WHOLE[token]
    if token.isascii() and token.isprintable() and "U+" not in token and not coded:
        return token if " " in keep else token.replace(" ", "␣")
    if len(token) == 1 and token.isalpha() and not coded and has_ink(token) and normalize("NFC", token) == token:
        return token  # most of a large vocabulary
    literal = {found.start() for found in _CODE_POINT.finditer(token)}
    written, base, is_after_code = "", "", False
    for place, c in enumerate(token):
        if c in keep or c in _SYMBOLS:
            written, base, is_after_code = written + (c if c in keep else _SYMBOLS[c]), "", False
            continue
        is_mark = category(c)[0] == "M"
        cluster = (base or _CIRCLE) + c if is_mark else base + c
        is_after_code = (
            place in literal
            or c in coded
            or c in _MEANINGS
            or (is_after_code and c in HEXADECIMAL)
            or not has_ink(c)
            or normalize("NFC", cluster) != cluster
        )
        if is_after_code:
            written += code_point(c)
            base = base if is_mark else ""
        else:
            written += _CIRCLE + c if is_mark and not base else c
            base = cluster if is_mark else c
    return written


def undo_display(written: str) -> str:
    """Read a token as `display` writes it.

    Examples
    --------
    >>> undo_display("␣the"), undo_display("U+2423"), undo_display("U+0055+200B")
    (' the', '␣', 'U+200B')
    """
    parts = (_MEANINGS.get(part, part) for part in units(written))
    return "".join(chr(int(part[2:], 16)) if _CODE_POINT.fullmatch(part) else part for part in parts)


def cut(written: str, most: int) -> str:
    """Cut what `display` wrote to ``most`` characters, the last an ellipsis, but not within a code point.

    Examples
    --------
    >>> cut("extraordinarily", 10), cut("U+65E5U+672C", 10), cut("U+65E5", 3)
    ('extraordi…', 'U+65E5…', 'U+…')
    """
    if len(written) <= most:
        return written
    kept = ""
    for part in units(written):
        if len(kept) + len(part) >= most:
            break
        kept += part
    return f"{kept or written[: most - 1]}…"


def units(written: str) -> list[str]:
    """Split what `display` wrote into code points and single characters.

    Examples
    --------
    >>> units("aU+200B")
    ['a', 'U+200B']
    """
    return re.findall(rf"{_CODE_POINT.pattern.replace('(', '(?:')}|.", written, re.DOTALL)
