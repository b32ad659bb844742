"""From a prompt to text, token by token: the loop that asks a model, chooses, and hands on what can be read already.

`choose` is the loop in numbers; `stream` turns it into pieces of text as they come, and minds what is to stop it; `complete` waits for
the whole. Every sample draws from a random generator of its own, which follows from (seed, number of the sample): it is the same text
with or without a cache, alone or among others, streamed or not. (Sums of other shapes round differently: a draw that falls within
about a millionth of the border between two tokens may go the other way.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from data.arrays import TokenIds
from data.errors import InputError
from data.tokens.tokenizers import HALF, Tokenizer
from trainer.generation.filters import Decoding, Logits, draw, probabilities
from trainer.generation.generation_request import GenerationRequest, window_start
from trainer.generation.kv_cache import reader
from trainer.loading import Model

EndReason = Literal["length", "stop"]


@dataclass(frozen=True)
class DecodingStep:
    """A step of decoding, for all samples (row): the token chosen for each, and what it was chosen from.

    ``logits`` (row, token) are the model's own; ``drawn_from`` (row, token) the probabilities after everything of `Decoding`.
    """

    tokens: TokenIds
    logits: NDArray[np.floating]
    drawn_from: Logits


@dataclass(frozen=True)
class Piece:
    """Some text of one sample; the last piece of a sample says why it ends."""

    sample: int
    text: str
    end: EndReason | None = None


@dataclass(frozen=True)
class Sample:
    """A finished sample: its text without the prompt and without what stopped it, and why it ended."""

    text: str
    end: EndReason


Watch = Callable[[DecodingStep, Sequence[int]], None]


def choose(
    model: Model, prompt: TokenIds, decoding: Decoding, request: GenerationRequest, n_known: int | None = None
) -> Iterator[DecodingStep]:
    """Yield one choice after the other, as many as are asked for.

    Parameters
    ----------
    model : in evaluation mode.
    prompt : token ids (token,), at least one; of a prompt longer than the context the model sees the end.
    decoding : how to choose.
    request : how much; stop sequences are texts and do not concern this loop.
    n_known : tokens from this id on are never chosen: a token table may have rows that its tokenizer knows nothing of.
    """
    if not len(prompt):
        raise InputError("the prompt is empty: give at least one symbol")
    n_rows, device = request.n_samples, next(model.parameters()).device
    kept = torch.empty((n_rows, len(prompt) + request.n_tokens), dtype=torch.long, device=device)
    kept[:, : len(prompt)] = torch.from_numpy(np.asarray(prompt, dtype=np.int64))
    draws = [np.random.default_rng([request.seed, row]) for row in range(n_rows)]
    counts = np.zeros((n_rows, model.config.vocab_size), dtype=np.int64)
    reading = reader(model, n_rows, cache=request.cache)
    rows = np.arange(n_rows)
    for n_read in range(len(prompt), len(prompt) + request.n_tokens):
        start = window_start(n_read, len(prompt), model.config.block_size, request.window)
        logits = reading.logits(kept[:, :n_read], start).float().cpu().numpy()
        logits[:, n_known or logits.shape[1] :] = -np.inf
        drawn_from = probabilities(logits, decoding, counts)
        tokens = np.array([draw(drawn_from[row], draws[row].random()) for row in range(n_rows)])
        kept[:, n_read] = torch.from_numpy(tokens)
        counts[rows, tokens] += 1
        yield DecodingStep(tokens, logits, drawn_from)


def stream(
    model: Model,
    tokenizer: Tokenizer,
    prompt: str,
    decoding: Decoding,
    request: GenerationRequest,
    watch: Watch | None = None,
) -> Iterator[Piece]:
    """Yield the text of the samples in pieces, as soon as each is sure to belong to it.

    A piece waits while it could be the beginning of a stop sequence, or ends in half a character.

    Parameters
    ----------
    model : in evaluation mode.
    tokenizer : of the model.
    prompt : the text to go on from.
    decoding, request : see there.
    watch : is called with every choice before its text comes, and with the numbers of the samples that are still going.
    """
    ids = np.asarray(tokenizer.encode(prompt))
    texts = [Text.after(ids.tolist(), tokenizer, request.stop) for _ in range(request.n_samples)]
    for choice in choose(model, ids, decoding, request, tokenizer.vocab_size):
        if watch is not None:
            watch(choice, [number for number, text in enumerate(texts) if not text.is_stopped])
        for number, text in enumerate(texts):
            if text.is_stopped:
                continue
            new = text.add(int(choice.tokens[number]))
            if new or text.is_stopped:
                yield Piece(number, new, "stop" if text.is_stopped else None)
        if all(text.is_stopped for text in texts):
            return
    for number, text in enumerate(texts):
        if not text.is_stopped:
            rest = text.rest()
            yield Piece(number, rest, "stop" if text.is_stopped else "length")


def complete(
    model: Model, tokenizer: Tokenizer, prompt: str, decoding: Decoding, request: GenerationRequest
) -> list[Sample]:
    """Return the whole samples; see `stream`."""
    texts = [""] * request.n_samples
    ends: list[EndReason] = ["length"] * request.n_samples
    for piece in stream(model, tokenizer, prompt, decoding, request):
        texts[piece.sample] += piece.text
        ends[piece.sample] = piece.end or ends[piece.sample]
    return [Sample(text, end) for text, end in zip(texts, ends, strict=True)]


MOST_HALVES = 3
"""A character has at most four bytes, and some decoders put a sign for each of those that are there, and for whole ones before."""
_N_BEFORE = 8  # tokens of the prompt that are decoded with the first new one


@dataclass
class Text:
    """The text of a sample while its tokens come.

    What is decoded begins a little before the new tokens: some tokenizers write a token otherwise at the beginning of a text.

    Examples
    --------
    >>> from data.tokens.tokenizers import CharTokenizer
    >>> text = Text(CharTokenizer("abc"), stop=("bc",))
    >>> [text.add(token) for token in (0, 1, 0, 1, 2)], text.is_stopped
    (['a', '', 'ba', '', ''], True)
    """

    tokenizer: Tokenizer
    stop: Sequence[str] = ()
    is_stopped: bool = False
    _ids: list[int] = field(default_factory=list)
    _first: int = 0
    """The token from which on is decoded."""
    _settled: int = 0
    """Tokens whose text is whole and known."""
    _n_told: int = 0
    """Characters of the decoded text that are known already."""
    _held: str = ""
    """Known text that could be the beginning of a stop sequence."""

    @classmethod
    def after(cls, prompt: list[int], tokenizer: Tokenizer, stop: Sequence[str] = ()) -> Text:
        """Return the text that goes on from the tokens of a prompt: some decoders put the space between them, or drop it."""
        start = max(0, len(prompt) - _N_BEFORE)
        earlier = range(start, max(-1, start - MOST_HALVES - 1), -1)
        decoded = {first: tokenizer.decode(prompt[first:]) for first in earlier}
        first = next((first for first in earlier if not decoded[first].startswith(HALF)), start)
        return cls(tokenizer, stop, _ids=prompt[first:], _settled=len(prompt) - first, _n_told=len(decoded[first]))

    def add(self, token: int) -> str:
        """Take the next token; return the text that is now sure."""
        self._ids.append(token)
        decoded = self.tokenizer.decode(self._ids[self._first :])
        n_halves = len(decoded) - len(decoded.rstrip(HALF))
        is_whole = not n_halves
        if len(self._ids) - self._settled > MOST_HALVES:  # the first of them cannot become a character any more
            n_halves = min(n_halves, MOST_HALVES)
        known = max(len(decoded) - n_halves, self._n_told)
        new, self._n_told = decoded[self._n_told : known], known
        if is_whole:
            self._first, self._settled = self._settled, len(self._ids)
            self._n_told = len(self.tokenizer.decode(self._ids[self._first :]))
        return self._release(new)

    def rest(self) -> str:
        """Return what is left when no token comes any more."""
        decoded = self.tokenizer.decode(self._ids[self._first :])
        held = self._release(decoded[self._n_told :])
        return held if self.is_stopped else held + self._held

    def _release(self, new: str) -> str:
        """Return what of the text held back and the new one cannot belong to a stop sequence, and remember the rest."""
        text = self._held + new
        places = [place for place in (text.find(stop) for stop in self.stop) if place >= 0]
        if places:
            self.is_stopped, self._held = True, ""
            return text[: min(places)]
        n_held = max((_overlap(text, stop) for stop in self.stop), default=0)
        self._held = text[len(text) - n_held :]
        return text[: len(text) - n_held]


def _overlap(text: str, stop: str) -> int:
    """Return how many characters at the end of a text are the beginning of a stop sequence."""
    for n in range(min(len(text), len(stop) - 1), 0, -1):
        if text.endswith(stop[:n]):
            return n
    return 0
