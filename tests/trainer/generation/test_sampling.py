"""The same tokens with and without cache, for any number of samples, streamed or not."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from data.errors import InputError
from data.tokens.tokenizers import CharTokenizer
from tests.trainer.generation.test_streamed_text import metaspaces
from tests.trainer.test_model import SMALL, made_model, made_tokens
from trainer.generation.filters import Decoding, probabilities
from trainer.generation.generation_request import GenerationRequest, Window
from trainer.generation.sampling import DecodingStep, generate_samples, sample_tokens, stream_text

LETTERS = CharTokenizer("abcdefghij\n")
WINDOWS: Sequence[Window] = ("slide", "half")


def tokens(steps: Sequence[DecodingStep]) -> NDArray[np.int64]:
    return np.array([step.tokens for step in steps])  # (position, sample)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("n_prompt", [1, 12, 30])
def test_the_same_seed_gives_the_same_tokens_with_and_without_cache(window: Window, n_prompt: int) -> None:
    model, prompt = made_model(dtype=torch.float32), np.resize(made_tokens().numpy(), n_prompt)
    request = GenerationRequest(n_tokens=100, n_samples=3, seed=5, window=window)
    with_cache = tokens(list(sample_tokens(model, prompt, Decoding(0.9), request)))
    without = tokens(list(sample_tokens(model, prompt, Decoding(0.9), dataclasses.replace(request, cache=False))))
    np.testing.assert_array_equal(with_cache, without)
    assert len(np.unique(with_cache.T, axis=0)) == 3  # the samples are different ones


@pytest.mark.parametrize("window", WINDOWS)
def test_a_sample_does_not_depend_on_the_number_of_samples(window: Window) -> None:
    model, prompt = made_model(dtype=torch.float32), made_tokens().numpy()[0, :4]
    alone, many = (
        tokens(
            list(
                sample_tokens(
                    model, prompt, Decoding(1.2, frequency_penalty=0.3), GenerationRequest(60, n, window=window)
                )
            )
        )
        for n in (1, 7)
    )
    np.testing.assert_array_equal(alone[:, 0], many[:, 0])


def test_tokens_are_those_of_a_plain_decoding_loop() -> None:
    """The reference's loop: crop, whole forward pass, penalties by counting, draw."""
    model, decoding = (
        made_model(dtype=torch.float64),
        Decoding(0.9, top_k=6, frequency_penalty=0.5, presence_penalty=0.2),
    )
    prompt = made_tokens().numpy()[0, :5]
    uniforms, ids, expected = np.random.default_rng([3, 0]), list(prompt), []
    for _ in range(40):
        with torch.no_grad():
            logits = model(torch.tensor([ids[-SMALL.block_size :]]))[0][0, -1].numpy()
        counts = np.bincount(expected, minlength=SMALL.vocab_size) if expected else np.zeros(SMALL.vocab_size, int)
        probability = probabilities(logits.astype(np.float32), decoding, counts)
        token = int(np.argmax(probability.cumsum() > uniforms.random()))
        ids.append(token)
        expected.append(token)
    found = tokens(list(sample_tokens(model, prompt, decoding, GenerationRequest(40, seed=3))))[:, 0]
    np.testing.assert_array_equal(found, expected)


def test_greedy_decoding_takes_the_most_probable_token_for_every_seed() -> None:
    model, prompt = made_model(), made_tokens().numpy()[0, :5]
    found = [
        step for seed in (0, 1) for step in sample_tokens(model, prompt, Decoding(0), GenerationRequest(20, seed=seed))
    ]
    np.testing.assert_array_equal(tokens(found[:20]), tokens(found[20:]))
    for step in found:
        assert step.tokens[0] == step.logits[0].argmax()


def test_model_and_global_random_state_are_unchanged() -> None:
    model = made_model()
    before = {name: p.clone() for name, p in model.named_parameters()}
    states = torch.random.get_rng_state(), np.random.get_state(legacy=True)
    list(sample_tokens(model, made_tokens().numpy()[0], Decoding(), GenerationRequest(5)))
    assert torch.equal(torch.random.get_rng_state(), states[0])
    assert repr(np.random.get_state(legacy=True)) == repr(states[1])
    assert all(torch.equal(p, before[name]) for name, p in model.named_parameters())


def test_generated_samples_join_to_the_prompt_as_the_tokenizer_decodes_both() -> None:
    model, tokenizer, request = made_model(dtype=torch.float32), metaspaces(), GenerationRequest(9, 6)
    prompt = tokenizer.encode("ab c")
    chosen = tokens(list(sample_tokens(model, prompt, Decoding(2.0), request, tokenizer.vocab_size))).T
    assert tokenizer.labels.index(" ") in chosen[:, 0]
    for row, sample in zip(chosen, generate_samples(model, tokenizer, "ab c", Decoding(2.0), request), strict=True):
        assert "ab c" + sample.text == tokenizer.decode([*prompt, *row])


def test_streamed_pieces_join_to_the_texts_of_the_tokens_and_of_generate_samples() -> None:
    model, request = made_model(dtype=torch.float32), GenerationRequest(80, 3, seed=2, stop=("ab", "j\n"))
    chosen = tokens(list(sample_tokens(model, LETTERS.encode("abc"), Decoding(), request))).T
    texts, ends = [""] * 3, [""] * 3
    for piece in stream_text(model, LETTERS, "abc", decoding=Decoding(), request=request):
        assert not ends[piece.sample], "nothing comes after the end"
        texts[piece.sample] += piece.text
        ends[piece.sample] = piece.end or ""
    for row, text, end in zip(chosen, texts, ends, strict=True):
        whole = LETTERS.decode(row)
        cut = min((whole.find(stop) for stop in request.stop if stop in whole), default=len(whole))
        assert text == whole[:cut]
        assert end == ("stop" if cut < len(whole) else "length")
    assert "stop" in ends
    samples = generate_samples(model, LETTERS, "abc", Decoding(), request)
    assert [(sample.text, sample.end) for sample in samples] == list(zip(texts, ends, strict=True))


def test_the_callback_gets_every_step_with_the_active_samples() -> None:
    model, seen = made_model(dtype=torch.float32), list[list[int]]()
    request = GenerationRequest(80, 3, seed=2, stop=("ab", "j\n"))
    lengths = [0, 0, 0]
    list(
        stream_text(
            model,
            LETTERS,
            "abc",
            decoding=Decoding(),
            request=request,
            on_step=lambda step, active: seen.append(list(active)),
        )
    )
    for going in seen:
        for number in going:
            lengths[number] += 1
    assert seen[0] == [0, 1, 2]
    whole = [sample.end for sample in generate_samples(model, LETTERS, "abc", Decoding(), request)]
    assert [length == 80 for length in lengths] == [end == "length" for end in whole]


def test_an_empty_prompt_is_refused() -> None:
    with pytest.raises(InputError, match="the prompt is empty"):
        next(sample_tokens(made_model(), np.array([], dtype=np.int64), Decoding(), GenerationRequest(3)))
