"""Named groups of tokens (vowels, digits, ...) and the items that a highlight means.

A character belongs to the class of its base letter: ``á`` is a vowel, ``ç`` a consonant, ``É`` an uppercase letter. ``vowels`` and
``consonants`` are the lower-case ones, as in GPTLab's films, so that no character is in two groups.
"""

from __future__ import annotations

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
    return len(token) == 1 and unicodedata.category(token)[0] in "PS"


def _is_whitespace(token: str) -> bool:
    return bool(token) and token.isspace()


TOKEN_GROUPS: dict[str, Callable[[str], bool]] = {
    "vowels": _is_vowel,
    "consonants": _is_consonant,
    "uppercase": _is_uppercase,
    "digits": _is_digit,
    "punctuation": _is_punctuation,
    "whitespace": _is_whitespace,
}


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
    """Return the named groups that have members among ``tokens``."""
    groups = (
        Group(name, tuple(i for i, t in enumerate(tokens) if belongs(t))) for name, belongs in TOKEN_GROUPS.items()
    )
    return [group for group in groups if group.members]


def highlight(wanted: str, labels: Sequence[str | int]) -> Group:
    """Return the group that a ``--highlight`` means: a group name, a label, or several of either with commas between.

    Parameters
    ----------
    wanted : ``"12,13,14"``, ``"vowels"``, ``"a,e,digits"``; ``","`` alone is the comma itself, ``space`` and ``newline`` are names.
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
    return Group(", ".join(part for part in parts), tuple(members))


_SPOKEN = {"space": " ", "newline": "\n", "tab": "\t", "comma": ",", "semicolon": ";", "bar": "|"}


def _members(part: str, names: list[str]) -> tuple[int, ...]:
    for label in (part, _SPOKEN.get(part), part.strip()):
        if label in names:
            return (names.index(label),)
    are_positions = all(name.isdigit() for name in names) and names == [str(i) for i in range(len(names))]
    if are_positions:
        raise InputError(f"there is no position {part!r}: this run has positions 0 to {len(names) - 1}")
    if part.strip() in TOKEN_GROUPS:
        return named_group(part.strip(), names).members
    raise InputError(f"{part!r} is neither a token of this run nor a group; groups are {', '.join(TOKEN_GROUPS)}")
