"""Observation of a model while it reads: attention weights, residual stream, logits; and ablation of a head."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.loading import Model
from trainer.pretrained.hf_model import HFModel

MOST_WEIGHTS_AT_ONCE = 4_000_000  # attention weights of one layer, over the sequences that are read together
MOST_TOKENS_AT_ONCE = 4096  # more at a time fall out of the caches and take twice as long


@dataclass
class Observation:
    """Intermediate results of a model for sequences (sequence, query)."""

    attention: list[Tensor] = field(default_factory=list)
    """A tensor a layer, (sequence, head, query, key)."""
    residual: list[Tensor] = field(default_factory=list)
    """The residual stream before the first block and after each, (sequence, query, dim)."""
    logits: Tensor = field(default_factory=lambda: torch.empty(0))
    """(sequence, query, token)."""


@torch.no_grad()
def observe(model: Model, ids: Tensor, *, attention: bool = False, residual: bool = False) -> Observation:
    """Run a model on sequences (sequence, query) and keep the logits, and on request the attention and the residual stream.

    A hook takes the attention weights that the model used; they are not computed a second time. Meanwhile the model does not use the
    fused kernel, which does not return them.
    """
    if isinstance(model, HFModel):
        return Observation(*model.observe(ids, attention=attention, residual=residual))
    seen = Observation()
    with contextlib.ExitStack() as stack:
        for block in model.h:
            if attention:
                attn: Any = block.attn
                hook = attn.pattern.register_forward_hook(lambda _, __, weights: seen.attention.append(weights))
                stack.callback(hook.remove)
                stack.callback(setattr, attn, "observed", attn.observed)
                attn.observed = True
            if residual:
                before = block.register_forward_pre_hook(lambda _, inputs: seen.residual.append(inputs[0]))
                stack.callback(before.remove)
        if residual:
            last = model.h[-1].register_forward_hook(lambda _, __, output: seen.residual.append(output))
            stack.callback(last.remove)
        seen.logits = model(ids)[0]
    return seen


@contextlib.contextmanager
def first_blocks(model: Model, n_blocks: int) -> Iterator[None]:
    """Leave only the first blocks in a model within the ``with``: their attention is the same without those behind them."""
    config, blocks = model.config, model.blocks() if isinstance(model, HFModel) else model.h
    every = dict(blocks._modules)
    for name in list(every)[n_blocks:]:
        del blocks._modules[name]
    model.config = dataclasses.replace(config, n_layer=len(blocks))
    try:
        yield
    finally:
        blocks._modules.update(every)
        model.config = config


@contextlib.contextmanager
def silenced(model: Model, layer: int, head: int) -> Iterator[None]:
    """Replace the output of one head by zeros within the ``with`` (zero ablation)."""
    if isinstance(model, HFModel):
        with model.ablate_head(layer, head):
            yield
        return

    def silence(_: Any, __: Any, gathered: Tensor) -> Tensor:
        kept = gathered.clone()
        kept[:, head] = 0
        return kept

    hook = model.h[layer].attn.heads.register_forward_hook(silence)  # type: ignore[union-attr]
    try:
        yield
    finally:
        hook.remove()


def in_parts(model: Model, ids: NDArray[np.int64]) -> list[slice]:
    """Cut sequences (sequence, query) into parts that can be read together fast and in bounded memory."""
    n_queries = ids.shape[1]
    # With a large vocabulary the logits fill the memory; there is one array of logits, and several of weights.
    largest = max(model.config.n_head * n_queries**2, n_queries * model.config.vocab_size // 8)
    at_once = max(1, min(MOST_WEIGHTS_AT_ONCE // largest, MOST_TOKENS_AT_ONCE // n_queries))
    return [slice(first, first + at_once) for first in range(0, len(ids), at_once)]
