"""The GPT against its published counts, Hugging Face's GPT-2, and what a causal model must not do."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from trainer.config import ModelConfig
from trainer.model import GPT

SMALL = ModelConfig(vocab_size=11, block_size=12, n_layer=3, n_head=4, n_embd=32)


def made_model(config: ModelConfig = SMALL, dtype: torch.dtype = torch.float64) -> GPT:
    """Build a model in evaluation with weights so large that every part matters, biases and gains included."""
    generator = torch.Generator().manual_seed(3)
    model = GPT(config).to(dtype).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(0.3 * torch.randn(p.shape, generator=generator) + (".ln_" in name and name.endswith("weight")))
    return model


def made_tokens(config: ModelConfig = SMALL, batch: int = 5, seed: int = 0) -> Tensor:
    shape = (batch, config.block_size)
    return torch.randint(config.vocab_size, shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("config", "count"),
    [
        (ModelConfig(vocab_size=115, block_size=32, n_layer=4, n_head=4, n_embd=64), 207_936),
        (ModelConfig(vocab_size=65, block_size=64, n_layer=6, n_head=6, n_embd=384), 10_683_264),
        (ModelConfig(vocab_size=115, block_size=64, n_layer=6, n_head=6, n_embd=384), 10_702_464),
    ],
    ids=["cpu preset, machado", "gpu preset, tinyshakespeare", "gpu preset, machado"],
)
def test_parameters_are_as_many_as_published(config: ModelConfig, count: int) -> None:
    with torch.device("meta"):  # counted without drawing ten million numbers
        assert GPT(config).count_parameters() == count


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
def test_logits_agree_with_gpt2_of_hugging_face(dtype: torch.dtype, tolerance: float) -> None:
    model, idx = made_model(dtype=torch.float64), made_tokens()
    oracle = gpt2_with_weights_of(model)
    with torch.no_grad():
        expected = oracle(idx).logits  # in double: the yardstick is exact, what is measured may be in float
        logits, loss = model.to(dtype)(idx)
    assert loss is None
    assert logits.dtype == dtype
    torch.testing.assert_close(logits.double() / expected.std(), expected / expected.std(), rtol=0, atol=tolerance)


def gpt2_with_weights_of(model: GPT) -> Any:
    """Build Hugging Face's GPT-2 with the same weights in double precision; biases that our GPT lacks are zero."""
    transformers = pytest.importorskip("transformers", reason="the oracle is Hugging Face's GPT-2: pip install '.[hf]'")
    config = model.config
    oracle = transformers.GPT2LMHeadModel(
        transformers.GPT2Config(
            vocab_size=config.vocab_size,
            n_positions=config.block_size,
            n_embd=config.n_embd,
            n_layer=config.n_layer,
            n_head=config.n_head,
            activation_function="gelu_new",
            bos_token_id=0,
            eos_token_id=0,
        )
    )
    oracle = oracle.double().eval()
    ours = dict(model.named_parameters())
    with torch.no_grad():
        for name, p in oracle.transformer.named_parameters():
            if name not in ours:
                assert name.endswith("c_proj.bias") or name.endswith("c_fc.bias")
                p.zero_()
            else:  # GPT-2's linear maps are stored (in, out), ours (out, in)
                p.copy_(ours.pop(name).T if p.dim() == 2 and name.startswith("h.") else ours.pop(name))
    assert not ours
    return oracle


def test_a_token_changes_no_logits_before_it() -> None:
    model, idx = made_model(), made_tokens()
    changed = idx.clone()
    changed[:, 7] = (idx[:, 7] + 1) % SMALL.vocab_size
    with torch.no_grad():
        before, after = model(idx)[0], model(changed)[0]
    assert torch.equal(before[:, :7], after[:, :7])
    assert ((before - after)[:, 7:].abs().amax(-1) > 1e-6).all()


def test_a_shorter_context_gives_the_same_logits() -> None:
    model, idx = made_model(), made_tokens()
    with torch.no_grad():
        torch.testing.assert_close(model(idx[:, :5])[0], model(idx)[0][:, :5], rtol=0, atol=1e-12)


def test_attention_written_out_agrees_with_the_kernel_of_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    model, idx = made_model(), made_tokens()
    calls = counted(monkeypatch, torch.nn.functional, "scaled_dot_product_attention")
    with torch.no_grad():
        plain = model(idx)[0]
        assert not calls
        monkeypatch.setattr("trainer.model.PLAIN_ATTENTION_MAX_CONTEXT", 0)
        kernel = model(idx)[0]
    assert len(calls) == SMALL.n_layer
    torch.testing.assert_close(plain, kernel, rtol=0, atol=1e-12)


def counted(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> list[str]:
    """Count the calls of a function: the list grows by one at each."""
    calls: list[str] = []
    function: Callable[..., Any] = getattr(owner, name)

    def counting(*args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        return function(*args, **kwargs)

    monkeypatch.setattr(owner, name, counting)
    return calls


def test_attention_weights_sum_to_one_and_see_nothing_ahead() -> None:
    from trainer.model import attention_weights

    q, k = torch.randn(2, 3, 4, 6, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    weights = attention_weights(q, k)
    torch.testing.assert_close(weights.sum(-1), torch.ones(3, 4, 6, dtype=torch.float64))
    assert weights.triu(1).eq(0).all()
    assert weights.tril().gt(0).sum() == 3 * 4 * 21


def test_the_loss_is_the_mean_surprise_at_the_targets() -> None:
    model, idx = made_model(), made_tokens()
    targets = made_tokens(seed=1)
    with torch.no_grad():
        logits, loss = model(idx, targets)
    surprise = [
        math.log(sum(math.exp(other) for other in row)) - row[target]
        for row, target in zip(logits.flatten(0, 1).tolist(), targets.flatten().tolist(), strict=True)
    ]
    assert loss.item() == pytest.approx(sum(surprise) / len(surprise), abs=1e-12)


def test_a_context_that_is_too_long_is_refused() -> None:
    idx = torch.zeros(1, SMALL.block_size + 1, dtype=torch.long)
    with pytest.raises(ValueError, match="at most 12 tokens; got 13: crop the context"):
        made_model()(idx)


def test_dropout_drops_in_training_only() -> None:
    config = ModelConfig(vocab_size=11, block_size=12, n_layer=1, n_head=2, n_embd=8, dropout=0.5)
    model, idx = made_model(config), made_tokens(config)
    with torch.no_grad():
        assert torch.equal(model(idx)[0], model(idx)[0])
        model.train()
        assert not torch.equal(model(idx)[0], model(idx)[0])
