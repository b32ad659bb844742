"""Token and position embeddings of a run over its snapshots, read as NumPy arrays: no model is built, torch is not loaded."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from data.errors import InputError, NotApplicableError
from data.files.safetensors_files import read_tensor
from data.progress import Progress
from data.runs import Run, Snapshot
from probes.parallel import import_dask

TableName = Literal["positions", "tokens"]
"""The embedding tables of a model."""

_ITEMS = {"tokens": "token", "positions": "position"}


def read_table(run: Run, table: TableName | str, *, progress: Progress | None = None) -> xr.DataArray:
    """Read an embedding table at every whole snapshot; each file is opened once.

    Parameters
    ----------
    run : the run to read.
    table : ``"tokens"`` or ``"positions"``.
    progress : called with the number of snapshots read so far.

    Returns
    -------
    Trajectory with dimensions (step, token or position, dim), float32; the coordinate ``token`` holds the tokens, ``position`` counts
    from 0, ``sha256`` (step) holds the hashes of the snapshots.

    Raises
    ------
    NotApplicableError
        If the run has no such table: a model with rotary positions has no position table.
    InputError
        If there is no table of this name, or no whole snapshot. A snapshot that is missing or damaged is left out with a warning.
    """
    name, unused = _tensor_of(run, table)
    most = max(1, len(run.manifest()))  # a run that is being trained has more by the time they are read
    snapshots: list[Snapshot] = []
    values = np.empty(0, dtype=np.float32)
    for snapshot, tensors in islice(run.sound_tensors([name]), most):
        rows = tensors[name][unused:]
        if not snapshots:
            values = np.empty((most, *rows.shape), dtype=np.float32)
        values[len(snapshots)] = rows
        del rows, tensors  # before the next file is read
        snapshots.append(snapshot)
        if progress is not None:
            progress(len(snapshots))
    return _labelled(run, table, values[: len(snapshots)], snapshots)


def token_embeddings(run: Run, *, progress: Progress | None = None) -> xr.DataArray:
    """Read the token table at every whole snapshot, (step, token, dim); see `read_table`."""
    return read_table(run, "tokens", progress=progress)


def position_embeddings(run: Run, *, progress: Progress | None = None) -> xr.DataArray:
    """Read the position table at every whole snapshot, (step, position, dim); see `read_table`."""
    return read_table(run, "positions", progress=progress)


def lazy_table(run: Run, table: TableName | str = "tokens") -> xr.DataArray:
    """Open an embedding table whose values Dask reads when they are computed, one step at a time.

    It is for tables that do not fit in memory, or for workers that are nearer to the files. Where a table fits, `read_table` is simpler
    and faster. The files are checked for damage now. ``.variable[i].values`` reads one snapshot, ``.compute()`` all of them, on
    the workers of the surrounding `~probes.parallel.open_client`.

    Parameters, result and errors are those of `read_table`; the values are a Dask array with a chunk for each step. Workers need the run
    under the same path.
    """
    name, unused = _tensor_of(run, table)
    snapshots = run.sound_snapshots()
    shape = snapshots[0].tensor(name)[unused:].shape
    array = import_dask("dask.array", "lazy tables need")
    read = import_module("dask").delayed(_read, pure=True)
    tables = [read(str(snapshot.path.absolute()), name, unused) for snapshot in snapshots]
    values = array.stack([array.from_delayed(one, shape, np.float32) for one in tables])
    return _labelled(run, table, values, snapshots)


def token_labels(run: Run, rows: int) -> NDArray[Any]:
    """List the token of each row of a token table, (token,).

    Models made elsewhere often have more rows than their tokenizer has tokens, to fill up to a round number. These rows are labelled as
    unused.
    """
    labels = run.tokenizer.labels
    return np.array([*labels, *(f"[unused {i}]" for i in range(len(labels), rows))], dtype=object)


def _tensor_of(run: Run, table: str) -> tuple[str, int]:
    """Find the tensor in the snapshots that holds a table, and its unused first rows: two in position tables like OPT's."""
    if table not in _ITEMS:
        raise InputError(f"there is no table {table!r}: choose {' or '.join(get_args(TableName))}")
    name = (run.info.get("tensors") or {}).get(f"{_ITEMS[table]}_table")
    if name is None:
        raise NotApplicableError(f"run {run.name!r} has no {_ITEMS[table]} table: its model does not use one")
    return str(name), int(run.info["tensors"].get("position_offset", 0)) if table == "positions" else 0


def _labelled(run: Run, table: str, values: Any, snapshots: Sequence[Snapshot]) -> xr.DataArray:
    item = _ITEMS[table]
    labels = token_labels(run, values.shape[1]) if item == "token" else np.arange(values.shape[1])
    hashes = ("step", [snapshot.sha256 for snapshot in snapshots])
    steps = ("step", [snapshot.step for snapshot in snapshots], run.step_attrs)
    coords = {"step": steps, item: labels, "sha256": hashes}
    return xr.DataArray(values, coords, ("step", item, "dim"), f"{item}_table", {"run": run.name})


def _read(path: str, name: str, unused: int) -> NDArray[np.float32]:
    return read_tensor(Path(path), name)[unused:].astype(np.float32)
