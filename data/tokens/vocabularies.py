"""Vocabularies of sub-words: learned from a text, read from files, or GPT-2's.

======================================  =====================================================================
source                                  result
======================================  =====================================================================
a text                                  `learn_bpe`: byte-level byte-pair encoding (Sennrich et al. 2016)
``tokenizer.json``                      the tokenizer that it describes
``vocab.bpe`` or ``merges.txt``         byte-level BPE as GPT-2's, with ``encoder.json`` or ``vocab.json`` beside it if there is one
``vocab.json`` with ``</w>`` in it      GPT-1's BPE, lower-casing, with ``merges.txt`` beside it
``added_tokens.json`` beside these      special tokens that were added later
none                                    `gpt2_tokenizer`, through tiktoken, which fetches it once
======================================  =====================================================================
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from data.errors import InputError
from data.text_files import decode_text
from data.tokens.subwords import SubwordTokenizer, byte_alphabet

N_BYTES = 256
END_OF_TEXT = "<|endoftext|>"
END_OF_WORD = "</w>"

BASIC_SPLIT = "GPT-1's: lower-cased, accents and line ends dropped, cut at white space and punctuation; ftfy and spaCy did not run"

ADDED = "added_tokens.json"
_FILES = (("tokenizer.json", None), ("merges.txt", "vocab.json"), ("vocab.bpe", "encoder.json"))


def learn_bpe(text: str, vocab_size: int, origin: str = "byte-level BPE learned from the text") -> SubwordTokenizer:
    """Learn sub-words from a text by byte-pair encoding: start with the 256 bytes, then merge the most frequent pair, repeatedly.

    The same text gives the same vocabulary. Pairs that occur only once are not merged, so a short text gives fewer tokens.

    Parameters
    ----------
    text : to learn from; tokens do not extend over the spaces between words.
    vocab_size : number of tokens, including the bytes, so at least 256.
    origin : description of where the vocabulary comes from.

    Warns
    -----
    UserWarning
        If the text gives fewer tokens than ``vocab_size``.

    References
    ----------
    Sennrich, Haddow, Birch (2016): Neural Machine Translation of Rare Words with Subword Units, section 3.2.

    Examples
    --------
    >>> learn_bpe("banana banana", 258).labels[256:]
    ['an', 'ban']
    """
    if vocab_size < N_BYTES:
        raise InputError(
            f"a vocabulary of sub-words has its {N_BYTES} bytes at least; got {vocab_size}: pass `vocab_size=2048`"
        )
    from tokenizers import Tokenizer, models, trainers

    engine = Tokenizer.from_str(_byte_level(models.BPE(), []))
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, min_frequency=2, initial_alphabet=list(byte_alphabet()), show_progress=False
    )
    engine.train_from_iterator([text], trainer)
    learned = SubwordTokenizer(engine.to_str(), origin)
    if learned.vocab_size < vocab_size:
        warnings.warn(
            f"the text gives {learned.vocab_size:,} sub-words and not {vocab_size:,}: no other pair occurs twice",
            stacklevel=2,
        )
    return learned


def read_tokenizer(path: Path) -> SubwordTokenizer:
    """Read the sub-word tokenizer of a model made elsewhere.

    Parameters
    ----------
    path : one of the files in the table of this module, or a folder that holds them.
    """
    if path.is_dir():
        found = next((path / name for name, _ in _FILES if (path / name).is_file()), None)
        if found is None:
            raise InputError(f"{path} holds no tokenizer: it needs {', or '.join(name for name, _ in _FILES)}")
        path = found
    content = _read(path)
    if path.suffix == ".json" and "merges" not in path.name and path.name not in ("vocab.json", "encoder.json"):
        return _named(path, SubwordTokenizer, content, f"read from {path.name}")
    merges_file, vocab_file = _pair(path)
    merges = _merges(merges_file)
    vocab = _vocab(vocab_file) if vocab_file else _vocab_of(merges)
    if any(name.endswith(END_OF_WORD) for name in vocab):
        made = _named(path, SubwordTokenizer, _end_of_word_bpe(vocab, merges), BASIC_SPLIT)
    else:
        made = _named(path, _byte_level_bpe, vocab, merges, f"byte-level BPE read from {merges_file.name}")
    added = path.with_name(ADDED)
    return _with_added(made, added) if added.is_file() else made


def gpt2_tokenizer(path: Path | None = None, *, field: str = "tokenizer_file") -> SubwordTokenizer:
    """Load GPT-2's tokenizer from a local file (see `read_tokenizer`), or through tiktoken, which fetches and caches it.

    ``field`` is the option that takes such a file, for the message of an error.
    """
    if path is not None:
        return read_tokenizer(path)
    from_file = f"pass its vocab.bpe or tokenizer.json with `{field}`"
    try:
        import tiktoken
    except ImportError:
        raise InputError(
            "GPT-2's tokenizer comes through tiktoken, which is not installed: pip install 'gptlab[tiktoken]', "
            f"or {from_file}"
        ) from None
    try:
        encoding = tiktoken.get_encoding("gpt2")
    except Exception as error:  # requests raises many kinds
        raise InputError(
            f"GPT-2's tokenizer cannot be fetched ({type(error).__name__}): check the connection, or {from_file}"
        ) from None
    specials = {encoding.encode_single_token(name): name for name in encoding.special_tokens_set}
    tokens = [encoding.decode_single_token_bytes(i) for i in range(encoding.n_vocab) if i not in specials]
    letters = {byte: letter for letter, byte in byte_alphabet().items()}
    vocab = {"".join(letters[byte] for byte in token): i for i, token in enumerate(tokens)}
    vocab |= {name: i for i, name in specials.items()}
    return _byte_level_bpe(vocab, _merges_behind(tokens), "GPT-2's byte-level BPE, through tiktoken")


def _byte_level_bpe(vocab: dict[str, int], merges: Sequence[tuple[str, str]], origin: str) -> SubwordTokenizer:
    from tokenizers import models

    specials = [name for name in (END_OF_TEXT,) if name in vocab]
    return SubwordTokenizer(_byte_level(models.BPE(vocab=vocab, merges=list(merges)), specials), origin)


def _byte_level(model: Any, specials: Sequence[str]) -> str:
    """Define a tokenizer that splits a text as GPT-2's does."""
    from tokenizers import Tokenizer, decoders, pre_tokenizers

    engine = Tokenizer(model)
    engine.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    engine.decoder = decoders.ByteLevel()
    engine.add_special_tokens(list(specials))
    return engine.to_str()


