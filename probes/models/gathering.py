"""Arrays of all snapshots gathered into one with ``step`` first; a large one lies in a file, so that memory stays bounded."""

from __future__ import annotations

import dataclasses
import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from data.errors import InputError
from data.progress import Progress, report_shares_to
from data.runs import Run, Snapshot
from probes.parallel import current_client, map_steps, n_workers
from trainer.generation.text_generation import suitable_threads
from trainer.loading import Model, blank_model, each_model, load_weights

ModelMeasure = Callable[[Model], Mapping[str, Any]]
"""Computes tensors, arrays or numbers, by name, from a model."""

MOST_BYTES_IN_MEMORY = 16_000_000
MOST_STEPS_AT_ONCE = 4  # for each call of a worker; attention maps of one step can have 100 MB


class Gathered:
    """An array that is filled one snapshot at a time; real numbers are kept as float32.

    An array of more than `MOST_BYTES_IN_MEMORY` is written to a temporary file without a name and mapped for reading, so that only the
    parts that are read take memory. The file is deleted with the array. A smaller array is allocated at once: many small arrays
    among large ones that are freed would fragment the memory of the process.
    """

    def __init__(self, most_snapshots: int) -> None:
        self._most = most_snapshots
        self._n_steps = 0
        self._array: NDArray[Any] = np.empty(0)
        self._file: Any = None

    def add(self, values: NDArray[Any]) -> None:
        """Add the values of the next snapshot."""
        if np.issubdtype(values.dtype, np.floating):
            values = values.astype(np.float32)
        if not self._n_steps:
            self._make_room(values)
        if self._file is None:
            self._array[self._n_steps] = values
        else:
            self._file.write(np.ascontiguousarray(values).data)
        self._n_steps += 1

    def array(self) -> NDArray[Any]:
        """Return the values of all snapshots, (step, ...)."""
        if self._file is None:
            return self._array[: self._n_steps]
        self._file.flush()
        return np.memmap(self._file, dtype=self._array.dtype, mode="c", shape=(self._n_steps, *self._array.shape))

    def _make_room(self, values: NDArray[Any]) -> None:
        if values.dtype.hasobject or self._most * values.nbytes <= MOST_BYTES_IN_MEMORY:
            self._array = np.empty((self._most, *values.shape), values.dtype)
            return
        self._array = np.empty_like(values)  # for its shape and type
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  closed by the next line
        weakref.finalize(self, self._file.close)  # a mapping outlives its file object


def over_snapshots(
    run: Run,
    measure: ModelMeasure,
    dims: Mapping[str, tuple[str, ...]],
    coords: Mapping[str, Any],
    progress: Progress | None = None,
) -> xr.Dataset:
    """Measure the model at every whole snapshot, one at a time; within `probes.parallel.open_client`, on its workers.

    Parameters
    ----------
    run : the run to measure.
    measure : computes tensors, arrays or numbers, by name, from a model.
    dims : dimensions of each, by the same names; ``step`` is put before them.
    coords : coordinates of these dimensions; the steps and the hashes of the snapshots (``sha256``) are put before them.
    progress : called with the number of snapshots done so far; on this machine also with fractions, within a snapshot.
    """
    most = max(1, len(run.manifest()))  # a run that is being trained has more by the time they are read
    gathered = {name: Gathered(most) for name in dims}
    snapshots = []
    for snapshot, values in _each_measured(run, measure, most, progress):
        for name, kept in gathered.items():
            kept.add(np.asarray(values[name]))
        snapshots.append(snapshot)
        if progress is not None:
            progress(len(snapshots))
    steps = {
        "step": ("step", [s.step for s in snapshots], run.step_attrs),
        "sha256": ("step", [s.sha256 for s in snapshots]),
    }
    return xr.Dataset(
        {name: (("step", *dims[name]), kept.array()) for name, kept in gathered.items()},
        coords={**steps, **coords},
        attrs={"run": run.name},
    )


def _each_measured(
    run: Run, measure: ModelMeasure, most: int, progress: Progress | None
) -> Iterator[tuple[Snapshot, Mapping[str, Any]]]:
    """Yield the first ``most`` whole snapshots with the measures of their models, by the workers of the current client if there is one."""
    client = current_client()
    if client is None:
        for done, (snapshot, model) in enumerate(islice(each_model(run), most)):
            with report_shares_to(progress, done), suitable_threads(model):
                values = measure(model)
            yield snapshot, values
        return
    snapshots = run.sound_snapshots()[:most]
    size = max(1, min(MOST_STEPS_AT_ONCE, len(snapshots) // (3 * n_workers(client))))
    parts = [snapshots[start : start + size] for start in range(0, len(snapshots), size)]
    found = map_steps(_measure_part, parts, client, shared=(run.path.absolute(), measure))
    for part, measured in zip(parts, found, strict=True):
        yield from zip(part, measured, strict=True)


def _measure_part(shared: tuple[Path, ModelMeasure], snapshots: Sequence[Snapshot]) -> list[dict[str, NDArray[Any]]]:
    """Measure some snapshots of a run in a worker, which gets only the path of the run."""
    path, measure = shared
    model = blank_model(Run(path))
    found = []
    for snapshot in snapshots:
        here = dataclasses.replace(snapshot, path=path / "snapshots" / snapshot.path.name)
        tensors = here.read_checked()
        if isinstance(tensors, str):
            where = f"where a worker reads it ({path}): give the workers the same folder of runs"
            raise InputError(f"snapshot of step {snapshot.step} {tensors} {where}")
        load_weights(model, tensors, f"snapshot of step {snapshot.step}")
        # A copy: the weights will change.
        found.append({name: np.array(value) for name, value in measure(model).items()})
    return found
