"""What is found of a run is what was put into it: effects that are there, and none where there is none."""

from __future__ import annotations

from dataclasses import replace
from math import log

import numpy as np
import pytest
import xarray as xr

from data.errors import NotApplicableError
from data.runs import Run
from probes.first_look import (
    Beginning,
    KnownWords,
    backward_head,
    beginning,
    clearest,
    known_words,
    perplexity,
    telling_group,
)
from probes.groups.cohesion import compare
from probes.groups.nulls import random_groups

N_TOKENS, N_STEPS = 30, 4
MEMBERS = [2, 5, 11, 17]


def table(gathered: bool) -> xr.DataArray:
    """Make a table of random vectors; if gathered, the members come together at step 2 and stay."""
    values = np.repeat(np.random.default_rng(0).normal(size=(1, N_TOKENS, 8)), N_STEPS, axis=0)
    if gathered:
        values[2:, MEMBERS] = values[2:, MEMBERS] * 0.05 + 3
    return xr.DataArray(
        values, dims=("step", "token", "dim"), coords={"step": range(N_STEPS), "token": list(map(str, range(N_TOKENS)))}
    )


def test_a_group_that_gathers_is_clearest_at_the_last_step_where_it_does() -> None:
    found = clearest("made", compare(table(gathered=True), random_groups(MEMBERS, N_TOKENS)))
    assert found.step == N_STEPS - 1
    [against] = found.comparisons
    assert against.is_significant
    assert against.share == 1


def test_a_group_of_random_tokens_is_never_certain() -> None:
    [against] = clearest("made", compare(table(gathered=False), random_groups(MEMBERS, N_TOKENS))).comparisons
    assert not against.is_significant


def scores(best: float) -> xr.Dataset:
    values = np.full((2, 2, 3), 0.1)
    values[-1, 1, 2] = best
    coords = {"step": [0, 10], "layer": [0, 1], "head": [0, 1, 2]}
    array = xr.DataArray(values, dims=("step", "layer", "head"), coords=coords, attrs={"uniform": 0.1})
    return xr.Dataset({"previous_token": array})


@pytest.mark.parametrize(("best", "finds", "leans"), [(0.9, True, True), (0.3, False, True), (0.11, False, False)])
def test_a_head_finds_the_token_before_only_if_it_mostly_looks_there(best: float, finds: bool, leans: bool) -> None:
    found = backward_head(scores(best))
    assert (found.layer, found.head, found.finds, found.leans) == (1, 2, finds, leans)
    assert (found.score, found.uniform) == (best, 0.1)


def test_noise_is_a_loss_no_better_than_a_guess() -> None:
    assert Beginning(0, log(50), 50).is_noise
    assert Beginning(0, log(50) + 1, 50).is_noise
    assert not Beginning(0, 0.7 * log(50), 50).is_noise


def test_a_run_begins_with_the_loss_that_it_recorded(run: Run) -> None:
    found, record = beginning(run), run.metrics()[0]
    assert (found.step, found.loss) == (0, record["val_loss"])
    assert found.n_tokens == run.info["model"]["vocab_size"]


def test_a_run_without_losses_says_so(run: Run) -> None:
    (run.path / "metrics.jsonl").write_text("")
    with pytest.raises(NotApplicableError, match="not measured"):
        beginning(Run(run.path))


def test_words_are_known_if_the_training_text_has_them(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = run.tokenizer.labels
    letters = "".join(token for token in labels if len(token) == 1 and token.isalpha() and token.islower())[:5]
    text = f"{letters} {letters[::-1]}"
    monkeypatch.setattr("probes.first_look.training_tokens", lambda _: (run.tokenizer.encode(letters), None))
    monkeypatch.setattr(Run, "samples", lambda _: [{"step": 0, "text": letters[::-1]}, {"step": 60, "text": text}])
    assert known_words(run) == (KnownWords(0, 0, 1), KnownWords(60, 1, 2))


def test_one_sample_shows_no_change(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Run, "samples", lambda _: [{"step": 0, "text": "x"}])
    with pytest.raises(NotApplicableError, match="samples"):
        known_words(run)


def test_the_group_that_is_shown_is_one_that_the_vocabulary_has() -> None:
    vowels = telling_group([*"aeiouxyz1234"])
    assert vowels is not None
    assert vowels.name == "vowels"
    digits = telling_group([*"bcd1234"])
    assert digits is not None
    assert digits.name == "digits"
    assert telling_group(["b", "c", " "]) is None


def test_uncertainty_counts_equally_likely_tokens() -> None:
    assert perplexity(xr.DataArray([0.5, 0.5, 0.0], dims="token")) == 2
    spread = xr.DataArray([0.7, 0.2, 0.1], dims="token")
    assert 1 < perplexity(spread) < 3


def test_a_comparison_is_as_strong_as_its_p_value() -> None:
    [weak] = clearest("made", compare(table(gathered=False), random_groups(MEMBERS, N_TOKENS))).comparisons
    assert replace(weak, p=0.05).is_significant
    assert not replace(weak, p=0.051).is_significant
