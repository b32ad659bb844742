"""The blocks' forward and backward pass by hand, for training on a CPU: the numbers of `trainer.model.Block`, in less time.

A step of a small model spends more time outside the matrix products than inside them: every operation in between reads and writes
whole tensors, the caches are full of what earlier layers keep for the backward pass, and autograd takes its time for every operation.
Here all blocks together are one autograd function that keeps only what its backward pass needs, works in place, and lets matrix
products take along the scalings around them. `GPT` calls `blocks` where `applies` says so and is otherwise, and in evaluation always,
what stands in `trainer.model`; the tests hold the two together.

Shapes as in `trainer.model`, and N = B * T tokens. Matrices are stored as ``nn.Linear`` stores them, (out, in).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

if TYPE_CHECKING:
    from trainer.model import GPT, Block

Tensors = tuple[Tensor, ...]

MAX_CONTEXT = 128
"""Beyond it the attention weights, B * n_head * T * T numbers, no longer pass through the caches unnoticed."""

EPS = 1e-5
"""As nn.LayerNorm has it."""

# tanh-GELU(z) = z / 2 * (1 + tanh(SLOPE * (z + CUBIC * z³)))
SLOPE = math.sqrt(2 / math.pi)
CUBIC = 0.044715


def applies(model: GPT, x: Tensor) -> bool:
    """Tell whether the blocks may take the fast path: they are GPTLab's, train on a CPU, and nothing is dropped, recast or compiled."""
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


def blocks(model: GPT, x: Tensor) -> Tensor:
    """Return what all blocks of ``model`` make of the residual stream x (B, T, C).

    Examples
    --------
    >>> from trainer.model import GPT, ModelConfig
    >>> model = GPT(ModelConfig(vocab_size=9, block_size=8, n_layer=1, n_head=2, n_embd=4)).eval()
    >>> x = torch.randn(3, 8, 4, requires_grad=True)
    >>> torch.allclose(blocks(model, x), model.h[0](x), atol=1e-6)
    True
    """
    weights = [weight for block in cast("list[Block]", model.h) for weight in _weights(block)]
    return Blocks.apply(x, model.config.n_head, *weights)  # type: ignore[no-any-return, no-untyped-call]


def _weights(block: Block) -> Sequence[Tensor]:
    """Return the five weights of the attention half, then the four of the MLP half; each begins with its norm's gain and bias."""
    ln_1, attn, ln_2, mlp = block.ln_1, block.attn, block.ln_2, block.mlp
    attention = (ln_1.weight, ln_1.bias, attn.c_attn.weight, attn.c_attn.bias, attn.c_proj.weight)
    return (*attention, ln_2.weight, ln_2.bias, mlp.c_fc.weight, mlp.c_proj.weight)


