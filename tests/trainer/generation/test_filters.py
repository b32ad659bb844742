"""What a token is drawn from, against Hugging Face's processors, OpenAI's formula worked by hand, and what a filter must keep."""

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
    """Logits (row, token) no two of which are equal: of equals a filter may keep either."""
    n_rows, n_tokens = draw(st.integers(1, 4)), draw(st.integers(2, 40))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    return generator.normal(size=(n_rows, n_tokens)) * draw(st.floats(0.1, 20))


def theirs(name: str, logits: Logits, value: float) -> Logits:
    """Return what a processor of Hugging Face makes of logits."""
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
    likely = softmax(logits)
    if np.abs(likely / likely.max(-1, keepdims=True) - share).min() > 1e-9 or share == 1:
        np.testing.assert_array_equal(min_p(logits, share), theirs("MinPLogitsWarper", logits, share))


@quick
@given(made_logits(), st.floats(0.05, 20))
def test_temperature_gives_the_probabilities_of_hugging_face(logits: Logits, temperature: float) -> None:
    expected = torch.tensor(theirs("TemperatureLogitsWarper", logits, temperature)).softmax(-1)
    np.testing.assert_allclose(softmax(apply_temperature(logits, temperature)), expected, rtol=1e-9, atol=1e-12)


@quick
@given(made_logits(), st.floats(0.3, 3), st.integers(0, 40), st.floats(0.05, 1), st.floats(0, 0.9))
def test_all_together_is_hugging_faces_chain_in_its_order(
    logits: Logits, temperature: float, k: int, p: float, share: float
) -> None:
    expected = theirs("TemperatureLogitsWarper", logits, temperature)
    if k:
        expected = theirs("TopKLogitsWarper", expected, k)
    kept = np.sort(softmax(expected), axis=-1).cumsum(-1)
    if p < 1:
        expected = theirs("TopPLogitsWarper", expected, p)
    likely = softmax(expected)
    near = np.abs(kept - (1 - p)).min() < 1e-9 or np.abs(likely / likely.max(-1, keepdims=True) - share).min() < 1e-9
    if share:
        expected = theirs("MinPLogitsWarper", expected, share)
    if not near:
        decoding = Decoding(temperature, top_k=k, top_p=p, min_p=share)
        np.testing.assert_allclose(probabilities(logits, decoding), softmax(expected), rtol=1e-9, atol=1e-12)


@quick
@given(made_logits(), st.floats(0, 3), st.integers(0, 40), st.floats(0.01, 1), st.floats(0, 1))
def test_whatever_is_asked_for_the_likeliest_token_can_be_drawn_and_all_sums_to_one(
    logits: Logits, temperature: float, k: int, p: float, share: float
) -> None:
    likely = probabilities(logits, Decoding(temperature, top_k=k, top_p=p, min_p=share))
    assert likely.shape == logits.shape
    np.testing.assert_allclose(likely.sum(-1), 1)
    rows = np.arange(len(logits))
    np.testing.assert_array_equal(likely.max(-1), likely[rows, logits.argmax(-1)])
    # A token that is likelier before is not less likely after.
    ordered = np.take_along_axis(likely, np.argsort(logits, axis=-1), -1)
    assert (np.diff(ordered, axis=-1) >= -1e-12).all()


def test_temperature_0_takes_the_likeliest_and_of_equals_the_first() -> None:
    np.testing.assert_array_equal(probabilities(np.array([1.0, 3.0, 3.0]), Decoding(temperature=0)), [0, 1, 0])
    # So it does where the penalties have changed which that is.
    again = probabilities(
        np.array([1.0, 3.0, 2.5]), Decoding(temperature=0, frequency_penalty=0.4), np.array([0, 2, 0])
    )
    np.testing.assert_array_equal(again, [0, 0, 1])


@pytest.mark.parametrize("temperature", [1e-300, 1e-3])
def test_a_temperature_next_to_0_is_that_of_0(temperature: float) -> None:
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
    likely = probabilities(
        logits, Decoding(0.5, frequency_penalty=0.75, presence_penalty=0.25, bias=((1, 0.5),)), counts
    )
    np.testing.assert_allclose(likely, softmax(np.array([(2.0 - 1.0) / 0.5, (1.0 + 0.5) / 0.5])))


def test_what_is_drawn_is_as_frequent_as_it_is_likely() -> None:
    likely, generator = np.array([0.5, 0.0, 0.2, 0.3]), np.random.default_rng(1)
    drawn = np.bincount([sample_token(likely, generator.random()) for _ in range(20_000)], minlength=4) / 20_000
    np.testing.assert_allclose(drawn, likely, atol=0.015)
    assert drawn[1] == 0


@quick
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30).filter(any), st.floats(0, 1, exclude_max=True))
def test_only_what_is_possible_is_drawn(weights: list[float], uniform: float) -> None:
    assert weights[sample_token(np.array(weights), uniform)] > 0


def test_entropy_is_that_of_even_and_of_sure_distributions() -> None:
    np.testing.assert_allclose(entropy(np.array([[0.25] * 4, [1.0, 0, 0, 0]])), [np.log(4), 0])


@pytest.mark.parametrize(
    ("wrong", "told"),
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
def test_what_cannot_be_is_refused_by_name(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(InputError, match="^" + told.replace("(", r"\(").replace(")", r"\)") + "$"):
        Decoding(**wrong)  # type: ignore[arg-type]


def test_a_bias_of_a_token_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match="there is no token 5 to bias; there are 3"):
        probabilities(np.zeros(3), Decoding(bias=((5, 1.0),)))
