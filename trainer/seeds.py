"""Random numbers that follow from a seed: one stream for each purpose, and one for the dropout of each step."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np
import torch

NEW_ROWS, TASK_HEAD = 0, 1


def generator(seed: int, purpose: int) -> torch.Generator:
    """Create the random generator of a seed for one purpose.

    If all purposes used the seed itself, they would draw the same numbers: the rows of new tokens would point in the same directions
    as the first rows of the token table.
    """
    return torch.Generator().manual_seed(_hashed(np.random.SeedSequence(seed, spawn_key=(purpose,))))


def seed_dropout(seed: int, step: int, rank: int = 0) -> None:
    """Seed the global random state for the dropout of a step, so that a resumed run drops the same activations.

    Every process of a training draws its own numbers, or rows at the same place in two shares of a batch would drop the same activations.
    """
    torch.manual_seed(_hashed(np.random.SeedSequence([seed, step], spawn_key=(rank,) if rank else ())))


def _hashed(sequence: np.random.SeedSequence) -> int:
    # On a CPU torch uses only the lower 32 bits of a seed, so everything is hashed into 32 bits.
    return int(sequence.generate_state(1)[0])


@contextlib.contextmanager
def own_random_state(device: torch.device) -> Iterator[None]:
    """Restore the caller's random state afterwards: dropout seeds the global one at every step."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        yield
