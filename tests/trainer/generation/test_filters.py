"""Decoding filters against Hugging Face's processors, OpenAI's formula by hand, and the properties of a distribution."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from data.errors import InputError
from trainer.generation.filters import (
    Decoding,
    apply_penalties,
    apply_temperature,
    entropy,
    min_p,
    probabilities,
    sample_token,
    softmax,
    top_k,
    top_p,
)

Logits = NDArray[np.float64]
quick = settings(deadline=None, max_examples=60)


@st.composite
def made_logits(draw: st.DrawFn) -> Logits:
    """Random logits (row, token), no two equal, since filters differ in which of equals they keep."""
    n_rows, n_tokens = draw(st.integers(1, 4)), draw(st.integers(2, 40))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    return generator.normal(size=(n_rows, n_tokens)) * draw(st.floats(0.1, 20))


def theirs(name: str, logits: Logits, value: float) -> Logits:
    """Apply a logits processor of Hugging Face."""
    processors = pytest.importorskip("transformers.generation.logits_process", reason="the oracle is Hugging Face's")
    processed = getattr(processors, name)(value)(torch.zeros(len(logits), 1, dtype=torch.long), torch.tensor(logits))
    return np.asarray(processed.numpy())


@quick
@given(made_logits(), st.integers(1, 50))
def test_top_k_keeps_what_hugging_face_keeps(logits: Logits, k: int) -> None:
    np.testing.assert_array_equal(top_k(logits, k), theirs("TopKLogitsWarper", logits, k))


@quick
@given(made_logits(), st.floats(0.01, 0.99))
def test_top_p_keeps_what_hugging_face_keeps(logits: Logits, p: float) -> None:
    ordered = np.sort(softmax(logits), axis=-1).cumsum(-1)
    if np.abs(ordered - (1 - p)).min() > 1e-9:  # nearer, the order of the sum decides
        np.testing.assert_array_equal(top_p(logits, p), theirs("TopPLogitsWarper", logits, p))


@quick
@given(made_logits(), st.floats(0.01, 1))
def test_min_p_keeps_what_hugging_face_keeps(logits: Logits, share: float) -> None:
    probability = softmax(logits)
    if np.abs(probability / probability.max(-1, keepdims=True) - share).min() > 1e-9 or share == 1:
        np.testing.assert_array_equal(min_p(logits, share), theirs("MinPLogitsWarper", logits, share))


@quick
@given(made_logits(), st.floats(0.05, 20))
def test_temperature_gives_the_probabilities_of_hugging_face(logits: Logits, temperature: float) -> None:
    expected = torch.tensor(theirs("TemperatureLogitsWarper", logits, temperature)).softmax(-1)
    np.testing.assert_allclose(softmax(apply_temperature(logits, temperature)), expected, rtol=1e-9, atol=1e-12)


@quick
@given(made_logits(), st.floats(0.3, 3), st.integers(0, 40), st.floats(0.05, 1), st.floats(0, 0.9))
def test_all_filters_together_are_the_chain_of_hugging_face_in_its_order(
    logits: Logits, temperature: float, k: int, p: float, share: float
) -> None:
    expected = theirs("TemperatureLogitsWarper", logits, temperature)
    if k:
        expected = theirs("TopKLogitsWarper", expected, k)
    kept = np.sort(softmax(expected), axis=-1).cumsum(-1)
    if p < 1:
        expected = theirs("TopPLogitsWarper", expected, p)
    probability = softmax(expected)
    near = (
        np.abs(kept - (1 - p)).min() < 1e-9
        or np.abs(probability / probability.max(-1, keepdims=True) - share).min() < 1e-9
    )
    if share:
        expected = theirs("MinPLogitsWarper", expected, share)
    if not near:
        decoding = Decoding(temperature, top_k=k, top_p=p, min_p=share)
        np.testing.assert_allclose(probabilities(logits, decoding), softmax(expected), rtol=1e-9, atol=1e-12)


@quick
@given(made_logits(), st.floats(0, 3), st.integers(0, 40), st.floats(0.01, 1), st.floats(0, 1))
def test_probabilities_sum_to_1_and_keep_the_order_and_the_most_probable_token(
    logits: Logits, temperature: float, k: int, p: float, share: float
) -> None:
    probability = probabilities(logits, Decoding(temperature, top_k=k, top_p=p, min_p=share))
    assert probability.shape == logits.shape
    np.testing.assert_allclose(probability.sum(-1), 1)
    rows = np.arange(len(logits))
    np.testing.assert_array_equal(probability.max(-1), probability[rows, logits.argmax(-1)])
    # A more probable token stays at least as probable.
    ordered = np.take_along_axis(probability, np.argsort(logits, axis=-1), -1)
    assert (np.diff(ordered, axis=-1) >= -1e-12).all()


def test_temperature_0_takes_the_most_probable_token_and_of_equals_the_first() -> None:
    np.testing.assert_array_equal(probabilities(np.array([1.0, 3.0, 3.0]), Decoding(temperature=0)), [0, 1, 0])
    # So it does where the penalties have changed which that is.
    again = probabilities(
        np.array([1.0, 3.0, 2.5]), Decoding(temperature=0, frequency_penalty=0.4), np.array([0, 2, 0])
    )
    np.testing.assert_array_equal(again, [0, 0, 1])


@pytest.mark.parametrize("temperature", [1e-300, 1e-3])
def test_a_temperature_near_0_has_the_limit_at_0(temperature: float) -> None:
    logits = np.array([[-800.0, 5.0, 4.0], [0.0, 0.0, -1.0]])
    np.testing.assert_allclose(probabilities(logits, Decoding(temperature)), [[0, 1, 0], [0.5, 0.5, 0]], atol=1e-12)


def test_penalties_are_those_of_openai_worked_by_hand() -> None:
    """mu[j] - c[j] * frequency - (c[j] > 0) * presence."""
    changed = apply_penalties(np.array([1.0, 1.0, 1.0, -1.0]), np.array([0, 1, 4, 2]), frequency=0.25, presence=0.5)
    np.testing.assert_allclose(changed, [1.0, 1 - 0.25 - 0.5, 1 - 1.0 - 0.5, -1 - 0.5 - 0.5])
    rewarded = apply_penalties(np.array([1.0, 1.0]), np.array([2, 0]), frequency=-0.25, presence=0)
    np.testing.assert_allclose(rewarded, [1.5, 1.0])


def test_penalties_and_bias_act_before_the_temperature() -> None:
    logits, counts = np.array([2.0, 1.0]), np.array([1, 0])
    probability = probabilities(
        logits, Decoding(0.5, frequency_penalty=0.75, presence_penalty=0.25, bias=((1, 0.5),)), counts
    )
    np.testing.assert_allclose(probability, softmax(np.array([(2.0 - 1.0) / 0.5, (1.0 + 0.5) / 0.5])))


def test_sampled_frequencies_approach_the_probabilities() -> None:
    probability, generator = np.array([0.5, 0.0, 0.2, 0.3]), np.random.default_rng(1)
    drawn = np.bincount([sample_token(probability, generator.random()) for _ in range(20_000)], minlength=4) / 20_000
    np.testing.assert_allclose(drawn, probability, atol=0.015)
    assert drawn[1] == 0


@quick
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30).filter(any), st.floats(0, 1, exclude_max=True))
def test_a_token_of_probability_0_is_never_sampled(weights: list[float], uniform: float) -> None:
    assert weights[sample_token(np.array(weights), uniform)] > 0


def test_entropy_of_a_uniform_and_of_a_one_hot_distribution() -> None:
    np.testing.assert_allclose(entropy(np.array([[0.25] * 4, [1.0, 0, 0, 0]])), [np.log(4), 0])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"temperature": -0.5}, "temperature must be 0 (always the likeliest token) or more; got -0.5"),
        ({"temperature": float("nan")}, "temperature must be a finite number; got nan"),
        ({"top_p": 0.0}, "top-p must be above 0 and at most 1 (all tokens); got 0"),
        ({"top_p": 1.5}, "top-p must be above 0 and at most 1 (all tokens); got 1.5"),
        ({"min_p": -0.1}, "min-p must be between 0 (all tokens) and 1; got -0.1"),
        ({"top_k": -3}, "top-k must be 0 (all tokens) or more; got -3"),
        ({"presence_penalty": float("inf")}, "presence penalty must be a finite number; got inf"),
        ({"bias": ((2, float("inf")),)}, "the bias of token 2 must be a finite number; got inf"),
    ],
)
def test_a_number_outside_its_range_is_refused_by_name(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match="^" + message.replace("(", r"\(").replace(")", r"\)") + "$"):
        Decoding(**wrong)  # type: ignore[arg-type]


def test_a_bias_of_a_token_outside_the_vocabulary_is_refused() -> None:
    with pytest.raises(InputError, match="there is no token 5 to bias; there are 3"):
        probabilities(np.zeros(3), Decoding(bias=((5, 1.0),)))
