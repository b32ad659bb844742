"""The runs that a page may open: those of the runs folder, and nothing that a link leads to elsewhere."""

from __future__ import annotations

import os
import time
from functools import lru_cache
from pathlib import Path

from data.errors import InputError
from data.runs import Run, runs_folder
from data.runs.listing import is_run_name, leads_out

# A training that has written nothing for this long has stopped.
SILENT_S = 600.0


def runs() -> list[Run]:
    """List the runs, newest first; those outside the runs folder, or with parts outside the run, are left out.

    A run.json is read again only when it or the run's folder has changed, so that a thousand runs are listed in milliseconds.
    """
    root = str(runs_folder().resolve())
    try:
        with os.scandir(runs_folder()) as entries:
            paths = [entry.path for entry in entries]
    except FileNotFoundError:
        return []
    found = [run for path in paths if (mark := _mark(path)) and (run := _opened(path, root, mark))]
    return sorted(found, key=lambda run: (str(run.info.get("created", "")), run.name), reverse=True)


def _mark(path: str) -> tuple[int, ...] | None:
    """Build a stamp that changes when a run.json is written anew or a part of the run is replaced; None where there is no run."""
    try:
        folder, file = os.stat(path), os.stat(f"{path}{os.sep}run.json")
    except OSError:
        return None
    return folder.st_mtime_ns, file.st_mtime_ns, file.st_size, file.st_ino


@lru_cache(maxsize=8192)
def _opened(path: str, root: str, mark: tuple[int, ...]) -> Run | None:
    """Open a run, or return None if it cannot be read or leads out of the folder of the runs; ``mark`` is its state."""
    run = Run(Path(path))
    if not is_run_name(run.name) or leads_out(run.path, Path(root)):
        return None
    try:
        run.info  # noqa: B018  read once, and kept with the run
        return run if _keeps_within(run) else None
    except InputError:
        return None


def _keeps_within(run: Run) -> bool:
    try:
        with os.scandir(run.path) as parts:
            return not any(part.is_symlink() and not is_within(Path(part.path), run.path) for part in parts)
    except FileNotFoundError:  # deleted since it was listed
        return False


def is_within(path: Path, root: Path) -> bool:
    """Check whether a path lies inside a folder after links are resolved."""
    return path.resolve().is_relative_to(root.resolve())


def files(run: Run, folder: str, suffixes: tuple[str, ...]) -> list[Path]:
    """List the run's files of a folder (``films``, ``figures``) with these suffixes, newest first, without links that lead elsewhere."""
    found = [
        path
        for path in (run.path / folder).glob("*")
        if path.suffix in suffixes and path.is_file() and is_within(path, run.path) and not path.name.startswith(".")
    ]
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def stamp(run: Run) -> tuple[int, ...]:
    """Return times and sizes of the run's records, which change whenever it grows or is written anew."""
    marks: list[int] = []
    for name in ("run.json", "manifest.jsonl", "metrics.jsonl", "samples.jsonl"):
        try:
            status = os.stat(f"{run.path}{os.sep}{name}")  # joining paths takes longer than asking the system
        except FileNotFoundError:
            marks += [0, 0]
        else:
            marks += [status.st_mtime_ns, status.st_size]
    return tuple(marks)


def snapshot_steps(run: Run) -> list[int]:
    """List the steps of the snapshots of a run."""
    return [int(record["step"]) for record in run.manifest()]


def is_live(run: Run) -> bool:
    """Check whether a run seems to be in training: it has not reached its last step, and has written something recently."""
    steps = snapshot_steps(run)
    return seems_live(run, steps[-1] if steps else None, max(stamp(run)[::2]) / 1e9)


def seems_live(run: Run, step: int | None, written_s: float) -> bool:
    """Check whether a run seems to be in training, by its last step and the time of its last writing, in seconds since 1970."""
    last = (run.info.get("training") or {}).get("steps")
    has_ended = last is None or (step is not None and step >= last)
    return not has_ended and time.time() - written_s < SILENT_S
