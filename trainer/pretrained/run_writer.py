"""Write the run of an import: whole, or not at all."""

from __future__ import annotations

import datetime
import shutil
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from data.errors import InputError
from data.progress import Progress
from data.runs import Run, check_free, create_run, runs_folder, write_snapshot

RevisionTensors = tuple[int, Mapping[str, NDArray[Any]]]
"""The step of a revision, and its tensors by name."""


def existing_sources(sources: Mapping[int, Path]) -> dict[int, Path]:
    """Keep the sources that exist, in the order of the steps; warn of each other one, and refuse if none exists."""
    existing = {step: path for step, path in sorted(sources.items()) if path.exists()}
    if not existing:
        named = f" at {', '.join(map(str, sources.values()))}" if sources else ""
        raise InputError(f"there is no model{named}: give a folder with config.json and weights, or a .gguf file")
    for step in sorted(sources.keys() - existing.keys()):
        warnings.warn(f"there is no revision of step {step} at {sources[step]}: it is left out", stacklevel=3)
    return existing


def check_name_is_free(name: str, folder: Path | None = None) -> None:
    """Refuse the name of an existing run, or of a folder that is not empty, before anything is read for it."""
    path = (folder or runs_folder()) / check_free(name, folder, advice="pass another name with `name`")
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise InputError(f"{path} is there already and is not empty: pass another name with `name`")


def write_run(
    name: str,
    info: Mapping[str, Any],
    revisions: Iterable[RevisionTensors],
    *,
    n_revisions: int,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> Run:
    """Write a run with a snapshot for each revision; if one cannot be read, no run is left behind.

    Parameters
    ----------
    name : of the run.
    info : the content of run.json; the time and the version of torch are added.
    revisions : read one by one, so that memory holds one at a time.
    n_revisions : their number, to check that the disk has room for all of them.
    folder : of the runs; the usual one if None.
    progress : called with the number of snapshots written so far.
    """
    check_name_is_free(name, folder)  # a failed import removes the whole folder
    created = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
    versions = {"torch": torch.__version__, **info.get("versions", {})}
    run = create_run(name, {"created": created, **info, "versions": versions}, folder)
    try:
        for place, (step, tensors) in enumerate(revisions):
            _check_room(run, sum(array.nbytes for array in tensors.values()) * (n_revisions - place))
            write_snapshot(run, step, tensors)
            del tensors  # frees them before the next are read
            if progress is not None:
                progress(place + 1)
    except BaseException:
        shutil.rmtree(run.path)
        raise
    return run


def _check_room(run: Run, needed: int) -> None:
    """Refuse to write ``needed`` bytes to a disk that has fewer free."""
    free = shutil.disk_usage(run.path).free
    if needed > free:
        raise InputError(
            f"the snapshots of run {run.name!r} need {needed / 1e6:,.0f} MB more and the disk has {free / 1e6:,.0f} MB free: "
            "free some space, or import fewer revisions"
        )
