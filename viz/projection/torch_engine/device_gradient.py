"""The interpolated gradient of `viz.projection.interpolated_gradient` on a device of torch: the same grid, splines and kernels.

All is in single precision. Sums are taken in an order that does not change, so that a device gives the same bytes again; on Apple's GPUs
torch has no such sums.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray

from viz.projection.interpolated_gradient import MARGIN, Float32Array, grid_over, kernel_spectra


class DeviceAffinities:
    """Sparse affinities (item, item) on a device.

    openTSNE exaggerates affinities in place, and divides them again afterwards. Here this changes ``factor``: nothing is copied again.
    """

    def __init__(self, affinities: Any, device: torch.device) -> None:
        self.shape: tuple[int, int] = affinities.shape
        self.factor = 1.0
        self.starts = torch.from_numpy(affinities.indptr.astype(np.int64)).to(device)
        self.others = torch.from_numpy(affinities.indices.astype(np.int32)).to(device)
        items = torch.arange(self.shape[0], dtype=torch.int32, device=device)
        self.items = items.repeat_interleave(self.starts.diff())
        self.values = torch.from_numpy(affinities.data.astype(np.float32)).to(device)
        positive = affinities.data[affinities.data > 0].astype(np.float64)
        self.sum = float(positive.sum())
        self.negative_entropy = float(positive @ np.log(positive))

    @property
    def device(self) -> torch.device:
        """Where the affinities are."""
        return self.values.device

    def __imul__(self, factor: float) -> Self:
        self.factor *= factor
        return self

    def __itruediv__(self, divisor: float) -> Self:
        self.factor /= divisor
        return self


class DeviceSpectra(NamedTuple):
    """Transforms of the kernels on a device, see `viz.projection.interpolated_gradient.Spectra`.

    energy : of the similarity; multiplied by the squared absolute values of a spectrum and summed, it gives the sum over all pairs.
    forces : of the forces along both axes, complex, (2, x, y).
    """

    energy: torch.Tensor
    forces: torch.Tensor


def interpolated_gradient(
    embedding: NDArray[np.float64], affinities: DeviceAffinities, should_eval_error: bool = False, **_: Any
) -> tuple[float, NDArray[np.float64]]:
    """Compute the gradient of t-SNE in the plane approximately, and on request the divergence, with the signature that openTSNE calls.

    Parameters
    ----------
    embedding : (item, 2).
    affinities : on the device that computes; possibly exaggerated.

    Returns
    -------
    The divergence, and a quarter of its gradient (item, 2), as `viz.projection.interpolated_gradient.interpolated_gradient`.
    """
    points = np.asarray(embedding - np.mean(embedding, axis=0), dtype=np.float32)
    total, repulsion = repulsive_forces(points, affinities.device)
    columns = torch.from_numpy(np.ascontiguousarray(points.T)).to(affinities.device)  # (2, item)
    apart = torch.stack([_differences(column, affinities) for column in columns])  # (2, pair)
    squared = apart.square().sum(dim=0)
    weights = affinities.values / (1 + squared)
    pull = torch.stack([_sum_of_each_item(weights * along, affinities) for along in apart])
    gradient = affinities.factor * pull - repulsion / total
    divergence = _divergence(affinities, squared, float(total)) if should_eval_error else 0.0
    return divergence, gradient.T.cpu().numpy().astype(np.float64)


def repulsive_forces(points: Float32Array, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Sum the Student-t similarities of all pairs of points, and the repulsive force on each point.

    Parameters
    ----------
    points : (item, 2).
    device : where to compute.

    Returns
    -------
    The sum, a single number, and the forces (2, item), as `viz.projection.interpolated_gradient.repulsive_forces`.
    """
    over = grid_over(points)
    spectra = _spectra(over.cell, over.shape, device)
    placed = (points - over.lowest) / np.float32(over.cell) + np.float32(MARGIN)
    nodes, weights = _splines(torch.from_numpy(placed).to(device), over.shape[1])
    grid = torch.zeros(over.shape, dtype=torch.float32, device=device)
    _add_at(grid.view(-1), nodes.view(-1), weights.view(-1))
    charges = torch.fft.rfft2(grid)
    total = (torch.view_as_real(charges).square().sum(dim=-1) * spectra.energy).sum() - len(points)
    fields = torch.fft.irfft2(charges * spectra.forces, s=over.shape).flatten(1)  # (2, node)
    return total, torch.stack([(field[nodes] * weights).sum(dim=1) for field in fields])


@lru_cache(maxsize=4)
def _spectra(cell: float, shape: tuple[int, int], device: torch.device) -> DeviceSpectra:
    """Copy the spectra of the kernels to a device."""
    spectra = kernel_spectra(cell, shape)
    # By Parseval's theorem; half of the spectrum stands for all of it, but for the columns that are their own mirror images.
    times = np.full(spectra.similarity.shape[1], 2 / (shape[0] * shape[1]))
    times[0] /= 2
    if shape[1] % 2 == 0:
        times[-1] /= 2
    energy = (spectra.similarity * times).astype(np.float32)
    forces = 1j * np.stack([spectra.force_x, spectra.force_y])
    return DeviceSpectra(torch.from_numpy(energy).to(device), torch.from_numpy(forces.astype(np.complex64)).to(device))


def _splines(placed: torch.Tensor, n_columns: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Find the 16 nodes around each point (item, 2), in units of cells, by their places in the flat grid, and their weights; (item, 16)."""
    second = placed.long()  # of the four nodes along an axis
    f = placed - second
    g = 1 - f
    first, last = g**3 / 6, f**3 / 6
    between = (4 - 6 * f.square() + 3 * f**3) / 6
    along = torch.stack([first, between, 1 - first - between - last, last], dim=2)  # (item, axis, node)
    reach = torch.arange(-1, 3, device=placed.device)
    nodes = (second[:, :1] + reach)[:, :, None] * n_columns + (second[:, 1:] + reach)[:, None]
    return nodes.flatten(1), (along[:, 0, :, None] * along[:, 1, None]).flatten(1)


def _add_at(totals: torch.Tensor, places: torch.Tensor, values: torch.Tensor) -> None:
    """Add values at their places; a place may occur again."""
    if totals.is_cuda:  # index_add_ adds there in any order; this sorts the places first
        totals.index_put_((places,), values, accumulate=True)
    else:
        totals.index_add_(0, places, values)


def _differences(column: torch.Tensor, affinities: DeviceAffinities) -> torch.Tensor:
    """Compute the difference of the coordinates of both items of each pair, (pair,)."""
    return column.index_select(0, affinities.items) - column.index_select(0, affinities.others)


def _sum_of_each_item(values: torch.Tensor, affinities: DeviceAffinities) -> torch.Tensor:
    """Sum the values of pairs over the pairs of each item, (item,)."""
    if values.device.type == "mps":  # lacks segment_reduce
        return values.new_zeros(affinities.shape[0]).index_add_(0, affinities.items, values)
    return torch.segment_reduce(values, "sum", offsets=affinities.starts, unsafe=True)


def _divergence(affinities: DeviceAffinities, squared: torch.Tensor, total: float) -> float:
    """Compute the divergence as openTSNE wants it, of p log p(1 + d²) of the exaggerated affinities p and the sum of similarities."""
    factor, cross = affinities.factor, float((affinities.values * squared.log1p()).sum())
    return factor * (affinities.negative_entropy + cross + affinities.sum * float(np.log(factor * total)))
