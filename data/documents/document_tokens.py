"""The tokens of documents: each between its prefix and an end token, none longer than the context of the model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data.arrays import TokenIds
from data.documents.sources import Documents, hold_out, read_documents
from data.errors import InputError
from data.runs import Run
from data.tokens.tokenizers import Tokenizer, unknown_symbols
from data.tokens.vocabularies import END_OF_TEXT

TOO_LONG = ("skip", "cut")


@dataclass(frozen=True)
class DocumentTokens:
    """The tokens of documents, (token,) each, in the order of the documents.

    ``skipped`` counts the documents that are too long, ``without_tokens`` those without a known symbol. ``dropped`` counts, for each
    symbol that the tokenizer does not know, its occurrences in prefixes and texts.
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
    """Encode documents as prefix, text and the token `END_OF_TEXT`.

    Parameters
    ----------
    documents : to encode.
    tokenizer : has `END_OF_TEXT` among its special tokens. Symbols that it does not know are left out and counted.
    prefix : before each text.
    length : maximum number of tokens of a document, including prefix and end.
    too_long : treatment of longer documents. ``skip`` leaves them out. ``cut`` cuts them into pieces, the first with the prefix and the
        last with the end; a last piece of one token repeats the token before, because a single token predicts nothing.
    held_out : share of the documents to hold out.
    seed : of the random choice of these.

    Raises
    ------
    InputError
        If too few documents are short enough to learn from one and hold one out, or an argument is out of range.
    """
    if too_long not in TOO_LONG:
        raise InputError(f"`too_long` must be {' or '.join(TOO_LONG)}; got {too_long!r}")
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
        f"{min(lengths)}: pass `too_long=cut`, or take a model with a longer context (train one with  python -m trainer --block-size 64)"
    )


def documents_of_run(run: Run, corpus_dir: Path | None = None) -> DocumentTokens:
    """Encode the documents that a run was fine-tuned on and evaluated with; it is an error if they have changed since."""
    settings: Mapping[str, Any] = run.info["training"]
    source = {name: settings[name] for name in ("text_column", "language", "split")}
    found = read_documents(settings["corpus"], **source, corpus_dir=corpus_dir)
    before = run.info["corpus"]
    if (found.sha256, found.characters) != (before["sha256"], before["characters"]):
        raise InputError(f"the documents of {settings['corpus']!r} have changed since, or were read in another way")
    options = {name: settings[name] for name in ("prefix", "length", "too_long", "held_out", "seed")}
    return encode_documents(found, run.tokenizer, **options)
