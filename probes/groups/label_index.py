"""Labels of items looked up by their spellings in a highlight, and the lexer that splits a highlight into parts.

The grammar is described in `probes.groups.naming`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

from probes.groups.symbols import display

_CHARACTERS = {"space": " ", "newline": "\n", "tab": "\t", "comma": ",", "semicolon": ";", "bar": "|"}
_NAMES = {character: name for name, character in _CHARACTERS.items() if name != "bar"}
_CODE_POINTS = {ord(separator): f"U+{ord(separator):04X}" for separator in ",;"}
_QUOTED = re.compile(r'\s*"((?:[^"]|"")*)"\s*(?=[,;]|$)')
_SEPARATOR = re.compile(r"[,;]|$")


class Part(NamedTuple):
    """A part of a highlight: its text, and its item where the lexer has found it."""

    text: str
    item: int | None = None


@dataclass(frozen=True)
class LabelIndex:
    """Labels of items with their indices; of equal labels the first counts."""

    names: tuple[str, ...]

    @classmethod
    def of(cls, labels: Sequence[str | int]) -> Self:
        return cls(tuple(map(str, labels)))

    @cached_property
    def indices(self) -> dict[str, int]:
        return {name: i for i, name in reversed(tuple(enumerate(self.names)))}

    @cached_property
    def displayed(self) -> dict[str, int]:
        """Indices by the labels as pictures show them."""
        return {display(name).translate(_CODE_POINTS): i for i, name in reversed(tuple(enumerate(self.names)))}

    @property
    def are_positions(self) -> bool:
        return all(name == str(i) for i, name in enumerate(self.names))

    def find(self, text: str) -> int | None:
        """Find the item of an unquoted label."""
        word = text.strip()
        spaced = text.replace("␣", " ").replace("⏎", "\n")
        for spelling in (text, spaced, _CHARACTERS.get(word, text)):
            if spelling in self.indices:
                return self.indices[spelling]
        tries = ((self.displayed, text), (self.indices, word), (self.displayed, word))
        return next((known[spelling] for known, spelling in tries if spelling in known), None)

    def parse(self, text: str) -> int | None:
        """Find the one item that a text names, quoted or not."""
        tokens = list(lex(text, self))
        if len(tokens) != 1 or isinstance(tokens[0], str):
            return None
        part = tokens[0]
        return self.find(part.text) if part.item is None else part.item

    def find_quoted(self, text: str) -> int | None:
        """Find the item of the label within quotes."""
        return self.indices.get(text, self.displayed.get(text))

    def find_word_start(self, text: str) -> int | None:
        """Find the sub-word that starts a word with a text."""
        return self.displayed.get(f"␣{text.strip()}")

    def spell(self, index: int) -> str:
        """Write a label as pictures show it, or in quotes where that would not be parsed back."""
        label = self.names[index]
        shown = display(label)
        spellings = [quote(shown)] if {",", ";"} & set(label) else [shown, quote(shown)]
        if label in _NAMES:
            spellings.insert(0, _NAMES[label])
        return next((text for text in spellings if self.parse(text) == index), quote(label))


def lex(text: str, labels: LabelIndex) -> Iterator[Part | str]:
    """Split a text into parts and separators; beside a semicolon, space only separates."""
    at = 0
    while at < len(text):
        quoted, (to_comma, _, _) = _QUOTED.match(text, at), text[at:].partition(",")
        index = labels.find_quoted(_unquoted(quoted)) if quoted else None
        if quoted and index is not None:
            yield Part(_unquoted(quoted), index)
            at = quoted.end()
        elif at == 0 and text in labels.indices:
            yield Part(text, labels.indices[text])
            return
        elif ";" in to_comma and (index := labels.find(to_comma)) is not None:
            yield Part(to_comma, index)
            at += len(to_comma)
        else:
            end = _end_of_part(text, at)
            part = text[at:end].rstrip() if text[end : end + 1] == ";" else text[at:end]
            if part.strip() or (part and part in labels.indices):
                yield Part(part)
            at = end
        if separator := text[at : at + 1]:
            yield separator
            at = len(text) - len(text[at + 1 :].lstrip()) if separator == ";" else at + 1


def _end_of_part(text: str, start: int) -> int:
    found = _SEPARATOR.search(text, start)
    return found.start() if found else len(text)


def quote(label: str) -> str:
    """Put a label into double quotes; a double quote within it is doubled."""
    doubled = label.replace('"', '""')
    return f'"{doubled}"'


def _unquoted(quoted: re.Match[str]) -> str:
    return quoted[1].replace('""', '"')
