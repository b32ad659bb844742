"""Bets are probabilities, the lens ends at the model's own word, and losses are those of the model on the same windows."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch.nn import functional as F

from data.errors import InputError
from data.runs import Run, write_snapshot
from probes.models import logits, observation
from probes.models.logits import (
    LEADING,
    in_context_score,
    leading_tokens,
    logit_lens,
    loss_by_position,
    next_token_distribution,
)
from probes.texts import sliding_windows
from tests.probes.made_run import STEPS, SYMBOLS, made_run, model_of_step, shape, weights
from tests.trainer.test_model import gpt2_with_weights_of

PROMPT = "não mo co ba"


@pytest.fixture
def made(tmp_path: Path) -> Run:
    return made_run(tmp_path)


def prompt_ids() -> torch.Tensor:
    return torch.tensor([[SYMBOLS.index(symbol) for symbol in PROMPT]])


def test_next_token_probabilities_are_those_of_the_model(made: Run) -> None:
    found = next_token_distribution(made, PROMPT)
    assert found.dims == ("step", "token")
    assert found.dtype == np.float32
    assert "".join(found["token"].values) == SYMBOLS
    np.testing.assert_allclose(found.sum("token"), 1, rtol=0, atol=1e-6)
    for step in STEPS:
        with torch.no_grad():
            expected = (
                gpt2_with_weights_of(model_of_step(step, shape()).double())(prompt_ids()).logits[0, -1].softmax(-1)
            )
        np.testing.assert_allclose(found.sel(step=step), expected, rtol=0, atol=1e-5)


def test_the_leaders_of_a_step_are_the_largest_of_its_softmax(made: Run) -> None:
    found = leading_tokens(next_token_distribution(made, PROMPT), 5)
    assert found.attrs["n_tokens"] == len(SYMBOLS)
    for place, step in enumerate(found["step"].values):
        with torch.no_grad():
            model = gpt2_with_weights_of(model_of_step(int(step), shape()).double())
            top = model(prompt_ids()).logits[0, -1].softmax(-1).topk(5)
        assert found["index"].values[place].tolist() == top.indices.tolist()
        np.testing.assert_allclose(found["probability"].values[place], top.values.numpy(), rtol=0, atol=1e-5)


def test_tokens_that_a_filter_excludes_keep_the_order_before_it() -> None:
    before = xr.DataArray([[0.1, 0.4, 0.3, 0.2]], dims=("step", "token"))
    found = leading_tokens(before.copy(data=[[0.0, 1.0, 0.0, 0.0]]), before=before)
    assert found["index"].values.tolist() == [[1, 2, 3, 0]]


def test_of_a_large_vocabulary_only_the_leaders_are_selected() -> None:
    n = 50_000
    random = np.random.default_rng(0)
    values = random.dirichlet(np.full(n, 0.01), size=3).astype(np.float32)
    labels = [f"t{i}" for i in range(n)]
    distribution = xr.DataArray(values, dims=("step", "token"), coords={"step": [0, 1, 2], "token": labels})
    found = leading_tokens(distribution)
    assert found["index"].shape == (3, LEADING)
    assert found.attrs["n_tokens"] == n
    np.testing.assert_array_equal(found["probability"].values, -np.sort(-values, axis=1)[:, :LEADING])


def test_the_lens_reads_every_layer_as_if_it_were_the_last(made: Run) -> None:
    lens = logit_lens(made, PROMPT).sel(step=10)
    assert lens["top"].dims == ("layer", "position")
    assert lens["probability"].dims == ("layer", "token")
    assert "".join(lens["prompt_token"].values) == PROMPT
    oracle = gpt2_with_weights_of(model_of_step(10, shape()).double())
    with torch.no_grad():
        states = oracle(prompt_ids(), output_hidden_states=True).hidden_states
        # Hugging Face normalises the last of its states, so that it is not normalised again.
        bets = [oracle.lm_head(oracle.transformer.ln_f(state[0])).log_softmax(-1) for state in states[:-1]]
        bets.append(oracle.lm_head(states[-1][0]).log_softmax(-1))
    for layer, bet in enumerate(bets):
        at, p = lens.sel(layer=layer), bet.exp()
        assert "".join(at["top"].values) == "".join(SYMBOLS[i] for i in p.argmax(-1))
        np.testing.assert_allclose(at["top_probability"], p.amax(-1), rtol=1e-3)
        np.testing.assert_allclose(at["entropy"], -(p * bet).sum(-1), rtol=1e-3, atol=1e-5)
        divergence = F.kl_div(bet, bets[-1], reduction="none", log_target=True).sum(-1)
        np.testing.assert_allclose(at["divergence"], divergence, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(at["probability"], p[-1], rtol=1e-3, atol=1e-5)


def test_the_last_layer_is_the_model_itself(made: Run) -> None:
    lens = logit_lens(made, PROMPT)
    assert list(lens["layer"].values) == [0, 1, 2, 3]
    last = lens.isel(layer=-1)
    np.testing.assert_allclose(last["probability"], next_token_distribution(made, PROMPT), rtol=1e-5, atol=1e-7)
    assert not last["divergence"].any()
    assert (lens["divergence"] >= 0).all()
    assert (lens["divergence"].isel(layer=0) > 0.01).any()


def test_the_loss_by_position_is_the_cross_entropy_on_the_same_windows(
    made: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = loss_by_position(made, seed=4)
    assert found["loss"].dims == ("step", "position")
    assert found["in_context_score"].dims == ("step",)
    windows = torch.from_numpy(sliding_windows(made, logits.N_WINDOWS, seed=4))
    for step in STEPS:
        model = model_of_step(step, shape())
        with torch.no_grad():
            _, mean = model(windows[:, :-1], windows[:, 1:])
            bets = model(windows[:, :-1])[0].log_softmax(-1)
        assert mean is not None
        assert float(found["loss"].sel(step=step).mean()) == pytest.approx(mean.item(), rel=1e-5)
        fifth = -sum(float(bet[5, token]) for bet, token in zip(bets, windows[:, 6], strict=True)) / len(windows)
        assert float(found["loss"].sel(step=step, position=5)) == pytest.approx(fifth, rel=1e-5)
    monkeypatch.setattr(observation, "MOST_WEIGHTS_AT_ONCE", 4 * 12 * 12 * 50)
    np.testing.assert_allclose(loss_by_position(made, seed=4)["loss"], found["loss"], rtol=1e-5)


def test_a_model_that_knows_nothing_gains_nothing_from_context(made: Run) -> None:
    write_snapshot(made, 30, {name: 0 * tensor for name, tensor in weights(model_of_step(0, shape())).items()})
    found = loss_by_position(made).sel(step=30)
    np.testing.assert_allclose(found["loss"], math.log(len(SYMBOLS)), rtol=1e-6)
    assert float(found["in_context_score"]) == pytest.approx(0, abs=1e-6)


@given(arrays(np.float64, st.tuples(st.integers(1, 3), st.integers(1, 40)), elements=st.floats(0, 9)))
def test_the_in_context_score_is_the_last_eighth_less_the_second(loss: np.ndarray) -> None:
    n = loss.shape[1]
    part = max(1, n // 8)
    second = [min(part + k, n - 1) for k in range(part)]
    expected = [sum(row[n - 1 - k] - row[second[k]] for k in range(part)) / part for row in loss.tolist()]
    np.testing.assert_allclose(in_context_score(loss), expected, atol=1e-12)


def test_in_context_scores_known_in_closed_form() -> None:
    falling = np.linspace(3, 1, 33)[None, :32]  # by 1/16 nat a position: positions 28-31 lie 24 after positions 4-7
    np.testing.assert_allclose(in_context_score(falling), [-1.5])
    assert in_context_score(np.full((2, 2, 16), 2.5)).tolist() == [[0, 0], [0, 0]]


def test_a_prompt_that_does_not_fit_is_refused(made: Run) -> None:
    for probe in (next_token_distribution, logit_lens):
        with pytest.raises(InputError, match="shorten it by 1"):
            probe(made, "b" * 13)
