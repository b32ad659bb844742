"""The key-value cache of our GPT gives the logits of the whole model, within its context and beyond it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from tests.trainer.pretrained.readers.test_families import GPT1, GPT2, NANO
from tests.trainer.test_model import SMALL, made_model, made_tokens
from trainer.config import ModelConfig
from trainer.generation.generation_request import Window, window_start
from trainer.generation.kv_cache import CachedGPT, UncachedModel

FORMS = pytest.mark.parametrize("config", [SMALL, GPT1, GPT2, NANO], ids=["ours", "GPT-1", "GPT-2", "nanoGPT"])
WINDOWS: Sequence[Window] = ("slide", "half")


@FORMS
@pytest.mark.parametrize("window", WINDOWS)
def test_a_cached_model_gives_the_logits_of_the_whole_model(config: ModelConfig, window: Window) -> None:
    model, block = made_model(config), config.block_size
    ids = torch.cat([made_tokens(config), made_tokens(config, seed=1), made_tokens(config, seed=2)], dim=1)
    cached, uncached = CachedGPT(model, len(ids)), UncachedModel(model)
    for n in range(5, ids.shape[1]):  # growing into the context and far beyond it
        start = window_start(n, 5, block, window)
        expected = model(ids[:, start:n])[0][:, -1]
        torch.testing.assert_close(cached.next_logits(ids[:, :n], start), expected, rtol=0, atol=1e-10)
        torch.testing.assert_close(uncached.next_logits(ids[:, :n], start), expected, rtol=0, atol=0)


def test_a_cache_is_emptied_for_another_text() -> None:
    model = made_model()
    first, second = made_tokens()[:, :9], made_tokens(seed=1)[:, :7]
    cached = CachedGPT(model, len(first))
    cached.next_logits(first, 0)
    torch.testing.assert_close(cached.next_logits(second, 0), model(second)[0][:, -1], rtol=0, atol=1e-10)
