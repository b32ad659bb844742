"""Decoding filters: from a model's logits to the distribution that the next token is sampled from. Pure functions of arrays.

The order is fixed: bias, frequency and presence penalty, repetition penalty, repeated n-grams, temperature, top-k, top-p, min-p,
typical-p (but for the frequency and presence penalty, which it lacks, the order of Hugging Face's processors).
Each filter takes logits (..., token) in float64 and returns logits; a token that is filtered out has minus infinity. A softmax turns
what remains into probabilities. docs/decoding.md has the formulas.

References
----------
Holtzman, Buys, Du, Forbes and Choi (2020), The curious case of neural text degeneration (top-p, section 3.1).
Keskar, McCann, Varshney, Xiong and Socher (2019), CTRL (repetition penalty, section 4.1; Hugging Face multiplies logits below 0).
Meister, Pimentel, Wiher and Cotterell (2023), Locally typical sampling (typical-p).
Nguyen, Baker, Neo, Roush, Kirsch and Shwartz-Ziv (2024), Turning up the heat: min-p sampling (arXiv 2407.01082).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import tyro
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from data.arrays import FloatArray, TokenIds
from data.errors import InputError

Counts = NDArray[np.int64]
"""How often each token has been generated, (..., token)."""


@dataclass(frozen=True)
class Decoding:
    """How the next token is chosen: temperature, filters, penalties and bias."""

    temperature: float = 0.8
    """Below 1 probable tokens become more probable, above 1 the distribution becomes flatter; 0 always takes the most probable token."""
    top_k: int = 0
    """Sample from this many of the most probable tokens; 0 means all."""
    top_p: float = 1.0
    """Sample from the most probable tokens that together have this probability; 1 means all."""
    min_p: float = 0.0
    """Sample from tokens at least this share as probable as the most probable one; 0 means all."""
    typical_p: float = 1.0
    """Sample from the tokens whose surprise is nearest to the entropy and that together have this probability; 1 means all."""
    frequency_penalty: float = 0.0
    """Subtracted from a token's logit each time it has been generated; below 0 it rewards repetition."""
    presence_penalty: float = 0.0
    """Subtracted from a token's logit once it has been generated."""
    penalize_prompt: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Let the two penalties above count the tokens of the prompt as well."""
    repetition_penalty: float = 1.0
    """Divides the logit of a token in prompt or text, or multiplies it if it is below 0; above 1 it makes repetition rarer."""
    no_repeat_ngram_size: int = 0
    """Never repeat a sequence of this many tokens of prompt and text; 0 allows all."""
    bias: Annotated[tuple[tuple[int, float], ...], tyro.conf.Suppress] = ()
    """Pairs of a token id and a number that is added to its logit."""

    def __post_init__(self) -> None:
        for name in ("temperature", "frequency_penalty", "presence_penalty"):
            if not math.isfinite(getattr(self, name)):
                raise InputError(f"{name.replace('_', ' ')} must be a finite number; got {getattr(self, name)}")
        if self.temperature < 0:
            raise InputError(f"temperature must be 0 (always the likeliest token) or more; got {self.temperature:g}")
        if self.top_k < 0:
            raise InputError(f"top-k must be 0 (all tokens) or more; got {self.top_k}")
        if not 0 < self.top_p <= 1:
            raise InputError(f"top-p must be above 0 and at most 1 (all tokens); got {self.top_p:g}")
        if not 0 <= self.min_p <= 1:
            raise InputError(f"min-p must be between 0 (all tokens) and 1; got {self.min_p:g}")
        if not 0 < self.typical_p <= 1:
            raise InputError(f"typical-p must be above 0 and at most 1 (all tokens); got {self.typical_p:g}")
        if not 0 < self.repetition_penalty < math.inf:
            raise InputError(f"repetition penalty must be above 0 (1 has no effect); got {self.repetition_penalty:g}")
        if self.no_repeat_ngram_size < 0:
            raise InputError(f"no-repeat-ngram-size must be 0 (all allowed) or more; got {self.no_repeat_ngram_size}")
        for token, added in self.bias:
            if not math.isfinite(added):
                raise InputError(f"the bias of token {token} must be a finite number; got {added}")

    @property
    def depends_on_prompt(self) -> bool:
        """Whether the tokens of the prompt change how the model's logits become probabilities."""
        return self.repetition_penalty != 1 or self.no_repeat_ngram_size > 0 or self.penalize_prompt


