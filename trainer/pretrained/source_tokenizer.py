"""The tokens of a model made elsewhere: found beside its weights, or told by whoever imports it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data.corpora.catalog import load_corpus
from data.errors import InputError
from data.tokens.tokenizers import CharTokenizer, Tokenizer, WordList
from trainer.pretrained.hf_model import first_line, load_transformers
from trainer.pretrained.safe_pickle import read_literals

IDS = "ids"
GPT2 = "gpt2"
_GPT2_ROWS = (50257, 50304)
"""GPT-2's tokens, as they are and filled up to a multiple of 64, as nanoGPT does."""


def requested_tokenizer(
    wish: str | None, symbols_of: str | None, rows: int, corpus_dir: Path | None = None
) -> Tokenizer | None:
    """Return the tokenizer that was asked for, or None if nothing was.

    Parameters
    ----------
    wish : ``gpt2``; ``ids`` for tokens that are named by their numbers; or a file or folder that holds a vocabulary.
    symbols_of : a text whose different characters, sorted, are the tokens: a file, or a corpus by name.
    rows : of the model's token table.
    corpus_dir : where corpora are looked for first.
    """
    if symbols_of is not None:
        if wish is not None:
            raise InputError("--tokenizer and --symbols-of both say what the tokens are: give one of them")
        return CharTokenizer.from_text(load_corpus(symbols_of, corpus_dir).text)
    if wish is None:
        return None
    if wish == IDS:
        return WordList(tuple(str(i) for i in range(rows)))
    if wish == GPT2:
        from data.tokens.vocabularies import gpt2_tokenizer

        return gpt2_tokenizer(field="tokenizer")
    path = Path(wish)
    if not path.exists():
        raise InputError(
            f"there is no tokenizer {wish!r}: give {GPT2}, {IDS}, or a file or folder that holds a vocabulary"
        )
    return _read(path, rows)


def find_tokenizer(places: list[Path], rows: int) -> Tokenizer:
    """Return the tokenizer that lies beside the weights.

    Parameters
    ----------
    places : folders, or files in them, to look in, in turn.
    rows : of the model's token table.

    Raises
    ------
    InputError
        If there is none; the message says how to give one.
    """
    folders = [place if place.is_dir() else place.parent for place in places]
    for folder in dict.fromkeys(folders):
        for name in ("tokenizer.json", "merges.txt", "vocab.bpe", "meta.pkl", "vocab.txt"):
            if (folder / name).is_file() and (name != "vocab.txt" or _is_of_symbols(folder / name, rows)):
                return _read(folder / name, rows)
    for place in places:
        converted = _by_transformers(place)
        if converted is not None:
            return converted
    if rows in _GPT2_ROWS:
        from data.tokens.vocabularies import gpt2_tokenizer

        return gpt2_tokenizer(field="tokenizer")
    raise InputError(
        f"{places[0]} says nothing of its {rows:,} tokens: pass --tokenizer with its tokenizer.json, meta.pkl or vocab.txt, "
        f"--symbols-of with the text whose characters they are, or --tokenizer {IDS}"
    )


def check_vocabulary_size(tokenizer: Tokenizer, rows: int) -> Tokenizer:
    """Return the tokenizer if a token table of so many rows can be its own; an `InputError` otherwise.

    A table may have rows beyond a vocabulary of sub-words, to fill up to a round number; characters must be as many as rows.
    """
    n_tokens = tokenizer.vocab_size
    if n_tokens > rows or (isinstance(tokenizer, CharTokenizer) and n_tokens < rows):
        kind = "symbols" if isinstance(tokenizer, CharTokenizer) else "tokens"
        raise InputError(
            f"the vocabulary of {n_tokens:,} {kind} does not fit the weights, whose token table has {rows:,} rows: "
            "give the one that the model was trained with"
        )
    return tokenizer


def _read(path: Path, rows: int) -> Tokenizer:
    """Return the tokenizer in a file or folder: characters, or whatever `data.tokens.vocabularies.read_tokenizer` knows."""
    if path.is_file() and path.suffix == ".pkl":
        return _of_symbols(read_literals(path), path)
    if path.is_file() and path.suffix == ".txt" and path.name != "merges.txt":
        return CharTokenizer(_text(path))
    if path.is_file() and path.suffix == ".json":
        content = _json(path)
        if isinstance(content, list) or (isinstance(content, dict) and _has_symbols(content)):
            return _of_symbols(content, path)
    from data.tokens.vocabularies import read_tokenizer

    return read_tokenizer(path)


def _is_of_symbols(path: Path, rows: int) -> bool:
    """Tell GPTLab's ``vocab.txt``, whose characters stand side by side, from other files of that name."""
    return len(_text(path)) == rows or "\n" not in _text(path).strip("\n")


def _of_symbols(content: Any, path: Path) -> CharTokenizer:
    """Return the characters of a list, of ``{symbol: id}``, or of nanoGPT's ``{"itos": ..., "stoi": ...}``."""
    if isinstance(content, Mapping):
        content = content.get("stoi", content.get("itos", content))
    if isinstance(content, Mapping):
        try:
            by_id = (
                {int(i): symbol for i, symbol in content.items()}
                if _all_numbers(content)
                else {i: s for s, i in content.items()}
            )
        except (ValueError, TypeError):  # what should be a number is a text, or a list
            by_id = {}
        content = [by_id.get(i) for i in range(len(content))]
    if not isinstance(content, list) or not all(isinstance(symbol, str) and len(symbol) == 1 for symbol in content):
        raise InputError(
            f"{path} holds no vocabulary of characters: it has to give each character its number, from 0 on"
        )
    return CharTokenizer("".join(content))


def _all_numbers(content: Mapping[Any, Any]) -> bool:
    return all(isinstance(value, str) for value in content.values())


def _has_symbols(content: Mapping[str, Any]) -> bool:
    return "itos" in content or "stoi" in content or _all_single(content)


def _all_single(content: Mapping[str, Any]) -> bool:
    return bool(content) and all(len(symbol) == 1 and isinstance(i, int) for symbol, i in content.items())


def _by_transformers(place: Path) -> Tokenizer | None:
    """Return the tokenizer that transformers makes of what lies there (SentencePiece, GGUF), or None if it makes none."""
    from data.tokens.subwords import SubwordTokenizer

    where = {"gguf_file": place.name} if place.suffix == ".gguf" else {}
    folder = place.parent if where or place.is_file() else place
    if not where and not any(
        (folder / name).is_file() for name in ("tokenizer_config.json", "tokenizer.model", "spiece.model")
    ):
        return None
    try:
        made = load_transformers().AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, **where
        )
        return SubwordTokenizer(made.backend_tokenizer.to_str(), f"{type(made).__name__}, through transformers")
    except InputError:
        raise
    except Exception as error:  # the library raises what its formats raise
        raise InputError(
            f"the tokenizer in {folder} cannot be read ({first_line(error)}): pass another with --tokenizer"
        ) from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the vocabulary {path} cannot be read as UTF-8 ({error})") from None


def _json(path: Path) -> Any:
    try:
        return json.loads(_text(path))
    except ValueError as error:
        raise InputError(f"the vocabulary {path} is no JSON ({error}): fetch it again") from None
