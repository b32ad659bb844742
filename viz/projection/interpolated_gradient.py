"""The gradient of t-SNE for many points, in single precision: repulsion by interpolation on a grid, attraction along the pairs.

The repulsion between all pairs of points is a convolution. Each point is spread over the 4 x 4 nodes of a regular grid around it with
cubic B-splines, the grid is convolved by FFT, and the result is interpolated back at the points (as in the smooth particle-mesh Ewald
method; Linderman et al. use polynomials instead, with more transforms on a finer grid). The spectra of the kernels depend on the grid
alone. A layout fills the same grid for many iterations, so they are kept.

References
----------
Linderman, Rachh, Hoskins, Steinerberger and Kluger 2019, "Fast interpolation-based t-SNE for improved visualization of single-cell
RNA-seq data", Nature Methods 16.
Essmann, Perera, Berkowitz, Darden, Lee and Pedersen 1995, "A smooth particle mesh Ewald method", J. Chem. Phys. 103.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from viz.compiled import compiled

Float32Array = NDArray[np.float32]
Pairs = tuple[NDArray[np.int32], NDArray[np.int32], Float32Array]
"""Affinities in rows: where the pairs of each item start, the other item of each pair, and its affinity."""

WIDEST_CELL = 0.4
"""Largest distance of two nodes; the kernels vary over a distance of 1."""
FEWEST_CELLS = 64
"""Along the longer axis of a layout."""
MARGIN = 3
"""Nodes on each side of the layout: a B-spline covers four nodes."""
SHAPE_STEP = 32
"""The grid grows in steps of so many nodes, so that the spectra stay valid."""


class LayoutGrid(NamedTuple):
    """A regular grid over a layout.

    lowest : the smallest coordinate along each axis, (2,); it lies `MARGIN` cells inside the grid.
    cell : distance of two nodes.
    shape : nodes (x, y), with as many empty ones again as keep a periodic convolution from wrapping around.
    """

    lowest: Float32Array
    cell: float
    shape: tuple[int, int]


class Spectra(NamedTuple):
    """Transforms of the kernels on a periodic grid (x, y), corrected for the splines.

    similarity : of 1 / (1 + d²), real.
    force_x, force_y : of the displacement along an axis / (1 + d²)²; imaginary, its imaginary part.
    """

    similarity: Float32Array
    force_x: Float32Array
    force_y: Float32Array


def interpolated_gradient(
    embedding: NDArray[np.float64], affinities: Any, should_eval_error: bool = False, n_jobs: int = 1, **_: Any
) -> tuple[float, NDArray[np.float64]]:
    """Compute the gradient of t-SNE in the plane approximately, and on request the divergence, with the signature that openTSNE calls.

    Parameters
    ----------
    embedding : (item, 2).
    affinities : (item, item), sparse rows (CSR) in single precision, possibly exaggerated.
    n_jobs : threads.

    Returns
    -------
    The divergence, and a quarter of its gradient (item, 2): openTSNE leaves the factor 4 to the learning rate.

    References
    ----------
    Van der Maaten and Hinton 2008, "Visualizing data using t-SNE", equation 5.
    """
    points = np.asarray(embedding - np.mean(embedding, axis=0), dtype=np.float32)
    total, repulsion = repulsive_forces(points, n_jobs)
    pull, pairs = np.empty_like(points), (affinities.indptr, affinities.indices, affinities.data)
    ends = np.linspace(0, len(points), n_jobs + 1).astype(int)
    with ThreadPoolExecutor(n_jobs) as pool:
        list(pool.map(lambda part: _attract(pairs, points, pull, *part), pairwise(ends)))
    divergence = 0.0
    if should_eval_error:
        divergence = _cost(pairs, points) + float(affinities.data.sum(dtype=np.float64) * np.log(total))
    return divergence, (pull - repulsion / np.float32(total)).astype(np.float64)


def repulsive_forces(points: Float32Array, n_jobs: int = 1) -> tuple[float, Float32Array]:
    """Sum the Student-t similarities of all pairs of points, and the repulsive force on each point.

    Parameters
    ----------
    points : (item, 2).
    n_jobs : threads of the transforms.

    Returns
    -------
    The sum of 1 / (1 + d²) over all ordered pairs of different points; and for each point the sum over all others of the
    displacement from there / (1 + d²)², (item, 2).
    """
    over = grid_over(points)
    spectra = kernel_spectra(over.cell, over.shape)
    placed = (points - over.lowest) / np.float32(over.cell) + np.float32(MARGIN)
    grid = np.zeros(over.shape, dtype=np.float32)
    _spread(placed, grid)
    charges = scipy.fft.rfft2(grid, workers=n_jobs)
    total = _inner_product(charges, spectra.similarity, grid.shape) - len(points)
    forces = np.empty_like(points)
    for axis, kernel in enumerate((spectra.force_x, spectra.force_y)):
        field = scipy.fft.irfft2(charges * (1j * kernel), s=grid.shape, workers=n_jobs, overwrite_x=True)
        _gather(placed, field, forces, axis)
    return total, forces


def grid_over(points: Float32Array) -> LayoutGrid:
    """Choose the grid over a layout (item, 2)."""
    columns = np.ascontiguousarray(points.T)
    span = np.ptp(columns, axis=1)
    cell = _cell(float(span.max()))
    x, y = (_padded(int(-(-(extent / cell + 2 * MARGIN) // SHAPE_STEP) * SHAPE_STEP)) for extent in span)
    return LayoutGrid(columns.min(axis=1), cell, (x, y))


def _cell(span: float) -> float:
    """Choose the distance of two nodes for the longer side of a layout, in steps of the square root of 2."""
    halvings = max(0, int(np.ceil(2 * np.log2(WIDEST_CELL * FEWEST_CELLS / max(span, 1e-12)))))
    return float(WIDEST_CELL * 2 ** (-halvings / 2))


def _padded(length: int) -> int:
    """Find a length at which a periodic convolution of ``length`` nodes does not wrap around."""
    return int(scipy.fft.next_fast_len(2 * length, real=True))


def _inner_product(charges: NDArray[np.complex64], spectrum: Float32Array, shape: tuple[int, ...]) -> float:
    """Compute the energy sum of a grid with its convolution, by Parseval's theorem, from half of the spectrum."""
    power = (charges.real**2 + charges.imag**2) * spectrum
    twice = 2 * power.sum(dtype=np.float64) - power[:, 0].sum(dtype=np.float64)
    if shape[1] % 2 == 0:
        twice -= power[:, -1].sum(dtype=np.float64)
    return float(twice / (shape[0] * shape[1]))


