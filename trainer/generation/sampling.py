"""Autoregressive sampling: from a prompt to token ids, and to text in pieces as they come.

`sample_tokens` is the decoding loop on token ids; `stream_text` turns its tokens into pieces of text and applies the stop sequences;
`generate_samples` returns whole texts. Every sample has its own random generator, seeded by (seed, number of the sample). So its text does
not depend on the cache, on the number of samples or on streaming. (Sums of other shapes round differently: a draw that falls within
about a millionth of the border between two tokens may go the other way.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from data.arrays import FloatArray, TokenIds
from data.errors import InputError
from data.tokens.tokenizers import Tokenizer
from trainer.generation.filters import Decoding, initial_counts, probabilities, sample_token
from trainer.generation.generation_request import GenerationRequest, window_start
from trainer.generation.kv_cache import next_token_model
from trainer.generation.streamed_text import StreamedText
from trainer.loading import Model

EndReason = Literal["length", "stop"]


@dataclass(frozen=True)
class DecodingStep:
    """One step of decoding for all samples: the chosen tokens, and the distributions that they were drawn from.

    ``tokens`` (sample,); ``logits`` (sample, token) are the model's own; ``drawn_from`` (sample, token) are the probabilities after
    penalties, temperature and filters (`Decoding`).
    """

    tokens: TokenIds
    logits: NDArray[np.floating]
    drawn_from: FloatArray


@dataclass(frozen=True)
class Piece:
    """A piece of the text of one sample; ``end`` of its last piece is the reason why the sample ends."""

    sample: int
    text: str
    end: EndReason | None = None


@dataclass(frozen=True)
class Sample:
    """A finished sample: its text, without prompt and stop sequence, and the reason why it ended."""

    text: str
    end: EndReason


StepCallback = Callable[[DecodingStep, Sequence[int]], None]
"""Called with each step and with the numbers of the samples that have not ended."""


def sample_tokens(
    model: Model, prompt: TokenIds, decoding: Decoding, request: GenerationRequest, n_known: int | None = None
) -> Iterator[DecodingStep]:
    """Sample tokens after a prompt, one step at a time, for all samples of a request.

    Parameters
    ----------
    model : in evaluation mode.
    prompt : token ids (token,), at least one; the model sees the end of a prompt that is longer than its context.
    decoding, request : how tokens are chosen, and how many. Stop sequences are texts and have no effect here.
    n_known : size of the tokenizer's vocabulary. Tokens from this id on are never sampled: a token table may have more rows.
    """
    if not len(prompt):
        raise InputError("the prompt is empty: give at least one symbol")
    n_rows, device = request.n_samples, next(model.parameters()).device
    ids = torch.empty((n_rows, len(prompt) + request.n_tokens), dtype=torch.long, device=device)
    ids[:, : len(prompt)] = torch.from_numpy(np.asarray(prompt, dtype=np.int64))
    generators = [np.random.default_rng([request.seed, row]) for row in range(n_rows)]
    counts = np.tile(initial_counts(prompt, model.config.vocab_size, decoding), (n_rows, 1))
    next_token = next_token_model(model, n_rows, cache=request.cache)
    rows = np.arange(n_rows)
    for n_read in range(len(prompt), len(prompt) + request.n_tokens):
        start = window_start(n_read, len(prompt), model.config.block_size, request.window)
        logits = next_token.next_logits(ids[:, :n_read], start).float().cpu().numpy()  # (B, vocab_size)
        logits[:, n_known or logits.shape[1] :] = -np.inf
        read = ids[:, :n_read].cpu().numpy() if decoding.depends_on_prompt else None
        drawn_from = probabilities(logits, decoding, counts, read)
        tokens = np.array([sample_token(drawn_from[row], generators[row].random()) for row in range(n_rows)])
        ids[:, n_read] = torch.from_numpy(tokens)
        counts[rows, tokens] += 1
        yield DecodingStep(tokens, logits, drawn_from)


def generate_tokens(model: Model, prompt: Tensor, n_tokens: int, *, temperature: float = 0.8, seed: int = 0) -> Tensor:
    """Append ``n_tokens`` sampled tokens, 0 or more, to the token ids (T,) of a prompt; see `sample_tokens`."""
    if not n_tokens:
        return prompt
    request = GenerationRequest(n_tokens=n_tokens, seed=seed)
    steps = sample_tokens(model, prompt.cpu().numpy(), Decoding(temperature), request)
    return torch.cat([prompt, torch.tensor([int(step.tokens[0]) for step in steps], device=prompt.device)])


def stream_text(
    model: Model,
    tokenizer: Tokenizer,
    prompt: str,
    *,
    decoding: Decoding,
    request: GenerationRequest,
    on_step: StepCallback | None = None,
) -> Iterator[Piece]:
    """Generate the texts of the samples in pieces, each as soon as it is certain.

    A piece is held back while it could be the start of a stop sequence, or ends within a character.

    Parameters
    ----------
    model : in evaluation mode.
    tokenizer : of the model.
    prompt : the text to continue.
    decoding, request : how tokens are chosen, and how many.
    on_step : called with each decoding step, before its text is yielded.
    """
    ids = np.asarray(tokenizer.encode(prompt))
    texts = [
        StreamedText.after(ids.tolist(), tokenizer, request.stop, clean_up_spaces=request.clean_up_spaces)
        for _ in range(request.n_samples)
    ]
    for step in sample_tokens(model, ids, decoding, request, tokenizer.vocab_size):
        active = [number for number, text in enumerate(texts) if not text.is_stopped]
        if on_step is not None:
            on_step(step, active)
        for number in active:
            new = texts[number].add(int(step.tokens[number]))
            is_stopped = texts[number].is_stopped
            if new or is_stopped:
                yield Piece(number, new, "stop" if is_stopped else None)
        if all(text.is_stopped for text in texts):
            return
    for number, text in enumerate(texts):
        if not text.is_stopped:
            rest = text.finish()
            yield Piece(number, rest, "stop" if text.is_stopped else "length")


def generate_samples(
    model: Model, tokenizer: Tokenizer, prompt: str, decoding: Decoding, request: GenerationRequest
) -> list[Sample]:
    """Generate the whole texts of all samples; the parameters are those of `stream_text`."""
    texts = [""] * request.n_samples
    ends: list[EndReason] = ["length"] * request.n_samples
    for piece in stream_text(model, tokenizer, prompt, decoding=decoding, request=request):
        texts[piece.sample] += piece.text
        ends[piece.sample] = piece.end or ends[piece.sample]
    return [Sample(text, end) for text, end in zip(texts, ends, strict=True)]
