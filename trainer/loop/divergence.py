"""Divergence: a loss that is no number any more, or has exploded, ends a training before its weights are written."""

from __future__ import annotations

import math
from collections.abc import Mapping

from data.errors import InputError
from data.runs import Run, write_info

EXPLODED = 3.0
"""A loss of so many times the first one has exploded: an untrained model guesses evenly, and one that is worse has come to harm."""
LEAST_NATS = 15.0
"""Below this loss nothing has exploded, however small the first one was."""


class DivergedError(InputError):
    """The training diverged at ``step``."""

    def __init__(self, message: str, step: int):
        super().__init__(message)
        self.step = step


def not_finite(step: int, advice: str) -> DivergedError:
    """Build the error for a loss or weight that is not finite; ``advice`` ends the message."""
    return DivergedError(f"the loss is no longer a number at step {step}: {advice}", step)


def check_exploded(measured: Mapping[str, float], first: float, step: int, advice: str) -> None:
    """Check what was measured at a step against the first training loss, in nats; raise `DivergedError` if it has exploded."""
    loss = max(measured["train_loss"], measured["val_loss"])
    if loss > max(EXPLODED * first, LEAST_NATS):
        raise DivergedError(
            f"the loss has exploded to {loss:.3g} at step {step} from {first:.3g} at first: {advice}", step
        )


def check_finite(measured: Mapping[str, float], step: int, advice: str) -> None:
    """Check that all that was measured is finite; raise `DivergedError` otherwise."""
    if not all(map(math.isfinite, measured.values())):
        raise not_finite(step, advice)


def mark_diverged(run: Run, step: int) -> None:
    """Note in run.json that the training diverged at a step; its snapshots, all of earlier steps, are sound."""
    write_info(run, {**Run(run.path).info, "diverged": {"step": step}})