def probabilities(
    logits: NDArray[np.floating], decoding: Decoding, counts: Counts | None = None, ids: TokenIds | None = None
) -> FloatArray:
    """Apply bias, penalties, temperature and filters to logits, and turn them into probabilities.

    Parameters
    ----------
    logits : of the model, (..., token).
    decoding : temperature, filters, penalties and bias.
    counts : how often each token has been generated so far, (..., token), from `initial_counts` on; None skips the penalties on them.
    ids : the tokens of prompt and text so far, (..., position); None skips repetition penalty and repeated n-grams.

    Returns
    -------
    Probabilities, (..., token), that sum to 1. At temperature 0 the most probable token, or the first of several, has probability 1.

    Examples
    --------
    >>> probabilities(np.log([0.5, 0.3, 0.2]), Decoding(temperature=1, top_k=2)).round(3)
    array([0.625, 0.375, 0.   ])
    >>> probabilities(np.log([0.5, 0.3, 0.2]), Decoding(temperature=0))
    array([1., 0., 0.])
    """
    filtered = np.asarray(logits, dtype=np.float64)
    if decoding.bias:
        filtered = add_bias(filtered, decoding.bias)
    if counts is not None and (decoding.frequency_penalty or decoding.presence_penalty):
        filtered = apply_penalties(filtered, counts, decoding.frequency_penalty, decoding.presence_penalty)
    if ids is not None and decoding.repetition_penalty != 1:
        filtered = penalize_repetition(filtered, ids, decoding.repetition_penalty)
    if ids is not None and decoding.no_repeat_ngram_size:
        filtered = ban_repeated_ngrams(filtered, ids, decoding.no_repeat_ngram_size)
    return _filter(filtered, decoding)


def _filter(filtered: FloatArray, decoding: Decoding) -> FloatArray:
    """Apply temperature and filters to logits after bias and penalties, and turn them into probabilities."""
    if decoding.temperature == 0:
        return np.asarray(np.arange(filtered.shape[-1]) == filtered.argmax(-1, keepdims=True), dtype=np.float64)
    filtered = apply_temperature(filtered, decoding.temperature)
    if 0 < decoding.top_k < filtered.shape[-1]:
        filtered = top_k(filtered, decoding.top_k)
    if decoding.top_p < 1:
        filtered = top_p(filtered, decoding.top_p)
    if decoding.min_p > 0:
        filtered = min_p(filtered, decoding.min_p)
    if decoding.typical_p < 1:
        filtered = typical_p(filtered, decoding.typical_p)
    return softmax(filtered)


def initial_counts(prompt: TokenIds, n_tokens: int, decoding: Decoding) -> Counts:
    """Count the tokens (token,) of a prompt (position,) if its penalties do, and none otherwise."""
    return np.bincount(prompt if decoding.penalize_prompt else [], minlength=n_tokens)


def add_bias(logits: FloatArray, bias: Sequence[tuple[int, float]]) -> FloatArray:
    """Add numbers to the logits of some tokens, given as pairs of token id and number."""
    changed = logits.copy()
    for token, added in bias:
        if not 0 <= token < logits.shape[-1]:
            raise InputError(f"there is no token {token} to bias; there are {logits.shape[-1]:,}")
        changed[..., token] += added
    return changed


def apply_penalties(logits: FloatArray, counts: Counts, frequency: float, presence: float) -> FloatArray:
    """Subtract ``frequency`` times the count of its token from each logit, and ``presence`` where the count is above 0.

    Examples
    --------
    >>> apply_penalties(np.array([2.0, 2.0, 2.0]), np.array([0, 1, 3]), frequency=0.5, presence=0.1)
    array([2. , 1.4, 0.4])
    """
    return np.asarray(logits - counts * frequency - (counts > 0) * presence)


def penalize_repetition(logits: FloatArray, ids: TokenIds, penalty: float) -> FloatArray:
    """Divide the logits of the tokens in ``ids`` (..., position) by a penalty; those below 0 are multiplied by it.

    Examples
    --------
    >>> penalize_repetition(np.array([2.0, -2.0, 2.0]), np.array([0, 1, 1]), 2)
    array([ 1., -4.,  2.])
    """
    seen = np.zeros(logits.shape, dtype=bool)
    np.put_along_axis(seen, np.broadcast_to(ids, (*logits.shape[:-1], ids.shape[-1])), True, -1)
    return np.where(seen, np.where(logits < 0, logits * penalty, logits / penalty), logits)


