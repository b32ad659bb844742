"""A run of revisions that were made elsewhere: it is there whole, or not at all."""

from __future__ import annotations

import datetime
import shutil
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from data.errors import InputError
from data.runs import Run, check_free, create_run, runs_folder, write_snapshot

RevisionTensors = tuple[int, Mapping[str, NDArray[Any]]]
"""A step and its tensors by name."""


def existing_sources(sources: Mapping[int, Path]) -> dict[int, Path]:
    """Return the sources that can be found, in the order of the steps; warn of each other one, and refuse if none is left."""
    there = {step: path for step, path in sorted(sources.items()) if path.exists()}
    if not there:
        named = f" at {', '.join(map(str, sources.values()))}" if sources else ""
        raise InputError(f"there is no model{named}: give a folder with config.json and weights, or a .gguf file")
    for step in sorted(sources.keys() - there.keys()):
        warnings.warn(f"there is no revision of step {step} at {sources[step]}: it is left out", stacklevel=3)
    return there


def check_name_is_free(name: str, folder: Path | None = None) -> None:
    """Refuse the name of a run that exists, before anything is read for it; and that of a folder with anything else in it."""
    path = (folder or runs_folder()) / check_free(name, folder, advice="pass another name with `name`")
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise InputError(f"{path} is there already and is not empty: pass another name with --name")


def write_run(
    name: str,
    info: Mapping[str, Any],
    revisions: Iterable[RevisionTensors],
    n_revisions: int,
    folder: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> Run:
    """Write a run with a snapshot for each revision; if one cannot be had, no run is left behind.

    Parameters
    ----------
    name : of the run.
    info : what its run.json is to say; when it was made and by which torch is added.
    revisions : drawn one by one, so that one at a time is in memory.
    n_revisions : how many there will be, to see beforehand whether the disk has room for them.
    folder : of the runs; the usual one if None.
    progress : called with the number of snapshots written so far.
    """
    check_name_is_free(name, folder)  # whatever is in its folder would go with a run that cannot be had
    created = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
    versions = {"torch": torch.__version__, **info.get("versions", {})}
    run = create_run(name, {"created": created, **info, "versions": versions}, folder)
    try:
        for place, (step, tensors) in enumerate(revisions):
            _check_room(run, sum(array.nbytes for array in tensors.values()) * (n_revisions - place))
            write_snapshot(run, step, tensors)
            del tensors  # they are gone before the next are read
            if progress is not None:
                progress(place + 1)
    except BaseException:
        shutil.rmtree(run.path)
        raise
    return run


def _check_room(run: Run, needed: int) -> None:
    free = shutil.disk_usage(run.path).free
    if needed > free:
        raise InputError(
            f"the snapshots of run {run.name!r} need {needed / 1e6:,.0f} MB more and the disk has {free / 1e6:,.0f} MB free: "
            "free some space, or import fewer revisions"
        )
