"""Shares of a batch: every row is learned from once, and the weighted losses average to the mean over all rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import InputError
from trainer.parallel.batch_shares import check_shares, loss_weight, micro_batches


@given(st.integers(1, 5), st.integers(1, 6), st.integers(0, 40))
def test_every_row_is_in_one_micro_batch_of_one_process(processes: int, accumulate: int, more: int) -> None:
    n_rows = processes * accumulate + more
    check_shares(n_rows, accumulate, processes)
    parts = [part for rank in range(processes) for part in micro_batches(n_rows, accumulate, rank, processes)]
    assert [row for part in parts for row in range(n_rows)[part]] == list(range(n_rows))
    sizes = [part.stop - part.start for part in parts]
    assert min(sizes) >= 1
    losses = np.random.default_rng(n_rows).normal(size=n_rows)
    weighted = [loss_weight(part, n_rows, processes) * losses[part].mean() for part in parts]
    assert sum(weighted) / processes == pytest.approx(losses.mean())


@pytest.mark.parametrize(
    ("rows", "accumulate", "processes", "message"),
    [
        (3, 1, 4, "a batch of 3 cannot be divided among 4 processes: pass `batch_size=4` or more"),
        (3, 4, 1, "cannot be divided among 4 micro-batches: pass `batch_size=4` or more, or a smaller `accumulate`"),
        (7, 4, 2, "among 2 processes with 4 micro-batches each: pass `batch_size=8` or more"),
    ],
)
def test_a_batch_that_is_too_small_is_refused(rows: int, accumulate: int, processes: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_shares(rows, accumulate, processes)
