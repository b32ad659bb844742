"""What a visitor is shown first of a run, each with the numbers that allow it to be said: `dashboards.tour` puts them into words.

Nothing here runs a model: the functions read what other probes measured, and the run's records.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log

import numpy as np
import xarray as xr

from data.errors import NotApplicableError
from data.runs import Run
from probes.groups.naming import Group, classes
from probes.groups.wording import SIGNIFICANT
from probes.texts import training_tokens

LIKE_GUESSING = 0.05
"""Relative distance from the loss of a guess within which a loss is called that of a guess."""
LOOKS_BACK = 0.5
"""A head finds the token before if more than this share of its attention goes there."""
LEANS_BACK = 2.0
"""A head leans towards the token before if it looks there so many times as much as an even one."""
SHORTEST_WORD = 4
"""Letters of a word that does not arise by chance from a few frequent letters."""
CHOSEN = ("vowels", "digits", "uppercase", "starts-word", "capitalised", "numbers", "punctuation")
"""The classes of tokens whose comparison is shown, most telling first."""
FEWEST, MOST = 3, 500
"""Sizes of a group that can be compared."""


@dataclass(frozen=True)
class Beginning:
    """The loss at the first snapshot, and that of a guess among all tokens, in nats."""

    step: int
    loss: float
    n_tokens: int

    @property
    def guess(self) -> float:
        return log(self.n_tokens)

    @property
    def is_noise(self) -> bool:
        """Whether the model does no better than a guess."""
        return self.loss > self.guess * (1 - LIKE_GUESSING)


@dataclass(frozen=True)
class NullComparison:
    """A group against one kind of other groups: the share that is further apart, the corrected p-value, and how many there were."""

    null: str
    share: float
    p: float
    n_others: int
    is_exact: bool

    @property
    def is_significant(self) -> bool:
        return self.p <= SIGNIFICANT


@dataclass(frozen=True)
class Gathering:
    """A group at the step where it is clearest."""

    name: str
    step: int
    comparisons: tuple[NullComparison, ...]


@dataclass(frozen=True)
class BackwardHead:
    """The head that looks most at the token before, its share of attention there, and that of an even head."""

    layer: int
    head: int
    score: float
    uniform: float

    @property
    def finds(self) -> bool:
        return self.score > LOOKS_BACK

    @property
    def leans(self) -> bool:
        return self.score >= LEANS_BACK * self.uniform


@dataclass(frozen=True)
class KnownWords:
    """How many words of a sample occur in the training text."""

    step: int
    known: int
    total: int


def beginning(run: Run) -> Beginning:
    """Read the loss at the first snapshot; a run that has not measured it is an `InputError`."""
    n_tokens = (run.info.get("model") or {}).get("vocab_size")
    steps = [int(record["step"]) for record in run.manifest()]
    losses = {int(record["step"]): float(record["val_loss"]) for record in run.metrics() if record.get("val_loss")}
    if not steps or not n_tokens or steps[0] not in losses:
        raise NotApplicableError("the loss at the first snapshot was not measured")
    return Beginning(steps[0], losses[steps[0]], int(n_tokens))


def telling_group(labels: Sequence[str]) -> Group | None:
    """Choose the class of tokens whose comparison is shown; None where the vocabulary has no class of a fitting size.

    Examples
    --------
    >>> telling_group(["a", "e", "i", "b", "1", "2"]).name
    'vowels'
    """
    found = {group.name: group for group in classes(labels)}
    for name in CHOSEN:
        if name in found and FEWEST <= len(found[name].members) <= min(MOST, len(labels) - 1):
            return found[name]
    return None


def clearest(name: str, compared: xr.Dataset) -> Gathering:
    """Find the step at which a group is clearest: where the larger of its corrected p-values is smallest, and the latest of several.

    Parameters
    ----------
    name : of the group.
    compared : the result of `probes.groups.cohesion.group_cohesion`; its p-values are corrected for looking at all steps.
    """
    nulls = (
        [compared.isel({"null": i}) for i in range(compared.sizes["null"])] if "null" in compared.dims else [compared]
    )
    worst = np.max([null["p_corrected"].values for null in nulls], axis=0)
    at = len(worst) - 1 - int(np.argmin(worst[::-1]))
    comparisons = tuple(
        NullComparison(
            str(null["null"].values),
            float(null["percentile"].values[at]),
            float(null["p_corrected"].values[at]),
            int(null["n_groups"]) - bool(null["exact"]),
            bool(null["exact"]),
        )
        for null in nulls
    )
    return Gathering(name, int(compared["step"].values[at]), comparisons)


def backward_head(scores: xr.Dataset) -> BackwardHead:
    """Find the head that looks most at the token before at the last step; ``scores`` are those of `probes.models.heads.head_scores`."""
    last = scores["previous_token"].isel(step=-1).transpose("layer", "head")
    layer, head = np.unravel_index(int(np.nanargmax(last.values)), last.shape)
    return BackwardHead(
        int(last["layer"].values[layer]),
        int(last["head"].values[head]),
        float(last.values[layer, head]),
        float(scores["previous_token"].attrs["uniform"]),
    )


def known_words(run: Run) -> tuple[KnownWords, KnownWords]:
    """Count in the first and the last sample the words that occur in the training text, those of `SHORTEST_WORD` letters or more.

    Raises
    ------
    InputError
        If the run has fewer than two samples, or its training text is not available any more.
    """
    samples = run.samples()
    if len(samples) < 2:
        raise NotApplicableError("the run has fewer than two samples")
    train, _ = training_tokens(run)
    vocabulary = set(words(run.tokenizer.decode(train)))
    first, last = (_known(sample, vocabulary) for sample in (samples[0], samples[-1]))
    return first, last


def words(text: str) -> list[str]:
    """List the words of a text that have `SHORTEST_WORD` letters or more, in small letters.

    Examples
    --------
    >>> words("The cat, Sentado; x1y2z3")
    ['sentado']
    """
    return [word for word in re.findall(r"[^\W\d_]+", text.lower()) if len(word) >= SHORTEST_WORD]


def _known(sample: dict[str, object], vocabulary: set[str]) -> KnownWords:
    found = words(str(sample["text"]))
    return KnownWords(int(str(sample["step"])), sum(word in vocabulary for word in found), len(found))


def perplexity(distribution: xr.DataArray) -> float:
    """Compute the perplexity of a distribution (token): a draw from so many equally likely tokens would be as uncertain.

    Examples
    --------
    >>> [round(perplexity(xr.DataArray(p, dims="token")), 6) for p in ([0.25] * 4, [1.0, 0.0])]
    [4.0, 1.0]
    """
    from scipy.stats import entropy

    return exp(float(entropy(distribution.values.astype(np.float64))))
