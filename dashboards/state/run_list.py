"""The runs that a page may open: by name, from the runs folder, and nothing that leads out of it."""

from __future__ import annotations

import time
from pathlib import Path

from data.errors import InputError
from data.runs import Run, check_run_name, list_runs, runs_folder

# A training that has written nothing for so long has stopped.
SILENT_S = 600.0


def runs() -> list[Run]:
    """Return the runs, newest first; those that lead out of the runs folder, or whose parts lead out of the run, are passed over."""
    return [run for run in reversed(list_runs()) if is_within(run.path, runs_folder()) and _keeps_within(run)]


def _keeps_within(run: Run) -> bool:
    try:
        return not any(path.is_symlink() and not is_within(path, run.path) for path in run.path.iterdir())
    except FileNotFoundError:  # it was there a moment ago
        return False


def open_named(name: str) -> Run:
    """Open a run that a link or a field names.

    Raises
    ------
    InputError
        If the name is not a plain folder name, there is no such run, or its folder is a link that leads elsewhere.
    """
    check_run_name(name)
    for run in runs():
        if run.name == name:
            return run
    raise InputError(f"there is no run {name!r} in the runs folder: choose another")


def is_within(path: Path, root: Path) -> bool:
    """Say whether a path, links followed, lies inside a folder."""
    return path.resolve().is_relative_to(root.resolve())


def files(run: Run, folder: str, suffixes: tuple[str, ...]) -> list[Path]:
    """Return the run's files of a folder (``films``, ``figures``) with these suffixes, newest first, none that leads elsewhere."""
    found = [
        path
        for path in (run.path / folder).glob("*")
        if path.suffix in suffixes and path.is_file() and is_within(path, run.path) and not path.name.startswith(".")
    ]
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def stamp(run: Run) -> tuple[int, ...]:
    """Return what changes whenever the run grows or is written anew: times and sizes of what it records."""
    marks: list[int] = []
    for name in ("run.json", "manifest.jsonl", "metrics.jsonl", "samples.jsonl"):
        try:
            status = (run.path / name).stat()
        except FileNotFoundError:
            marks += [0, 0]
        else:
            marks += [status.st_mtime_ns, status.st_size]
    return tuple(marks)


def snapshots_stamp(run: Run) -> tuple[int, ...]:
    """Return what changes whenever there is another snapshot."""
    return stamp(run)[:4]


def is_live(run: Run) -> bool:
    """Say whether the run seems to be in training: it has not reached its last step and wrote something lately."""
    last = run.info.get("training", {}).get("steps")
    written = [record["step"] for record in run.manifest()]
    if last is None or (written and written[-1] >= last):
        return False
    return time.time() - max(stamp(run)[::2]) / 1e9 < SILENT_S
