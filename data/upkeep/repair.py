"""Repair of a run: what cannot be trusted is moved to ``quarantine/``, and nothing is deleted."""

from __future__ import annotations

import datetime
import itertools
import stat
from collections.abc import Callable, Iterable
from pathlib import Path

from data.errors import InputError
from data.files.atomic_files import encode_line, make_folder, sync_folder, write_bytes
from data.files.json_files import MOST_LINES_BYTES, DamagedError, check_json, parse_line, read_json
from data.files.regular_files import read_regular
from data.runs import Run, write_info
from data.runs.schema import RunInfo
from data.runs.training_lock import lock_run
from data.upkeep.verification import LINES, Finding, listed_snapshots, verify

QUARANTINE = "quarantine"


def repair(run: Run, *, accept_run_json: bool = False) -> list[str]:
    """Move what cannot be trusted into a new folder below ``quarantine/`` of the run.

    Damaged lines are left out of their file, whose original is moved. A damaged run.json cannot be repaired.

    Parameters
    ----------
    run : the run, which may not be in training.
    accept_run_json : take run.json as it is, after you changed it on purpose: its hash is computed anew.

    Returns
    -------
    What was done, a line each; nothing if nothing was wrong.

    Raises
    ------
    InputError
        If a process trains the run, or run.json is damaged.
    """
    lock = lock_run(run.path)
    try:
        done = [_accept(run)] if accept_run_json else []
        Run(run.path).info  # noqa: B018  raises if it is damaged
        place = _free_place(run)
        for _ in range(2):  # a line that is left out may leave a snapshot that no line names
            found = verify(Run(run.path), is_idle=True).findings
            actions = _actions(run, place, found)
            done += [action() for action in actions]
            if not actions:
                break
        return done
    finally:
        lock.release()


def _accept(run: Run) -> str:
    try:
        info = read_json(run.inside("run.json"), dict)
        check_json(info, RunInfo)
    except (DamagedError, OSError) as error:
        raise InputError(f"the run.json of run {run.name!r} cannot be accepted: it is damaged ({error})") from None
    info.pop("sha256", None)
    write_info(run, info)
    return "run.json: accepted as it is"


def _actions(run: Run, place: Path, findings: Iterable[Finding]) -> list[Callable[[], str]]:
    """Plan what to do about findings: lines are filtered once for each file, other files are moved once."""
    by_file: dict[str, Finding] = {}
    for finding in findings:
        by_file.setdefault(finding.file, finding)
    actions: list[Callable[[], str]] = []
    for file, finding in by_file.items():
        if file == "run.json" or (not (run.path / file).exists() and not (run.path / file).is_symlink()):
            continue  # the description cannot be repaired, and what is missing cannot be moved
        if file in LINES and stat.S_ISREG((run.path / file).lstat().st_mode):
            actions.append(lambda file=file: _filter_lines(run, place, file))  # type: ignore[misc]
        else:
            actions.append(lambda file=file, finding=finding: _move(run, place, file, finding.fault))  # type: ignore[misc]
    entered = {f"snapshots/{snapshot.path.name}" for snapshot in listed_snapshots(run)}
    if faulty := entered & by_file.keys():
        actions.append(lambda: _forget(run, place, faulty))
    return actions


def _move(run: Run, place: Path, file: str, fault: str) -> str:
    target = place / file
    make_folder(target.parent)
    (run.path / file).rename(target)
    sync_folder(target.parent)
    return f"{file}: moved to {target.relative_to(run.path).as_posix()} ({fault})"


def _filter_lines(run: Run, place: Path, file: str) -> str:
    """Leave the damaged lines out of a file, after its original was copied."""
    path, target = run.path / file, place / file
    content = read_regular(path, MOST_LINES_BYTES)
    _copy_once(target, content)
    step_of: dict[str, int] = {}
    kept = []
    for line in content.split(b"\n"):
        record = parse_line(line, *LINES[file])
        if record is None:
            continue
        if file == "manifest.jsonl" and step_of.setdefault(record["file"], record["step"]) != record["step"]:
            continue
        kept.append(encode_line(record))
    write_bytes(path, b"".join(kept))
    n_left_out = sum(1 for line in content.split(b"\n") if line) - len(kept)
    return f"{file}: {n_left_out} damaged lines left out; the original is {target.relative_to(run.path).as_posix()}"


def _forget(run: Run, place: Path, files: set[str]) -> str:
    """Leave snapshots that are damaged or missing out of the manifest."""
    path, target = run.path / "manifest.jsonl", place / "manifest.jsonl"
    content = read_regular(path, MOST_LINES_BYTES)
    _copy_once(target, content)
    records = [record for line in content.split(b"\n") if (record := parse_line(line, *LINES["manifest.jsonl"]))]
    kept = [record for record in records if record["file"] not in files]
    write_bytes(path, b"".join(map(encode_line, kept)))
    return f"manifest.jsonl: {len(records) - len(kept)} snapshots left out"


def _copy_once(target: Path, content: bytes) -> None:
    if not target.exists():
        write_bytes(target, content)


def _free_place(run: Run) -> Path:
    day = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d")
    names = (f"{day}{f'-{number}' if number > 1 else ''}" for number in itertools.count(1))
    folder = run.inside(QUARANTINE)
    return folder / next(name for name in names if not (folder / name).exists())
