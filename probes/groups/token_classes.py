"""Classes of tokens (vowels, digits, starts of words), as predicates by name.

A character belongs to the class of its base letter: ``á`` is a vowel, ``ç`` a consonant, ``É`` an uppercase letter. ``vowels`` and
``consonants`` are the lower-case ones, so that no character is in two classes. Sub-words are classed by how they begin and end: a
space before a token belongs to the token and marks the start of a word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

_VOWELS = frozenset("aeiouæœøı")


def _is_letter(token: str) -> bool:
    return len(token) == 1 and token.isalpha()


def _is_vowel(token: str) -> bool:
    return _is_letter(token) and not _is_uppercase(token) and unicodedata.normalize("NFD", token)[0] in _VOWELS


def _is_uppercase(token: str) -> bool:
    return _is_letter(token) and token.isupper()


def _is_consonant(token: str) -> bool:
    return _is_letter(token) and not _is_uppercase(token) and not _is_vowel(token)


def _is_digit(token: str) -> bool:
    return len(token) == 1 and unicodedata.category(token) in ("Nd", "No")


def _is_punctuation(token: str) -> bool:
    """Check whether a token is punctuation only, with or without spaces around it."""
    text = token.strip()
    return bool(text) and not _is_special(token) and all(unicodedata.category(c)[0] in "PS" for c in text)


def _is_whitespace(token: str) -> bool:
    return bool(token) and token.isspace()


def _is_byte(token: str) -> bool:
    """Check whether a token is a control character or holds bytes that are not a whole character."""
    is_control = len(token) == 1 and unicodedata.category(token)[0] == "C" and not token.isspace()
    return is_control or _BYTE.search(token) is not None


def _is_special(token: str) -> bool:
    """Check whether a token stands for no text (``<|endoftext|>``) or is unused."""
    return _NAMED.fullmatch(token) is not None and not _is_byte(token)


_BYTE, _NAMED = re.compile(r"<0x[0-9A-F]{2}>"), re.compile(r"<\S+>|\[unused \d+\]")


def _is_number(token: str) -> bool:
    text = token.strip()
    return bool(text) and all(unicodedata.category(c) in ("Nd", "No") for c in text)


def is_word(token: str) -> bool:
    """Check whether a token has a letter and is neither bytes nor special."""
    return any(c.isalpha() for c in token) and not _is_byte(token) and not _is_special(token)


def _is_capitalised(token: str) -> bool:
    return is_word(token) and token.lstrip()[0].isupper()


def _starts_word(token: str) -> bool:
    return is_word(token) and token[0].isspace() and not _is_capitalised(token)


def _ends_word(token: str) -> bool:
    return is_word(token) and not token[0].isspace() and token[-1].isspace() and not _is_capitalised(token)


def _is_inside(token: str) -> bool:
    return is_word(token) and not (token[0].isspace() or token[-1].isspace() or _is_capitalised(token))


CHARACTER_CLASSES: dict[str, Callable[[str], bool]] = {
    "vowels": _is_vowel,
    "consonants": _is_consonant,
    "uppercase": _is_uppercase,
    "digits": _is_digit,
    "punctuation": _is_punctuation,
    "whitespace": _is_whitespace,
}
"""Classes of a vocabulary of characters; no character is in two of them."""

SUBWORD_CLASSES: dict[str, Callable[[str], bool]] = {
    "starts-word": _starts_word,
    "inside-word": _is_inside,
    "capitalised": _is_capitalised,
    "ends-word": _ends_word,
    "numbers": _is_number,
    "punctuation": _is_punctuation,
    "whitespace": _is_whitespace,
    "bytes": _is_byte,
    "special": _is_special,
}
"""Classes of a vocabulary of sub-words; no sub-word is in two of them."""

TOKEN_CLASSES = CHARACTER_CLASSES | SUBWORD_CLASSES

PORTUGUESE_NAMES = {
    "vowels": "vogais",
    "consonants": "consoantes",
    "uppercase": "maiúsculas",
    "digits": "algarismos",
    "punctuation": "pontuação",
    "whitespace": "espaços",
    "starts-word": "começa-palavra",
    "inside-word": "dentro-de-palavra",
    "capitalised": "com-maiúscula",
    "ends-word": "termina-palavra",
    "numbers": "números",
    "bytes": "bytes",
    "special": "especiais",
}
"""Portuguese names of the classes, by their English names."""
