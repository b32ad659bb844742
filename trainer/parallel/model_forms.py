"""The forms in which a model is trained: fused blocks, recomputed activations, sharded, compiled. Its weights are the same in all."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Protocol

import torch
from torch import Tensor, nn

from data.notices import notify
from trainer import fused
from trainer.model import GPT
from trainer.parallel import processes, recomputation
from trainer.parallel.data_parallel import attach_sharding
from trainer.seeds import own_random_state


class Compiled(Protocol):
    """An objective whose ``losses`` call a model that is compiled at its first call."""

    @property
    def module(self) -> nn.Module: ...

    @property
    def device(self) -> torch.device: ...

    def losses(self, step: int) -> Iterator[Tensor]: ...


def attach(model: GPT, *, recompute: bool, shard: bool) -> None:
    """Replace the forward pass of a model's blocks: with recomputation in the backward pass, or fused (`trainer.fused`) if not sharded."""
    if recompute:
        recomputation.attach(model)
    elif not shard or processes.count() == 1:  # fused blocks read weights that FSDP gathers when a block is called
        fused.attach(model)


def divide(models: Iterable[GPT], *, shard: bool) -> None:
    """Shard models among the processes; a notice says if there is one process, so that there is nothing to divide."""
    if shard and processes.count() == 1:
        notify("there is one process, so nothing is divided: start several with torchrun, or leave `shard` out")
    for model in models if shard and processes.count() > 1 else ():
        attach_sharding(model)


def compile_ahead(objective: Compiled) -> float:
    """Compile the model of an objective for training, before its first step; return the seconds that it took."""
    started = time.perf_counter()
    with own_random_state(objective.device):
        objective.module.train()
        for loss in objective.losses(0):
            torch.autograd.backward(loss)
        objective.module.zero_grad(set_to_none=True)
    return time.perf_counter() - started
