"""The structure of the position table at every snapshot: whether similarity depends on distance alone, and how smooth the table is.

A table starts as white noise and learns order. The attribute ``white`` of each measure is what white noise would give: only what
rises above it was learned. The formulas are functions on arrays, in float64.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from data.arrays import FloatArray
from data.runs import Run
from probes.tables.embeddings import position_embeddings
from probes.tables.geometry import over_steps
from probes.tables.spread import centred, effective_rank, singular_values, stable_rank, unit_rows

ROUNDING = 1e-12  # cosines closer together than this are equal


def position_structure(run: Run) -> xr.Dataset:
    """Measure the structure of the position table at every whole snapshot.

    Parameters
    ----------
    run : the run to read.

    Returns
    -------
    Dataset, float64, with the coordinates ``step``, ``sha256`` and ``component`` (1 is the largest):

    - over (step,): ``toeplitz_fraction`` and ``low_frequency_energy`` (attribute ``white`` of both: what white noise gives; attribute
      ``bins`` of the second: the lowest and the highest DCT bin that are summed), ``effective_rank`` and ``stable_rank``;
    - over (step, component): ``singular_value``.

    All are of the column-centred table.

    Raises
    ------
    InputError
        If the model has no position table (with rotary positions, say): these measures do not apply to it. Or if the run has no
        whole snapshot.
    """
    trajectory = position_embeddings(run)
    steps = []
    for table in trajectory.values:
        spectrum = singular_values(table)
        steps.append(
            {
                "toeplitz_fraction": toeplitz_fraction(centred_cosines(table)),
                "low_frequency_energy": low_frequency_energy(table),
                "effective_rank": effective_rank(spectrum),
                "stable_rank": stable_rank(spectrum),
                "singular_value": spectrum,
            }
        )
    dataset = over_steps(trajectory, steps, {"singular_value": "component"}).drop_vars("position")
    positions = trajectory.sizes["position"]
    low = low_bins(positions)
    dataset["toeplitz_fraction"].attrs["white"] = 2 / (positions + 1)
    dataset["low_frequency_energy"].attrs.update(white=low / max(1, positions - 1), bins=(1, low))
    return dataset


def position_similarity(run: Run) -> xr.DataArray:
    """Compute the centred cosines of all pairs of positions at every whole snapshot.

    Parameters
    ----------
    run : the run to read.

    Returns
    -------
    Trajectory with dimensions (step, position, other), float32, from -1 to 1: the mean row is taken from each row first, since a
    vector that all positions share would make all of them similar. A position that stands at the mean has no direction: its
    cosines, that with itself included, are 0. Errors are those of `position_structure`.
    """
    trajectory = position_embeddings(run)
    return xr.DataArray(
        np.array([centred_cosines(table) for table in trajectory.values], dtype=np.float32),
        dims=("step", "position", "other"),
        coords={**trajectory.coords, "other": trajectory["position"].values},
        name="position_similarity",
        attrs=trajectory.attrs,
    )


def centred_cosines(table: ArrayLike) -> FloatArray:
    """Compute the cosines between the rows of a column-centred table (position, dim): (position, position).

    Examples
    --------
    >>> centred_cosines([[0, 5], [4, 5]])
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    directions = unit_rows(centred(table))
    return np.asarray(np.clip(directions @ directions.T, -1.0, 1.0))


def toeplitz_fraction(gram: ArrayLike) -> float:
    """Compute the share of the variance of similarities (position, position) that their distance explains.

    The similarities of a symmetric matrix (position, position) off its diagonal are replaced by the means of its diagonals; the
    fraction is 1 if that changes nothing, and 2 / (positions + 1) is expected of entries in random order. Where all similarities
    are equal, there is no variance to explain, and 0 is returned; so it is for fewer than three positions.

    Examples
    --------
    >>> round(toeplitz_fraction([[1, 0.8, 0.1], [0.8, 1, 0.6], [0.1, 0.6, 1]]), 4)  # 1 - 0.02 / 0.26
    0.9231

    References
    ----------
    That learned tables grow translation-invariant in training: Wennberg and Henter 2021, arXiv 2106.01950. The fraction is the
    coefficient of determination of a one-way analysis of variance, with the distance as the factor.
    """
    matrix = np.asarray(gram, dtype=np.float64)
    row, column = np.triu_indices(len(matrix), 1)
    similarity, distance = matrix[row, column], column - row
    if len(matrix) < 3 or np.ptp(similarity) < ROUNDING:
        return 0.0
    mean_at = np.bincount(distance - 1, similarity) / np.bincount(distance - 1)  # (distance,), from distance 1
    left = np.square(similarity - mean_at[distance - 1]).sum()
    return float(1 - left / np.square(similarity - similarity.mean()).sum())


def low_bins(positions: int) -> int:
    """Count the DCT bins that are low: a quarter of those above bin 0, rounded up.

    Bin 0 holds the mean row and is empty after centring.

    Examples
    --------
    >>> low_bins(32)  # of bins 1 to 31
    8
    """
    return -(-(positions - 1) // 4)


def low_frequency_energy(table: ArrayLike) -> float:
    """Compute the share of the energy of a column-centred table (position, dim) in its lowest DCT bins over the positions.

    The transform is of type II and orthonormal, so the energies of all bins add up to that of the table. The lowest bins are
    1 to `low_bins`; white noise has low_bins / (positions - 1) of its energy there. A table of equal rows has no energy: 0.

    Examples
    --------
    >>> round(low_frequency_energy([[1], [1], [-1], [-1]]), 4)  # bin 1 of 3: (2 + sqrt 2) / 4
    0.8536

    References
    ----------
    Ahmed, Natarajan and Rao 1974, "Discrete cosine transform", IEEE Transactions on Computers C-23, equation 1.
    """
    from scipy.fft import dct

    rows = centred(table)
    if not rows.any():
        return 0.0
    energy = np.square(dct(rows, type=2, norm="ortho", axis=0)).sum(axis=1)  # (bin,)
    return float(energy[1 : 1 + low_bins(len(rows))].sum() / energy.sum())