def _end_of_word_bpe(vocab: dict[str, int], merges: Sequence[tuple[str, str]]) -> str:
    """Define GPT-1's tokenizer, as it splits a text without ftfy and spaCy."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

    unknown = {"unk_token": "<unk>"} if "<unk>" in vocab else {}
    engine = Tokenizer(models.BPE(vocab=vocab, merges=list(merges), end_of_word_suffix=END_OF_WORD, **unknown))
    engine.normalizer = normalizers.BertNormalizer(lowercase=True)
    engine.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    engine.decoder = decoders.BPEDecoder(suffix=END_OF_WORD)
    engine.add_special_tokens(list(unknown.values()))
    return engine.to_str()


def _with_added(made: SubwordTokenizer, path: Path) -> SubwordTokenizer:
    """Extend a tokenizer by the tokens of ``added_tokens.json``, with their ids."""
    from tokenizers import Tokenizer

    added, engine = _vocab(path), Tokenizer.from_str(made.definition)
    engine.add_special_tokens(sorted(added, key=added.__getitem__))
    wrong = next((name for name, i in added.items() if engine.token_to_id(name) != i), None)
    if wrong is not None:
        raise InputError(
            f"{path} gives {wrong!r} the id {added[wrong]}, and with this vocabulary it has {engine.token_to_id(wrong)}: "
            "give a tokenizer.json"
        )
    return SubwordTokenizer(engine.to_str(), made.origin)


def _merges_behind(tokens: Sequence[bytes]) -> list[tuple[str, str]]:
    """Reconstruct the merges: for each token, the pair that results from applying the merges before it."""
    ranks = {token: rank for rank, token in enumerate(tokens)}
    letters = {byte: letter for letter, byte in byte_alphabet().items()}
    merges = []
    for rank, token in enumerate(tokens):
        if len(token) > 1:
            left, right = _two_parts(token, ranks, rank)
            merges.append(("".join(letters[byte] for byte in left), "".join(letters[byte] for byte in right)))
    return merges


def _two_parts(token: bytes, ranks: dict[bytes, int], below: int) -> tuple[bytes, bytes]:
    parts = [token[i : i + 1] for i in range(len(token))]
    while len(parts) > 2:
        joined = [ranks.get(parts[i] + parts[i + 1], below) for i in range(len(parts) - 1)]
        place = min(range(len(joined)), key=joined.__getitem__)
        parts[place : place + 2] = [parts[place] + parts[place + 1]]
    return parts[0], parts[1]


def _pair(path: Path) -> tuple[Path, Path | None]:
    """Find the file of merges and that of the vocabulary (None if there is none), given one of them."""
    for merges, vocab in _FILES[1:]:
        if path.name == vocab and not path.with_name(merges).is_file():
            raise InputError(f"{path} needs {merges} beside it")
        if path.name == vocab:
            return path.with_name(merges), path
        if path.name == merges and path.with_name(str(vocab)).is_file():
            return path, path.with_name(str(vocab))
    return path, None


def _merges(path: Path) -> list[tuple[str, str]]:
    lines = [line for line in _read(path).split("\n") if line.strip() and not line.startswith("#version")]
    pairs = [tuple(line.split(" ")) for line in lines]
    wrong = next((line for line, pair in zip(lines, pairs, strict=True) if len(pair) != 2), None)
    if wrong is not None or not pairs:
        found = f"the line {wrong[:40]!r}" if wrong is not None else "no pair"
        raise InputError(f"{path} has {found}: a file of merges has two tokens per line, separated by a space")
    return [(pair[0], pair[1]) for pair in pairs]


def _vocab(path: Path) -> dict[str, int]:
    try:
        vocab = json.loads(_read(path))
    except ValueError as error:
        raise InputError(f"{path} is not JSON ({error}): fetch it again") from None
    if not isinstance(vocab, dict) or not all(isinstance(i, int) for i in vocab.values()):
        raise InputError(f"{path} is not a vocabulary: it must give the id of each token")
    return vocab


def _vocab_of(merges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Build the vocabulary in GPT-2's order: the bytes, the results of the merges, and the end of a text."""
    names = [*byte_alphabet(), *(left + right for left, right in merges), END_OF_TEXT]
    return {name: i for i, name in enumerate(names)}


def _named(path: Path, make: Any, *args: Any) -> SubwordTokenizer:
    """Make a tokenizer; errors of the library become an `InputError` with the name of the file."""
    try:
        made: SubwordTokenizer = make(*args)
    except Exception as error:  # the library raises nothing more special
        raise InputError(f"{path} cannot be used ({error})") from None
    return made


def _read(path: Path) -> str:
    try:
        return decode_text(path.read_bytes(), path)
    except (OSError, InputError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InputError(
            f"the tokenizer {path} cannot be read ({reason}): give a tokenizer.json or vocab.bpe"
        ) from None
