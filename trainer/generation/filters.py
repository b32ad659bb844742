"""How the next token is chosen: from a model's logits to the probabilities that one is drawn from. Pure functions of arrays.

The order is fixed, and is the one of Hugging Face's processors after the penalties: bias and penalties, temperature, top-k, top-p, min-p.
Each takes logits (..., token) in float64 and returns logits; a token that is ruled out has minus infinity. What remains is made
to sum to 1, and a token is drawn from it. docs/decoding.md has the formulas.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import tyro
from numpy.typing import NDArray

from data.errors import InputError

Logits = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Decoding:
    """How the next token is chosen.

    Raises
    ------
    InputError
        If a number lies outside its range; the message names it.
    """

    temperature: float = 0.8
    """Below 1 the likely tokens become likelier, above 1 all become more alike; 0 always takes the likeliest."""
    top_k: int = 0
    """Draw from so many of the likeliest tokens only; 0 means all."""
    top_p: float = 1.0
    """Draw from the likeliest tokens that have this probability together; 1 means all."""
    min_p: float = 0.0
    """Draw from tokens at least this share as likely as the likeliest; 0 means all."""
    frequency_penalty: float = 0.0
    """Taken off a token's logit for each time it has been generated; below 0 repetition is rewarded."""
    presence_penalty: float = 0.0
    """Taken off a token's logit once it has been generated at all."""
    bias: Annotated[tuple[tuple[int, float], ...], tyro.conf.Suppress] = ()
    """Pairs of a token's id and what is added to its logit."""

    def __post_init__(self) -> None:
        for name in ("temperature", "frequency_penalty", "presence_penalty"):
            if not math.isfinite(getattr(self, name)):
                raise InputError(f"{_spoken(name)} must be a finite number; got {getattr(self, name)}")
        if self.temperature < 0:
            raise InputError(f"temperature must be 0 (always the likeliest token) or more; got {self.temperature:g}")
        if self.top_k < 0:
            raise InputError(f"top-k must be 0 (all tokens) or more; got {self.top_k}")
        if not 0 < self.top_p <= 1:
            raise InputError(f"top-p must be above 0 and at most 1 (all tokens); got {self.top_p:g}")
        if not 0 <= self.min_p <= 1:
            raise InputError(f"min-p must be between 0 (all tokens) and 1; got {self.min_p:g}")
        for token, added in self.bias:
            if not math.isfinite(added):
                raise InputError(f"the bias of token {token} must be a finite number; got {added}")


def probabilities(logits: NDArray[np.floating], decoding: Decoding, counts: Counts | None = None) -> Logits:
    """Return what the next token is drawn from.

    Parameters
    ----------
    logits : of the model, (..., token).
    decoding : how to choose.
    counts : how often each token has been generated so far, (..., token); none if None.

    Returns
    -------
    Probabilities, (..., token), that sum to 1. At temperature 0 all of it lies on the likeliest token, the first of equals.

    Examples
    --------
    >>> probabilities(np.log([0.5, 0.3, 0.2]), Decoding(temperature=1, top_k=2)).round(3)
    array([0.625, 0.375, 0.   ])
    >>> probabilities(np.log([0.5, 0.3, 0.2]), Decoding(temperature=0))
    array([1., 0., 0.])
    """
    chosen = np.asarray(logits, dtype=np.float64)
    if decoding.bias:
        chosen = biased(chosen, decoding.bias)
    if counts is not None and (decoding.frequency_penalty or decoding.presence_penalty):
        chosen = penalised(chosen, counts, decoding.frequency_penalty, decoding.presence_penalty)
    if decoding.temperature == 0:
        return _likeliest(chosen)
    chosen = at_temperature(chosen, decoding.temperature)
    if 0 < decoding.top_k < chosen.shape[-1]:
        chosen = top_k(chosen, decoding.top_k)
    if decoding.top_p < 1:
        chosen = top_p(chosen, decoding.top_p)
    if decoding.min_p > 0:
        chosen = min_p(chosen, decoding.min_p)
    return softmax(chosen)


