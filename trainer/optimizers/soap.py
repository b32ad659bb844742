"""SOAP: Adam in the coordinates in which a matrix' gradients are uncorrelated, for many small matrices at once.

References
----------
Gupta, Koren and Singer (2018), Shampoo: preconditioned stochastic tensor optimization.
Vyas et al. (2024), SOAP: improving and stabilizing Shampoo using Adam, algorithm 3.
Lin et al. (2025), Understanding and improving Shampoo and SOAP via Kullback-Leibler minimization.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

SMALLEST_SHARE = 1e-3
"""A coordinate whose mean square gradient is less than this share of the average counts as having this share."""
TINY = 1e-30


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
