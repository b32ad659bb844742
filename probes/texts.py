"""Inputs of probes that run a model: a prompt, windows of the validation text, or made sequences with a repeat."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data.arrays import TokenIds
from data.corpora.catalog import load_corpus
from data.documents.document_tokens import documents_of_run
from data.errors import InputError, NotApplicableError
from data.runs import Run
from data.tokens.batches import split_tokens, window_index, window_starts
from data.tokens.tokenizers import HALF, Tokenizer
from trainer.config import described_model

SHORTEST_REPEAT = 2
SHORTEST_OPENING = 12  # tokens: a map of fewer shows little


@dataclass(frozen=True)
class Prompt:
    """A text with its tokens: ``ids`` (query,), ``tokens`` the string of each."""

    text: str
    ids: TokenIds
    tokens: tuple[str, ...]


def encode_prompt(run: Run, text: str | None = None) -> Prompt:
    """Tokenize a prompt for a run's model; if None, the opening of the run's last sample.

    Raises
    ------
    InputError
        If the prompt is empty, is longer than the model's context, or holds a symbol outside the vocabulary (which, and where).
    """
    tokenizer = run.tokenizer
    text = default_prompt(run) if text is None else text
    ids = tokenizer.encode(text)
    context = described_model(run).block_size
    if not len(ids):
        raise InputError("the prompt is empty: give at least one symbol with `prompt`")
    if len(ids) > context:
        too_many = f"the prompt has {len(ids)} tokens, and the model sees at most {context}"
        raise InputError(f"{too_many}: shorten it by {len(ids) - context}")
    labels = tokenizer.labels
    return Prompt(text, ids, tuple(labels[i] for i in ids))


def default_prompt(run: Run) -> str:
    """Choose the opening of a run's last sample: its first line, or more if that is short, as far as the model's context reaches.

    A longer text is cut after a word. Without a sample, the text of the first tokens of the vocabulary is chosen, except special tokens
    and halves of characters.
    """
    tokenizer, context = run.tokenizer, described_model(run).block_size
    samples = run.samples()
    text = str(samples[-1]["text"]).strip() if samples else ""
    if not text:
        special = set(tokenizer.special_tokens.values())
        whole = (i for i in range(tokenizer.vocab_size) if i not in special and HALF not in tokenizer.decode([i]))
        return beginning(tokenizer, tokenizer.decode(list(islice(whole, context))), context)
    line = text.split("\n")[0]
    opening = line if len(tokenizer.encode(line)) >= SHORTEST_OPENING else text
    seen = beginning(tokenizer, opening, context)
    return seen.rsplit(" ", 1)[0] if " " in seen and seen != opening else seen


def beginning(tokenizer: Tokenizer, text: str, most: int) -> str:
    """Cut a text to its longest beginning that has at most ``most`` tokens, however its last sub-word is cut.

    Examples
    --------
    >>> from data.tokens.tokenizers import CharTokenizer
    >>> beginning(CharTokenizer.from_text("a cat"), "a cat", 3)
    'a c'
    """
    ids = tokenizer.encode(text)
    if len(ids) <= most:
        return text
    kept = text[: len(tokenizer.decode(ids[:most]))]
    while kept and len(tokenizer.encode(kept)) > most:
        kept = kept[:-1]
    return kept


def repeated_tokens(run: Run, n: int, *, seed: int = 0) -> str:
    """Write ``n`` different random tokens and the same once more: what follows a token can be known only from its first occurrence.

    Tokens of letters are preferred. Empty where the tokens, written one after the other, are read as others.
    """
    tokenizer = run.tokenizer
    letters = [i for i, label in enumerate(tokenizer.labels) if label.strip().isalpha() and HALF not in label]
    random = np.random.default_rng([seed, n])
    for _ in range(20):
        if len(letters) < n or n < SHORTEST_REPEAT:
            break
        ids = np.tile(random.choice(letters, n, replace=False), 2)
        text = tokenizer.decode([int(i) for i in ids])
        if np.array_equal(tokenizer.encode(text), ids):
            return text
    return ""


def training_tokens(run: Run, text: Path | None = None) -> tuple[TokenIds, TokenIds]:
    """Load the training and the validation tokens of a run.

    Parameters
    ----------
    run : the run, whose tokenizer is used.
    text : a UTF-8 text file to use instead of the run's own corpus; all of it then is validation text, too.

    Raises
    ------
    InputError
        If the run's corpus is not available any more, or has changed.
    """
    tokenizer, info = run.tokenizer, run.info
    if text is not None:
        ids = tokenizer.encode(load_corpus(text).text)
        return ids, ids
    corpus = info.get("training", {}).get("corpus") or info.get("corpus", {}).get("name")
    if not corpus:
        raise NotApplicableError(f"run {run.name!r} does not say which text it learned from: pass one with `text`")
    context = described_model(run).block_size
    try:
        if "documents" in info["corpus"]:
            return _joined_documents(run.path, (run.path / "run.json").stat().st_mtime_ns)
        return _tokens_of(str(corpus), info["corpus"]["sha256"], tokenizer, context)
    except InputError as error:
        missing = f"the text that run {run.name!r} learned from cannot be had ({error})"
        raise InputError(f"{missing}: pass it, or another, with `text`") from None


def validation_windows(run: Run, n_windows: int, *, seed: int = 0, text: Path | None = None) -> TokenIds:
    """Draw windows of the validation text, (n_windows, block_size + 1): inputs, and the targets one token later."""
    context = described_model(run).block_size
    _, ids = training_tokens(run, text)
    starts = window_starts(len(ids), context, n_windows, seed=seed, step=0, stream="probes")
    return ids[window_index(starts, context)]


def sliding_windows(run: Run, n_windows: int, *, seed: int = 0, text: Path | None = None) -> TokenIds:
    """Draw windows of a few passages, (n_windows, block_size + 1); each window starts one token after the one before.

    Nearly the same tokens are seen at every position of the context, so that positions can be compared.
    """
    context = described_model(run).block_size
    _, ids = training_tokens(run, text)
    at_a_stretch = max(1, min(2 * context, n_windows, len(ids) - context))  # too short a text is refused below
    n_starts, n_passages = len(ids) - at_a_stretch + 1, -(-n_windows // at_a_stretch)
    passages = window_starts(n_starts, context, n_passages, seed=seed, step=0, stream="passages")
    starts = (passages[:, None] + np.arange(at_a_stretch)).reshape(-1)[:n_windows]
    return ids[window_index(starts, context)]


def token_counts(run: Run, text: Path | None = None) -> NDArray[np.int64]:
    """Count how often each token occurs in a run's training text, (token,)."""
    train, _ = training_tokens(run, text)
    return np.bincount(train, minlength=described_model(run).vocab_size)


