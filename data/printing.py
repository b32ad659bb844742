"""Characters in print: code points for what has no ink, and for what a terminal or a pipe cannot hold."""

from __future__ import annotations

import codecs
import io
import sys
import unicodedata
from collections.abc import Container

_HANDLER = "gptlab.code_points"
HEXADECIMAL = "0123456789ABCDEF"

# Letters, marks and symbols that Unicode's DerivedCoreProperties.txt calls Default_Ignorable_Code_Point, or that are blank.
_BLANK_RANGES = ((0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
_BLANK = frozenset("\u034f\u2800\u3164\uffa0\U0001d159") | {
    chr(code) for first, last in _BLANK_RANGES for code in range(first, last + 1)
}


def code_point(character: str) -> str:
    """Write a character as its code point.

    Examples
    --------
    >>> code_point("東"), code_point(chr(12))
    ('U+6771', 'U+000C')
    """
    return f"U+{ord(character):04X}"


def has_ink(character: str) -> bool:
    """Check whether a character shows anything: it is no space, control or format character, filler or variation selector."""
    return unicodedata.category(character)[0] not in "CZ" and character not in _BLANK


def visible(text: str, lacking: Container[str] = "") -> str:
    """Write characters without ink in a running text as code points; spaces, line ends and tabs stay.

    ``lacking`` are further characters to write so, those for which a font has no glyph.

    Examples
    --------
    >>> visible("one page" + chr(12) + "another")
    'one pageU+000Canother'
    """
    written, is_after_code = "", False
    for c in text:
        is_bare = not has_ink(c) and c not in "\n\t" and unicodedata.category(c) != "Zs"
        follows = c in HEXADECIMAL or unicodedata.category(c)[0] == "M"
        is_after_code = is_bare or c in lacking or (is_after_code and follows)
        written += code_point(c) if is_after_code else c
    return written


def print_any_text() -> None:
    """Make standard output and standard error write what their encoding lacks as code points."""
    codecs.register_error(_HANDLER, _write_code_points)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)


def terminal_text(text: str) -> str:
    """Prepare a text of unknown origin for standard output.

    In a terminal, control characters other than newline and tab are written as code points, since they could move the cursor
    or change colours. A pipe or a file gets the text as it is.
    """
    if not sys.stdout.isatty():
        return text
    return "".join(code_point(c) if unicodedata.category(c) == "Cc" and c not in "\n\t" else c for c in text)


def _write_code_points(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(code_point, error.object[error.start : error.end])), error.end
