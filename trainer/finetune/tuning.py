"""What all kinds of fine-tuning share: AdamW with a linear schedule, and a run that starts with the weights of another.

The training loop itself is `trainer.loop`, and `trainer.finetune.base_snapshot` makes the model of a base trainable.
The snapshot of step 0 is the base, so that a film shows what fine-tuning moves.

References
----------
Radford, Narasimhan, Salimans and Sutskever (2018), Improving language understanding by generative pre-training: section 4.1.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

import torch
from torch import nn

from data.errors import InputError
from data.notices import notify
from data.runs import Run
from trainer.finetune.base_snapshot import Base, describe_model
from trainer.finetune.finetune_config import TuneConfig, check, schedule
from trainer.loading import Model
from trainer.loop import Objective, Procedure, Training, resume_run, start_run
from trainer.machine import reuse_freed_memory
from trainer.optimizers.schedules import highest_share, set_peaks
from trainer.threads import choose_threads

SMALL = 5_000_000
"""Largest number of parameters for which one thread is compared with several, and the first steps have snapshots."""


class TuningObjective(Objective, Protocol):
    """An objective whose module is a language model, or holds one."""

    @property
    def model(self) -> Model:
        """The language model."""


FAR_BELOW = 0.5
"""Share of the peak below which the highest learning rate of a fine-tuning gets a warning."""

T = TypeVar("T", bound=TuningObjective)


def tuning_procedure(module: nn.Module, config: TuneConfig, steps: int, device: torch.device) -> Procedure:
    """Build the procedure of a fine-tuning over ``steps`` steps."""
    optimizer = _optimizer(module, config)
    set_peaks([optimizer])
    return Procedure(
        optimizers=[optimizer],
        schedule=schedule(config, steps),
        snapshot_steps=_spread(steps, config.snapshot_every, [1, 2, 4, 8, 16, 32, 64] if _is_small(module) else []),
        eval_steps=_spread(steps, config.eval_every),
        resume_every=config.resume_every,
        seed=config.seed,
        device=device,
        label="fine-tuning",
        advice="tune again with a lower `learning_rate`",
        clip=config.clip,
        on_snapshot_error=config.on_snapshot_error,
        chooses_threads=config.threads is None and _is_small(module),
        log=config.log,
    )


def _spread(last: int, every: int | None, early: Sequence[int] = ()) -> list[int]:
    """List the steps up to the last, and the last: those of ``early``, and every so many, by default a twentieth of all."""
    return sorted({*range(0, last + 1, every or max(1, last // 20)), *(step for step in early if step <= last), last})


def start_tuning(objective: T, config: TuneConfig, base: Base, info: Mapping[str, Any], *, name: str) -> Training[T]:
    """Make a new run with its snapshot of step 0, the base; an `InputError` says what prevents it.

    run.json records ``config`` as ``training``, together with the number of steps, the base, and what is in ``info``: ``corpus``,
    ``tokenizer`` and others.
    """
    check(config)
    if objective.steps < 1:
        raise InputError("there is nothing to learn: the data gives no training step")
    _check_rate(config, objective.steps)
    reuse_freed_memory()

    def work() -> None:
        torch.autograd.backward(next(objective.losses(0)))
        objective.module.zero_grad(set_to_none=True)

    device = objective.procedure.device
    choose_threads(work, config.threads, device, measure=_is_small(objective.module))
    described = {
        "model": describe_model(base, objective.model),
        "base": base.describe(),
        "training": {**dataclasses.asdict(config), "steps": objective.steps},
        "tensors": base.run.info["tensors"],
    }
    return start_run(objective, {**described, **info}, name=name)


def _check_rate(config: TuneConfig, steps: int) -> None:
    """Check that the learning rate comes near its peak: refuse a warm-up during which nothing is learned, warn of one that is too long."""
    planned = schedule(config, steps)
    share = highest_share(planned, steps)
    if share >= FAR_BELOW:
        return
    warmup = f"the warm-up takes {planned.warmup_steps:,} steps and the training has {steps:,}"
    fewer = f"pass `warmup_steps={steps // 10}`"
    more = f"{', a smaller `accumulate`' * (config.accumulate > 1)} or more `epochs`"
    if not share:
        raise InputError(f"the learning rate stays at 0, so nothing would be learned: {warmup}: {fewer}{more}")
    reached = f"the learning rate reaches {share * config.learning_rate:.1e}, {share:.2g} of its peak"
    notify(f"{reached} {config.learning_rate:.1e}: {warmup}: {fewer}{more}", stacklevel=4)


def resume_tuning(run: Run, objective: T, config: TuneConfig) -> Training[T]:
    """Resume a run where it stopped; its newest weights replace those of the objective."""
    reuse_freed_memory()
    torch.set_num_threads(config.threads or run.info["threads"])
    return resume_run(run, objective, config)


def _optimizer(module: nn.Module, config: TuneConfig) -> torch.optim.Optimizer:
    tables = {id(child.weight) for child in module.modules() if isinstance(child, nn.Embedding)}
    matrices = [p for p in module.parameters() if p.ndim >= 2 and id(p) not in tables]
    others = [p for p in module.parameters() if p.ndim < 2 or id(p) in tables]
    groups = [{"params": matrices, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=config.learning_rate, fused=True)


def _is_small(module: nn.Module) -> bool:
    return sum(p.numel() for p in module.parameters()) <= SMALL
