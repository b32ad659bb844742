"""Recipes: how a GPT is trained, from the draw of its first weights to the last step.

Two recipes have a name. ``reference`` trains as GPTLab did: AdamW at a constant learning rate. ``best`` treats the matrices inside
the blocks apart from everything else. In the coordinates that the weights of a matrix happen to be stored in, its gradient is
strongly correlated. `SOAP` turns the gradient into coordinates in which it is not, and there does what Adam does; tables, gains and
biases stay with AdamW. Learning rates rise over the first steps and then fall in a straight line to a small share, and what is
evaluated and kept is a running average of the weights: both average out the noise of the small batches.

References
----------
Loshchilov and Hutter (2019), Decoupled weight decay regularization (AdamW).
Gupta, Koren and Singer (2018), Shampoo: preconditioned stochastic tensor optimization.
Vyas et al. (2024), SOAP: improving and stabilizing Shampoo using Adam, algorithm 3.
Polyak and Juditsky (1992), Acceleration of stochastic approximation by averaging.
Lin et al. (2025), Understanding and improving Shampoo and SOAP via Kullback-Leibler minimization.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.optim import AdamW, Optimizer

from trainer.model import GPT

SMALLEST_SHARE = 1e-3
"""A coordinate whose mean square gradient is less than this share of the average counts as having this share."""
TINY = 1e-30


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


class SOAP(Optimizer):
    """Adam in the coordinates in which a matrix' gradients are uncorrelated.

    For gradients G of shape (rows, columns), running averages of G Gᵀ and Gᵀ G say how the rows and the columns of G vary together.
    Their eigenvectors are the coordinates; every ``refresh_every`` steps (and at steps 1, 2, 4, ... before) these follow the averages
    by one round of orthogonal iteration. What enters the average of one side is first scaled to equal size along the coordinates of the
    other, so that a few large ones do not hide the rest. Matrices of one shape are stacked and treated at once, which on a small model
    is several times faster than one after the other.

    Parameters
    ----------
    params : matrices, or groups of them; all need a gradient at every step. A group's ``parts`` (1) cuts each of its matrices into so many
        equal blocks of rows, which are treated as matrices of their own (3: query, key and value stored as one).
    lr : learning rate.
    betas : decay rates of the average gradient, of its square in the coordinates, and of G Gᵀ and Gᵀ G.
    eps : added to the root of the squares.
    weight_decay : decoupled, as in AdamW.
    nesterov : give the newest gradient the weight it will have after the next step, so that the average lags less.
    refresh_every : steps between refreshes of the coordinates.
    largest_side : a side longer than this keeps the coordinates it has.

    Examples
    --------
    >>> weight = torch.nn.Parameter(torch.ones(4, 3))
    >>> optimizer = SOAP([weight], lr=0.1)
    >>> for _ in range(30):
    ...     weight.grad = 2 * weight.detach()  # of the sum of squares, 12 at first
    ...     optimizer.step()
    >>> bool(weight.square().sum() < 3)
    True

    References
    ----------
    Vyas et al. (2024), algorithm 3; unlike there, the average gradient is held in the coordinates and turned along when they are
    refreshed, which saves a rotation at every step. The scaling is that of Lin et al. (2025), with scales taken from Adam's squares.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float,
        *,
        betas: tuple[float, float, float] = (0.95, 0.95, 0.95),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        nesterov: bool = True,
        refresh_every: int = 10,
        largest_side: int = 1024,
    ):
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "parts": 1}
        defaults |= {"nesterov": nesterov, "refresh_every": refresh_every, "largest_side": largest_side}
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Move every matrix one step down its gradient; return what ``closure``, if given, returned."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for matrices in _equal_shapes(group["params"]):
                gradient = _stack([_gradient(p) for p in matrices], group["parts"])
                # The state of a stack belongs to its first matrix, where state_dict finds it.
                update = _whitened(gradient, self.state[matrices[0]], group).reshape(len(matrices), *matrices[0].shape)
                if group["weight_decay"]:
                    torch._foreach_mul_(matrices, 1 - group["lr"] * group["weight_decay"])
                torch._foreach_add_(matrices, list(update.unbind()), alpha=-group["lr"])
        return loss