@dataclass(frozen=True)
class Repeats:
    """Sequences of random tokens that end in a block and the same block again.

    ``ids`` (sequence, query) are the tokens, ``period`` (sequence,) the lengths of the blocks. Unless the vocabulary is too small, a token
    occurs twice in a sequence only because the block is repeated.
    """

    ids: TokenIds
    period: TokenIds

    @property
    def in_repeat(self) -> NDArray[np.bool_]:
        """Mask of the repeat without its first token, which cannot be predicted; (sequence, query)."""
        length = self.ids.shape[1]
        return np.asarray(np.arange(length) > (length - self.period)[:, None])


def repeated_sequences(vocab_size: int, length: int, n_sequences: int, *, seed: int = 0) -> Repeats:
    """Make sequences of random tokens whose end repeats what came before it; the block's length differs between them.

    A block of fixed length could be copied by a head that always looks the same number of tokens back; a block of varying length
    can be copied only by a head that finds the earlier occurrence (Olsson et al. 2022, "In-context Learning and Induction Heads").
    A context that is too short for a block and its repeat is an `InputError`.

    Examples
    --------
    >>> made = repeated_sequences(50, 12, 3, seed=1)
    >>> [bool((row[-p:] == row[-2 * p : -p]).all()) for row, p in zip(made.ids, made.period)]
    [True, True, True]
    """
    if length < 2 * SHORTEST_REPEAT + 1:
        needed = f"a repeated sequence needs a context of {2 * SHORTEST_REPEAT + 1} tokens or more"
        raise NotApplicableError(f"{needed}, and the model sees {length}: this score does not apply to it")
    if seed < 0:
        raise InputError(f"a seed is 0 or more; got {seed}: pass `seed=0`")
    random = np.random.default_rng([seed, length, vocab_size])
    lengths = np.arange(max(SHORTEST_REPEAT, length // 4), length // 2 + 1)
    period = random.permutation(np.resize(lengths, n_sequences))  # evenly: no period is more frequent than another
    ids = np.empty((n_sequences, length), dtype=np.int64)
    for row, p in zip(ids, period, strict=True):
        # Tokens are drawn without replacement, starting again when the vocabulary is used up.
        deals = [random.permutation(vocab_size) for _ in range(-(-(length - p) // vocab_size))]
        row[: length - p] = np.concatenate(deals)[p - length :]
        row[length - p :] = row[length - 2 * p : length - p]
    return Repeats(ids, period)


@lru_cache(maxsize=4)
def _joined_documents(path: Path, _: int) -> tuple[TokenIds, TokenIds]:
    """Join the training and the validation documents of a fine-tuned run, each end to end."""
    documents = documents_of_run(Run(path))
    learned, held_out = np.concatenate(documents.learned), np.concatenate(documents.held_out)
    learned.flags.writeable = held_out.flags.writeable = False  # shared by every caller
    return learned, held_out


@lru_cache(maxsize=4)
def _tokens_of(corpus: str, sha256: str, tokenizer: Tokenizer, block_size: int) -> tuple[TokenIds, TokenIds]:
    found = load_corpus(corpus)
    if found.sha256 != sha256:
        raise InputError(f"the text {corpus!r} is another by now")
    train, val = split_tokens(tokenizer, found.text, block_size)
    train.flags.writeable = val.flags.writeable = False  # shared by every caller
    return train, val
