"""Tokens that stand for no text, added to any vocabulary: where an example starts and ends, what parts it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from data.errors import InputError
from data.tokens.tokenizers import Tokenizer, check_ids


def with_special_tokens(tokenizer: Tokenizer, names: Sequence[str]) -> Tokenizer:
    """Return a tokenizer that knows special tokens too; those that are new get the ids after the vocabulary, in turn.

    Parameters
    ----------
    tokenizer : of any kind; it is left as it is.
    names : what the tokens are called, e.g. ``"<start>"``; one that the tokenizer has as a special token keeps its id.

    Returns
    -------
    A tokenizer whose `special_tokens` gives the ids, which takes the names as tokens where a text has them, and which
    decodes the ids to the names.

    Raises
    ------
    InputError
        if a name is empty, is there twice, or is an ordinary token of the vocabulary.

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
            raise InputError(f"{sorted(taken)[0]!r} is a token of the vocabulary already: choose another name")

    @property
    def vocab_size(self) -> int:
        """Return the number of tokens, special ones included."""
        return self.base.vocab_size + len(self.names)

    @property
    def labels(self) -> list[str]:
        """Return the string of each token; that of a special token is its name."""
        return [*self.base.labels, *self.names]

    @property
    def special_tokens(self) -> dict[str, int]:
        """Return the ids of the special tokens by name, those of the vocabulary included."""
        added = {name: self.base.vocab_size + place for place, name in enumerate(self.names)}
        return {**self.base.special_tokens, **added}

    def encode(self, text: str) -> NDArray[np.int64]:
        """Return the ids of a text, shape (n_tokens,); special tokens written out in it are taken as such."""
        ids = self.special_tokens
        parts = [part for part in self._cut.split(text) if part]
        cuts = [np.array([ids[part]]) if part in self.names else self.base.encode(part) for part in parts]
        return np.concatenate([np.empty(0, dtype=np.int64), *cuts])

    def decode(self, ids: ArrayLike) -> str:
        """Return the text of ids, shape (n_tokens,); special tokens appear by name.

        Raises
        ------
        InputError
            naming the first id that is not in the vocabulary, and its position.
        """
        asked, first = check_ids(ids, self.vocab_size), self.base.vocab_size
        special = asked >= first
        pieces = np.split(asked, np.flatnonzero(special[1:] | special[:-1]) + 1) if asked.size else []
        return "".join(
            self.names[piece[0] - first] if piece[0] >= first else self.base.decode(piece) for piece in pieces
        )

    def to_json(self) -> dict[str, Any]:
        """Return the description of the vocabulary, with ``special_tokens``, the list of their names."""
        return {**self.base.to_json(), "special_tokens": list(self.names)}

    @cached_property
    def _cut(self) -> re.Pattern[str]:
        longest_first = sorted(self.names, key=len, reverse=True)
        return re.compile(f"({'|'.join(map(re.escape, longest_first))})")
