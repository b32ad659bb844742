"""Recipes for pre-training a GPT: initial weights, optimizers, learning rates and weight averaging.

There are two. ``reference`` trains as GPTLab did: AdamW at a constant learning rate. ``best`` gives the matrices inside the
blocks an optimizer of their own, `trainer.optimizers.soap.SOAP`: the entries of a matrix's gradient are strongly correlated, and
SOAP runs Adam in coordinates in which they are not. Tables, gains and biases stay with AdamW. Learning rates rise during a
warm-up and then decay linearly to a small share. A running average of the weights is evaluated and kept. Decay and averaging
both reduce the noise of small batches.

References
----------
Loshchilov and Hutter (2019), Decoupled weight decay regularization (AdamW).
Polyak and Juditsky (1992), Acceleration of stochastic approximation by averaging.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.optim import AdamW, Optimizer

from trainer.model import GPT
from trainer.optimizers.schedules import WarmupAndDecay, set_peaks
from trainer.optimizers.soap import SOAP
from trainer.parallel.data_parallel import own_part


@dataclass(frozen=True)
class Recipe:
    """How to train: everything except the model, the data and the number of steps. Learning rates are peaks."""

    initialisation: str
    eval_batches: int
    learning_rate: float
    """Of the parameters that AdamW trains: all, or all but the matrices under `SOAP`."""
    matrix_learning_rate: float | None = None
    """Of the matrices inside the blocks, trained with `SOAP`; None trains them with AdamW."""
    betas: tuple[float, float] = (0.9, 0.999)
    """AdamW's decay rates for the averages of the gradient and of its square."""
    weight_decay: float = 0.01
    matrix_weight_decay: float = 0.0
    warmup_steps: int = 0
    falls_to: float = 1.0
    """Learning rates decay linearly to this share of the peak at the last step."""
    averaging: float = 0.0
    """Decay rate of the running average of the weights, which is evaluated and kept; 0 keeps the weights themselves."""
    clip: float | None = None
    every_window_once: bool = False
    """Draw the windows of an epoch without replacement, instead of independently."""


RECIPES = {
    "reference": Recipe("reference", eval_batches=200, learning_rate=3e-4),
    "best": Recipe(
        "zero-residual",
        eval_batches=16,
        learning_rate=4e-3,
        matrix_learning_rate=4e-3,
        betas=(0.9, 0.99),
        weight_decay=0.0,
        matrix_weight_decay=0.1,
        warmup_steps=100,
        falls_to=0.05,
        averaging=0.995,
        every_window_once=True,
    ),
}


def initialise(model: GPT, scheme: str, seed: int) -> None:
    """Draw the initial weights of a model for a seed, the same on every device.

    The scheme ``reference`` draws every matrix from N(0, 0.02) and the projections into the residual stream from
    N(0, 0.02 / sqrt(2 n_layer)), as GPT-2 does. ``zero-residual`` draws the two tables from N(0, 0.1) and sets these projections to
    zero, so that every block starts as the identity.
    """
    if scheme not in ("reference", "zero-residual"):
        raise ValueError(f"there is no initialisation {scheme!r}; there is reference, zero-residual")
    generator = torch.Generator().manual_seed(seed)
    for name, p in model.named_parameters():
        with torch.no_grad():
            if p.dim() == 2:
                std = _deviation(name, scheme, model.config.n_layer)
                p.copy_(torch.randn(p.shape, generator=generator) * std)
            else:
                p.fill_(0.0 if name.endswith("bias") else 1.0)


def _deviation(name: str, scheme: str, n_layer: int) -> float:
    if name.endswith("c_proj.weight"):
        return 0.0 if scheme == "zero-residual" else 0.02 / math.sqrt(2 * n_layer)
    return 0.1 if scheme == "zero-residual" and name in ("wte.weight", "wpe.weight") else 0.02


def build_optimizers(model: GPT, recipe: Recipe, scale: float = 1.0) -> list[Optimizer]:
    """Build the optimizers of a recipe, with all learning rates times ``scale``; each parameter belongs to exactly one."""
    parameters = dict(model.named_parameters())
    is_apart = recipe.matrix_learning_rate is not None
    matrices = {name: p for name, p in parameters.items() if is_apart and name.startswith("h.") and p.dim() == 2}
    rest = [p for name, p in parameters.items() if name not in matrices]
    optimizers: list[Optimizer] = [
        AdamW(rest, recipe.learning_rate * scale, betas=recipe.betas, weight_decay=recipe.weight_decay, fused=True)
    ]
    if recipe.matrix_learning_rate is not None:
        # Query, key and value are stored as one matrix but are three.
        group = {"params": list(matrices.values()), "parts": [3 if "c_attn" in name else 1 for name in matrices]}
        learning_rate, decay = recipe.matrix_learning_rate * scale, recipe.matrix_weight_decay
        optimizers.append(SOAP([group], learning_rate, weight_decay=decay))
    set_peaks(optimizers)
    return optimizers


def schedule(recipe: Recipe, steps: int) -> WarmupAndDecay:
    """Build the learning-rate schedule of a recipe over ``steps`` steps."""
    return WarmupAndDecay(recipe.warmup_steps, recipe.falls_to, steps)


def average(averaged: nn.Module, model: nn.Module, decay: float, step: int) -> None:
    """Update the running average of the weights after the step from ``step`` on.

    At first the average covers a tenth of the steps so far, later 1 / (1 - decay) steps. It smooths the noise of small batches as a
    lower learning rate would, while the weights themselves keep moving fast (Polyak and Juditsky 1992).
    """
    weight = 1 - min(decay, (step + 1) / (step + 10))
    into, weights = ([own_part(p.data) for p in each.parameters()] for each in (averaged, model))
    torch._foreach_lerp_(into, weights, weight)
