"""Exact nearest neighbours on a device of torch: distances of a block of items to all others, as matrix products."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from viz.projection.affinities import NeighbourLists

BLOCK_BYTES = 256 << 20
"""Of the distances and differences that are held at a time."""
SPARE_CANDIDATES = 16
"""Neighbours beyond those wanted whose distances are computed again: products order near ones only up to rounding."""


def nearest_neighbours(vectors: NDArray[np.float64], count: int, device: torch.device) -> NeighbourLists:
    """Find the nearest neighbours of all items.

    Parameters
    ----------
    vectors : (item, dim).
    count : neighbours of each item, fewer than there are items.
    device : where to compute, in double precision if it has it.

    Returns
    -------
    The neighbours and their Euclidean distances, nearest first, (item, count). No item is its own neighbour, even if others equal it.

    Example
    -------
    >>> neighbours, distances = nearest_neighbours(np.array([[0.0], [3.0], [4.0]]), 1, torch.device("cpu"))
    >>> neighbours.ravel().tolist(), distances.ravel().tolist()
    ([1, 2, 1], [3.0, 1.0, 1.0])
    """
    # Products lose digits far from the origin; single precision would lose the neighbours in dense groups.
    precision = torch.float32 if device.type == "mps" else torch.float64
    centred = torch.from_numpy(vectors - vectors.mean(axis=0)).to(precision).to(device)
    n_candidates = min(len(vectors) - 1, count + SPARE_CANDIDATES)
    numbers_a_row = len(vectors) + 2 * n_candidates * vectors.shape[1]
    rows = max(1, BLOCK_BYTES // (numbers_a_row * centred.element_size()))
    squares = centred.square().sum(dim=1)
    found = [
        _block(centred, squares, start, min(start + rows, len(vectors)), n_candidates)
        for start in range(0, len(vectors), rows)
    ]
    neighbours, distances = (torch.cat([part[:, :count].cpu() for part in parts]) for parts in zip(*found, strict=True))
    return neighbours.numpy().astype(np.int32), distances.numpy().astype(np.float64)


def _block(
    vectors: torch.Tensor, squares: torch.Tensor, start: int, end: int, n_candidates: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Find the nearest items of those from ``start`` to ``end``, and their distances, nearest first, (row, candidate)."""
    block = vectors[start:end]
    # Squared distances less the row's own |x|², which changes no order.
    apart = torch.addmm(squares, block, vectors.T, alpha=-2)  # (row, item)
    own = torch.arange(end - start, device=vectors.device)
    apart[own, own + start] = torch.inf
    candidates = apart.topk(n_candidates, dim=1, largest=False).indices
    distances = (vectors[candidates] - block[:, None]).square_().sum(dim=2).sqrt_()
    ordered, order = distances.sort(dim=1, stable=True)
    return candidates.gather(1, order), ordered
