"""Recipes: how a GPT is trained, from the draw of its first weights to the last step.

Two recipes have a name. ``reference`` trains as GPTLab did: AdamW at a constant learning rate. ``best`` treats the matrices
inside the blocks apart from everything else. In the coordinates that the weights of a matrix happen to be stored in, its
gradient is strongly correlated. `trainer.optimizers.soap.SOAP` turns the gradient into coordinates in which it is not, and there does what
Adam does; tables, gains and biases stay with AdamW. Learning rates rise over the first steps and then fall in a straight line to
a small share, and what is evaluated and kept is a running average of the weights: both average out the noise of the small
batches.

References
----------
Loshchilov and Hutter (2019), Decoupled weight decay regularization (AdamW).
Polyak and Juditsky (1992), Acceleration of stochastic approximation by averaging.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.optim import AdamW, Optimizer

from trainer.model import GPT
from trainer.optimizers.soap import SOAP


@dataclass(frozen=True)
class Recipe:
    """How to train: everything beside the model, the data and the number of steps. Learning rates are those at the peak."""

    initialisation: str
    eval_batches: int
    learning_rate: float
    """Of what AdamW trains: everything, or what `SOAP` leaves to it."""
    matrix_learning_rate: float | None = None
    """Of the matrices inside the blocks under `SOAP`; None leaves them to AdamW."""
    betas: tuple[float, float] = (0.9, 0.999)
    """AdamW's decay rates of the averages of gradient and squared gradient."""
    weight_decay: float = 0.01
    matrix_weight_decay: float = 0.0
    warmup_steps: int = 0
    falls_to: float = 1.0
    """In a straight line after the warm-up, to this share of the peak at the last step."""
    averaging: float = 0.0
    """Decay rate of the running average of the weights, which is what is evaluated and kept; 0 keeps the weights themselves."""
    clip: float | None = None
    every_window_once: bool = False
    """Draw the windows of an epoch without putting them back, instead of each on its own."""


RECIPES = {
    "reference": Recipe("reference", eval_batches=200, learning_rate=3e-4),
    "best": Recipe(
        "zero-residual",
        eval_batches=32,
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
    """Draw the initial weights of ``model`` for a seed, the same on every device.

    Parameters
    ----------
    scheme : ``reference`` draws every matrix from N(0, 0.02), the projections back into the residual stream from
        N(0, 0.02 / sqrt(2 n_layer)), as GPT-2. ``zero-residual`` draws the two tables from N(0, 0.1) and starts these projections at zero,
        so that every block begins by passing its input on unchanged.

    Raises
    ------
    ValueError
        If there is no such scheme.
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


def build_optimizers(model: GPT, recipe: Recipe) -> list[Optimizer]:
    """Return the optimizers of a recipe; each parameter belongs to exactly one."""
    parameters = dict(model.named_parameters())
    matrices = {name: p for name, p in parameters.items() if name.startswith("h.") and p.dim() == 2}
    if recipe.matrix_learning_rate is None:
        matrices = {}
    rest = [p for name, p in parameters.items() if name not in matrices]
    optimizers: list[Optimizer] = [
        AdamW(rest, recipe.learning_rate, betas=recipe.betas, weight_decay=recipe.weight_decay, fused=True)
    ]
    if recipe.matrix_learning_rate is not None:
        decay = recipe.matrix_weight_decay
        optimizers.append(SOAP(_matrix_groups(matrices), recipe.matrix_learning_rate, weight_decay=decay))
    for group in (group for optimizer in optimizers for group in optimizer.param_groups):
        group["peak"] = group["lr"]
    return optimizers


def _matrix_groups(matrices: dict[str, torch.nn.Parameter]) -> list[dict[str, Any]]:
    """Return the matrices of the blocks; query, key and value are stored as one but are three."""
    attention = [p for name, p in matrices.items() if name.endswith("c_attn.weight")]
    others = [p for name, p in matrices.items() if not name.endswith("c_attn.weight")]
    return [{"params": attention, "parts": 3}, {"params": others}]


def apply_schedule(optimizers: Sequence[Optimizer], recipe: Recipe, step: int, steps: int, scale: float = 1.0) -> None:
    """Set the learning rates for the step from ``step`` to ``step + 1`` of ``steps``, all times ``scale``."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * scale * schedule(recipe, step, steps)


def schedule(recipe: Recipe, step: int, steps: int) -> float:
    """Return the learning rate at ``step`` of ``steps`` as a share of its peak.

    Examples
    --------
    >>> [round(schedule(RECIPES["best"], step, 5000), 3) for step in (0, 99, 2500, 5000)]
    [0.01, 0.981, 0.525, 0.05]
    >>> schedule(RECIPES["reference"], 4999, 5000)
    1.0
    """
    rise = min(1.0, (step + 1) / recipe.warmup_steps) if recipe.warmup_steps else 1.0
    return rise * (1 - (1 - recipe.falls_to) * step / steps)


def average(averaged: GPT, model: GPT, recipe: Recipe, step: int) -> None:
    """Let the running average of the weights follow ``model`` after the step from ``step`` on.

    The average looks back over a tenth of the steps so far at first, and over 1 / (1 - averaging) steps at last: it smooths the noise of
    small batches as a lower learning rate would, while the weights themselves still move fast (Polyak and Juditsky 1992).
    """
    if averaged is not model:
        weight = 1 - min(recipe.averaging, (step + 1) / (step + 10))
        torch._foreach_lerp_([p.data for p in averaged.parameters()], [p.data for p in model.parameters()], weight)


def clip(model: GPT, recipe: Recipe) -> None:
    """Clip the gradients where the recipe says so."""
    if recipe.clip is not None:
        torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
