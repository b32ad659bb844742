"""Labels of items looked up by their spellings in a highlight, and the lexer that splits a highlight into parts.

The grammar is described in `probes.groups.naming`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

from data.language.displayed_names import fold, names, spellings
from probes.groups.symbols import display, undo_display

NAMED_SYMBOLS = {
    "space": " ",
    "newline": "\n",
    "tab": "\t",
    "return": "\r",
    "nbsp": "\xa0",
    "end": "<|endoftext|>",
    "comma": ",",
    "semicolon": ";",
    "bar": "|",
}
"""Tokens that have a name in every language, by the names' keys in `data.language.displayed_names`."""
_WRITTEN = {NAMED_SYMBOLS[key]: key for key in ("space", "newline", "tab", "comma", "semicolon")}
_QUOTED = re.compile(r'\s*"((?:[^"]|"")*)"\s*(?=[,;]|$)')
_END_OF_PART = re.compile(r"[,;]|$")


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

    @property
    def are_positions(self) -> bool:
        return all(name == str(i) for i, name in enumerate(self.names))

    def find(self, text: str) -> int | None:
        """Find the item of an unquoted label, written as pictures show it, as it is, or by its name in any language."""
        word = text.strip()
        named = NAMED_SYMBOLS.get(spellings("symbols").get(fold(word), ""), text)
        candidates = (undo_display(text), text, named, undo_display(word), word)
        return next((self.indices[written] for written in candidates if written in self.indices), None)

    def parse(self, text: str) -> int | None:
        """Find the one item that a text names, quoted or not."""
        match list(lex(text, self)):
            case [Part(label, item)]:
                return self.find(label) if item is None else item
        return None

    def spell(self, index: int, language: str = "en") -> str:
        """Write a label as pictures show it, or in quotes where that would not be parsed back."""
        label = self.names[index]
        shown = display(label)
        candidates = [quote(shown)] if {",", ";"} & set(label) else [shown, quote(shown)]
        if label in _WRITTEN:
            candidates.insert(0, names()["symbols"][_WRITTEN[label]][language])
        return next((text for text in candidates if self.parse(text) == index), quote(label))


def lex(text: str, labels: LabelIndex) -> Iterator[Part | str]:
    """Split a text into parts and separators; beside a semicolon, space only separates."""
    at = 0
    while at < len(text):
        quoted, to_comma = _QUOTED.match(text, at), text[at:].partition(",")[0]
        label = quoted[1].replace('""', '"') if quoted else ""
        if quoted and (index := labels.indices.get(label, labels.indices.get(undo_display(label)))) is not None:
            yield Part(label, index)
            at = quoted.end()
        elif at == 0 and text in labels.indices:
            yield Part(text, labels.find(text))
            return
        elif ";" in to_comma and (index := labels.find(to_comma)) is not None:
            yield Part(to_comma, index)
            at += len(to_comma)
        else:
            end = next(_END_OF_PART.finditer(text, at)).start()
            part = text[at:end].rstrip() if text[end : end + 1] == ";" else text[at:end]
            if part.strip() or (part and part in labels.indices):
                yield Part(part)
            at = end
        if separator := text[at : at + 1]:
            yield separator
            at = len(text) - len(text[at + 1 :].lstrip()) if separator == ";" else at + 1


def quote(label: str) -> str:
    """Put a label into double quotes; a double quote within it is doubled."""
    doubled = label.replace('"', '""')
    return f'"{doubled}"'
