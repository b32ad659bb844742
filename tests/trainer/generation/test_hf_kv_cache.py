"""Decoding with models of Hugging Face: their own caches, and their own `generate` as the oracle."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import transformers

from data.tokens.tokenizers import CharTokenizer
from tests.probes.made_run import SYMBOLS
from tests.probes.models.test_hf_models import CLASSES, CONFIGS, ROWS, made
from trainer.config import ModelConfig
from trainer.generation.filters import Decoding
from trainer.generation.generation_request import GenerationRequest
from trainer.generation.sampling import generate_samples, sample_tokens
from trainer.pretrained.hf_model import HFModel

CONTEXT = 16
PROMPT = np.array([5, 9, 2, 30, 11])


def hf_model(kind: str) -> HFModel:
    if kind == "openai-gpt":  # its class keeps no keys and values
        with torch.random.fork_rng():
            torch.manual_seed(0)
            shape = transformers.OpenAIGPTConfig(**CLASSES, n_positions=24, n_embd=32, n_layer=3, n_head=4)
            model: Any = transformers.OpenAIGPTLMHeadModel(shape).eval()
    else:
        model = made(kind)
    return HFModel(model, ModelConfig(ROWS, CONTEXT, n_layer=3, n_head=4, n_embd=32)).requires_grad_(False)


@pytest.mark.parametrize("kind", [*CONFIGS, "openai-gpt"])
def test_tokens_are_the_same_with_and_without_the_cache_of_the_class_also_beyond_the_context(kind: str) -> None:
    model = hf_model(kind)
    for window in ("slide", "half"):
        found = [
            [step.tokens.tolist() for step in sample_tokens(model, PROMPT, Decoding(0.9), request)]
            for request in (GenerationRequest(24, 3, window=window, cache=cache) for cache in (True, False))
        ]
        assert found[0] == found[1]


@pytest.mark.parametrize("kind", [*CONFIGS, "openai-gpt"])
def test_greedy_tokens_are_those_of_hugging_faces_generate(kind: str) -> None:
    model, n_tokens = hf_model(kind), CONTEXT - len(PROMPT)
    model.model.generation_config.eos_token_id = None
    theirs = model.model.generate(
        torch.tensor(PROMPT)[None],
        attention_mask=torch.ones(1, len(PROMPT), dtype=torch.long),
        max_new_tokens=n_tokens,
        do_sample=False,
        pad_token_id=0,
    )
    found = [int(step.tokens[0]) for step in sample_tokens(model, PROMPT, Decoding(0), GenerationRequest(n_tokens))]
    assert found == theirs[0, len(PROMPT) :].tolist()


def test_unused_rows_of_the_token_table_are_never_sampled() -> None:
    """An untrained model gives them probability; without the limit the tokenizer could not decode them."""
    samples = generate_samples(hf_model("gpt2"), CharTokenizer(SYMBOLS), "não", Decoding(5.0), GenerationRequest(40))
    assert samples[0].text
