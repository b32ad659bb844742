"""The runs that a page may open: those of the runs folder, and nothing that a link leads to elsewhere."""

from __future__ import annotations

import time
from pathlib import Path

from data.runs import Run, list_runs, runs_folder

# A training that has written nothing for this long has stopped.
SILENT_S = 600.0


def runs() -> list[Run]:
    """List the runs, newest first; those outside the runs folder, or with parts outside the run, are left out."""
    return [run for run in reversed(list_runs()) if is_within(run.path, runs_folder()) and _keeps_within(run)]


def _keeps_within(run: Run) -> bool:
    try:
        return not any(path.is_symlink() and not is_within(path, run.path) for path in run.path.iterdir())
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
            status = (run.path / name).stat()
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
    last = run.info.get("training", {}).get("steps")
    steps = snapshot_steps(run)
    if last is None or (steps and steps[-1] >= last):
        return False
    return time.time() - max(stamp(run)[::2]) / 1e9 < SILENT_S
