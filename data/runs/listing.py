"""The runs in a folder: their names, and opening one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from data.errors import InputError, list_names
from data.files.remote_files import as_path, check_local, is_folder, is_remote, reached
from data.notices import notify
from data.runs.run import Run

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


def runs_folder() -> Path:
    """Locate the folder of the runs: ``$GPTLAB_RUNS``, or ``runs`` in the current folder.

    The variable may hold an address of fsspec (``s3://bucket/runs``), whose runs can be read.
    """
    return as_path(os.environ.get("GPTLAB_RUNS") or "runs")


def is_run_name(name: str) -> bool:
    """Check whether a name can be that of a run; see `check_run_name`."""
    return _NAME.fullmatch(name) is not None


def check_run_name(name: str) -> str:
    """Check that a name can be that of a run, and return it.

    It consists of letters, digits, ``.``, ``_`` and ``-``, and starts with none of ``.`` and ``-``.
    """
    if not is_run_name(name):
        raise InputError(
            f"{name!r} cannot be the name of a run: use letters, digits, '.', '_' and '-', and start with a letter or digit"
        )
    return name


def check_free(
    name: str,
    folder: Path | None = None,
    *,
    advice: str = "pass `resume=True` to resume it, or another name with `run`",
) -> str:
    """Check that a new run can have this name, and return it; ``advice`` is what the message recommends if it is taken."""
    folder = folder or runs_folder()
    check_local(folder)
    if (folder / check_run_name(name) / "run.json").exists():
        raise InputError(f"run {name!r} exists already: {advice}")
    return name


def list_runs(folder: Path | None = None) -> list[Run]:
    """List the runs in a folder (`runs_folder` if None), oldest first.

    Warns
    -----
    UserWarning
        For each folder with a run.json that cannot be read, a name that no run has, or that a link leads out to; it is passed over.
    """
    found = []
    for run in _candidates(folder or runs_folder()):
        try:
            found.append((run.info.get("created") or "", run.name, run))
        except InputError as error:
            notify(f"{error}; it is passed over", stacklevel=2)
    return [run for _, _, run in sorted(found, key=lambda entry: entry[:2])]


def open_run(name: str | None = None, folder: Path | None = None) -> Run:
    """Open a run by name, or the newest.

    Parameters
    ----------
    name : of the run; the newest if None.
    folder : of the runs; `runs_folder` if None.

    Raises
    ------
    InputError
        If there is no run yet, none of this name (the message lists the others), or the name is not a plain folder name.
    """
    folder = folder or runs_folder()
    if name is not None and is_folder(path := folder / check_run_name(name)):
        if leads_out(path, folder):
            raise InputError(f"run {name!r} is a link that leads out of {_shown(folder)}: copy the run there")
        run = Run(path)
        run.info  # noqa: B018  raises if it cannot be read
        return run
    runs = {run.name: run for run in list_runs(folder)}
    if not runs:
        raise InputError(f"there is no run in {_shown(folder)} yet: train one with  python -m trainer --preset cpu")
    if name is None:
        return list(runs.values())[-1]
    raise InputError(f"there is no run {name!r} in {_shown(folder)}; there is {list_names(runs)}")


def _shown(folder: Path) -> str:
    """Write a folder as it stands in a message, with a slash at its end."""
    return str(folder).rstrip("/") + "/" if is_remote(folder) else f"{folder}{os.sep}"


def leads_out(path: Path, folder: Path) -> bool:
    """Check whether a run's folder is a link to a place outside the folder of the runs."""
    return not is_remote(path) and path.is_symlink() and not path.resolve().is_relative_to(folder.resolve())


def _has_description(path: Path) -> bool:
    if not is_remote(path):
        return os.path.lexists(path / "run.json")
    with reached(path):
        return (path / "run.json").exists()


def _candidates(folder: Path) -> Iterator[Run]:
    """Yield the folders that hold something named run.json, have the name of a run, and are no link that leads out."""
    try:
        with reached(folder):
            names = sorted(path.name for path in folder.iterdir() if path.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        path = folder / name
        if not _has_description(path):
            continue
        if not is_run_name(name):
            notify(f"{name!r} cannot be the name of a run: it is passed over", stacklevel=4)
        elif leads_out(path, folder):
            notify(f"run {name!r} is a link that leads out of {_shown(folder)}: it is passed over", stacklevel=4)
        else:
            yield Run(path)
