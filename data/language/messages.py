"""Messages of the library in the reader's language: found among their templates, and written anew with what filled the blanks.

Errors and notices are raised in English, by code that knows no reader. Whoever shows one asks for it in a language.
"""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

MESSAGES = Path(__file__).with_name("messages.toml")
_BLANK, _MARK = re.compile(r"\{(\w+)\}"), re.compile(r"`(\w+)(?:=([^`]*))?`")
_NUMBER = re.compile(r"-?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?%?")
_SWAPPED = str.maketrans(",.", ".,")
_DEEPEST = 3
_OPTION = "__option"


class _Template(NamedTuple):
    pattern: re.Pattern[str]
    n_literal: int
    """How many characters are not blanks: of several templates that fit, the one with most is meant."""
    translation: str


@lru_cache(maxsize=1)
def messages() -> dict[str, str]:
    """Read the templates: the English one, and its translation."""
    sections: dict[str, dict[str, str]] = tomllib.loads(MESSAGES.read_text(encoding="utf-8"))
    return {english: text for section in sections.values() for english, text in section.items()}


def translated(message: str, language: str) -> str:
    """Translate a finished message; one without a template stays as it is.

    Examples
    --------
    >>> translated("a layout has 2 or 3 axes; got 1,000", "pt")
    'uma disposição tem 2 ou 3 eixos; foi dado 1.000'
    >>> translated("there is no layer 9: this model has layers 0 to 3; name some with `layers`", "pt")
    'não há camada 9: este modelo tem as camadas 0 a 3; indique algumas em `layers`'
    >>> translated("perplexity must be at least 1; got 0.5: pass --perplexity 5", "pt")  # as a command writes it
    'a perplexidade deve ser ao menos 1; foi dado 0,5: passe `perplexity=5`'
    """
    return message if language == "en" else _translated(message, _DEEPEST)


def _translated(message: str, depth: int) -> str:
    best = None
    for template in _templates():
        if (best is None or template.n_literal > best[0].n_literal) and (found := template.pattern.fullmatch(message)):
            best = template, found
    if best is None or not depth:
        return message.translate(_SWAPPED) if _NUMBER.fullmatch(message) else message
    template, found = best
    marked = {blank for mark in _MARK.findall(template.translation) for blank in _BLANK.findall("=".join(mark))}
    blanks = {name.removesuffix(_OPTION): text for name, text in found.groupdict().items() if text is not None}
    filled = {name: text if name in marked else _translated(text, depth - 1) for name, text in blanks.items()}
    return _BLANK.sub(lambda blank: filled[blank[1]], template.translation)


@lru_cache(maxsize=1)
def _templates() -> tuple[_Template, ...]:
    return tuple(
        _Template(_pattern(english), len(_BLANK.sub("", english)), text) for english, text in messages().items()
    )


def _pattern(template: str) -> re.Pattern[str]:
    """Compile a template; a mark is found as it is, and as the option that a command writes for it."""
    parts, at = [], 0
    for mark in _MARK.finditer(template):
        parts.append(_blanks(template[at : mark.start()]))
        name, value = mark[1], mark[2]
        option = f"--{name.replace('_', '-')}"
        options = {"True": option, "False": f"--no-{option[2:]}", None: option}
        written = options.get(value, f"{option} {value}")
        # A pattern can have a name once, so that a blank has another one in the option.
        parts.append(f"(?:{_blanks(mark[0])}|{_blanks(written, _OPTION)})")
        at = mark.end()
    return re.compile("".join(parts) + _blanks(template[at:]), re.DOTALL)


def _blanks(text: str, ending: str = "") -> str:
    pieces = enumerate(_BLANK.split(text))
    return "".join(f"(?P<{piece}{ending}>.*?)" if i % 2 else re.escape(piece) for i, piece in pieces)
