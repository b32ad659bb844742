"""Pruning of a run: thin its snapshots, and keep those that a rule names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from data.errors import InputError
from data.files.atomic_files import encode_line, write_bytes
from data.files.json_files import parse_line
from data.files.regular_files import read_regular
from data.runs import Run
from data.runs.earlier_records import MOST_BYTES
from data.runs.schema import ManifestLine
from data.runs.training_lock import lock_run

RULES = ("every", "first", "last")


@dataclass(frozen=True)
class Pruning:
    """Which steps are kept and which are removed, and the bytes that this frees."""

    kept: tuple[int, ...]
    removed: tuple[int, ...]
    n_bytes: int


def steps_to_keep(steps: Sequence[int], keep: str) -> set[int]:
    """Select the steps that a rule keeps; the last one is always kept.

    Parameters
    ----------
    steps : in ascending order.
    keep : rules separated by commas: ``every:1000`` keeps multiples, ``first:5`` and ``last:5`` the ends.

    Raises
    ------
    InputError
        If a rule is not one of these.

    Examples
    --------
    >>> sorted(steps_to_keep([0, 1, 2, 4, 1000, 1100, 1200, 1300], "every:1000,first:2,last:1"))
    [0, 1, 1000, 1300]
    """
    kept = set(steps[-1:])
    for rule in keep.split(","):
        name, _, number = rule.strip().partition(":")
        if name not in RULES or not number.isdecimal() or int(number) < 1:
            raise InputError(f"`keep` has rules such as every:1000, first:5 and last:5; got {rule.strip()!r}")
        n = int(number)
        chosen = {"every": [step for step in steps if step % n == 0], "first": steps[:n], "last": steps[-n:]}
        kept |= set(chosen[name])
    return kept


def plan_pruning(run: Run, keep: str) -> Pruning:
    """Plan which snapshots `prune` keeps and removes; nothing is changed."""
    snapshots = run.snapshots()
    kept = steps_to_keep([snapshot.step for snapshot in snapshots], keep)
    removed = [snapshot for snapshot in snapshots if snapshot.step not in kept]
    steps = (tuple(sorted(kept)), tuple(snapshot.step for snapshot in removed))
    return Pruning(*steps, sum(snapshot.bytes for snapshot in removed))


def prune(run: Run, keep: str) -> Pruning:
    """Remove the snapshots that a rule does not keep.

    The manifest is written without them before their files are deleted: if that is interrupted, files remain that no line names, and
    `data.upkeep.verification.verify` lists them.

    Raises
    ------
    InputError
        If a process trains the run, or the rule is wrong; see `steps_to_keep`.
    """
    lock = lock_run(run.path)
    try:
        pruning = plan_pruning(run, keep)
        removed = set(pruning.removed)
        paths = [snapshot.path for snapshot in run.snapshots() if snapshot.step in removed]
        path = run.inside("manifest.jsonl")
        lines = read_regular(path, MOST_BYTES).split(b"\n")
        records = [record for line in lines if line and (record := parse_line(line, ManifestLine)) is not None]
        write_bytes(path, b"".join(encode_line(record) for record in records if record["step"] not in removed))
        for file in paths:
            file.unlink(missing_ok=True)
        return pruning
    finally:
        lock.release()
