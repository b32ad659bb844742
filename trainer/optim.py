"""Optimizers, learning-rate schedules and initial weights: the recipes a GPT can be trained by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.optim import Optimizer

from trainer.model import GPT


@dataclass(frozen=True)
class Recipe:
    """How to train: everything beside the model, the data and the number of steps."""

    initialisation: str
    eval_batches: int
    learning_rate: float
    clip: float | None = None


RECIPES = {
    "reference": Recipe("reference", 200, 3e-4),
    "best": Recipe("reference", 32, 4e-3, 1.0),
}


def initialise(model: GPT, scheme: str, seed: int) -> None:
    """Draw the initial weights of ``model`` for a seed."""
    generator = torch.Generator().manual_seed(seed)
    for name, p in model.named_parameters():
        if p.dim() == 2:
            std = 0.02 / math.sqrt(2 * model.config.n_layer) if name.endswith("c_proj.weight") else 0.02
            torch.nn.init.normal_(p, std=std, generator=generator)
        elif name.endswith("bias"):
            torch.nn.init.zeros_(p)


def build_optimizers(model: GPT, recipe: Recipe) -> list[Optimizer]:
    """Return the optimizers of a recipe; each parameter belongs to exactly one."""
    return [torch.optim.AdamW(model.parameters(), lr=recipe.learning_rate, fused=True)]


def apply_schedule(optimizers: Sequence[Optimizer], recipe: Recipe, step: int, steps: int, scale: float) -> None:
    """Set the learning rates for the step from ``step`` to ``step + 1`` of ``steps``."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * scale


def clip(model: GPT, recipe: Recipe) -> None:
    """Clip the gradients where the recipe says so."""
    if recipe.clip is not None:
        torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
