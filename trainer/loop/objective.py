"""What is trained, and how: the interface between the training loop and what it learns.

Objectives are pre-training (`trainer.session`), documents (`trainer.finetune.language_model`) and tasks
(`trainer.supervised.task_objective`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from trainer.optimizers.schedules import Schedule, highest_share

SAMPLE_TEMPERATURE = 0.8


@dataclass(frozen=True)
class Procedure:
    """How an objective is trained: optimizers, learning rates, and the steps at which something is written."""

    optimizers: Sequence[torch.optim.Optimizer]
    schedule: Schedule
    snapshot_steps: Sequence[int]
    eval_steps: Sequence[int]
    resume_every: float
    """At most every so many seconds, at a snapshot, a resume slot is written."""
    seed: int
    device: torch.device
    label: str
    """The name of the work, for progress bars."""
    advice: str
    """What to do when the loss is not finite; ends the message."""
    clip: float | None = None
    """Longest gradient; a longer one is shortened to it."""
    averaged: nn.Module | None = None
    """The running average of the weights, which is evaluated and kept; None where the weights themselves are."""
    averaging: float = 0.0
    """Decay rate of the running average."""
    drops: bool = True
    """Whether the model uses random numbers in training."""
    reads_losses: bool = True
    """Check and show the loss of every step; on a GPU, reading it waits for the step to end."""
    may_explode: bool = True
    """Whether a loss far above the first one ends the training; not where the text is not what is learned."""
    on_snapshot_error: str = "stop"
    """One of `trainer.config.ON_SNAPSHOT_ERROR`."""
    chooses_threads: bool = False
    """Whether the number of CPU threads may change while the training runs (`trainer.threads`)."""
    log: str | None = None
    """The loggers that receive metrics and samples too, see `trainer.loggers.choice`."""


class Objective(Protocol):
    """What is learned: the model, the loss of each step, and how progress is measured."""

    @property
    def module(self) -> nn.Module:
        """The model that is trained, with a head of its own where it has one."""

    @property
    def steps(self) -> int:
        """The number of optimizer steps."""

    @property
    def procedure(self) -> Procedure:
        """How the module is trained."""

    def losses(self, step: int) -> Iterator[Tensor]:
        """Yield the loss of each micro-batch of a step; they add up to the loss of the step."""

    def evaluate(self, step: int) -> dict[str, float]:
        """Measure ``train_loss``, ``val_loss``, ``tokens`` (seen so far) and whatever else belongs into metrics.jsonl."""

    def sample(self, step: int) -> Mapping[str, object] | None:
        """Generate a text for samples.jsonl; None if the model cannot."""

    def weights(self) -> dict[str, NDArray[Any]]:
        """Collect the tensors of a snapshot by name."""


def kept(objective: Objective) -> nn.Module:
    """Return the module whose weights are evaluated and kept: the running average, where there is one."""
    return objective.procedure.averaged or objective.module


def models(objective: Objective) -> dict[str, nn.Module]:
    """Name the models whose weights a resume slot holds."""
    averaged = objective.procedure.averaged
    return {"model": objective.module} | ({} if averaged is None else {"averaged": averaged})


def rate(objective: Objective, step: int) -> float:
    """Compute the learning rate of the step that led to ``step``."""
    procedure = objective.procedure
    return float(procedure.optimizers[0].param_groups[0]["peak"] * procedure.schedule(step - 1)) if step else 0.0


def highest_rate(objective: Objective) -> float:
    """Compute the highest learning rate that occurs in a training; 0 if it has no steps."""
    procedure = objective.procedure
    return float(procedure.optimizers[0].param_groups[0]["peak"] * highest_share(procedure.schedule, objective.steps))


@contextlib.contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Put a model into evaluation mode, without gradients, and back into its mode before."""
    was_training = module.training
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        module.train(was_training)
