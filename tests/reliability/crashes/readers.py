"""Readers beside a writer that is killed and started again: whatever they read is true at some time, and nothing else."""

from __future__ import annotations

import random
import threading
from pathlib import Path

from data.errors import InputError
from data.notices import collect_notices
from data.runs import Run, list_runs, open_run
from tests.reliability.crashes.kills import Server, attempt


def read_beside_a_writer(server: Server, kind: str, whole: Run, text: Path, draw: random.Random, n: int) -> int:
    """Read ``n`` times from a run while it is trained and killed; return the number of kills.

    An `AssertionError` says what was read that is not in the uninterrupted run ``whole``.
    """
    runs, name = whole.path.parent, "read"
    expected = {snapshot.step: snapshot.sha256 for snapshot in whole.sound_snapshots()}
    losses = {record["step"]: record["val_loss"] for record in whole.metrics()}
    done, kills, failed = threading.Event(), [0], list[BaseException]()

    def write() -> None:
        try:
            while not done.is_set():
                ended = attempt(server, kind, name, text, None, 0.1 + draw.random(), None)
                kills[0] += ended["killed"]
                if not ended["killed"]:
                    break
        except BaseException as error:
            failed.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(n):
            _read_once(runs, name, number, expected, losses)
    finally:
        done.set()
        writer.join()
    if failed:
        raise failed[0]
    return kills[0]


def _read_once(runs: Path, name: str, number: int, expected: dict[int, str], losses: dict[int, float]) -> None:
    """Read one thing; a run that is not there yet has nothing to read."""
    with collect_notices() as notices:
        if not (runs / name / "run.json").exists():
            return
        run = open_run(name, runs)
        try:
            if number % 4 == 0:
                assert {
                    snapshot.step: snapshot.sha256 for snapshot in run.sound_snapshots()
                }.items() <= expected.items()
            elif number % 4 == 1:
                assert {record["step"]: record["sha256"] for record in run.manifest()}.items() <= expected.items()
            elif number % 4 == 2:
                assert {record["step"]: record["val_loss"] for record in run.metrics()}.items() <= losses.items()
            else:
                assert name in [each.name for each in list_runs(runs)]
        except InputError:
            assert not run.manifest(), "only a run without a snapshot may be refused"
    assert all("was cut" in notice for notice in notices), notices
