"""Verification of a run: every file is read, and whatever is wrong with it is listed."""

from __future__ import annotations

import contextlib
import hashlib
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from data.errors import InputError, list_names
from data.files.atomic_files import UNFINISHED, is_alive
from data.files.json_files import MOST_LINES_BYTES, DamagedError, has_cut_line, parse_line
from data.files.regular_files import UnsafeFileError, open_regular, read_regular, size_of
from data.files.remote_files import is_remote, reached
from data.notices import collect_notices
from data.progress import Progress
from data.runs import Run
from data.runs.labels import LABEL_FILE, read_label_file
from data.runs.schema import ManifestLine, Measures, MetricsLine, SampleLine, SlotLine
from data.runs.snapshot import Snapshot
from data.runs.traces import list_traces, read_trace
from data.runs.training_lock import is_training

LINES: Mapping[str, tuple[Any, ...]] = {
    "manifest.jsonl": (ManifestLine,),
    "metrics.jsonl": (MetricsLine, Measures),
    "samples.jsonl": (SampleLine,),
    "resume/manifest.jsonl": (SlotLine,),
}
"""The files of lines, with the schemas of a line."""


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a file of a run.

    ``file`` is its path below the run's folder; ``lines`` are the numbers of the lines concerned, counted from 1, if it is a file of lines.
    """

    file: str
    fault: str
    lines: tuple[int, ...] = ()

    def __str__(self) -> str:
        which = f" (line{'s' * (len(self.lines) > 1)} {list_names(self.lines, 6)})" if self.lines else ""
        return f"{self.file}{which}: {self.fault}"


@dataclass(frozen=True)
class Verification:
    """What was found, and how much was read, in bytes."""

    findings: tuple[Finding, ...]
    n_snapshots: int
    n_bytes: int


def verify(run: Run, progress: Progress | None = None, *, is_idle: bool = False) -> Verification:
    """Read every file of a run and list what is wrong, files before what they hold.

    Parameters
    ----------
    run : the run; it may be in training, whose unfinished files are then not counted as faults.
    progress : called with the number of snapshots read so far.
    is_idle : the caller holds the lock of the run, so that nobody trains it.
    """
    with reached(run.path):
        return _verified(run, progress, is_idle=is_idle or not is_training(run.path))


def _verified(run: Run, progress: Progress | None, *, is_idle: bool) -> Verification:
    findings = list(_kinds_of_files(run))
    unsafe = {finding.file for finding in findings if finding.fault != UNFINISHED_FAULT}
    findings += _description(run)
    for name in LINES:
        if not unsafe & {name, name.split("/")[0]}:
            findings += _lines(run, name, is_idle=is_idle)
    snapshots = listed_snapshots(run) if not unsafe & {"manifest.jsonl", "snapshots"} else []
    n_bytes = 0
    for done, snapshot in enumerate(snapshots, 1):
        findings += _snapshot(run, snapshot)
        n_bytes += snapshot.bytes
        if progress is not None:
            progress(done)
    findings += _orphans(run, snapshots) if is_idle else ()
    if not unsafe & {"resume", "resume/manifest.jsonl"}:
        findings += _slots(run) if is_idle else ()
    findings += _others(run)
    return Verification(tuple(findings), len(snapshots), n_bytes)


NOT_OURS = ("quarantine/", "tensorboard/", "wandb/")
"""Folders of a run that nothing is read from: what was moved aside, and the files of loggers, which make links, too."""
UNFINISHED_FAULT = "was left unfinished by a process that has ended"


def _kinds_of_files(run: Run) -> Iterator[Finding]:
    """List links, pipes and devices, and files that dead processes left unfinished."""
    if is_remote(run.path):  # an address has files only
        return
    for path in sorted(run.path.rglob("*")):
        name = path.relative_to(run.path).as_posix()
        if name.startswith(NOT_OURS):
            continue
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            yield Finding(name, "is a link, which is not followed")
        elif not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            yield Finding(name, "is neither a file nor a folder")
        elif (found := UNFINISHED.fullmatch(path.name)) and stat.S_ISREG(mode) and not is_alive(int(found[1])):
            yield Finding(name, UNFINISHED_FAULT)


def _description(run: Run) -> Iterator[Finding]:
    try:
        info = Run(run.path).info
    except InputError as error:
        yield Finding("run.json", str(error))
        return
    if info.get("tokenizer"):
        yield from _checked("run.json", lambda: Run(run.path).tokenizer)


def _lines(run: Run, name: str, *, is_idle: bool) -> Iterator[Finding]:
    """List damaged lines, a line that was cut, and lines of the manifest that name the file of another step."""
    path = run.inside(*name.split("/"))
    try:
        content = read_regular(path, MOST_LINES_BYTES)
    except FileNotFoundError:
        if name == "manifest.jsonl" and (run.path / "snapshots").is_dir() and any((run.path / "snapshots").iterdir()):
            yield Finding(name, "is missing, though there are snapshots")
        return
    except (OSError, UnsafeFileError) as error:
        yield Finding(name, str(error))
        return
    records = [parse_line(line, *LINES[name]) for line in content.split(b"\n")[:-1]]
    if damaged := tuple(number for number, record in enumerate(records, 1) if record is None):
        yield Finding(name, "is damaged", damaged)
    if name == "manifest.jsonl":
        step_of: dict[str, int] = {}
        shared: dict[int, list[int]] = {}
        for number, record in enumerate(records, 1):
            if record is not None and step_of.setdefault(record["file"], record["step"]) != record["step"]:
                shared.setdefault(step_of[record["file"]], []).append(number)
        for step, numbers in shared.items():
            yield Finding(name, f"names the file of step {step}", tuple(numbers))
    if is_idle and has_cut_line(path):
        yield Finding(name, "its last line was cut")


def listed_snapshots(run: Run) -> list[Snapshot]:
    """List the snapshots, without the notices that the findings on lines repeat; none if the manifest cannot be read."""
    with collect_notices(), contextlib.suppress(InputError):
        return run.snapshots()
    return []


def _snapshot(run: Run, snapshot: Snapshot) -> Iterator[Finding]:
    name = snapshot.path.relative_to(run.path).as_posix()
    tensors = snapshot.read_checked()
    if isinstance(tensors, str):
        yield Finding(name, tensors)
        return
    for tensor, values in tensors.items():
        if not np.isfinite(values).all():
            yield Finding(name, f"its tensor {tensor!r} holds numbers that are not finite")


def _orphans(run: Run, snapshots: list[Snapshot]) -> Iterator[Finding]:
    """List files among the snapshots that no line of the manifest names."""
    folder = run.path / "snapshots"
    if folder.is_symlink() or not folder.is_dir():
        return
    known = {snapshot.path.name for snapshot in snapshots}
    for path in sorted(folder.iterdir()):
        if path.name not in known and path.is_file() and not path.is_symlink() and not path.name.startswith("."):
            yield Finding(f"snapshots/{path.name}", "is not in the manifest")


def _slots(run: Run) -> Iterator[Finding]:
    """List slots that are not what the last line about them says."""
    lines = run.path / "resume" / "manifest.jsonl"
    if not lines.is_file():
        return
    records = (parse_line(line, SlotLine) for line in read_regular(lines, MOST_LINES_BYTES).split(b"\n"))
    last = {record["file"]: record for record in records if record is not None}
    for file, record in last.items():
        try:
            path = run.inside("resume", file)
            with open_regular(path) as opened:
                has_size = record.get("bytes") in (None, size_of(path, opened))
                digest = hashlib.file_digest(opened, "sha256").hexdigest() if has_size else ""
        except UnsafeFileError:
            continue  # found already
        except OSError:
            yield Finding(f"resume/{file}", "is missing")
            continue
        if digest != record["sha256"]:
            yield Finding(f"resume/{file}", "is damaged (its sha256 is not the one in resume/manifest.jsonl)")


def _others(run: Run) -> Iterator[Finding]:
    """List damaged traces and a damaged label."""
    try:
        traces = list_traces(run)
    except InputError:
        traces = []
    for name in traces:
        yield from _checked(f"traces/{name}.jsonl", lambda name=name: read_trace(run, name))  # type: ignore[misc]
    path = run.path / LABEL_FILE
    if path.is_file() and not path.is_symlink():
        try:
            read_label_file(run)
        except (DamagedError, OSError, UnsafeFileError) as error:
            yield Finding(LABEL_FILE, f"is damaged ({error})")


def _checked(file: str, read: Callable[[], object]) -> Iterator[Finding]:
    try:
        read()
    except InputError as error:
        yield Finding(file, str(error))
