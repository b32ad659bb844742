"""The language in which pictures are drawn, and their texts, which are known by their English templates.

The language holds for one thread while a picture is drawn, as notices belong to one (`data.notices`): two pictures can be drawn in two
languages at the same time, and what draws a label needs no argument for the reader's language.
"""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Iterator
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from string import Formatter

PICTURES = Path(__file__).with_name("pictures.toml")
_language: ContextVar[str] = ContextVar("picture_language", default="en")
_SWAPPED = str.maketrans(",.", ".,")


@contextlib.contextmanager
def in_language(language: str) -> Iterator[None]:
    """Draw in a language.

    Examples
    --------
    >>> with in_language("pt"):
    ...     say("training step"), digits(f"{0.25:.2f}")
    ('passo de treino', '0,25')
    >>> say("training step")
    'training step'
    """
    before = _language.set(language)
    try:
        yield
    finally:
        _language.reset(before)


def picture_language() -> str:
    """Return the language in which this thread draws, ``en`` by default."""
    return _language.get()


def say(template: str, **blanks: object) -> str:
    """Write a text of a picture in the language of the picture.

    Parameters
    ----------
    template : the English text, with ``{blanks}`` as in `str.format`. What follows a bar (``are|too``) is a remark for the translation, by
        which equal English texts differ.
    blanks : what fills the blanks; numbers are written as the language writes them. The translation may use more of them than the English.

    Examples
    --------
    >>> say("at step {step:,}", step=1000)
    'at step 1,000'
    >>> with in_language("pt"):
    ...     say("at step {step:,}", step=1000)
    'no passo 1.000'
    """
    if picture_language() == "en":
        english = template.partition("|")[0]
        return english.format(**blanks) if blanks else english
    specs = {name: spec for _, name, spec, _ in Formatter().parse(template) if name}
    written = {name: _write(value, specs.get(name) or "") for name, value in blanks.items()}
    return picture_texts()[template].format(**written)


def digits(text: str) -> str:
    """Write the digits of a number, formatted in English, as the language of the picture writes them."""
    return text if picture_language() == "en" else text.translate(_SWAPPED)


@lru_cache(maxsize=1)
def picture_texts() -> dict[str, str]:
    """Read the texts of pictures: by the English template, the Portuguese one."""
    sections: dict[str, dict[str, str]] = tomllib.loads(PICTURES.read_text(encoding="utf-8"))
    return {english: text for section in sections.values() for english, text in section.items()}


def _write(value: object, spec: str) -> str:
    if isinstance(value, int | float) or hasattr(value, "dtype"):
        return format(value, spec).translate(_SWAPPED)
    return format(value, spec)
