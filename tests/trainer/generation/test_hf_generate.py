"""Decoding is that of Hugging Face's `generate`: the same tokens without sampling, the same probabilities with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from data.errors import InputError
from data.runs import Run
from probes.models.logits import next_token_distribution
from trainer.generation.filters import (
    Decoding,
    ban_repeated_ngrams,
    initial_counts,
    penalize_repetition,
    probabilities,
    softmax,
    typical_p,
)
from trainer.generation.generation_request import GenerationRequest
from trainer.generation.recording import TraceRecorder
from trainer.generation.sampling import sample_tokens, stream_text
from trainer.loading import load_model
from trainer.pretrained.hf_export import export_model

transformers = pytest.importorskip("transformers", reason="the oracle is Hugging Face's: pip install '.[hf]'")
processors = pytest.importorskip("transformers.generation.logits_process")
quick = settings(deadline=None, max_examples=60)
PROMPT = "ba"

SETTINGS: list[dict[str, Any]] = [
    {"repetition_penalty": 1.4},
    {"repetition_penalty": 0.7},
    {"no_repeat_ngram_size": 1},
    {"no_repeat_ngram_size": 2},
    {"no_repeat_ngram_size": 3},
    {"repetition_penalty": 1.2, "no_repeat_ngram_size": 2},
]
SAMPLED: list[dict[str, Any]] = [
    *SETTINGS,
    {"typical_p": 0.5},
    {"typical_p": 0.9, "temperature": 1.5},
    {"top_k": 9, "top_p": 0.9, "min_p": 0.02, "typical_p": 0.8, "temperature": 0.7, "repetition_penalty": 1.3},
]


@pytest.fixture
def theirs(run: Run, tmp_path: Path) -> Any:
    """Load the last snapshot of the trained run in its class of Hugging Face."""
    export_model(run, tmp_path / "exported")
    return transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "exported").eval()


def generate(model: Any, prompt: NDArray[np.int64], n_tokens: int, **how: Any) -> Any:
    """Call `generate` with these settings alone: the end of a text has no token here."""
    return model.generate(
        torch.tensor(prompt)[None],
        attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        max_new_tokens=n_tokens,
        pad_token_id=0,
        return_dict_in_generate=True,
        output_scores=True,
        **{"top_k": 0, **how},
    )


@pytest.mark.parametrize("cache", [True, False])
@pytest.mark.parametrize("how", SETTINGS, ids=str)
def test_greedy_decoding_takes_the_tokens_of_generate(how: Any, cache: bool, run: Run, theirs: Any) -> None:
    prompt, n_tokens = run.tokenizer.encode(PROMPT), 14
    expected = generate(theirs, prompt, n_tokens, do_sample=False, top_k=None, **{"use_cache": cache, **how})
    model, request = load_model(run, run.snapshots()[-1].step), GenerationRequest(n_tokens, 3, cache=cache)
    found = np.array([step.tokens for step in sample_tokens(model, prompt, Decoding(0, **how), request)])
    for sample in found.T:
        assert [*prompt, *sample] == expected.sequences[0].tolist()


@pytest.mark.parametrize("how", SAMPLED, ids=str)
def test_tokens_are_drawn_with_the_probabilities_of_generate(how: Any, run: Run, theirs: Any) -> None:
    prompt = run.tokenizer.encode(PROMPT)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        expected = generate(theirs, prompt, 12, do_sample=True, **{"temperature": 1.0, **how})
    ids, decoding = expected.sequences[0].numpy(), Decoding(**{"temperature": 1.0, **how})
    for n_read, scores in enumerate(expected.scores, start=len(prompt)):
        with torch.no_grad():
            logits = theirs(torch.tensor(ids[None, :n_read])).logits[0, -1].numpy()
        drawn_from = probabilities(logits, decoding, ids=ids[:n_read])
        np.testing.assert_allclose(drawn_from, scores[0].softmax(-1), atol=2e-6)


@pytest.mark.parametrize("how", SAMPLED, ids=str)
def test_samples_are_the_same_with_the_cache_and_without_alone_and_together(how: Any, run: Run) -> None:
    model, prompt = load_model(run, run.snapshots()[-1].step), run.tokenizer.encode(PROMPT)
    decoding = Decoding(**{"temperature": 1.0, "frequency_penalty": 0.2, **how})
    cached, whole, alone = (
        np.array([step.tokens for step in sample_tokens(model, prompt, decoding, request)])
        for request in (GenerationRequest(20, 3), GenerationRequest(20, 3, cache=False), GenerationRequest(20, 1))
    )
    np.testing.assert_array_equal(cached, whole)
    np.testing.assert_array_equal(cached[:, :1], alone)


@pytest.mark.parametrize("how", [*SAMPLED, {"frequency_penalty": 1.0, "penalize_prompt": True}], ids=str)
def test_a_trace_and_the_next_token_probe_have_the_probabilities_of_the_first_draw(how: Any, run: Run) -> None:
    model, decoding = load_model(run, 60), Decoding(**{"temperature": 1.0, **how})
    recorder, request = TraceRecorder(run.tokenizer), GenerationRequest(1)
    list(stream_text(model, run.tokenizer, PROMPT, decoding=decoding, request=request, on_step=recorder.record))
    trace = recorder.trace(run.name, run.snapshot(60), PROMPT, decoding, request)
    assert {name: trace.header["decoding"][name] for name in how} == how
    probe = next_token_distribution(run, PROMPT, decoding=decoding).sel(step=60)
    assert float(probe.sum()) == pytest.approx(1, abs=1e-5)
    for i, _, _, drawn_from in trace.steps[0]["candidates"]:
        assert float(probe[i]) == pytest.approx(drawn_from, abs=2e-6)


def test_a_trace_without_the_new_options_has_the_header_that_it_had(run: Run) -> None:
    header = TraceRecorder(run.tokenizer).trace("r", run.snapshot(0), PROMPT, Decoding(), GenerationRequest()).header
    earlier = {"temperature", "top_k", "top_p", "min_p", "frequency_penalty", "presence_penalty", "bias"}
    assert set(header["decoding"]) == earlier
    assert set(header["request"]) == {"n_tokens", "n_samples", "seed", "stop", "window", "cache"}


def test_penalties_count_the_prompt_on_request_as_in_the_article() -> None:
    """GPTLab's loop counts every token of the text that it has, the prompt's as well."""
    prompt = np.array([1, 1, 2])
    decoding = Decoding(1, frequency_penalty=0.5, presence_penalty=0.25, penalize_prompt=True)
    counts = initial_counts(prompt, 4, decoding)
    expected = softmax(np.array([0, -0.5 * 2 - 0.25, -0.5 - 0.25, 0]))
    np.testing.assert_allclose(probabilities(np.zeros(4), decoding, counts), expected)
    assert not initial_counts(prompt, 4, Decoding(frequency_penalty=0.5)).any()


def test_the_prompt_counts_in_every_sample_and_step(run: Run) -> None:
    model, prompt = load_model(run, 60), run.tokenizer.encode("bab")
    decoding = Decoding(0, frequency_penalty=1e6, penalize_prompt=True)  # no token comes again while there are others
    steps = list(sample_tokens(model, prompt, decoding, GenerationRequest(run.tokenizer.vocab_size - 2, 2)))
    for row in range(2):
        chosen = [int(step.tokens[row]) for step in steps]
        assert sorted([*set(prompt.tolist()), *chosen]) == list(range(run.tokenizer.vocab_size))


@st.composite
def logits_and_ids(draw: st.DrawFn) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    n_rows, n_tokens, n_read = draw(st.integers(1, 3)), draw(st.integers(2, 12)), draw(st.integers(1, 30))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    return generator.normal(size=(n_rows, n_tokens)) * 4, generator.integers(0, n_tokens, (n_rows, n_read))


@quick
@given(logits_and_ids(), st.floats(0.2, 5))
def test_repetition_penalty_is_that_of_hugging_face(made: Any, penalty: float) -> None:
    logits, ids = made
    expected = processors.RepetitionPenaltyLogitsProcessor(penalty)(torch.tensor(ids), torch.tensor(logits))
    np.testing.assert_allclose(penalize_repetition(logits, ids, penalty), expected.numpy(), rtol=1e-12)


@quick
@given(logits_and_ids(), st.integers(1, 5))
def test_repeated_ngrams_are_banned_as_by_hugging_face(made: Any, size: int) -> None:
    logits, ids = made
    before = logits.copy()
    expected = processors.NoRepeatNGramLogitsProcessor(size)(torch.tensor(ids), torch.tensor(logits)).numpy()
    if np.isinf(expected).all(-1).any():
        with pytest.raises(InputError, match=rf"every token would repeat .*`no_repeat_ngram_size={size + 1}`"):
            ban_repeated_ngrams(logits, ids, size)
    else:
        np.testing.assert_array_equal(ban_repeated_ngrams(logits, ids, size), expected)
    np.testing.assert_array_equal(logits, before)


@quick
@given(logits_and_ids(), st.floats(0.01, 0.99), st.booleans())
def test_typical_p_keeps_what_hugging_face_keeps(made: Any, p: float, some_are_removed: bool) -> None:
    logits = made[0]
    if some_are_removed:
        logits[:, 0] = -np.inf
    expected = processors.TypicalLogitsWarper(p)(torch.tensor(made[1]), torch.tensor(logits)).numpy()
    probability = softmax(logits)
    log_p = torch.tensor(logits).log_softmax(-1)
    distance = (-log_p - torch.special.entr(log_p.exp()).sum(-1, keepdim=True)).abs().numpy()
    order = np.argsort(distance, axis=-1)
    near = np.abs(np.take_along_axis(probability, order, -1).cumsum(-1) - p).min() < 1e-9
    ordered = np.sort(distance, axis=-1)
    finite = ordered[:, : np.isfinite(ordered).all(0).sum()]
    if not near and (np.diff(finite, axis=-1) > 1e-9).all():  # nearer, the order of the sum decides
        np.testing.assert_array_equal(typical_p(logits, p), expected)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"typical_p": 0.0}, r"typical-p must be above 0 and at most 1 \(all tokens\); got 0"),
        ({"typical_p": float("nan")}, "typical-p must be above 0"),
        ({"repetition_penalty": 0.0}, r"repetition penalty must be above 0 \(1 has no effect\); got 0"),
        ({"repetition_penalty": float("inf")}, "repetition penalty must be above 0"),
        ({"repetition_penalty": float("nan")}, "repetition penalty must be above 0"),
        ({"no_repeat_ngram_size": -1}, r"no-repeat-ngram-size must be 0 \(all allowed\) or more; got -1"),
    ],
)
def test_an_option_outside_its_range_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Decoding(**wrong)
