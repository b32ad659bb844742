"""Tokenizers: text in, token ids out, and back.

Every tokenizer has `encode`, `decode`, `vocab_size`, `labels` (one string per token, the coordinate ``token`` of arrays),
`special_tokens` and `to_json`, which `tokenizer_from_json` reads back. The tokenizer of a run is `data.runs.Run.tokenizer`. Characters and
lists of words are here, sub-words in `data.tokens.subwords`; `data.tokens.special_tokens` adds special tokens to any of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from data.arrays import TokenIds
from data.errors import InputError, NotApplicableError

HALF = "\ufffd"
"""The character that decoding writes for bytes that are not a complete character."""


class Tokenizer(Protocol):
    """The interface of a tokenizer, which is a value and can be a dictionary key.

    Encoding raises an `InputError` that names the first character that is not in the vocabulary, decoding one that names the first id.
    """

    def __hash__(self) -> int:
        """Hash the tokenizer; equal ones have the same hash."""
        return hash(type(self))

    def encode(self, text: str) -> TokenIds:
        """Encode a text as ids, shape (n_tokens,)."""

    def decode(self, ids: ArrayLike) -> str:
        """Decode ids, shape (n_tokens,), to text."""

    def to_json(self) -> dict[str, Any]:
        """Describe the tokenizer for `tokenizer_from_json`."""

    @property
    def vocab_size(self) -> int:
        """The number of tokens."""

    @property
    def labels(self) -> list[str]:
        """The string of each token, in the order of the ids; not to be modified."""

    @property
    def special_tokens(self) -> dict[str, int]:
        """The ids of the special tokens, which stand for no text, by name; none unless a class has some."""
        return {}


@dataclass(frozen=True)
class CharTokenizer(Tokenizer):
    """A token per character: the id of a character is its index in ``symbols``, which holds it once.

    Examples
    --------
    >>> tokenizer = CharTokenizer.from_text("to be or not to be")
    >>> tokenizer.symbols
    ' benort'
    >>> tokenizer.decode(tokenizer.encode("bore"))
    'bore'
    """

    symbols: str

    def __post_init__(self) -> None:
        if not self.symbols:
            raise InputError("a vocabulary needs at least one symbol, and there is none: give a text that is not empty")
        if len(set(self.symbols)) < len(self.symbols):
            twice = next(symbol for i, symbol in enumerate(self.symbols) if symbol in self.symbols[:i])
            raise InputError(f"the symbol {_name(twice)} is in the vocabulary twice: each may be there once")

    @classmethod
    def from_text(cls, text: str) -> CharTokenizer:
        """Make the tokenizer of a text: its different characters, sorted by code point."""
        return cls("".join(sorted(set(text))))

    @property
    def vocab_size(self) -> int:
        return len(self.symbols)

    @property
    def labels(self) -> list[str]:
        return list(self.symbols)

    def encode(self, text: str) -> TokenIds:
        codes = _code_points(text)
        # The table ends in an entry of -1, for all code points above the highest symbol.
        ids = self._ids[np.minimum(codes, len(self._ids) - 1)]
        if ids.size and ids.min() < 0:
            position = int(np.argmin(ids >= 0))
            found = f"{_name(text[position])} at position {position:,}"
            known = f"the {self.vocab_size} symbols of the vocabulary"
            raise InputError(f"the text has {found}, which is not among {known}: leave it out")
        return ids

    def decode(self, ids: ArrayLike) -> str:
        return self._codes[check_ids(ids, self.vocab_size)].tobytes().decode("utf-32-le", "surrogatepass")

    def to_json(self) -> dict[str, Any]:
        return {"kind": "char", "symbols": self.symbols}

    @cached_property
    def _codes(self) -> NDArray[np.uint32]:
        return _code_points(self.symbols)

    @cached_property
    def _ids(self) -> TokenIds:
        table = np.full(int(self._codes.max()) + 2, -1, dtype=np.int64)
        table[self._codes] = np.arange(self.vocab_size)
        return table


@dataclass(frozen=True)
class WordList(Tokenizer):
    """The words of imported word vectors: they have ids and labels, but no rule that encodes a text.

    Examples
    --------
    >>> WordList(("king", "queen")).decode([1, 0])
    'queen king'
    """

    words: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.words:
            raise InputError("a list of words needs at least one, and there is none")

    @property
    def vocab_size(self) -> int:
        return len(self.words)

    @property
    def labels(self) -> list[str]:
        return list(self.words)

    def encode(self, text: str) -> TokenIds:
        """Raise `NotApplicableError`: the rule that splits a text into these words is not known."""
        raise NotApplicableError(
            f"these vectors are of {self.vocab_size:,} words, and how a text becomes words is not known"
        )

    def decode(self, ids: ArrayLike) -> str:
        """Decode ids to words with spaces between."""
        return " ".join(self.words[i] for i in np.asarray(ids, dtype=np.int64).reshape(-1))

    def to_json(self) -> dict[str, Any]:
        return {"kind": "words", "words": list(self.words)}


def tokenizer_from_json(description: Mapping[str, Any]) -> Tokenizer:
    """Make a tokenizer from the description that its `to_json` gave; that of a run is `data.runs.Run.tokenizer`.

    Examples
    --------
    >>> tokenizer_from_json({"kind": "char", "symbols": "ab"}).encode("abba")
    array([0, 1, 1, 0])
    """
    from data.tokens.special_tokens import with_special_tokens
    from data.tokens.subwords import SubwordTokenizer

    tokenizer: Tokenizer
    match description:
        case {"kind": "char", "symbols": str(symbols)}:
            tokenizer = CharTokenizer(symbols)
        case {"kind": "subwords", "definition": str(definition)}:
            tokenizer = SubwordTokenizer(definition, str(description.get("origin", "")))
        case {"kind": "words", "words": [*words]} if all(isinstance(word, str) for word in words):
            tokenizer = WordList(tuple(words))
        case {"kind": "char" | "subwords" | "words" as kind}:
            hint = "the tokenizer of a run is read by  open_run(name).tokenizer"
            raise InputError(f"a tokenizer of kind {kind!r} has another description than this one: {hint}")
        case _:
            known = "this version knows char, subwords, words"
            raise InputError(f"unknown kind of tokenizer {description.get('kind')!r}: {known}")
    return with_special_tokens(tokenizer, description.get("special_tokens") or [])


def check_ids(ids: ArrayLike, vocab_size: int) -> TokenIds:
    """Check ids against the size of a vocabulary, and return them as an array, shape (n_tokens,)."""
    checked = np.asarray(ids, dtype=np.int64).reshape(-1)
    wrong = (checked < 0) | (checked >= vocab_size)
    if wrong.any():
        position = int(np.argmax(wrong))
        known = f"its {vocab_size:,} tokens have the ids 0 to {vocab_size - 1}"
        raise InputError(f"id {checked[position]} at position {position:,} is not in the vocabulary: {known}")
    return checked


def unknown_symbols(tokenizer: Tokenizer, symbols: Iterable[str]) -> set[str]:
    """Select the symbols that a tokenizer does not know."""
    return {symbol for symbol in symbols if _encode_known(tokenizer, symbol) is None}


def known_part(tokenizer: Tokenizer, text: str) -> str:
    """Remove the characters that a tokenizer does not know, or gives no token, from a text.

    Examples
    --------
    >>> known_part(CharTokenizer("abc"), "a bad cab")
    'abacab'
    """

    def has_tokens(part: str) -> bool:
        ids = _encode_known(tokenizer, part)
        return ids is not None and ids.size > 0

    return text if has_tokens(text) else "".join(filter(has_tokens, text))


def _encode_known(tokenizer: Tokenizer, text: str) -> TokenIds | None:
    try:
        return tokenizer.encode(text)
    except InputError:
        return None


def _code_points(text: str) -> NDArray[np.uint32]:
    # A str may hold lone surrogates, which are not characters; they are decoded as they were encoded.
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def _name(symbol: str) -> str:
    return f"{symbol!r} (U+{ord(symbol):04X})"
