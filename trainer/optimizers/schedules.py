"""Learning-rate schedules: the learning rate of each step, as a share of its peak."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch.optim import Optimizer

Schedule = Callable[[int], float]
"""``schedule(step)``: the share of the peak at which the step from ``step`` to ``step + 1`` is taken."""


@dataclass(frozen=True)
class WarmupAndDecay:
    """The schedule of pre-training: linear decay over all steps, scaled up linearly during the warm-up.

    Examples
    --------
    >>> best = WarmupAndDecay(warmup_steps=100, falls_to=0.05, steps=5000)
    >>> [round(best(step), 3) for step in (0, 99, 2500, 5000)]
    [0.01, 0.981, 0.525, 0.05]
    >>> WarmupAndDecay(warmup_steps=0, falls_to=1.0, steps=5000)(4999)
    1.0
    """

    warmup_steps: int
    falls_to: float
    """The share of the peak at the last step."""
    steps: int

    def __call__(self, step: int) -> float:
        rise = min(1.0, (step + 1) / self.warmup_steps) if self.warmup_steps else 1.0
        return rise * (1 - (1 - self.falls_to) * step / self.steps)


@dataclass(frozen=True)
class Linear:
    """The schedule of fine-tuning: linear from 0 to the peak during the warm-up, then linear to 0 at the last step.

    Examples
    --------
    >>> [Linear(warmup_steps=4, steps=12)(step) for step in (0, 2, 4, 8, 12)]
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """

    warmup_steps: int
    steps: int

    def __call__(self, step: int) -> float:
        if step < self.warmup_steps:
            return step / self.warmup_steps
        return max(0.0, (self.steps - step) / max(1, self.steps - self.warmup_steps))


def highest_share(schedule: Schedule, steps: int) -> float:
    """Compute the highest share of the peak over ``steps`` steps; 0 if there are none."""
    return max(map(schedule, range(steps)), default=0.0)


def set_peaks(optimizers: Sequence[Optimizer]) -> None:
    """Record the learning rates that optimizers were made with as their peaks."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["peak"] = group["lr"]


def set_rates(optimizers: Sequence[Optimizer], share: float) -> None:
    """Set all learning rates to a share of their peaks."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * share
