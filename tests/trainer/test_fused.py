"""The fast path of training against the plain model: the same losses and gradients, and used only where it applies."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.trainer.test_model import SMALL, counted, made_model, made_tokens
from trainer import fused
from trainer.config import ModelConfig
from trainer.model import GPT


def gradients(model: GPT, idx: Tensor, targets: Tensor) -> dict[str, Tensor]:
    loss = model(idx, targets)[1]
    return {"loss": loss.detach()} | dict(
        zip(dict(model.named_parameters()), torch.autograd.grad(loss, list(model.parameters())), strict=True)
    )


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
@pytest.mark.parametrize("length", [1, 7, 12])
def test_losses_and_gradients_are_those_of_the_plain_model(
    dtype: torch.dtype, tolerance: float, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, idx, targets = made_model(dtype=torch.float64), made_tokens()[:, :length], made_tokens(seed=1)[:, :length]
    expected = gradients(model, idx, targets)
    fused.attach(model)
    calls = counted(monkeypatch, fused, "fused_blocks")
    assert torch.equal(gradients(model, idx, targets)["loss"], expected["loss"])
    assert not calls  # in evaluation the plain blocks run
    actual = gradients(model.to(dtype).train(), idx, targets)
    assert len(calls) == 1
    for name, value in expected.items():
        size = max(value.abs().max().item(), 1e-3)  # a key's bias has no influence: its gradient is rounding alone
        torch.testing.assert_close(actual[name].double() / size, value / size, rtol=0, atol=tolerance, msg=name)


def test_the_gradients_written_by_hand_are_those_of_finite_differences() -> None:
    model = made_model(ModelConfig(vocab_size=3, block_size=4, n_layer=2, n_head=2, n_embd=4))
    x = torch.randn(2, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    weights = [p for block in model.h for p in block.parameters()]  # in the order in which the blocks name them
    assert torch.autograd.gradcheck(lambda x, *weights: fused.Blocks.apply(x, 2, *weights), [x, *weights])


@pytest.mark.parametrize("gain", [0.01, 0.5, 3.0, 12.0, 40.0])
def test_gelu_and_its_slope_agree_with_torch_from_far_left_to_far_right(gain: float) -> None:
    """With the identity for weights an MLP half is x + GELU(norm(x)); the gain decides the range of GELU's input."""
    generator = torch.Generator().manual_seed(0)
    x, grad = torch.randn(2, 2001, 8, dtype=torch.float64, generator=generator)
    scale, shift = torch.full((8,), gain, dtype=torch.float64), torch.zeros(8, dtype=torch.float64)
    eye = torch.eye(8, dtype=torch.float64)
    by_hand, kept = fused.mlp_forward(x, (scale, shift, eye, eye))
    gradient_by_hand = fused.mlp_backward(grad, (scale, shift, eye, eye), kept)[0]
    x.requires_grad_()
    by_torch = x + F.gelu(F.layer_norm(x, (8,), scale, shift), approximate="tanh")
    torch.testing.assert_close(by_hand, by_torch, rtol=1e-13, atol=1e-13)
    torch.testing.assert_close(gradient_by_hand, torch.autograd.grad(by_torch, x, grad)[0], rtol=1e-10, atol=1e-10)


def test_the_fast_path_is_left_alone_where_it_does_not_hold() -> None:
    model, x = made_model().train(), torch.zeros(1, 4, SMALL.n_embd, dtype=torch.float64, requires_grad=True)
    assert fused.applies(model, x)
    assert not fused.applies(model, x.detach())
    assert not fused.applies(model, x.detach().to("meta").requires_grad_())
    assert not fused.applies(model, x.expand(1, -1, -1).repeat(1, 40, 1))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert not fused.applies(model, x)
    assert not fused.applies(model.eval(), x)
    dropping = made_model(ModelConfig(vocab_size=3, block_size=4, n_layer=1, n_head=2, n_embd=4, dropout=0.1))
    assert not fused.applies(dropping.train(), x)


@pytest.mark.parametrize(
    "variant", [{"norm": "post"}, {"bias": "all"}, {"bias": "none"}, {"gelu": "exact"}, {"norm_eps": 1e-6}]
)
def test_the_fast_path_is_left_alone_by_the_blocks_of_other_models(variant: dict[str, Any]) -> None:
    shape = {"vocab_size": 3, "block_size": 4, "n_layer": 1, "n_head": 2, "n_embd": 4}
    x = torch.zeros(1, 4, 4, requires_grad=True)
    assert fused.applies(GPT(ModelConfig(**shape)).train(), x)
    assert not fused.applies(GPT(ModelConfig(**shape, **variant)).train(), x)


def test_a_training_step_is_the_same_to_the_byte_when_repeated() -> None:
    model, idx, targets = made_model().train(), made_tokens(), made_tokens(seed=1)
    fused.attach(model)
    first, second = gradients(model, idx, targets), gradients(model, idx, targets)
    assert all(torch.equal(first[name], second[name]) for name in first)
