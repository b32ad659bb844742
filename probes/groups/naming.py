"""Named groups of tokens (vowels, digits, ...) and the items that a highlight means.

A character belongs to the class of its base letter: ``á`` is a vowel, ``ç`` a consonant, ``É`` an uppercase letter. ``vowels`` and
``consonants`` are the lower-case ones, as in GPTLab's films, so that no character is in two groups. Sub-words are in groups of their
own, by how they begin: a space before a token belongs to it, and says that a word starts there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from data.errors import InputError

_VOWELS = frozenset("aeiouæœøı")


@dataclass(frozen=True)
class Group:
    """Items to be picked out: a name for the legend, and the indices of the members along the item dimension."""

    name: str
    members: tuple[int, ...]


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
    """Whether a token is punctuation only, with or without a space around it."""
    text = token.strip()
    return bool(text) and not _is_special(token) and all(unicodedata.category(c)[0] in "PS" for c in text)


def _is_whitespace(token: str) -> bool:
    return bool(token) and token.isspace()


def _is_byte(token: str) -> bool:
    """Whether a token is bytes that are no whole character, or a control character."""
    is_control = len(token) == 1 and unicodedata.category(token)[0] == "C" and not token.isspace()
    return is_control or _BYTE.search(token) is not None


def _is_special(token: str) -> bool:
    """Whether a token stands for no text, or is not used."""
    return _NAMED.fullmatch(token) is not None and not _is_byte(token)


_BYTE, _NAMED = re.compile(r"<0x[0-9A-F]{2}>"), re.compile(r"<\S+>|\[unused \d+\]")


def _is_number(token: str) -> bool:
    text = token.strip()
    return bool(text) and all(unicodedata.category(c) in ("Nd", "No") for c in text)


def _is_word(token: str) -> bool:
    """Whether a token has a letter in it and is not a mere name."""
    return any(c.isalpha() for c in token) and not _is_byte(token) and not _is_special(token)


def _is_capitalised(token: str) -> bool:
    return _is_word(token) and token.lstrip()[0].isupper()


def _starts_word(token: str) -> bool:
    return _is_word(token) and token[0].isspace() and not _is_capitalised(token)


def _ends_word(token: str) -> bool:
    return _is_word(token) and not token[0].isspace() and token[-1].isspace() and not _is_capitalised(token)


def _is_inside(token: str) -> bool:
    return _is_word(token) and not (token[0].isspace() or token[-1].isspace() or _is_capitalised(token))


CHARACTER_GROUPS: dict[str, Callable[[str], bool]] = {
    "vowels": _is_vowel,
    "consonants": _is_consonant,
    "uppercase": _is_uppercase,
    "digits": _is_digit,
    "punctuation": _is_punctuation,
    "whitespace": _is_whitespace,
}
"""The classes of a vocabulary of characters: each is in one of them at most."""

SUBWORD_GROUPS: dict[str, Callable[[str], bool]] = {
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
"""The classes of a vocabulary of sub-words: each is in one of them at most."""

TOKEN_GROUPS = CHARACTER_GROUPS | SUBWORD_GROUPS


def named_group(name: str, tokens: Sequence[str]) -> Group:
    """Return the tokens that belong to a named group.

    Raises
    ------
    InputError
        If there is no such group, or no token belongs to it.

    Examples
    --------
    >>> named_group("vowels", ["a", "b", "é"]).members
    (0, 2)
    """
    if name not in TOKEN_GROUPS:
        raise InputError(f"there is no group {name!r}; there is {', '.join(TOKEN_GROUPS)}")
    members = tuple(i for i, token in enumerate(tokens) if TOKEN_GROUPS[name](token))
    if not members:
        raise InputError(f"no token of this run belongs to the group {name!r}: choose another to highlight")
    return Group(name, members)


def classes(tokens: Sequence[str]) -> list[Group]:
    """Return the named groups that have members among ``tokens``: those of sub-words where tokens are such, else those of characters.

    Examples
    --------
    >>> [group.name for group in classes(["a", "b", " "])]
    ['vowels', 'consonants', 'whitespace']
    >>> [group.name for group in classes(["a", "b", " ", " the", "ing"])]
    ['starts-word', 'inside-word', 'whitespace']
    """
    kinds = SUBWORD_GROUPS if any(map(_has_space_and_word, tokens)) else CHARACTER_GROUPS
    groups = (Group(name, tuple(i for i, t in enumerate(tokens) if belongs(t))) for name, belongs in kinds.items())
    return [group for group in groups if group.members]


def _has_space_and_word(token: str) -> bool:
    return len(token) > 2 and _is_word(token) and (token[0] == " " or token[-1] == " ")


def highlight(wanted: str, labels: Sequence[str | int]) -> Group:
    """Return the group that a ``--highlight`` means: a group name, a label, or several of either with commas between.

    Parameters
    ----------
    wanted : ``"12,13,14"``, ``"vowels"``, ``"a,e,digits"``; ``","`` alone is the comma itself, ``space`` and ``newline`` are names.
        A space belongs to a sub-word: ``" the, and"`` or, as pictures write it, ``"␣the,␣and"``. Where there is no such token, it
        only separates: ``"a, e"``.
    labels : the labels of the items: tokens, or position numbers.

    Raises
    ------
    InputError
        If one of them is neither a label nor a group.
    """
    names = [str(label) for label in labels]
    parts = [wanted] if wanted in names else [part for part in wanted.split(",") if part]
    members: dict[int, None] = {}
    for part in parts:
        members.update(dict.fromkeys(_members(part, names)))
    if not members:
        raise InputError(f"--highlight {wanted!r} names nothing: give labels or group names, e.g. --highlight 12,13,14")
    return Group(", ".join(_written(part, names) for part in parts), tuple(members))


def _written(part: str, names: list[str]) -> str:
    """Return a part of a highlight as pictures write it: with its space where that belongs to a token."""
    return part.replace(" ", "␣") if len(part) > 1 and part in names else part.strip() or part


_SPOKEN = {"space": " ", "newline": "\n", "tab": "\t", "comma": ",", "semicolon": ";", "bar": "|"}


def _members(part: str, names: list[str]) -> tuple[int, ...]:
    for label in (part, part.replace("␣", " ").replace("⏎", "\n"), _SPOKEN.get(part.strip()), part.strip()):
        if label in names:
            return (names.index(label),)
    are_positions = all(name.isdigit() for name in names) and names == [str(i) for i in range(len(names))]
    if are_positions:
        raise InputError(f"there is no position {part!r}: this run has positions 0 to {len(names) - 1}")
    if part.strip() in TOKEN_GROUPS:
        return named_group(part.strip(), names).members
    raise InputError(f"{part!r} is neither a token of this run nor a group; groups are {', '.join(TOKEN_GROUPS)}")
