"""Chains of kills: a training is killed again and again and resumed, until it has ended; what it acknowledged must always be there.

Acknowledgements are kept outside the run, in a file that is flushed after each. A kill comes at a random moment, or is aimed: the
process stops itself in the middle of a writing, and is killed there.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from data.notices import collect_notices
from data.runs import Run
from tests.commands import ROOT, command_environment

MOST_CALLS = 150
"""A kill is aimed at one of so many first calls of an attempt that write."""


@dataclass
class Server:
    """The process that forks trainings (`tests.reliability.crashes.trainings`)."""

    process: subprocess.Popen[str]

    def send(self, **request: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the server has ended"
        return json.loads(line)  # type: ignore[no-any-return]


@contextlib.contextmanager
def training_server(runs: Path) -> Iterator[Server]:
    """Run the server while the context lasts; trainings write into a folder of runs."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.reliability.crashes.trainings"],
        cwd=ROOT,
        env=command_environment(GPTLAB_RUNS=str(runs)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Server(process)
        finally:
            process.kill()


@dataclass
class Tally:
    """What was done and seen: kills, those of them that were aimed, and by what they were aimed at."""

    kills: int = 0
    aimed: int = 0
    chains: int = 0
    lines: int = 0
    at: dict[str, int] = field(default_factory=dict)


def reference(server: Server, kind: str, text: Path, runs: Path) -> Run:
    """Train without a stop what the chains of a kind are compared with."""
    attempt(server, kind, f"whole-{kind}", text, None, None, None)
    return Run(runs / f"whole-{kind}")


def chain(
    server: Server,
    kind: str,
    name: str,
    whole: Run,
    text: Path,
    log: Path,
    draw: random.Random,
    tally: Tally,
    most: int,
) -> None:
    """Kill a training ``most`` times, every second time in the middle of a writing, then let it end; compare with ``whole``."""
    run = Run(whole.path.parent / name)
    expected = {snapshot.step: snapshot.sha256 for snapshot in whole.sound_snapshots()}
    with log.open("a", encoding="utf-8") as acknowledged:
        for number in range(most):
            is_aimed = number % 2 == 1
            aim = draw.randint(1, MOST_CALLS) if is_aimed else None
            delay_s = None if is_aimed else draw.random() ** 2
            ended = attempt(server, kind, name, text, aim, delay_s, acknowledged)
            if not ended["killed"]:
                break
            tally.kills += 1
            if "at" in ended:
                tally.aimed += 1
                tally.at[ended["at"]] = tally.at.get(ended["at"], 0) + 1
            tally.lines += check(run, expected, log)
        attempt(server, kind, name, text, None, None, acknowledged)
    check(run, expected, log)
    with collect_notices() as notices:
        assert {snapshot.step: snapshot.sha256 for snapshot in run.sound_snapshots()} == expected
        assert _losses(run) == _losses(whole)
    assert not notices
    tally.chains += 1


def attempt(
    server: Server,
    kind: str,
    name: str,
    text: Path,
    aim: int | None,
    delay_s: float | None,
    acknowledged: IO[str] | None,
) -> dict[str, Any]:
    """Start or resume a training, and kill it after some seconds or where it stops itself; return how it ended."""
    server.send(kind=kind, name=name, text=str(text), aim=aim)
    ended: dict[str, Any] = {"killed": True}
    timer = None
    while (reported := server.receive())["event"] != "gone":
        event = reported["event"]
        assert event != "failed", reported["what"]
        if event == "started":
            process = reported["process"]
            if delay_s is not None:
                timer = threading.Timer(delay_s, _kill, [process])
                timer.start()
        elif event == "snapshot" and acknowledged is not None:
            acknowledged.write(f"{reported['step']}\n")
            acknowledged.flush()
            os.fsync(acknowledged.fileno())
        elif event == "aimed":
            ended["at"] = reported["at"]
            _kill(process)
        elif event == "ended":
            ended["killed"] = False
    if timer is not None:
        timer.cancel()
        timer.join()
    return ended


def _kill(process: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def check(run: Run, expected: dict[int, str], log: Path) -> int:
    """Check that all that was acknowledged is whole and equal to the uninterrupted run; return the number of lines read."""
    steps = set(map(int, log.read_text(encoding="utf-8").split()))
    if not steps:
        return 0
    with collect_notices() as notices:
        sound = {snapshot.step: snapshot.sha256 for snapshot in run.sound_snapshots()}
        n_lines = len(run.manifest()) + len(run.metrics()) + len(run.samples())
    assert {step: sound.get(step) for step in steps} == {step: expected[step] for step in steps}
    assert sound.items() <= expected.items()
    assert all("was cut" in notice for notice in notices), notices
    return n_lines


def _losses(run: Run) -> list[tuple[Any, ...]]:
    return [(record["step"], record["train_loss"], record["val_loss"]) for record in run.metrics()]
