"""The parts of t-SNE that a torch device computes, with the data that stay there between calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from viz.projection.affinities import NeighbourLists
from viz.projection.torch_engine.block_search import nearest_neighbours
from viz.projection.torch_engine.device_gradient import DeviceAffinities, interpolated_gradient


@dataclass(frozen=True)
class TorchEngine:
    """The neighbour search and the gradient of t-SNE on a device of torch."""

    device: torch.device

    def nearest_neighbours(self, vectors: NDArray[np.float64], count: int) -> NeighbourLists:
        """Find the ``count`` nearest neighbours of each of the vectors (item, dim), and their distances; (item, count)."""
        return nearest_neighbours(vectors, count, self.device)

    def place(self, affinities: Any) -> DeviceAffinities:
        """Copy sparse affinities (item, item) to the device, as `gradient` takes them."""
        return DeviceAffinities(affinities, self.device)

    @staticmethod
    def gradient(*arguments: Any, **options: Any) -> tuple[float, NDArray[np.float64]]:
        """Compute the gradient, see `viz.projection.torch_engine.device_gradient.interpolated_gradient`."""
        return interpolated_gradient(*arguments, **options)