def biased(logits: Logits, bias: Sequence[tuple[int, float]]) -> Logits:
    """Add a number to the logits of some tokens, given as pairs of id and number.

    Raises
    ------
    InputError
        If there is no token of an id.
    """
    changed = logits.copy()
    for token, added in bias:
        if not 0 <= token < logits.shape[-1]:
            raise InputError(f"there is no token {token} to bias; there are {logits.shape[-1]:,}")
        changed[..., token] += added
    return changed


def penalised(logits: Logits, counts: Counts, frequency: float, presence: float) -> Logits:
    """Take off from each logit ``frequency`` times the count of its token, and ``presence`` where that is not 0.

    Examples
    --------
    >>> penalised(np.array([2.0, 2.0, 2.0]), np.array([0, 1, 3]), frequency=0.5, presence=0.1)
    array([2. , 1.4, 0.4])
    """
    return np.asarray(logits - counts * frequency - (counts > 0) * presence)


def at_temperature(logits: Logits, temperature: float) -> Logits:
    """Divide logits by a temperature above 0; the highest becomes 0, which changes no probability and overflows at none."""
    shifted: Logits = logits - logits.max(-1, keepdims=True)
    with np.errstate(over="ignore"):
        shifted /= temperature
    return shifted


def top_k(logits: Logits, k: int) -> Logits:
    """Rule out what is below the k-th highest logit; tokens equal to it stay."""
    least = np.partition(logits, -k, axis=-1)[..., -k, None] if k < logits.shape[-1] else -np.inf
    return np.where(logits < least, -np.inf, logits)


def top_p(logits: Logits, p: float) -> Logits:
    """Rule out the least likely tokens as long as those together have no more than 1 - p; the likeliest stays.

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


def min_p(logits: Logits, share: float) -> Logits:
    """Rule out tokens that are less than ``share`` as likely as the likeliest."""
    likely = softmax(logits)
    best = likely.max(-1, keepdims=True)
    return np.where((likely < share * best) & (likely < best), -np.inf, logits)


def softmax(logits: NDArray[np.floating]) -> Logits:
    """Return the probabilities (..., token) of logits, in float64."""
    exact = np.asarray(logits, dtype=np.float64)
    exact = np.exp(exact - exact.max(-1, keepdims=True))
    likely: Logits = exact / exact.sum(-1, keepdims=True)
    return likely


def draw(likely: Logits, uniform: float) -> int:
    """Return the token at which the cumulated probabilities (token,) pass ``uniform``, a number in [0, 1).

    Examples
    --------
    >>> [draw(np.array([0.5, 0.0, 0.5]), uniform) for uniform in (0.0, 0.49, 0.5, 0.99)]
    [0, 0, 2, 2]
    """
    reached = likely.cumsum()
    token = int(reached.searchsorted(uniform * reached[-1], side="right"))
    return token if token < len(likely) else int(np.flatnonzero(likely)[-1])  # rounding may carry past the end


def entropy(likely: NDArray[np.floating]) -> Logits:
    """Return the entropy (...) of probabilities (..., token), in nats.

    Examples
    --------
    >>> round(float(entropy(np.array([0.25, 0.25, 0.5, 0.0]))), 4)
    1.0397
    """
    exact = np.asarray(likely, dtype=np.float64)
    logs = np.log(exact, where=exact > 0, out=np.zeros_like(exact))
    return np.asarray(-(exact * logs).sum(-1)) + 0.0


def _likeliest(logits: Logits) -> Logits:
    one_hot = np.zeros_like(logits)
    np.put_along_axis(one_hot, logits.argmax(-1)[..., None], 1.0, -1)
    return one_hot


def _spoken(name: str) -> str:
    return name.replace("_", " ")
