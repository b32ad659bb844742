"""Classes of tokens: vowels, digits, starts of words.

A character belongs to the class of its base letter: ``á`` is a vowel, ``ç`` a consonant, ``É`` an uppercase letter. ``vowels`` and
``consonants`` are the lower-case ones. Sub-words are classed by how they begin and end: a space before a token belongs to the token and
marks the start of a word.
"""

from __future__ import annotations

import re
import unicodedata

_VOWELS = frozenset("aeiouæœøı")
_BYTE, _NAMED = re.compile(r"<0x[0-9A-F]{2}>"), re.compile(r"<\S+>|\[unused \d+\]")

CHARACTER_CLASSES = ("vowels", "consonants", "uppercase", "digits", "punctuation", "whitespace")

SUBWORD_CLASSES = (
    "starts-word",
    "inside-word",
    "capitalised",
    "ends-word",
    "numbers",
    "punctuation",
    "whitespace",
    "bytes",
    "special",
)


def character_class(token: str) -> str | None:
    """Find the class of a token that is a character; punctuation and white space may have more."""
    if len(token) == 1 and token.isalpha():
        if token.isupper():
            return "uppercase"
        return "vowels" if unicodedata.normalize("NFD", token)[0] in _VOWELS else "consonants"
    if len(token) == 1 and _are_digits(token):
        return "digits"
    return _class_without_letters(token)


def subword_class(token: str) -> str | None:
    """Find the class of a token in a vocabulary of sub-words."""
    if _is_byte(token):
        return "bytes"
    if _is_special(token):
        return "special"
    if not is_word(token):
        return "numbers" if _are_digits(token.strip()) else _class_without_letters(token)
    if token.lstrip()[0].isupper():
        return "capitalised"
    if token[0].isspace():
        return "starts-word"
    return "ends-word" if token[-1].isspace() else "inside-word"


def is_word(token: str) -> bool:
    """Check whether a token has a letter and is neither bytes nor special."""
    return any(c.isalpha() for c in token) and not _is_byte(token) and not _is_special(token)


def _class_without_letters(token: str) -> str | None:
    text = token.strip()
    if text and not _is_special(token) and all(unicodedata.category(c)[0] in "PS" for c in text):
        return "punctuation"
    return "whitespace" if token.isspace() else None


def _are_digits(text: str) -> bool:
    return bool(text) and all(unicodedata.category(c) in ("Nd", "No") for c in text)


def _is_byte(token: str) -> bool:
    """Check whether a token is a control character or holds bytes that are not a whole character."""
    is_control = len(token) == 1 and unicodedata.category(token)[0] == "C" and not token.isspace()
    return is_control or _BYTE.search(token) is not None


def _is_special(token: str) -> bool:
    """Check whether a token stands for no text (``<|endoftext|>``) or is unused."""
    return _NAMED.fullmatch(token) is not None and not _is_byte(token)
