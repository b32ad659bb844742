"""Special tokens, which stand for no text, added to any vocabulary: start, delimiter and end of an example."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from data.arrays import TokenIds
from data.errors import InputError
from data.tokens.tokenizers import Tokenizer, check_ids


def with_special_tokens(tokenizer: Tokenizer, names: Sequence[str]) -> Tokenizer:
    """Extend a tokenizer by special tokens; new ones get the ids after the vocabulary, in order.

    Parameters
    ----------
    tokenizer : of any kind; it is not modified.
    names : of the tokens, e.g. ``"<start>"``; a special token that the tokenizer has already keeps its id.

    Returns
    -------
    A tokenizer that encodes the names in a text as these tokens and decodes them to the names; `special_tokens` gives the ids.

    Raises
    ------
    InputError
        If a name is empty, given twice, or an ordinary token of the vocabulary.

    Examples
    --------
    >>> from data.tokens.tokenizers import CharTokenizer
    >>> tokenizer = with_special_tokens(CharTokenizer("abc"), ["<start>", "<end>"])
    >>> tokenizer.encode("<start>cab<end>")
    array([3, 2, 0, 1, 4])
    >>> tokenizer.special_tokens, tokenizer.decode([3, 0])
    ({'<start>': 3, '<end>': 4}, '<start>a')
    """
    new = [name for name in names if name not in tokenizer.special_tokens]
    if not new:
        return tokenizer
    if isinstance(tokenizer, ExtendedTokenizer):
        return ExtendedTokenizer(tokenizer.base, (*tokenizer.names, *new))
    return ExtendedTokenizer(tokenizer, tuple(new))


@dataclass(frozen=True)
class ExtendedTokenizer:
    """A tokenizer with special tokens after its own; see `with_special_tokens`."""

    base: Tokenizer
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if not all(self.names):
            raise InputError("a special token has no name: give it one, e.g. <start>")
        if len(set(self.names)) < len(self.names):
            raise InputError(f"a special token is named twice among {', '.join(self.names)}: each may be there once")
        taken = set(self.names) & set(self.base.labels)
        if taken:
            raise InputError(f"{sorted(taken)[0]!r} is already a token of the vocabulary: choose another name")

    @property
    def vocab_size(self) -> int:
        """The number of tokens, including special ones."""
        return self.base.vocab_size + len(self.names)

    @property
    def labels(self) -> list[str]:
        """The string of each token; that of a special token is its name."""
        return [*self.base.labels, *self.names]

    @property
    def special_tokens(self) -> dict[str, int]:
        """The ids of the special tokens by name, including those of the vocabulary."""
        added = {name: self.base.vocab_size + place for place, name in enumerate(self.names)}
        return {**self.base.special_tokens, **added}

    def encode(self, text: str) -> TokenIds:
        """Encode a text as ids, shape (n_tokens,); names of special tokens in it become these tokens."""
        ids = self.special_tokens
        parts = [part for part in self._cut.split(text) if part]
        cuts = [np.array([ids[part]]) if part in self.names else self.base.encode(part) for part in parts]
        return np.concatenate([np.empty(0, dtype=np.int64), *cuts])

    def decode(self, ids: ArrayLike) -> str:
        """Decode ids, shape (n_tokens,), to text; special tokens appear by name."""
        checked, first = check_ids(ids, self.vocab_size), self.base.vocab_size
        special = checked >= first
        pieces = np.split(checked, np.flatnonzero(special[1:] | special[:-1]) + 1) if checked.size else []
        return "".join(
            self.names[piece[0] - first] if piece[0] >= first else self.base.decode(piece) for piece in pieces
        )

    def to_json(self) -> dict[str, Any]:
        """Describe the tokenizer: the vocabulary, and ``special_tokens``, the list of their names."""
        return {**self.base.to_json(), "special_tokens": list(self.names)}

    @cached_property
    def _cut(self) -> re.Pattern[str]:
        longest_first = sorted(self.names, key=len, reverse=True)
        return re.compile(f"({'|'.join(map(re.escape, longest_first))})")