def _equal_shapes(params: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    for shape in dict.fromkeys(p.shape for p in params):
        yield [p for p in params if p.shape == shape]


def _gradient(p: Tensor) -> Tensor:
    if p.grad is None or p.dim() != 2:
        what = "no gradient" if p.dim() == 2 else f"{p.dim()} dimensions"
        raise ValueError(f"SOAP moves matrices with a gradient; one of shape {tuple(p.shape)} has {what}")
    return p.grad


def _stack(matrices: Sequence[Tensor], parts: int) -> Tensor:
    """Return matrices of one shape (rows, columns), each in parts, as one tensor (matrices * parts, rows / parts, columns)."""
    rows, columns = matrices[0].shape
    return torch.stack(list(matrices)).view(-1, rows // parts, columns)


def _whitened(gradient: Tensor, state: dict[str, Any], group: dict[str, Any]) -> Tensor:
    """Return the direction of descent for stacked gradients (n, rows, columns) and bring ``state`` up to date."""
    if not state:
        state |= _first_state(gradient, group["largest_side"])
    state["step"] += 1
    beta_mean, beta_square, beta_covariance = group["betas"]
    by_row, by_column = _turn_rows(gradient, state), _turn_columns(gradient, state)
    _follow(state, "row", by_column / _sizes(state["square"], along=-2), beta_covariance)
    _follow(state, "column", (by_row / _sizes(state["square"], along=-1)).mT, beta_covariance)
    # The longer side is dear to turn: it is turned once, in the order that keeps it from being turned again.
    turned = _turn_columns(by_row, state) if gradient.shape[1] >= gradient.shape[2] else _turn_rows(by_column, state)
    state["mean"].lerp_(turned, 1 - beta_mean)
    state["square"].lerp_(turned.square(), 1 - beta_square)
    mean = turned.lerp(state["mean"], beta_mean) if group["nesterov"] else state["mean"]
    gradients_in_mean = state["step"] + group["nesterov"]
    scale = math.sqrt(1 - beta_square ** state["step"]) / (1 - beta_mean**gradients_in_mean)
    update = _turn_back(scale * mean / (state["square"].sqrt() + group["eps"]), state)
    if _is_refreshed(state["step"], group["refresh_every"]):
        _refresh(state)
    return update


def _is_refreshed(step: int, refresh_every: int) -> bool:
    """Tell whether coordinates are due; early on, when everything changes, they are so more often."""
    return step % refresh_every == 0 or (step < refresh_every and step.bit_count() == 1)


def _first_state(gradient: Tensor, largest_side: int) -> dict[str, Any]:
    """Return averages at zero, and coordinates from the first gradient alone."""
    state: dict[str, Any] = {"step": 0, "mean": torch.zeros_like(gradient), "square": torch.zeros_like(gradient)}
    for side, length in (("row", gradient.shape[1]), ("column", gradient.shape[2])):
        if length <= largest_side:
            state[f"{side}_covariance"] = gradient.new_zeros(len(gradient), length, length)
            state[f"{side}_basis"] = gradient.new_zeros(len(gradient), length, length)
    for side in ("row", "column"):
        if f"{side}_basis" in state:
            state[f"{side}_basis"] = _eigenvectors(gradient @ gradient.mT if side == "row" else gradient.mT @ gradient)
    return state


def _follow(state: dict[str, Any], side: str, evened: Tensor, beta: float) -> None:
    """Take a stack of gradients with ``side`` as rows, evened out along the other side, into the covariance of that side."""
    if f"{side}_covariance" in state:
        state[f"{side}_covariance"].baddbmm_(evened, evened.mT, beta=beta, alpha=1 - beta)


def _sizes(square: Tensor, along: int) -> Tensor:
    """Return the root mean square along one dimension, relative to that of the whole matrix; ones where all is zero."""
    mean = square.mean((-2, -1), keepdim=True)
    return ((square.mean(along, keepdim=True) + SMALLEST_SHARE * mean + TINY) / (mean + TINY)).sqrt()


def _turn_rows(matrices: Tensor, state: dict[str, Any]) -> Tensor:
    return state["row_basis"].mT @ matrices if "row_basis" in state else matrices


def _turn_columns(matrices: Tensor, state: dict[str, Any]) -> Tensor:
    return matrices @ state["column_basis"] if "column_basis" in state else matrices


def _turn_back(matrices: Tensor, state: dict[str, Any]) -> Tensor:
    """Undo `_turn_rows` and `_turn_columns`."""
    if "row_basis" in state:
        matrices = state["row_basis"] @ matrices
    return matrices @ state["column_basis"].mT if "column_basis" in state else matrices


def _refresh(state: dict[str, Any]) -> None:
    """Let the coordinates follow the covariances, and the average gradient follow the coordinates.

    Orthogonal iteration: a basis multiplied by the covariance and made orthonormal again comes nearer to the eigenvectors, the
    largest eigenvalue first. The squares stay as they are: where the eigenvectors move little, their coordinates keep their meaning.
    """
    mean = _turn_back(state["mean"], state)
    for side in ("row", "column"):
        if f"{side}_basis" in state:
            state[f"{side}_basis"] = _orthonormal(state[f"{side}_covariance"] @ state[f"{side}_basis"])
    state["mean"] = _turn_columns(_turn_rows(mean, state), state)


def _eigenvectors(symmetric: Tensor) -> Tensor:
    """Return the eigenvectors of stacked symmetric matrices as columns, that of the largest eigenvalue first."""
    return _on_cpu_for_mps(lambda x: torch.linalg.eigh(x)[1].flip(-1), symmetric)


def _orthonormal(columns: Tensor) -> Tensor:
    return _on_cpu_for_mps(lambda x: torch.linalg.qr(x)[0], columns)


def _on_cpu_for_mps(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Return ``function(x)`` in row-major order; torch has no eigh and no qr of its own for mps.

    The order matters to a resumed run: a matrix product of another memory layout rounds differently, and what is read from a
    file is row-major.
    """
    y = function(x.cpu() if x.device.type == "mps" else x)
    return y.to(x.device).contiguous()


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
