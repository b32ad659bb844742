"""Records of an earlier attempt: what a run holds of steps after the one that its training resumes from.

The resumed training writes these steps again. Until then the earlier records stay, so that a snapshot that was reported as written is never
missing, however often the training is stopped. Once a resume slot is safe, those up to its step are dropped (`drop_earlier`).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from data.files.atomic_files import write_bytes
from data.files.json_files import parse_line
from data.files.regular_files import read_regular
from data.runs.run import Run
from data.runs.schema import ManifestLine

RECORDS = ("manifest.jsonl", "metrics.jsonl", "samples.jsonl")
MOST_BYTES = 1 << 30


@dataclass(frozen=True)
class EarlierRecords:
    """The records of an earlier attempt after step ``after``: they are among the first ``n_lines`` lines of each file."""

    after: int
    n_lines: Mapping[str, int]


def earlier_records(run: Run, after: int) -> EarlierRecords:
    """Note what a run records now, when its training resumes from step ``after``; -1 means from the start."""
    return EarlierRecords(after, {name: len(_lines(run, name)) for name in RECORDS})


def drop_earlier(run: Run, earlier: EarlierRecords, up_to: float) -> EarlierRecords:
    """Drop the earlier records up to a step, and the snapshots that no record names any more; return the rest."""
    named = _files(run)
    n_lines = {}
    for name in RECORDS:
        lines = _lines(run, name)
        old, new = lines[: earlier.n_lines[name]], lines[earlier.n_lines[name] :]
        kept = [line for line in old if not earlier.after < _step(line) <= up_to]
        if len(kept) < len(old):
            write_bytes(run.inside(name), b"".join(line + b"\n" for line in kept + new))
        n_lines[name] = len(kept)
    for file in named - _files(run):
        run.inside(*file.split("/")).unlink(missing_ok=True)
    return EarlierRecords(earlier.after, n_lines)


def _lines(run: Run, name: str) -> list[bytes]:
    """Read the complete lines of a file of records."""
    with suppress(FileNotFoundError):
        return read_regular(run.inside(name), MOST_BYTES).split(b"\n")[:-1]
    return []


def _step(line: bytes) -> float:
    """Read the step of a line; that of one that cannot be read is before all others, so that it is kept."""
    return float((parse_line(line) or {}).get("step", -1))


def _files(run: Run) -> set[str]:
    """Collect the files that the lines of the manifest name, also those that a later line replaces."""
    records = (parse_line(line, ManifestLine) for line in _lines(run, "manifest.jsonl"))
    return {record["file"] for record in records if record is not None}
