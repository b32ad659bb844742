"""Reading token by token: what a model has read already is kept, so that one more token costs one more position.

In a causal model a position never sees what follows it, so its keys and values stay what they are while the text grows. They are kept
(the *key-value cache*), and of each new token only its own query, key and value are computed. That holds while the text only grows.
Positions are learned and counted from the start of what the model sees: once the text is longer than ``block_size``, the window moves,
every token stands at another position, and all is read anew. Even then less is computed than in training: of the last layer only the
last position's query, and no more logits than asked for.

Shapes as in `trainer.model`: B rows that are read at once, T positions, C channels, n_head heads of head_size.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from trainer.model import GPT, Block
from trainer.pretrained.hf_model import HFModel

if TYPE_CHECKING:
    from trainer.loading import Model


class Reader(Protocol):
    """What gives the logits of the next token."""

    def logits(self, ids: Tensor, start: int) -> Tensor:
        """Return the logits (B, vocab_size) of what follows ``ids`` (B, n), of which the model sees those from ``start`` on."""


def reader(model: Model, n_rows: int, *, cache: bool = True) -> Reader:
    """Return what reads with a model: with a cache if it is wanted and the model can, else all anew for every token.

    Parameters
    ----------
    model : in evaluation mode.
    n_rows : how many texts are read at once, B.
    cache : whether to keep what has been read.
    """
    if not cache:
        return UncachedReader(model)
    return CachedGPT(model, n_rows) if isinstance(model, GPT) else CachedHFModel(model)


class UncachedReader:
    """Reads all the model sees, for every token anew: the plain way, which the others must agree with."""

    def __init__(self, model: Model):
        self._model = model

    @torch.no_grad()
    def logits(self, ids: Tensor, start: int) -> Tensor:
        logits: Tensor = self._model(ids[:, start:])[0][:, -1]
        return logits


class Weights(NamedTuple):
    """The weights of a block: gains and matrices, as x @ matrix, and their biases; those that the model lacks are None."""

    ln_1: Tensor
    ln_1_bias: Tensor | None
    attn: Tensor
    attn_bias: Tensor | None
    attn_proj: Tensor
    attn_proj_bias: Tensor | None
    ln_2: Tensor
    ln_2_bias: Tensor | None
    fc: Tensor
    fc_bias: Tensor | None
    proj: Tensor
    proj_bias: Tensor | None


def weights_of(block: Block) -> Weights:
    """Take the weights out of a block, without a copy."""
    layers = (block.ln_1, block.attn.c_attn, block.attn.c_proj, block.ln_2, block.mlp.c_fc, block.mlp.c_proj)
    return Weights(*(found for layer in layers for found in (layer.weight.t(), layer.bias)))


class CachedGPT:
    """Reads with our GPT, and keeps keys and values.

    What a block does is what `trainer.model.Block` does, in fewer and smaller steps: without modules and their hooks, all rows of
    all texts in one matrix, sums taken along by the matrix products. For one position of a small model all that takes longer than
    the arithmetic.
    """

    def __init__(self, model: GPT, n_rows: int):
        config, like = model.config, model.wte.weight
        self._model, self._config = model, config
        self._blocks = [weights_of(block) for block in model.h]  # type: ignore[arg-type]
        self._gelu = "tanh" if config.gelu == "tanh" else "none"
        self._is_post = config.norm == "post"
        T, size = config.block_size, (config.n_embd // config.n_head)
        self._scale = 1 / math.sqrt(size)
        # Added to the scores (query, key): keys ahead of the query are out of sight.
        self._ahead = torch.full((T, T), -torch.inf, dtype=like.dtype, device=like.device).triu(1)
        # Of each layer, (B * n_head, block_size, head_size).
        kept = torch.empty((2, config.n_layer, n_rows * config.n_head, T, size), dtype=like.dtype, device=like.device)
        self._keys, self._values = kept[0].unbind(), kept[1].unbind()
        self._start = self._n_kept = 0

    @torch.inference_mode()
    def logits(self, ids: Tensor, start: int) -> Tensor:
        """Return the logits (B, vocab_size) of what follows ``ids`` (B, n); tokens read before from the same start are not read again."""
        n_seen = ids.shape[1] - start
        if start != self._start or n_seen <= self._n_kept:
            self._start, self._n_kept = start, 0
        x = self._read(ids[:, start + self._n_kept :], self._n_kept)
        self._n_kept = n_seen
        return self._model.unembed(x)

    def _read(self, ids: Tensor, first: int) -> Tensor:
        """Return the last position's residual stream (B, C) after reading ``ids`` (B, T), which stand at position ``first`` and after."""
        (B, T), model, end = ids.shape, self._model, self._config.n_layer - 1
        x = (torch.embedding(model.wte.weight, ids) + model.wpe.weight[first : first + T]).view(B * T, -1)
        for layer, weights in enumerate(self._blocks):
            q, k, v = self._project(x, weights, B)
            if self._config.block_size > T:  # a window that is full at once has moved before it is read again
                k, v = _appended(self._keys[layer], k, first), _appended(self._values[layer], v, first)
            if layer == end and T > 1:  # of the last layer nobody asks for more than the last position
                q, x = q[:, -1:], x.view(B, T, -1)[:, -1]
            x = self._finish(x, self._attend(q, k, v, B), weights)
        return x

    def _project(self, x: Tensor, weights: Weights, B: int) -> tuple[Tensor, ...]:
        """Return query, key and value, each (B * n_head, T, head_size)."""
        n_head = self._config.n_head
        normed = x if self._is_post else self._norm(x, weights.ln_1, weights.ln_1_bias)
        qkv = _product(normed, weights.attn, weights.attn_bias).view(B, -1, 3, n_head, x.shape[1] // n_head)
        return qkv.permute(2, 0, 3, 1, 4).reshape(3, B * n_head, -1, qkv.shape[4]).unbind()

    def _attend(self, q: Tensor, k: Tensor, v: Tensor, B: int) -> Tensor:
        """Return what the heads gathered, side by side, (B * T, C)."""
        (_, T, size), n_keys = q.shape, k.shape[1]
        scores = torch.baddbmm(self._ahead[n_keys - T : n_keys, :n_keys], q, k.mT, alpha=self._scale)
        y = torch.bmm(scores.softmax(-1), v)  # (B * n_head, T, head_size)
        return y.view(B, -1, T, size).transpose(1, 2).reshape(B * T, -1)

    def _finish(self, x: Tensor, gathered: Tensor, weights: Weights) -> Tensor:
        """Return the residual stream (B * T, C) after a block, from that before it and what its heads gathered."""
        x = _product(gathered, weights.attn_proj, weights.attn_proj_bias, x)
        if self._is_post:
            x = self._norm(x, weights.ln_1, weights.ln_1_bias)
        normed = x if self._is_post else self._norm(x, weights.ln_2, weights.ln_2_bias)
        hidden = F.gelu(_product(normed, weights.fc, weights.fc_bias), approximate=self._gelu)  # (B * T, 4 * C)
        x = _product(hidden, weights.proj, weights.proj_bias, x)
        return self._norm(x, weights.ln_2, weights.ln_2_bias) if self._is_post else x

    def _norm(self, x: Tensor, gain: Tensor, bias: Tensor | None) -> Tensor:
        return torch.layer_norm(x, gain.shape, gain, bias, self._config.norm_eps)


def _product(x: Tensor, matrix: Tensor, bias: Tensor | None, onto: Tensor | None = None) -> Tensor:
    """Return onto + x @ matrix + bias, of which onto and bias may be missing."""
    if onto is not None:
        return torch.addmm(onto if bias is None else onto + bias, x, matrix)
    return torch.mm(x, matrix) if bias is None else torch.addmm(bias, x, matrix)


def _appended(kept: Tensor, new: Tensor, first: int) -> Tensor:
    """Write what is new (B * n_head, T, head_size) behind what is kept; return all of it."""
    n_new = new.shape[1]
    kept.narrow(1, first, n_new).copy_(new)
    return kept.narrow(1, 0, first + n_new)


class CachedHFModel:
    """Reads with a model of Hugging Face, and keeps what the model itself calls its past; one without such a thing reads all anew."""

    def __init__(self, model: HFModel):
        self._model = model
        self._past: Any = None
        self._start = self._n_kept = 0

    @torch.no_grad()
    def logits(self, ids: Tensor, start: int) -> Tensor:
        """Return the logits (B, vocab_size) of what follows ``ids`` (B, n); tokens read before from the same start are not read again."""
        n_seen = ids.shape[1] - start
        if start != self._start or n_seen <= self._n_kept:
            self._start, self._n_kept, self._past = start, 0, None
        logits, self._past = self._model.follow(ids[:, start + self._n_kept :], self._past)
        self._n_kept = n_seen if self._past is not None else 0
        return logits