@lru_cache(maxsize=4)
def kernel_spectra(cell: float, shape: tuple[int, int]) -> Spectra:
    """Transform the kernels for a periodic grid of ``shape`` nodes at a distance of ``cell``."""
    offsets = [cell * length * np.fft.fftfreq(length) for length in shape]
    x, y = offsets[0][:, None], offsets[1][None, :]
    similarity = 1 / (1 + x**2 + y**2)
    # A wave sampled at the nodes and interpolated with cubic B-splines is damped by (2 + cos) / 3 in each argument of a kernel.
    damping = [(2 + np.cos(2 * np.pi * np.fft.fftfreq(length))) / 3 for length in shape]
    correction = 1 / np.outer(damping[0], damping[1][: shape[1] // 2 + 1]) ** 2
    transformed = [
        scipy.fft.rfft2(kernel) * correction for kernel in (similarity, x * similarity**2, y * similarity**2)
    ]
    return Spectra(
        *(part.astype(np.float32) for part in (transformed[0].real, transformed[1].imag, transformed[2].imag))
    )


@compiled
def _spline(fraction: np.float32) -> tuple[np.float32, np.float32, np.float32, np.float32]:
    """Compute the weights of the four nodes around a point that lies ``fraction`` of a cell behind the second."""
    f, sixth = fraction, np.float32(1 / 6)
    g = np.float32(1) - f
    square, cube = f * f, f * f * f
    first, last = g * g * g * sixth, cube * sixth
    second = (np.float32(4) - np.float32(6) * square + np.float32(3) * cube) * sixth
    return first, second, np.float32(1) - first - second - last, last


@compiled
def _spread(placed: Float32Array, grid: Float32Array) -> None:
    """Add the splines of all points (item, 2), in units of cells, to a grid."""
    for i in range(len(placed)):
        column, row = int(placed[i, 0]), int(placed[i, 1])
        along_x, along_y = _spline(placed[i, 0] - column), _spline(placed[i, 1] - row)
        for a in range(4):
            for b in range(4):
                grid[column - 1 + a, row - 1 + b] += along_x[a] * along_y[b]


@compiled
def _gather(placed: Float32Array, field: Float32Array, values: Float32Array, axis: int) -> None:
    """Interpolate a field at all points (item, 2), in units of cells, into ``values[:, axis]``."""
    for i in range(len(placed)):
        column, row = int(placed[i, 0]), int(placed[i, 1])
        along_x, along_y = _spline(placed[i, 0] - column), _spline(placed[i, 1] - row)
        value = np.float32(0)
        for a in range(4):
            for b in range(4):
                value += along_x[a] * along_y[b] * field[column - 1 + a, row - 1 + b]
        values[i, axis] = value


@partial(compiled, fastmath=True)
def _attract(pairs: Pairs, points: Float32Array, pull: Float32Array, first: int, end: int) -> None:
    """Sum the attractive forces on the points from ``first`` to ``end`` into ``pull``."""
    starts, others, affinities = pairs
    for i in range(first, end):
        x, y, pull_x, pull_y = points[i, 0], points[i, 1], np.float32(0), np.float32(0)
        for pair in range(starts[i], starts[i + 1]):
            dx, dy = x - points[others[pair], 0], y - points[others[pair], 1]
            weight = affinities[pair] / (np.float32(1) + dx * dx + dy * dy)
            pull_x += weight * dx
            pull_y += weight * dy
        pull[i, 0], pull[i, 1] = pull_x, pull_y


@compiled
def _cost(pairs: Pairs, points: Float32Array) -> float:
    """Compute the divergence but for the sum of similarities: of each pair p log(p (1 + d²))."""
    starts, others, affinities = pairs
    total = 0.0
    for i in range(len(points)):
        for pair in range(starts[i], starts[i + 1]):
            j, p = others[pair], affinities[pair]
            if p > 0:
                total += p * np.log(p * (1 + (points[i, 0] - points[j, 0]) ** 2 + (points[i, 1] - points[j, 1]) ** 2))
    return total
