"""One optimizer step: gradients, their norm, and the update of the weights."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import nn

from trainer.loop.objective import Objective
from trainer.optimizers.recipes import average
from trainer.optimizers.schedules import set_rates
from trainer.parallel import processes
from trainer.parallel.data_parallel import whole
from trainer.seeds import seed_dropout


class StepTaken(NamedTuple):
    """What is known of an optimizer step: its loss in nats, and the norm of its gradient before clipping; None where they were not read."""

    loss: float | None = None
    grad_norm: float | None = None

    def recorded(self) -> dict[str, float]:
        """Return the measures that go into metrics.jsonl."""
        return {} if self.grad_norm is None or not math.isfinite(self.grad_norm) else {"grad_norm": self.grad_norm}


def take_step(objective: Objective, step: int, *, measures_gradient: bool = False) -> StepTaken:
    """Take one optimizer step, from the weights of ``step``."""
    procedure = objective.procedure
    if procedure.drops:
        seed_dropout(procedure.seed, step, processes.rank())
    set_rates(procedure.optimizers, procedure.schedule(step))
    total = 0.0
    for loss in objective.losses(step):
        torch.autograd.backward(loss)
        if procedure.reads_losses:
            total += loss.item()
    # Without a limit, the norm is computed only where it is recorded; on a GPU, reading it waits for the step to end.
    norm = None
    if procedure.clip:
        norm = nn.utils.clip_grad_norm_(objective.module.parameters(), procedure.clip)
    elif measures_gradient:
        norm = nn.utils.get_total_norm([p.grad for p in objective.module.parameters() if p.grad is not None])
    grad_norm = float(whole(norm)) if measures_gradient and norm is not None else None
    for optimizer in procedure.optimizers:
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    if procedure.averaged is not None:
        average(procedure.averaged, objective.module, procedure.averaging, step)
    return StepTaken(total if procedure.reads_losses else None, grad_norm)
