"""Tables of a run that are read when they are looked at, one step at a time, by Dask's workers where there are any.

For tables too large for memory, or runs on a disk that the workers are nearer to. Where they fit, `probes.tables.embeddings` is simpler
and faster.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from data.errors import InputError, NotApplicableError
from data.runs import Run
from data.runs.safetensors_files import read_tensor
from probes.tables.embeddings import first_row, token_labels

ITEMS = {"token_table": "token", "position_table": "position"}


def lazy_table(run: Run, table: str = "token_table") -> xr.DataArray:
    """Return a table at every whole snapshot, without reading it yet.

    The files are looked at for damage now, and read when values are asked for: ``.variable[i].values`` reads one snapshot,
    ``.compute()`` all, where an `open_client` is around it on the client's workers.

    Parameters
    ----------
    run : the run to read; workers need it under the same path.
    table : ``"token_table"`` or ``"position_table"``.

    Returns
    -------
    Trajectory with dimensions (step, token or position, dim), float32, backed by a Dask array with a chunk for each step; computed, it is
    what `probes.tables.embeddings` returns.

    Raises
    ------
    InputError
        If Dask is not installed, the run has no such table or no whole snapshot. A snapshot that is missing or damaged is left out
        with a warning that names its step.
    """
    if table not in ITEMS:
        raise InputError(f"there is no table {table!r}; there is {', '.join(ITEMS)}")
    name = run.info["tensors"].get(table)
    if name is None:
        raise NotApplicableError(f"run {run.name!r} has no {table.replace('_', ' ')}: its model does not use one")
    snapshots, item = run.sound_snapshots(), ITEMS[table]
    unused = first_row(run, table)
    rows, width = snapshots[0].tensor(name)[unused:].shape
    values = _stacked([snapshot.path.absolute() for snapshot in snapshots], name, (rows, width), unused)
    labels = token_labels(run, rows) if item == "token" else None
    return xr.DataArray(
        values,
        dims=("step", item, "dim"),
        coords={
            "step": [snapshot.step for snapshot in snapshots],
            item: np.arange(rows) if labels is None else labels,
            "sha256": ("step", [snapshot.sha256 for snapshot in snapshots]),
        },
        name=table,
        attrs={"run": run.name},
    )


def _stacked(paths: list[Path], name: str, shape: tuple[int, int], unused: int) -> Any:
    """Return a Dask array (step, item, dim) with a chunk for each file."""
    try:
        dask, array = import_module("dask"), import_module("dask.array")
    except ImportError as missing:
        raise InputError(
            f"lazy tables need Dask, which is not installed ({missing}): install it with  pip install 'gptlab[dask]'"
        ) from None
    read = dask.delayed(_read, pure=True)
    return array.stack([array.from_delayed(read(str(path), name, unused), shape, np.float32) for path in paths])


def _read(path: str, name: str, unused: int) -> NDArray[np.float32]:
    return read_tensor(Path(path), name)[unused:].astype(np.float32)
