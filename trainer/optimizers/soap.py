"""SOAP: Adam in coordinates in which a matrix's gradients are uncorrelated, for many small matrices at once.

References
----------
Gupta, Koren and Singer (2018), Shampoo: preconditioned stochastic tensor optimization.
Vyas et al. (2024), SOAP: improving and stabilizing Shampoo using Adam, algorithm 3. Unlike there, the average gradient is stored in
the coordinates and rotated when they are refreshed, which saves a rotation at every step.
Lin et al. (2025), Understanding and improving Shampoo and SOAP via Kullback-Leibler minimization: the scaling, here with scales from
Adam's squares.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from trainer.parallel.data_parallel import like, own_part, whole
from trainer.parallel.state_shares import gather_shares, gather_state, own_share, own_state

SMALLEST_SHARE = 1e-3
"""Lower bound on the mean square gradient of a coordinate, as a share of the average."""
TINY = 1e-30


class SOAP(Optimizer):
    """Adam in coordinates in which a matrix's gradients are uncorrelated.

    For gradients G of shape (rows, columns), running averages of G Gᵀ and Gᵀ G estimate the covariances of the rows and of the
    columns. Their eigenvectors are the coordinates. Every ``refresh_every`` steps (and at steps 1, 2, 4, ... before) the coordinates
    follow the averages by one round of orthogonal iteration. Before a gradient enters the average of one side, it is scaled to equal
    size along the coordinates of the other side, so that a few large ones do not dominate. Matrices of one shape, turned so that the
    longer side stands upright, are stacked and updated together, which on a small model is several times faster than one after
    another. Processes that train together share the matrices: each holds the state of some, and sends their updates to the others.

    Parameters
    ----------
    params : matrices, or groups of them; all need a gradient at every step. A group's ``parts`` (default: 1 for each) are the numbers
        of equal blocks of rows into which its matrices are split, each treated as a matrix (3 for query, key and value stored as one).
    lr : learning rate.
    betas : decay rates of the average gradient, of its square in the coordinates, and of the covariances.
    eps : added to the root of the squares.
    weight_decay : decoupled, as in AdamW.
    nesterov : give the newest gradient the weight it will have after the next step, which reduces the lag of the average.
    refresh_every : steps between refreshes of the coordinates.
    average_every : steps from one gradient to the next that enters the covariances; `betas` stay those of single steps.
    largest_side : a longer side keeps its own coordinates.

    Examples
    --------
    >>> weight = torch.nn.Parameter(torch.ones(4, 3))
    >>> optimizer = SOAP([weight], lr=0.1)
    >>> for _ in range(30):
    ...     weight.grad = 2 * weight.detach()  # of the sum of squares, 12 at first
    ...     optimizer.step()
    >>> bool(weight.square().sum() < 3)
    True
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
        refresh_every: int = 20,
        average_every: int = 2,
        largest_side: int = 1024,
    ):
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "parts": None}
        defaults |= {"nesterov": nesterov, "refresh_every": refresh_every, "average_every": average_every}
        defaults |= {"largest_side": largest_side}
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """Take one optimizer step."""
        for group in self.param_groups:
            for matrices, parts in _stacks(group["params"], group["parts"]):
                gradient = torch.cat([_upright(_gradient(p), n) for p, n in zip(matrices, parts, strict=True)])
                # The state of a stack is stored with its first matrix, where state_dict finds it.
                update = torch.split(_shared_direction(gradient, self.state[matrices[0]], group), parts)
                changes = [own_part(like(p, _turned_back(u, p.shape))) for p, u in zip(matrices, update, strict=True)]
                weights = [own_part(p) for p in matrices]
                if group["weight_decay"]:
                    torch._foreach_mul_(weights, 1 - group["lr"] * group["weight_decay"])
                torch._foreach_add_(weights, changes, alpha=-group["lr"])

    def state_dict(self) -> dict[str, Any]:
        """Return the state as one process would have it. Where several share it, all must ask."""
        described = super().state_dict()
        described["state"] = {number: gather_state(state) for number, state in described["state"].items()}
        return described

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load what `state_dict` returned; of several processes each keeps the state of its own matrices.

        Raises
        ------
        ValueError
            If the matrices were stacked otherwise, as an earlier version did.
        """
        self._check_stacks(state_dict["state"])
        own = {number: own_state(state) for number, state in state_dict["state"].items()}
        super().load_state_dict({**state_dict, "state": own})

    def _check_stacks(self, states: Mapping[int, Mapping[str, Any]]) -> None:
        numbers = {p: number for number, p in enumerate(p for group in self.param_groups for p in group["params"])}
        expected = {}
        for group in self.param_groups:
            for matrices, parts in _stacks(group["params"], group["parts"]):
                expected[numbers[matrices[0]]] = (sum(parts), *_upright(matrices[0], parts[0]).shape[1:])
        found = {number: tuple(state["mean"].shape) for number, state in states.items()}
        if found and found != expected:
            raise ValueError("the state of SOAP is of other stacks of matrices")


def _gradient(p: Tensor) -> Tensor:
    if p.grad is None or p.dim() != 2:
        what = "no gradient" if p.dim() == 2 else f"{p.dim()} dimensions"
        raise ValueError(f"SOAP trains matrices with a gradient; one of shape {tuple(p.shape)} has {what}")
    return whole(p.grad)


def _stacks(matrices: Sequence[Tensor], parts: Sequence[int] | None) -> list[tuple[list[Tensor], list[int]]]:
    """Sort matrices by the shape of their parts, whichever side is the longer; return those of one shape, and their numbers of parts."""
    found: dict[tuple[int, ...], tuple[list[Tensor], list[int]]] = {}
    for p, n in zip(matrices, parts or [1] * len(matrices), strict=True):
        members, numbers = found.setdefault(tuple(sorted((p.shape[0] // n, *p.shape[1:]))), ([], []))
        members.append(p)
        numbers.append(n)
    return list(found.values())


def _upright(matrix: Tensor, parts: int) -> Tensor:
    """Split a matrix into equal blocks of rows, turned so that none is wider than high; (part, row, column)."""
    blocks = matrix.view(parts, -1, matrix.shape[1])
    return blocks.mT if blocks.shape[1] < blocks.shape[2] else blocks


def _turned_back(blocks: Tensor, shape: torch.Size) -> Tensor:
    """Undo `_upright` for a matrix of a shape."""
    is_turned = blocks.shape[2] != shape[1]
    return (blocks.mT if is_turned else blocks).reshape(shape)


def _shared_direction(gradient: Tensor, state: dict[str, Any], group: dict[str, Any]) -> Tensor:
    """Compute the direction of descent for stacked gradients; of several processes each computes that of its own matrices."""
    own = gradient[own_share(len(gradient))]
    direction = _direction(own, state, group) if len(own) else own
    return gather_shares(direction, len(gradient))


def _direction(gradient: Tensor, state: dict[str, Any], group: dict[str, Any]) -> Tensor:
    """Compute the direction of descent for stacked gradients (n, rows, columns), and update ``state``."""
    if not state:
        state |= _first_state(gradient, group["largest_side"])
    state["step"] += 1
    beta_mean, beta_square, beta_covariance = group["betas"]
    by_row, step = _rotate_rows(gradient, state), state["step"]
    # Early on, when everything changes, averages and coordinates follow more often.
    is_early = step < group["refresh_every"]
    if is_early or step % group["average_every"] == 0:
        beta = beta_covariance if is_early else beta_covariance ** group["average_every"]
        by_column = _rotate_columns(gradient, state)
        _update_covariance(state, "row", by_column / _relative_sizes(state["square"], along=-2), beta)
        _update_covariance(state, "column", (by_row / _relative_sizes(state["square"], along=-1)).mT, beta)
    # Rotating the longer side, the rows, is expensive: its rotation above is used again.
    rotated = _rotate_columns(by_row, state)
    state["mean"].lerp_(rotated, 1 - beta_mean)
    state["square"].lerp_(rotated.square(), 1 - beta_square)
    mean = rotated.lerp(state["mean"], beta_mean) if group["nesterov"] else state["mean"]
    scale = math.sqrt(1 - beta_square**step) / (1 - beta_mean ** (step + group["nesterov"]))
    update = _rotate_back(scale * mean / (state["square"].sqrt() + group["eps"]), state)
    if step % group["refresh_every"] == 0 or (is_early and step.bit_count() == 1):
        _refresh(state)
    return update


def _first_state(gradient: Tensor, largest_side: int) -> dict[str, Any]:
    """Initialise the averages with zero, and the coordinates from the first gradient."""
    state: dict[str, Any] = {"step": 0, "mean": torch.zeros_like(gradient), "square": torch.zeros_like(gradient)}
    for side, length in (("row", gradient.shape[1]), ("column", gradient.shape[2])):
        if length <= largest_side:
            state[f"{side}_covariance"] = gradient.new_zeros(len(gradient), length, length)
            state[f"{side}_basis"] = _eigenvectors(gradient @ gradient.mT if side == "row" else gradient.mT @ gradient)
    return state


def _update_covariance(state: dict[str, Any], side: str, scaled: Tensor, beta: float) -> None:
    """Update the covariance of one side with stacked gradients that have this side as rows and are scaled along the other."""
    if f"{side}_covariance" in state:
        state[f"{side}_covariance"].baddbmm_(scaled, scaled.mT, beta=beta, alpha=1 - beta)


def _relative_sizes(square: Tensor, along: int) -> Tensor:
    """Compute the root mean square along one dimension relative to that of the whole matrix; 1 where all is zero."""
    mean = square.mean((-2, -1), keepdim=True)
    return ((square.mean(along, keepdim=True) + SMALLEST_SHARE * mean + TINY) / (mean + TINY)).sqrt()


def _rotate_rows(matrices: Tensor, state: dict[str, Any]) -> Tensor:
    return state["row_basis"].mT @ matrices if "row_basis" in state else matrices


def _rotate_columns(matrices: Tensor, state: dict[str, Any]) -> Tensor:
    return matrices @ state["column_basis"] if "column_basis" in state else matrices


def _rotate_back(matrices: Tensor, state: dict[str, Any]) -> Tensor:
    """Undo `_rotate_rows` and `_rotate_columns`."""
    if "row_basis" in state:
        matrices = state["row_basis"] @ matrices
    return matrices @ state["column_basis"].mT if "column_basis" in state else matrices


def _refresh(state: dict[str, Any]) -> None:
    """Update the coordinates from the covariances, and rotate the average gradient into the new coordinates.

    Orthogonal iteration: a basis that is multiplied by the covariance and made orthonormal again moves towards the eigenvectors,
    ordered by falling eigenvalue. The squares are not rotated: the eigenvectors move little between two refreshes.
    """
    mean = _rotate_back(state["mean"], state)
    for side in ("row", "column"):
        if f"{side}_basis" in state:
            state[f"{side}_basis"] = _orthonormal(state[f"{side}_covariance"] @ state[f"{side}_basis"])
    state["mean"] = _rotate_columns(_rotate_rows(mean, state), state)


def _eigenvectors(symmetric: Tensor) -> Tensor:
    """Compute the eigenvectors of stacked symmetric matrices, as columns ordered by falling eigenvalue."""
    return _on_cpu_for_mps(lambda x: torch.linalg.eigh(x)[1].flip(-1), symmetric)


def _orthonormal(columns: Tensor) -> Tensor:
    return _on_cpu_for_mps(lambda x: torch.linalg.qr(x)[0], columns)


def _on_cpu_for_mps(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Compute ``function(x)`` in row-major order, on the CPU for mps, where torch has neither eigh nor qr.

    The memory layout matters to a resumed run: a matrix product of another layout rounds differently, and tensors read from a file
    are row-major.
    """
    y = function(x.cpu() if x.device.type == "mps" else x)
    return y.to(x.device).contiguous()
