"""Fused blocks for training on a CPU: the forward and backward pass of all blocks, written by hand.

A small model spends most of a training step outside its matrix products: every operation in between reads and writes whole
tensors, the tensors that earlier layers keep for the backward pass fill the caches, and autograd adds a cost per operation.
Here all blocks together are one autograd function. It keeps only what its backward pass needs, works in place, and folds
scalings into the matrix products. `attach` makes a `GPT` use it wherever `applies` allows; everywhere else, and always in
evaluation, the model runs the plain blocks of `trainer.model`. The tests compare the two.

Shapes as in `trainer.model`, and N = B * T tokens. Matrices are stored as ``nn.Linear`` stores them, (out, in).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from trainer.model import GPT, Block

TensorTuple = tuple[Tensor, ...]

MAX_CONTEXT = 128
"""With a longer context the attention weights, B * n_head * T * T numbers, no longer fit into the caches."""

EPS = 1e-5
"""The default of nn.LayerNorm."""

# tanh-GELU(z) = z / 2 (1 + tanh(sqrt(2/π) (z + 0.044715 z³))) = z σ(h + CUBIC h³) with h = SCALE z, because 1 + tanh(x) = 2 σ(2x)
SCALE = 2 * math.sqrt(2 / math.pi)
CUBIC = 0.044715 / SCALE**2


class FusedGPT(GPT):
    """A GPT that trains with fused blocks wherever they apply."""

    def blocks(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Pass the residual stream x (B, T, C) through all blocks."""
        if mask is None and applies(self, x):
            return fused_blocks(self, x)
        return super().blocks(x, mask)


def attach(model: GPT) -> None:
    """Train a model with fused blocks from now on; its weights stay as they are."""
    model.__class__ = FusedGPT


def applies(model: GPT, x: Tensor) -> bool:
    """Check whether fused blocks apply: GPTLab's architecture in training on a CPU, without dropout, autocast or compilation."""
    config = model.config
    return (
        model.training
        and config.dropout == 0
        and (config.norm, config.bias, config.gelu, config.norm_eps) == ("pre", "qkv", "tanh", EPS)
        and x.device.type == "cpu"
        and x.requires_grad
        and x.shape[1] <= MAX_CONTEXT
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling()
    )


def fused_blocks(model: GPT, x: Tensor) -> Tensor:
    """Pass the residual stream x (B, T, C) through all blocks of a model, in one autograd function.

    Examples
    --------
    >>> from trainer.model import GPT, ModelConfig
    >>> model = GPT(ModelConfig(vocab_size=9, block_size=8, n_layer=1, n_head=2, n_embd=4)).eval()
    >>> x = torch.randn(3, 8, 4, requires_grad=True)
    >>> torch.allclose(fused_blocks(model, x), model.blocks(x), atol=1e-6)
    True
    """
    weights = [weight for block in cast("list[Block]", model.h) for weight in _weights(block)]
    return Blocks.apply(x, model.config.n_head, *weights)  # type: ignore[no-any-return, no-untyped-call]


def _weights(block: Block) -> Sequence[Tensor]:
    """Collect the five weights of the attention half, then the four of the MLP half; each half starts with its norm's gain and bias."""
    ln_1, attn, ln_2, mlp = block.ln_1, block.attn, block.ln_2, block.mlp
    attention = (ln_1.weight, ln_1.bias, attn.c_attn.weight, attn.c_attn.bias, attn.c_proj.weight)
    return (*attention, ln_2.weight, ln_2.bias, mlp.c_fc.weight, mlp.c_proj.weight)


