"""One array a snapshot, gathered into one with ``step`` first; a large one is kept in a file, so that memory stays bounded."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from data.runs import Run
from trainer.loading import each_model
from trainer.model import GPT

Progress = Callable[[int], None]
"""Called with the number of snapshots done so far."""

MOST_BYTES_IN_MEMORY = 16_000_000


class Gathered:
    """An array that grows by one snapshot at a time; real numbers are kept as float32.

    What goes beyond `MOST_BYTES_IN_MEMORY` is written to a temporary file without a name and mapped back for reading, so it
    costs memory only where it is looked at. The file goes when the array goes.
    """

    def __init__(self) -> None:
        self._parts: list[NDArray[Any]] = []
        self._n_bytes = 0
        self._file: Any = None
        self._n_steps = 0
        self._shape: tuple[int, ...] = ()

    def add(self, values: NDArray[Any]) -> None:
        """Add the values of the next snapshot."""
        values = np.array(values)
        if np.issubdtype(values.dtype, np.floating):
            values = values.astype(np.float32)
        self._dtype = values.dtype
        self._shape = values.shape
        self._n_steps += 1
        self._parts.append(values)
        self._n_bytes += values.nbytes
        if self._n_bytes > MOST_BYTES_IN_MEMORY and not self._dtype.hasobject:
            self._flush()

    def array(self) -> NDArray[Any]:
        """Return everything that was added, (step, ...)."""
        if self._file is None:
            return np.stack(self._parts)
        self._flush()
        return np.memmap(self._file, dtype=self._dtype, mode="c", shape=(self._n_steps, *self._shape))

    def _flush(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115  closed by the next line
            weakref.finalize(self, self._file.close)  # a mapping outlives the file it was made from
        for part in self._parts:
            self._file.write(part.tobytes())
        self._file.flush()
        self._parts, self._n_bytes = [], 0


def over_snapshots(
    run: Run,
    measure: Callable[[GPT], Mapping[str, Any]],
    dims: Mapping[str, tuple[str, ...]],
    coords: Mapping[str, Any],
    progress: Progress | None = None,
) -> xr.Dataset:
    """Measure the model at every whole snapshot, one at a time.

    Parameters
    ----------
    run : the run to measure.
    measure : from a model to a tensor, array or number by name.
    dims : by the same names, the dimensions of what is measured; ``step`` comes before them.
    coords : of those dimensions.
    progress : called with the number of snapshots done so far.

    Returns
    -------
    A Dataset with the steps and the hashes of the snapshots (``sha256``) as coordinates.
    """
    gathered = {name: Gathered() for name in dims}
    snapshots = []
    for snapshot, model in each_model(run):
        values = measure(model)
        for name, kept in gathered.items():
            kept.add(np.asarray(values[name]))
        snapshots.append(snapshot)
        if progress is not None:
            progress(len(snapshots))
    steps = {"step": [s.step for s in snapshots], "sha256": ("step", [s.sha256 for s in snapshots])}
    return xr.Dataset(
        {name: (("step", *dims[name]), kept.array()) for name, kept in gathered.items()},
        coords={**steps, **coords},
        attrs={"run": run.name},
    )