class Blocks(torch.autograd.Function):
    """All blocks, one after the other; the backward pass goes through them in reverse."""

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
        d_weights: list[Tensors] = []
        for first in range(len(weights) - 9, -1, -9):
            kept_by_attention, kept_by_mlp = ctx.kept[first // 9]
            d_stream, *d_mlp = mlp_backward(d_stream, weights[first + 5 : first + 9], kept_by_mlp)
            d_stream, *d_attention = attention_backward(d_stream, weights[first : first + 5], kept_by_attention)
            d_weights.append((*d_attention, *d_mlp))
        return d_stream.view(grad.shape), None, *(d for of_block in reversed(d_weights) for d in of_block)


def attention_forward(x: Tensor, weights: Tensors, batch_size: int, n_head: int) -> tuple[Tensor, Tensors]:
    """Return x + attention(layer_norm(x)) for x (N, C) and what the backward pass needs."""
    gain, bias, qkv, qkv_bias, proj = weights
    (N, C), B = x.shape, batch_size
    T = N // B
    normed, mean, rstd = torch.native_layer_norm(x, [C], gain, bias, EPS)
    heads = x.new_empty(3, B, n_head, T, C // n_head)
    # The bias is added while the heads are moved apart: one pass over memory for both.
    apart = torch.mm(normed, qkv.T).view(B, T, 3, n_head, -1).permute(2, 0, 3, 1, 4)
    torch.add(apart, qkv_bias.view(3, 1, n_head, 1, -1), out=heads)
    q, k, v = heads.view(3, B * n_head, T, -1).unbind()
    shares = torch.baddbmm(_ahead(T, x.dtype), q, k.mT, alpha=(C // n_head) ** -0.5)
    torch.softmax(shares, -1, out=shares)  # (B * n_head, T, T): how much each query attends to each key
    gathered = torch.bmm(shares, v).view(B, n_head, T, -1).transpose(1, 2).reshape(N, C)
    return torch.addmm(x, gathered, proj.T), (x, normed, mean, rstd, q, k, v, shares, gathered)


def attention_backward(grad: Tensor, weights: Tensors, kept: Tensors) -> Tensors:
    """Return the gradients of x and of the five weights, from that of the result, (N, C)."""
    gain, bias, qkv, _, proj = weights
    x, normed, mean, rstd, q, k, v, shares, gathered = kept
    (N, C), (_, T, head_size) = x.shape, q.shape
    B, n_head, scale = N // T, C // head_size, head_size**-0.5
    d_proj = torch.mm(grad.T, gathered)
    d_out = torch.mm(grad, proj).view(B, T, n_head, head_size).transpose(1, 2).reshape(q.shape)
    d_heads = q.new_empty(3, *q.shape)
    d_q, d_k, d_v = d_heads.unbind()
    torch.bmm(shares.mT, d_out, out=d_v)
    d_scores = torch.ops.aten._softmax_backward_data(torch.bmm(d_out, v.mT), shares, -1, shares.dtype)
    torch.baddbmm(d_q, d_scores, k, beta=0, alpha=scale, out=d_q)
    torch.baddbmm(d_k, d_scores.mT, q, beta=0, alpha=scale, out=d_k)
    d_qkv = d_heads.view(3, B, n_head, T, head_size).permute(1, 3, 0, 2, 4).reshape(N, 3 * C)
    d_normed, d_weight, d_qkv_bias = torch.mm(d_qkv, qkv), torch.mm(d_qkv.T, normed), d_qkv.sum(0)
    d_x, d_gain, d_bias = _layer_norm_backward(d_normed, x, mean, rstd, gain, bias)
    return d_x.add_(grad), d_gain, d_bias, d_weight, d_qkv_bias, d_proj


def mlp_forward(x: Tensor, weights: Tensors) -> tuple[Tensor, Tensors]:
    """Return x + mlp(layer_norm(x)) for x (N, C) and what the backward pass needs.

    With h = SLOPE z and u = h + CUBIC / SLOPE² h³, GELU is z / 2 (1 + t), t = tanh(u), and its derivative
    (1 + t + (1 - t²)(3u - 2h)) / 2. The product that makes z hands over h, those that follow take out the factors that were left
    in, and the derivative is made while t is at hand.
    """
    gain, bias, fc, proj = weights
    normed, mean, rstd = torch.native_layer_norm(x, [x.shape[1]], gain, bias, EPS)
    h = _scaled_product(normed, fc.T, SLOPE)  # (N, 4C), as are u, t and slope
    u = (h * h).mul_(h)
    torch.add(h, u, alpha=CUBIC / SLOPE**2, out=u)
    t = u.tanh()
    slope = torch.lerp(h, u, 3.0, out=u)  # h + 3 (u - h) = 3u - 2h
    torch.ops.aten.tanh_backward.grad_input(slope, t, grad_input=slope).add_(t)  # twice the derivative, less 1
    active = torch.addcmul(h, h, t, out=h)  # 2 SLOPE times GELU
    return torch.addmm(x, active, proj.T, alpha=0.5 / SLOPE), (x, normed, mean, rstd, active, slope)


def mlp_backward(grad: Tensor, weights: Tensors, kept: Tensors) -> Tensors:
    """Return the gradients of x and of the four weights, from that of the result, (N, C)."""
    gain, bias, fc, proj = weights
    x, normed, mean, rstd, active, slope = kept
    d_proj = _scaled_product(grad.T, active, 0.5 / SLOPE)
    d_h = _scaled_product(grad, proj, 0.5)
    d_h.addcmul_(d_h, slope)
    d_normed, d_fc = torch.mm(d_h, fc), torch.mm(d_h.T, normed)
    d_x, d_gain, d_bias = _layer_norm_backward(d_normed, x, mean, rstd, gain, bias)
    return d_x.add_(grad), d_gain, d_bias, d_fc, d_proj


def _layer_norm_backward(grad: Tensor, x: Tensor, mean: Tensor, rstd: Tensor, gain: Tensor, bias: Tensor) -> Tensors:
    gradients: Tensors = torch.ops.aten.native_layer_norm_backward(
        grad, x, [x.shape[1]], mean, rstd, gain, bias, [True, True, True]
    )
    return gradients


def _scaled_product(a: Tensor, b: Tensor, scale: float) -> Tensor:
    product = a.new_empty(a.shape[0], b.shape[1])
    return torch.addmm(product, a, b, beta=0, alpha=scale, out=product)


@cache
def _ahead(length: int, dtype: torch.dtype) -> Tensor:
    """Return what is added to the scores (T, T) of T = length positions: minus infinity for keys ahead of the query."""
    return torch.full((length, length), -math.inf, dtype=dtype).triu(1)
