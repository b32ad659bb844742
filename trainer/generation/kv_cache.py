"""The key-value cache: logits of the next token, computed from the new tokens only.

In a causal model no position attends to a later one, so keys and values do not change while the text grows. They are cached, and for
each new token only its own query, key and value are computed. Positions are learned and counted from the start of the window: once the
text is longer than ``block_size`` the window moves, every token has another position, and the whole window is computed again. Even then
less is computed than in training: in the last layer the query of the last position alone, and the logits of that position alone.

Shapes as in `trainer.model`: B texts in a batch, T positions, C channels, n_head heads of head_size.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from trainer.model import GPT, Block
from trainer.pretrained.hf_model import HFModel

if TYPE_CHECKING:
    from trainer.loading import Model


def next_token_model(model: Model, n_rows: int, *, cache: bool = True) -> UncachedModel | CachedGPT | CachedHFModel:
    """Wrap a model so that it returns the logits of the next token of ``n_rows`` texts, with a key-value cache if ``cache`` is True."""
    if not cache:
        return UncachedModel(model)
    return CachedGPT(model, n_rows) if isinstance(model, GPT) else CachedHFModel(model)


class UncachedModel:
    """A model without cache, which computes the whole window for every token: the reference for the others."""

    def __init__(self, model: Model):
        self._model = model

    @torch.no_grad()
    def next_logits(self, ids: Tensor, start: int) -> Tensor:
        logits: Tensor = self._model(ids[:, start:])[0][:, -1]
        return logits


Affine = tuple[Tensor, Tensor | None]
"""The gain or matrix (as in x @ matrix) of a layer, and its bias; None if the layer has none."""


class BlockWeights(NamedTuple):
    """The weights of a block, not copied."""

    ln_1: Affine
    attn: Affine
    attn_proj: Affine
    ln_2: Affine
    fc: Affine
    proj: Affine


def block_weights(block: Block) -> BlockWeights:
    """Collect the weights of a block."""
    layers = (block.ln_1, block.attn.c_attn, block.attn.c_proj, block.ln_2, block.mlp.c_fc, block.mlp.c_proj)
    return BlockWeights(*((layer.weight.t(), layer.bias) for layer in layers))


class CachedGPT:
    """Our GPT with a key-value cache.

    It computes what `trainer.model.Block` computes, with fewer and smaller operations: no modules and hooks, the positions of all texts
    in one matrix, additions fused into the matrix products. For one position of a small model this overhead exceeds the arithmetic.
    """

    def __init__(self, model: GPT, n_rows: int):
        config, like = model.config, model.wte.weight
        self._model, self._config = model, config
        self._blocks = [block_weights(block) for block in model.h]  # type: ignore[arg-type]
        self._gelu = "tanh" if config.gelu == "tanh" else "none"
        self._is_post = config.norm == "post"
        T, size = config.block_size, (config.n_embd // config.n_head)
        self._scale = 1 / math.sqrt(size)
        # Added to the scores (query, key): a query does not attend to later keys.
        self._mask = torch.full((T, T), -torch.inf, dtype=like.dtype, device=like.device).triu(1)
        # A tensor (B * n_head, block_size, head_size) for each layer.
        cache = torch.empty((2, config.n_layer, n_rows * config.n_head, T, size), dtype=like.dtype, device=like.device)
        self._keys, self._values = cache[0].unbind(), cache[1].unbind()
        self._start = self._n_cached = 0

    @torch.inference_mode()
    def next_logits(self, ids: Tensor, start: int) -> Tensor:
        """Compute the logits (B, vocab_size) of the token after ``ids`` (B, n), from tokens that are not cached alone."""
        n_seen = ids.shape[1] - start
        if start != self._start or n_seen <= self._n_cached:
            self._start, self._n_cached = start, 0
        x = self._last_position(ids[:, start + self._n_cached :], self._n_cached)
        self._n_cached = n_seen
        return self._model.unembed(x)

    def _last_position(self, ids: Tensor, first: int) -> Tensor:
        """Compute the residual stream (B, C) of the last of ``ids`` (B, T), at positions from ``first`` on; cache keys and values."""
        (B, T), model, end = ids.shape, self._model, self._config.n_layer - 1
        x = (torch.embedding(model.wte.weight, ids) + model.wpe.weight[first : first + T]).view(B * T, -1)
        for layer, weights in enumerate(self._blocks):
            q, k, v = self._project(x, weights, B)
            if self._config.block_size > T:  # a full window moves before it is used again
                k, v = _append(self._keys[layer], k, first), _append(self._values[layer], v, first)
            if layer == end and T > 1:  # only the last position of the last layer is needed
                q, x = q[:, -1:], x.view(B, T, -1)[:, -1]
            x = self._finish(x, self._attend(q, k, v, B), weights)
        return x

    def _project(self, x: Tensor, weights: BlockWeights, B: int) -> tuple[Tensor, ...]:
        """Compute query, key and value, each (B * n_head, T, head_size)."""
        n_head = self._config.n_head
        normed = x if self._is_post else self._norm(x, weights.ln_1)
        qkv = _product(normed, weights.attn).view(B, -1, 3, n_head, x.shape[1] // n_head)
        return qkv.permute(2, 0, 3, 1, 4).reshape(3, B * n_head, -1, qkv.shape[4]).unbind()

    def _attend(self, q: Tensor, k: Tensor, v: Tensor, B: int) -> Tensor:
        """Compute the outputs of all heads, concatenated to (B * T, C)."""
        (_, T, size), n_keys = q.shape, k.shape[1]
        scores = torch.baddbmm(self._mask[n_keys - T : n_keys, :n_keys], q, k.mT, alpha=self._scale)
        y = torch.bmm(scores.softmax(-1), v)  # (B * n_head, T, head_size)
        return y.view(B, -1, T, size).transpose(1, 2).reshape(B * T, -1)

    def _finish(self, x: Tensor, heads: Tensor, weights: BlockWeights) -> Tensor:
        """Compute the residual stream (B * T, C) after a block, from that before it and the outputs of its heads."""
        x = _product(heads, weights.attn_proj, x)
        if self._is_post:
            x = self._norm(x, weights.ln_1)
        normed = x if self._is_post else self._norm(x, weights.ln_2)
        hidden = F.gelu(_product(normed, weights.fc), approximate=self._gelu)  # (B * T, 4 * C)
        x = _product(hidden, weights.proj, x)
        return self._norm(x, weights.ln_2) if self._is_post else x

    def _norm(self, x: Tensor, weights: Affine) -> Tensor:
        gain, bias = weights
        return torch.layer_norm(x, gain.shape, gain, bias, self._config.norm_eps)


def _product(x: Tensor, weights: Affine, added: Tensor | None = None) -> Tensor:
    """Compute added + x @ matrix + bias, where ``added`` and bias may be None."""
    matrix, bias = weights
    if added is not None:
        return torch.addmm(added if bias is None else added + bias, x, matrix)
    return torch.mm(x, matrix) if bias is None else torch.addmm(bias, x, matrix)


def _append(cache: Tensor, new: Tensor, first: int) -> Tensor:
    """Write new keys or values (B * n_head, T, head_size) into a cache at position ``first``; return it up to their end."""
    n_new = new.shape[1]
    cache.narrow(1, first, n_new).copy_(new)
    return cache.narrow(1, 0, first + n_new)


class CachedHFModel:
    """A Hugging Face model with its own key-value cache; a class that has none computes the whole window for every token."""

    def __init__(self, model: HFModel):
        self._model = model
        self._cache: Any = None
        self._start = self._n_cached = 0

    @torch.no_grad()
    def next_logits(self, ids: Tensor, start: int) -> Tensor:
        """Compute the logits (B, vocab_size) of the token after ``ids`` (B, n), from tokens that are not cached alone."""
        n_seen = ids.shape[1] - start
        if start != self._start or n_seen <= self._n_cached:
            self._start, self._n_cached, self._cache = start, 0, None
        logits, self._cache = self._model.next_logits(ids[:, start + self._n_cached :], self._cache)
        self._n_cached = n_seen if self._cache is not None else 0
        return logits
