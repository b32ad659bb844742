"""Shares of a batch: which of its rows each process learns from, in which micro-batches, and with which weight.

A step has one batch, however many processes there are; it follows from seed and step. Each process takes a share of adjacent rows and
cuts it into micro-batches. DDP and FSDP average the gradients of the processes, so the mean loss of a micro-batch of b rows counts
b * processes / B: the average is then the gradient of the mean loss over all B rows, also where shares differ by a row.
"""

from __future__ import annotations

import itertools

from data.errors import InputError


def micro_batches(n_rows: int, accumulate: int, rank: int = 0, processes: int = 1) -> list[slice]:
    """List the rows of each micro-batch of a process.

    Parameters
    ----------
    n_rows : sequences in the batch of a step.
    accumulate : micro-batches of each process in a step.
    rank, processes : of this process; of all.

    Examples
    --------
    >>> micro_batches(10, 2, rank=1, processes=2)
    [slice(5, 7, None), slice(7, 10, None)]
    """
    first, last = n_rows * rank // processes, n_rows * (rank + 1) // processes
    n_own = last - first
    bounds = [first + n_own * number // accumulate for number in range(accumulate + 1)]
    return [slice(start, end) for start, end in itertools.pairwise(bounds)]


def loss_weight(rows: slice, n_rows: int, processes: int = 1) -> float:
    """Compute the weight of the mean loss of some rows in a step whose gradients are averaged over the processes."""
    weight: float = (rows.stop - rows.start) * processes / n_rows
    return weight


def check_shares(n_rows: int, accumulate: int, processes: int) -> None:
    """Check that every micro-batch has a row; an `InputError` says what to change."""
    needed = accumulate * processes
    if n_rows >= needed:
        return
    among = f"{processes} processes" if processes > 1 else ""
    into = f"{accumulate} micro-batches{' each' * (processes > 1)}" if accumulate > 1 else ""
    divided = " with ".join(filter(None, (among, into)))
    advice = f"pass `batch_size={needed}` or more" + ", or a smaller `accumulate`" * (accumulate > 1)
    raise InputError(f"a batch of {n_rows} cannot be divided among {divided}: {advice}")
