"""Tables of random vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def noise(*shape: int, seed: int = 0) -> NDArray[np.float64]:
    """Draw a table from a normal distribution."""
    return np.random.default_rng(seed).normal(size=shape)