class Blocks(torch.autograd.Function):
    """All blocks in sequence; the backward pass runs through them in reverse."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, n_head: int, *weights: Tensor) -> Tensor:
        ctx.save_for_backward(*weights)
        ctx.kept = []
        stream = x.reshape(-1, x.shape[-1])  # (N, C)
        for first in range(0, len(weights), 9):
            stream, kept_by_attention = attention_forward(stream, weights[first : first + 5], len(x), n_head)
            stream, kept_by_mlp = mlp_forward(stream, weights[first + 5 : first + 9])
            ctx.kept.append((kept_by_attention, kept_by_mlp))
        return stream.view(x.shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        weights = ctx.saved_tensors
        d_stream = grad.reshape(-1, grad.shape[-1])
        d_weights: list[TensorTuple] = []
        for first in range(len(weights) - 9, -1, -9):
            kept_by_attention, kept_by_mlp = ctx.kept[first // 9]
            d_stream, *d_mlp = mlp_backward(d_stream, weights[first + 5 : first + 9], kept_by_mlp)
            d_stream, *d_attention = attention_backward(d_stream, weights[first : first + 5], kept_by_attention)
            d_weights.append((*d_attention, *d_mlp))
        return d_stream.view(grad.shape), None, *(d for of_block in reversed(d_weights) for d in of_block)


def attention_forward(x: Tensor, weights: TensorTuple, batch_size: int, n_head: int) -> tuple[Tensor, TensorTuple]:
    """Compute x + attention(layer_norm(x)) for x (N, C); also return what the backward pass needs."""
    gain, bias, qkv, qkv_bias, proj = weights
    (N, C), B = x.shape, batch_size
    T = N // B
    normed, mean, rstd = torch.native_layer_norm(x, [C], gain, bias, EPS)
    heads = x.new_empty(3, B, n_head, T, C // n_head)
    # The bias is added while the heads are separated: one pass over memory for both.
    separate = torch.mm(normed, qkv.T).view(B, T, 3, n_head, -1).permute(2, 0, 3, 1, 4)
    torch.add(separate, qkv_bias.view(3, 1, n_head, 1, -1), out=heads)
    q, k, v = heads.view(3, B * n_head, T, -1).unbind()
    attn = torch.baddbmm(_causal_mask(T, x.dtype), q, k.mT, alpha=(C // n_head) ** -0.5)
    torch.softmax(attn, -1, out=attn)  # (B * n_head, T, T)
    gathered = torch.bmm(attn, v).view(B, n_head, T, -1).transpose(1, 2).reshape(N, C)
    return torch.addmm(x, gathered, proj.T), (x, normed, mean, rstd, q, k, v, attn, gathered)


def attention_backward(grad: Tensor, weights: TensorTuple, kept: TensorTuple) -> TensorTuple:
    """Compute the gradients of x and of the five weights from that of the result, (N, C)."""
    gain, bias, qkv, _, proj = weights
    x, normed, mean, rstd, q, k, v, attn, gathered = kept
    (N, C), (_, T, head_size) = x.shape, q.shape
    B, n_head, scale = N // T, C // head_size, head_size**-0.5
    d_proj = torch.mm(grad.T, gathered)
    d_out = torch.mm(grad, proj).view(B, T, n_head, head_size).transpose(1, 2).reshape(q.shape)
    d_heads = q.new_empty(3, *q.shape)
    d_q, d_k, d_v = d_heads.unbind()
    torch.bmm(attn.mT, d_out, out=d_v)
    d_scores = torch.ops.aten._softmax_backward_data(torch.bmm(d_out, v.mT), attn, -1, attn.dtype)
    torch.baddbmm(d_q, d_scores, k, beta=0, alpha=scale, out=d_q)
    torch.baddbmm(d_k, d_scores.mT, q, beta=0, alpha=scale, out=d_k)
    d_qkv = d_heads.view(3, B, n_head, T, head_size).permute(1, 3, 0, 2, 4).reshape(N, 3 * C)
    d_normed, d_weight, d_qkv_bias = torch.mm(d_qkv, qkv), torch.mm(d_qkv.T, normed), d_qkv.sum(0)
    d_x, d_gain, d_bias = torch.ops.aten.native_layer_norm_backward(
        d_normed, x, [C], mean, rstd, gain, bias, [True, True, True]
    )
    return d_x.add_(grad), d_gain, d_bias, d_weight, d_qkv_bias, d_proj


def mlp_forward(x: Tensor, weights: TensorTuple) -> tuple[Tensor, TensorTuple]:
    """Compute x + mlp(layer_norm(x)) for x (N, C); also return what the backward pass needs.

    With h = SCALE z, u = h + CUBIC h³ and s = σ(u), GELU is z s, and its derivative is s + s (1 - s)(3u - 2h). The matrix product that
    would compute z computes h instead; later products divide the extra factor out again. The sigmoid is several times faster than tanh.
    The derivative is computed here, where s is known.
    """
    gain, bias, fc, proj = weights
    normed, mean, rstd = torch.native_layer_norm(x, [x.shape[1]], gain, bias, EPS)
    h = _scaled_product(normed, fc.T, SCALE)  # (N, 4C), as are u, s and slope
    u = h * h
    torch.addcmul(h, h, u, value=CUBIC, out=u)
    s = u.sigmoid()
    slope = torch.lerp(h, u, 3.0, out=u)  # h + 3 (u - h) = 3u - 2h
    torch.ops.aten.sigmoid_backward.grad_input(slope, s, grad_input=slope).add_(s)  # the derivative
    active = h.mul_(s)  # SCALE times GELU
    return torch.addmm(x, active, proj.T, alpha=1 / SCALE), (x, normed, mean, rstd, active, slope)


def mlp_backward(grad: Tensor, weights: TensorTuple, kept: TensorTuple) -> TensorTuple:
    """Compute the gradients of x and of the four weights from that of the result, (N, C)."""
    gain, bias, fc, proj = weights
    x, normed, mean, rstd, active, slope = kept
    d_proj = _scaled_product(grad.T, active, 1 / SCALE)
    d_h = torch.mm(grad, proj).mul_(slope)
    d_normed, d_fc = torch.mm(d_h, fc), torch.mm(d_h.T, normed)
    d_x, d_gain, d_bias = torch.ops.aten.native_layer_norm_backward(
        d_normed, x, [x.shape[1]], mean, rstd, gain, bias, [True, True, True]
    )
    return d_x.add_(grad), d_gain, d_bias, d_fc, d_proj


def _scaled_product(a: Tensor, b: Tensor, scale: float) -> Tensor:
    product = a.new_empty(a.shape[0], b.shape[1])
    return torch.addmm(product, a, b, beta=0, alpha=scale, out=product)


@cache
def _causal_mask(length: int, dtype: torch.dtype) -> Tensor:
    """Build the mask that is added to the scores (T, T): minus infinity for keys after the query."""
    return torch.full((length, length), -math.inf, dtype=dtype).triu(1)
