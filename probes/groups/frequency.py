"""The most frequent tokens of a run's text: a small table where the vocabulary is too large to draw or to read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from data.errors import InputError
from data.progress import Progress
from data.runs import Run
from probes.tables.embeddings import token_embeddings
from probes.texts import token_counts


def token_table(
    run: Run, *, items: int | None = None, text: Path | None = None, progress: Progress | None = None
) -> xr.DataArray:
    """Read the token table at every whole snapshot, (step, token, dim), or that of the most frequent tokens.

    ``items`` and ``text`` are those of `most_frequent`, ``progress`` that of `probes.tables.embeddings.read_table`, as are result
    and errors.
    """
    table = token_embeddings(run, progress=progress)
    return table if items is None else most_frequent(run, table, items, text)


def most_frequent(run: Run, trajectory: xr.DataArray, items: int, text: Path | None = None) -> xr.DataArray:
    """Select the tokens of a table that occur most often in a text.

    Parameters
    ----------
    run : the run whose training text is counted. Word vectors have none: they keep the order of their file, the usual one of which
        is that of frequency, and the first ones are kept.
    trajectory : its token table, (step, token, dim).
    items : the number of tokens; all are kept if there are no more. Of equally frequent tokens, the lower ids are kept.
    text : a UTF-8 text file to count in instead.

    Returns
    -------
    (step, token, dim) with the tokens in the order of their ids, which are the coordinate ``token_id`` (token,).

    Raises
    ------
    InputError
        If ``items`` is below 1, or the text cannot be had.
    """
    if items < 1:
        raise InputError(f"`items` is the number of tokens to keep, 1 or more; got {items}: pass `items=2000`")
    if trajectory.dims[1] != "token":
        raise InputError("`items` limits the token table, which has frequencies: leave it out for positions")
    counts = np.zeros(trajectory.sizes["token"], dtype=np.int64)
    if "model" in run.info:
        counted = token_counts(run, text)[: len(counts)]
        counts[: len(counted)] = counted
    elif text is not None:
        raise InputError(f"run {run.name!r} holds word vectors, which keep the order of their file: leave out `text`")
    chosen = np.sort(np.argsort(-counts, kind="stable")[:items])
    return trajectory.isel(token=chosen).assign_coords(token_id=("token", chosen))
