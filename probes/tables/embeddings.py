"""The token and position embeddings of a run over its snapshots. Read as NumPy arrays: no model is built, torch is not loaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from data.errors import NotApplicableError
from data.runs import Run

TableName = Literal["positions", "tokens"]
"""The tables of embeddings that a model has."""


def token_embeddings(run: Run, *, progress: Callable[[int], None] | None = None) -> xr.DataArray:
    """Return the token table at every whole snapshot.

    Parameters
    ----------
    run : the run to read.
    progress : called with the number of snapshots read so far.

    Returns
    -------
    Trajectory with dimensions (step, token, dim), float32; the coordinate ``token`` holds the tokens, ``sha256`` (step) the hashes of
    the snapshots it was read from.

    Raises
    ------
    InputError
        If the run has no whole snapshot. A snapshot that is missing or damaged is left out with a warning that names its step.
    """
    return _table(run, "token_table", "token", progress)


def position_embeddings(run: Run, *, progress: Callable[[int], None] | None = None) -> xr.DataArray:
    """Return the position table at every whole snapshot, as a trajectory with dimensions (step, position, dim).

    Parameters, coordinates and errors are those of `token_embeddings`; a model without a position table (rotary positions, say) is an
    `InputError` too.
    """
    return _table(run, "position_table", "position", progress)


def token_labels(run: Run, rows: int) -> NDArray[Any]:
    """Return the string of each row of a token table, (token,).

    Models made elsewhere often have more rows than their tokenizer has tokens, to fill up to a round number: these are labelled as unused.
    """
    labels = run.tokenizer.labels
    return np.array([*labels, *(f"[unused {i}]" for i in range(len(labels), rows))], dtype=object)


def _table(run: Run, table: str, item: str, progress: Callable[[int], None] | None) -> xr.DataArray:
    name = run.info["tensors"].get(table)
    if name is None:
        raise NotApplicableError(f"run {run.name!r} has no {table.replace('_', ' ')}: its model does not use one")
    snapshots = run.sound_snapshots()
    unused = first_row(run, table)
    values = np.empty((len(snapshots), *snapshots[0].tensor(name)[unused:].shape), dtype=np.float32)
    for place, snapshot in enumerate(snapshots):
        values[place] = snapshot.tensor(name)[unused:]
        if progress is not None:
            progress(place + 1)
    return xr.DataArray(
        values,
        dims=("step", item, "dim"),
        coords={
            "step": [snapshot.step for snapshot in snapshots],
            item: token_labels(run, values.shape[1]) if item == "token" else np.arange(values.shape[1]),
            "sha256": ("step", [snapshot.sha256 for snapshot in snapshots]),
        },
        name=table,
        attrs={"run": run.name},
    )


def first_row(run: Run, table: str) -> int:
    """Return how many rows of a table stand before the first that is meant: two in position tables like OPT's, otherwise none."""
    return int(run.info["tensors"].get("position_offset", 0)) if table == "position_table" else 0
