"""Shares of an optimizer's state: of many stacked matrices (n, ...) each process keeps some, and computes what follows from them.

A slot of a run holds the state as one process would have it, so that any number of processes can resume it.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from trainer.parallel.processes import count, first_decides, rank

State = dict[str, Any]
"""Tensors (n, ...) and numbers by name."""


def own_share(n: int) -> slice:
    """Return the places of ``n`` things that this process has; the last processes may have fewer than others, or none.

    Examples
    --------
    >>> own_share(12)
    slice(0, 12, None)
    """
    size = -(-n // count())
    return slice(min(rank() * size, n), min((rank() + 1) * size, n))


def gather_shares(own: Tensor, n: int) -> Tensor:
    """Gather the shares (own, ...) of all processes into a tensor (n, ...), in all of them."""
    if count() == 1:
        return own
    padded = own.new_zeros(-(-n // count()), *own.shape[1:])
    padded[: len(own)] = own
    pieces = [torch.empty_like(padded) for _ in range(count())]
    dist.all_gather(pieces, padded)
    return torch.cat(pieces)[:n]


def gather_state(state: State) -> State:
    """Gather a state that the processes share; numbers are the same in all that have a share."""
    if count() == 1:
        return state
    n = torch.tensor(_length(state))
    dist.all_reduce(n)
    # The first process has a share of everything, and says what there is and where.
    outline = first_decides(lambda: {name: _outline(value) for name, value in state.items()})
    found = {}
    for name, value in outline.items():
        is_tensor = isinstance(value, tuple)
        own = state[name] if name in state else value[0].to(value[1]) if is_tensor else value
        found[name] = gather_shares(own, int(n)) if is_tensor else value
    return found


def own_state(state: State) -> State:
    """Cut the share of this process out of a gathered state; it has nothing in it where there is no share."""
    if count() == 1:
        return state
    own = own_share(_length(state))
    if own.start == own.stop:
        return {}
    return {name: value[own].clone() if isinstance(value, Tensor) else value for name, value in state.items()}


def _length(state: State) -> int:
    return max((len(value) for value in state.values() if isinstance(value, Tensor)), default=0)


def _outline(value: Any) -> Any:
    """Describe a value for processes that have no share of it: an empty tensor with the kind of its device, or the number itself."""
    return (value[:0].cpu(), value.device.type) if isinstance(value, Tensor) else value
