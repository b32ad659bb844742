"""Find the tokenizer of a pretrained model: the requested one, or one beside its weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from data.corpora.catalog import load_corpus
from data.errors import InputError
from data.text_files import read_text
from data.tokens.subwords import SubwordTokenizer
from data.tokens.tokenizers import CharTokenizer, Tokenizer, WordList
from data.tokens.vocabularies import gpt2_tokenizer, read_tokenizer
from trainer.pretrained.hf_model import first_line, load_transformers
from trainer.pretrained.import_options import ImportOptions
from trainer.pretrained.source import read_json, read_literals

IDS = "ids"
GPT2 = "gpt2"
_GPT2_ROWS = (50257, 50304)
"""Sizes of GPT-2's token table: exact, and padded to a multiple of 64 as in nanoGPT."""


def choose_tokenizer(sources: Sequence[Path], rows: int, options: ImportOptions) -> Tokenizer:
    """Choose the tokenizer for a token table of ``rows`` rows: the requested one, or one beside the weights.

    It is searched beside the last of the sources first, and in the folders above several sources last.

    Raises
    ------
    InputError
        If there is none, or it does not fit the token table.
    """
    found = _requested(options, rows)
    if found is None:
        above = {path.parent for path in sources} if len(sources) > 1 else ()
        found = _find([*reversed(sources), *above], rows)
    return _check_size(found, rows)


def _requested(options: ImportOptions, rows: int) -> Tokenizer | None:
    """Build the requested tokenizer; None if none is requested."""
    name, symbols_of = options.tokenizer, options.symbols_of
    if symbols_of is not None:
        if name is not None:
            raise InputError("`tokenizer` and `symbols_of` both say what the tokens are: give one of them")
        return CharTokenizer.from_text(load_corpus(symbols_of, options.corpus_dir).text)
    if name is None:
        return None
    if name == IDS:
        return WordList(tuple(str(i) for i in range(rows)))
    if name == GPT2:
        return gpt2_tokenizer(field="tokenizer")
    path = Path(name)
    if not path.exists():
        raise InputError(
            f"there is no tokenizer {name!r}: give {GPT2}, {IDS}, or a file or folder that holds a vocabulary"
        )
    return _read(path, rows)


def _find(places: list[Path], rows: int) -> Tokenizer:
    """Find the tokenizer in the first of several places, folders or files in them, that has one."""
    folders = [place if place.is_dir() else place.parent for place in places]
    for folder in dict.fromkeys(folders):
        for name in ("tokenizer.json", "merges.txt", "vocab.bpe", "meta.pkl", "vocab.txt"):
            if (folder / name).is_file() and (name != "vocab.txt" or _is_gptlab_vocabulary(folder / name, rows)):
                return _read(folder / name, rows)
    converted = next((found for found in map(_by_transformers, places) if found is not None), None)
    if converted is not None:
        return converted
    if rows in _GPT2_ROWS:
        return gpt2_tokenizer(field="tokenizer")
    raise InputError(
        f"{places[0]} says nothing of its {rows:,} tokens: pass `tokenizer` with its tokenizer.json, meta.pkl or vocab.txt, "
        f"`symbols_of` with the text whose characters they are, or `tokenizer={IDS}`"
    )


def _check_size(tokenizer: Tokenizer, rows: int) -> Tokenizer:
    """Return a tokenizer that fits the token table, which may be padded beyond sub-words, and not beyond characters."""
    n_tokens = tokenizer.vocab_size
    if n_tokens > rows or (isinstance(tokenizer, CharTokenizer) and n_tokens < rows):
        kind = "symbols" if isinstance(tokenizer, CharTokenizer) else "tokens"
        raise InputError(
            f"the vocabulary of {n_tokens:,} {kind} does not fit the weights, whose token table has {rows:,} rows: "
            "give the one that the model was trained with"
        )
    return tokenizer


def _read(path: Path, rows: int) -> Tokenizer:
    """Read the tokenizer in a file or folder: characters, or a form that `data.tokens.vocabularies.read_tokenizer` knows."""
    if path.is_file() and path.suffix == ".pkl":
        return _character_tokenizer(read_literals(path), path)
    if path.is_file() and path.suffix == ".txt" and path.name != "merges.txt":
        return CharTokenizer(read_text(path))
    if path.is_file() and path.suffix == ".json":
        content = read_json(path)
        if isinstance(content, list) or (isinstance(content, dict) and _has_symbols(content)):
            return _character_tokenizer(content, path)
    return read_tokenizer(path)


def _is_gptlab_vocabulary(path: Path, rows: int) -> bool:
    """Recognise GPTLab's ``vocab.txt``, a string of all characters, among other files of that name."""
    return len(read_text(path)) == rows or "\n" not in read_text(path).strip("\n")


def _character_tokenizer(content: Any, path: Path) -> CharTokenizer:
    """Build the tokenizer of the characters in a list, in ``{symbol: id}``, or in nanoGPT's ``{"itos": ..., "stoi": ...}``."""
    if isinstance(content, Mapping):
        content = content.get("stoi", content.get("itos", content))
    if isinstance(content, Mapping):
        is_itos = all(isinstance(value, str) for value in content.values())
        try:
            by_id = {int(i): s for i, s in content.items()} if is_itos else {i: s for s, i in content.items()}
        except (ValueError, TypeError):  # an id that is no number
            by_id = {}
        content = [by_id.get(i) for i in range(len(content))]
    if not isinstance(content, list) or not all(isinstance(symbol, str) and len(symbol) == 1 for symbol in content):
        raise InputError(
            f"{path} holds no vocabulary of characters: it has to give each character its number, from 0 on"
        )
    return CharTokenizer("".join(content))


def _has_symbols(content: Mapping[str, Any]) -> bool:
    is_stoi = bool(content) and all(len(symbol) == 1 and isinstance(i, int) for symbol, i in content.items())
    return "itos" in content or "stoi" in content or is_stoi


def _by_transformers(place: Path) -> Tokenizer | None:
    """Load a tokenizer that only transformers can read (SentencePiece, GGUF); None if there is none."""
    where = {"gguf_file": place.name} if place.suffix == ".gguf" else {}
    folder = place.parent if where or place.is_file() else place
    names = ("tokenizer_config.json", "tokenizer.model", "spiece.model")
    if not where and not any((folder / name).is_file() for name in names):
        return None
    try:
        loaded = load_transformers().AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, **where
        )
        return SubwordTokenizer(loaded.backend_tokenizer.to_str(), f"{type(loaded).__name__}, through transformers")
    except InputError:
        raise
    except Exception as error:  # each format has exceptions of its own
        raise InputError(
            f"the tokenizer in {folder} cannot be read ({first_line(error)}): pass another with `tokenizer`"
        ) from None
