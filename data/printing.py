"""Characters in print: code points for what a terminal or a pipe cannot hold."""

from __future__ import annotations

import codecs
import io
import sys
import unicodedata

_HANDLER = "gptlab.code_points"


def code_point(character: str) -> str:
    """Write a character as its code point.

    Examples
    --------
    >>> code_point("東"), code_point(chr(12))
    ('U+6771', 'U+000C')
    """
    return f"U+{ord(character):04X}"


def print_any_text() -> None:
    """Let standard output and standard error take any text: what their encoding lacks is written as code points."""
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
