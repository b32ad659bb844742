"""From documents to tokens: each with its prefix before it and an end after it, none longer than the model reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data.arrays import TokenIds
from data.documents.sources import Documents, hold_out, read_documents
from data.errors import InputError
from data.runs import Run
from data.tokens.tokenizers import Tokenizer

END_OF_TEXT = "<|endoftext|>"
TOO_LONG = ("skip", "cut")


@dataclass(frozen=True)
class DocumentTokens:
    """The tokens of documents, (token,) each, in the order of the documents.

    ``skipped`` counts documents that are too long, ``without_tokens`` those of which the tokenizer left nothing, and ``dropped`` says how
    often each symbol, of prefixes and texts, was left out that the tokenizer does not know.
    """

    learned: tuple[TokenIds, ...]
    held_out: tuple[TokenIds, ...]
    skipped: int
    without_tokens: int
    dropped: Mapping[str, int]


def encode_documents(
    documents: Documents,
    tokenizer: Tokenizer,
    *,
    prefix: str,
    length: int,
    too_long: str = "skip",
    held_out: float = 0.1,
    seed: int = 0,
) -> DocumentTokens:
    """Return the tokens of documents: prefix, text and the token `END_OF_TEXT`.

    Parameters
    ----------
    documents : to be encoded.
    tokenizer : has `END_OF_TEXT` among its special tokens. Symbols that it does not know are left out and counted.
    prefix : stands before each text.
    length : most tokens of a document, prefix and end included.
    too_long : what is done with a longer one: ``skip`` leaves it out, ``cut`` makes several of it, of which the first has the
        prefix and the last the end. Where one token would be left for the last, it begins with the token before that again: of a single
        token nothing can be foretold.
    held_out : share of the documents to be judged by.
    seed : decides which these are.

    Raises
    ------
    InputError
        If too few documents are short enough to learn from one and hold one out, or an argument is out of range.
    """
    if too_long not in TOO_LONG:
        raise InputError(f"what is done with documents that are too long is {' or '.join(TOO_LONG)}; got {too_long!r}")
    unknown = unknown_symbols(tokenizer, {*prefix, *(symbol for text in documents.texts for symbol in set(text))})
    table = str.maketrans(dict.fromkeys(unknown))
    end = np.array([tokenizer.special_tokens[END_OF_TEXT]])
    opening = prefix.translate(table)
    bodies = [text.translate(table) for text in documents.texts]
    pieces = [[np.concatenate([tokenizer.encode(opening + body), end])] for body in bodies if body.strip()]
    lengths = [len(first) for (first,) in pieces]
    if too_long == "cut":
        pieces = [_cut(first, length) for (first,) in pieces]
    else:
        pieces = [whole for whole, tokens in zip(pieces, lengths, strict=True) if tokens <= length]
    if len(pieces) < min(2, max(1, len(lengths))):
        raise _too_few_left(documents, lengths, length)
    learned, judged = hold_out(len(pieces), held_out, seed=seed)
    written = (prefix + text for text in documents.texts)
    counts = Counter(symbol for text in written for symbol in text if symbol in unknown) if unknown else {}
    return DocumentTokens(
        learned=tuple(piece for i in learned for piece in pieces[i]),
        held_out=tuple(piece for i in judged for piece in pieces[i]),
        skipped=len(lengths) - len(pieces),
        without_tokens=len(bodies) - len(lengths),
        dropped=dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))),
    )


def _cut(tokens: TokenIds, length: int) -> list[TokenIds]:
    starts = range(0, len(tokens), length)
    return [tokens[min(start, len(tokens) - 2) : start + length] for start in starts]


def _too_few_left(documents: Documents, lengths: list[int], length: int) -> InputError:
    if not lengths:
        return InputError(f"the model knows no symbol of {documents.origin}: give a text in its own letters")
    which = "all" if min(lengths) > length else "all but one of the"
    return InputError(
        f"{which} {len(lengths):,} documents of {documents.origin} are longer than the {length} tokens of a row; the shortest has "
        f"{min(lengths)}: pass `too_long=cut`, or take a model with a longer context (python -m trainer --block-size)"
    )


def unknown_symbols(tokenizer: Tokenizer, symbols: Iterable[str]) -> set[str]:
    """Return those of some symbols that a tokenizer does not know.

    Examples
    --------
    >>> from data.tokens.tokenizers import CharTokenizer
    >>> unknown_symbols(CharTokenizer("abc"), "bad")
    {'d'}
    """
    return {symbol for symbol in symbols if not _knows(tokenizer, symbol)}


def _knows(tokenizer: Tokenizer, symbol: str) -> bool:
    try:
        tokenizer.encode(symbol)
    except InputError:
        return False
    return True


def documents_of_run(run: Run, corpus_dir: Path | None = None) -> DocumentTokens:
    """Return the tokens of the documents that a run was fine-tuned on and judged by.

    Raises
    ------
    InputError
        If they cannot be had any more, or are others by now.
    """
    how: Mapping[str, Any] = run.info["training"]
    found = read_documents(
        how["corpus"],
        text_column=how["text_column"],
        language=how["language"],
        split=how["split"],
        corpus_dir=corpus_dir,
    )
    if found.sha256 != run.info["corpus"]["sha256"]:
        raise InputError(f"the documents of {how['corpus']!r} are others by now")
    return encode_documents(
        found,
        run.tokenizer,
        prefix=how["prefix"],
        length=how["length"],
        too_long=how["too_long"],
        held_out=how["held_out"],
        seed=how["seed"],
    )