def ban_repeated_ngrams(logits: FloatArray, ids: TokenIds, size: int) -> FloatArray:
    """Ban the tokens that would complete a sequence of ``size`` tokens that ``ids`` (..., position) already have.

    Examples
    --------
    >>> ban_repeated_ngrams(np.zeros(3), np.array([0, 1, 0, 2, 0]), 2)
    array([  0., -inf, -inf])
    """
    if ids.shape[-1] < size:
        return logits
    ids = np.broadcast_to(ids, (*logits.shape[:-1], ids.shape[-1]))
    windows = sliding_window_view(ids, size, axis=-1)
    is_repeated = (windows[..., :-1] == ids[..., None, ids.shape[-1] - size + 1 :]).all(-1)
    *rows, places = np.nonzero(is_repeated)
    out = logits.copy()
    out[(*rows, windows[(*rows, places, -1)])] = -np.inf
    if (out.max(-1) == -np.inf).any():
        raise InputError(
            f"every token would repeat a sequence of {size}: pass `no_repeat_ngram_size={size + 1}` or fewer tokens"
        )
    return out


def apply_temperature(logits: FloatArray, temperature: float) -> FloatArray:
    """Divide logits by a temperature above 0, after a shift that makes the highest 0, so that no quotient overflows."""
    shifted: FloatArray = logits - logits.max(-1, keepdims=True)
    with np.errstate(over="ignore"):
        shifted /= temperature
    return shifted


def top_k(logits: FloatArray, k: int) -> FloatArray:
    """Keep the k highest logits, and others equal to the k-th."""
    least = np.partition(logits, -k, axis=-1)[..., -k, None] if k < logits.shape[-1] else -np.inf
    return np.where(logits < least, -np.inf, logits)


def top_p(logits: FloatArray, p: float) -> FloatArray:
    """Keep the smallest set of most probable tokens whose probabilities sum to p or more (nucleus sampling).

    Examples
    --------
    >>> np.exp(top_p(np.log([0.1, 0.2, 0.3, 0.4]), 0.7)).round(3)
    array([0. , 0. , 0.3, 0.4])
    """
    order = np.argsort(logits, axis=-1, kind="stable")
    removed = softmax(np.take_along_axis(logits, order, -1)).cumsum(-1) <= 1 - p
    removed[..., -1] = False
    out = np.empty_like(removed)
    np.put_along_axis(out, order, removed, -1)
    return np.where(out, -np.inf, logits)


def min_p(logits: FloatArray, share: float) -> FloatArray:
    """Keep the tokens that are at least ``share`` times as probable as the most probable one."""
    probability = softmax(logits)
    best = probability.max(-1, keepdims=True)
    return np.where((probability < share * best) & (probability < best), -np.inf, logits)


def typical_p(logits: FloatArray, p: float) -> FloatArray:
    """Keep the tokens whose surprise is nearest to the entropy, until their probabilities sum to p (locally typical sampling).

    Examples
    --------
    >>> np.exp(typical_p(np.log([0.6, 0.2, 0.1, 0.1]), 0.1)).round(3)  # an entropy of 1.09 nats, and surprises of 0.51, 1.61 and 2.3
    array([0. , 0.2, 0. , 0. ])
    """
    probability = softmax(logits)
    with np.errstate(divide="ignore"):
        distance = np.abs(-np.log(probability) - entropy(probability)[..., None])
    order = np.argsort(distance, axis=-1, kind="stable")
    n_below = (np.take_along_axis(probability, order, -1).cumsum(-1) < p).sum(-1, keepdims=True)
    last = np.take_along_axis(order, np.minimum(n_below, logits.shape[-1] - 1), -1)
    return np.where(distance > np.take_along_axis(distance, last, -1), -np.inf, logits)


def softmax(logits: NDArray[np.floating]) -> FloatArray:
    """Turn logits (..., token) into probabilities, in float64."""
    exact = np.asarray(logits, dtype=np.float64)
    exact = np.exp(exact - exact.max(-1, keepdims=True))
    probability: FloatArray = exact / exact.sum(-1, keepdims=True)
    return probability


def sample_token(probability: FloatArray, uniform: float) -> int:
    """Sample a token from probabilities (token,) by inverting their cumulative sum at ``uniform``, a number in [0, 1).

    Examples
    --------
    >>> [sample_token(np.array([0.5, 0.0, 0.5]), uniform) for uniform in (0.0, 0.49, 0.5, 0.99)]
    [0, 0, 2, 2]
    """
    cumulative = probability.cumsum()
    token = int(cumulative.searchsorted(uniform * cumulative[-1], side="right"))
    # Rounding may carry past the end.
    return token if token < len(probability) else int(np.flatnonzero(probability)[-1])


def entropy(probability: NDArray[np.floating]) -> FloatArray:
    """Compute the entropy (...) of probabilities (..., token), in nats.

    Examples
    --------
    >>> round(float(entropy(np.array([0.25, 0.25, 0.5, 0.0]))), 4)
    1.0397
    """
    exact = np.asarray(probability, dtype=np.float64)
    logs = np.log(exact, where=exact > 0, out=np.zeros_like(exact))
    return np.asarray(-(exact * logs).sum(-1)) + 0.0
