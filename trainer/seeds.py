"""Random numbers for several purposes out of one seed: each purpose has a stream of its own."""

from __future__ import annotations

import numpy as np
import torch

NEW_ROWS, TASK_HEAD = 0, 1


def generator(seed: int, purpose: int) -> torch.Generator:
    """Return a generator for one purpose of a seed.

    With the seed itself for all of them, what is drawn for one would be what is drawn for the next: rows for new tokens that point where
    the first rows of the token table do.

    Examples
    --------
    >>> rows, head = (torch.randn(2, generator=generator(1337, purpose)) for purpose in (NEW_ROWS, TASK_HEAD))
    >>> bool((rows == head).any())
    False
    """
    # On a CPU torch heeds only the lower 32 bits of a seed, so seed and purpose are hashed into as many.
    return torch.Generator().manual_seed(int(np.random.SeedSequence(seed, spawn_key=(purpose,)).generate_state(1)[0]))
