"""The tests of reliability in their long form; prints the table of docs/reliability.md and writes it there.

Kills, losses of power, damage, attacks, faults and readers beside a writer, as often as the options say. Any failure ends the script with
its traceback. Each part writes its rows when it has passed; those of the others stay.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import torch

from data.runs import Run, list_runs, write_snapshot
from data.upkeep.verification import verify
from tests.conftest import made_text
from tests.reliability.crashes.kills import Tally, chain, reference, training_server
from tests.reliability.crashes.power_loss import record_training, recover, resume_from, small_config, states_to_try
from tests.reliability.crashes.readers import read_beside_a_writer
from tests.reliability.crashes.trainings import KINDS
from tests.reliability.damage.corruptions import IMPOSSIBLE, damages, made_changes, on_one_file
from tests.reliability.damage.test_attacks import ATTACKS, COMMANDS, NO_ATTACK, failed_attacks, failed_commands
from tests.reliability.damage.test_corruptions import failures, whole_run
from tests.reliability.faults.test_faults import ERRORS, fail_at, hashes
from trainer.config import preset, replace, trained_config
from trainer.loop import take_step
from trainer.session import resume_training, start

PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- soak: begin -->", "<!-- soak: end -->"
KILLS_A_CHAIN = 16
SHARES = {"best": 0.5, "reference": 0.3, "finetune": 0.1, "supervised": 0.1}
"""How the kills are divided among the kinds of training."""

Row = tuple[str, str]


def main() -> None:
    options = parse()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        text = place / "made.txt"
        text.write_text(made_text(), encoding="utf-8")
        tiny = train_base(place / "runs", text)
        rows: list[Row] = []
        for name in options.parts:
            started = time.perf_counter()
            found = PARTS[name](options, place, text, tiny)
            rows += found
            if options.write:
                write_table(found)
            print(f"{name}: {time.perf_counter() - started:.0f} s", flush=True)
    print(format_table(rows))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--states", type=int, default=2000)
    parser.add_argument("--damages", type=int, default=400)
    parser.add_argument("--made", type=int, default=200)
    parser.add_argument("--fault-every", type=int, default=1, help="let every so many calls fail")
    parser.add_argument("--readings", type=int, default=10_000)
    parser.add_argument("--fuzz-minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--write", action=argparse.BooleanOptionalAction, default=True, help="write docs/reliability.md"
    )
    return parser.parse_args()


def train_base(runs: Path, text: Path) -> Path:
    """Train the run that fine-tunings start from and damages are made to."""
    runs.mkdir()
    os.environ["GPTLAB_RUNS"] = str(runs)
    torch.set_num_threads(1)
    start(replace(preset("tiny"), {"corpus": str(text)}, "soak"), "base").go(lambda step, note: None)
    return runs / "base"


def kills(options: argparse.Namespace, place: Path, text: Path, tiny: Path) -> list[Row]:
    """Kill trainings at random and aimed moments."""
    tally, draw, runs = Tally(), random.Random(options.seed), place / "runs"
    with training_server(runs) as server:
        for kind in KINDS:
            whole, goal = reference(server, kind, text, runs), tally.kills + options.kills * SHARES[kind]
            while tally.kills < goal:
                name = f"killed-{kind}"
                shutil.rmtree(runs / name, ignore_errors=True)
                log = runs.parent / "acknowledged.log"
                log.unlink(missing_ok=True)
                chain(server, kind, name, whole, text, log, draw, tally, KILLS_A_CHAIN)
    at = ", ".join(f"{n} at {call}" for call, n in sorted(tally.at.items()))
    return [
        (
            "kills (SIGKILL)",
            f"{tally.kills}, {tally.aimed} of them in the middle of a writing ({at}); nothing acknowledged was lost",
        ),
        ("ends compared with the training that nobody killed", f"{tally.chains} of {tally.chains} equal bit for bit"),
        ("lines of records read after kills", f"{tally.lines:,}, none damaged"),
    ]


def readers(options: argparse.Namespace, place: Path, text: Path, tiny: Path) -> list[Row]:
    """Read a run while it is trained and killed; start it anew as often as it ends."""
    n_kills, n_read, draw, runs = 0, 0, random.Random(options.seed), place / "runs"
    with training_server(runs) as server:
        whole = reference(server, "best", text, runs)
        while n_read < options.readings:
            shutil.rmtree(runs / "read", ignore_errors=True)
            n_kills += read_beside_a_writer(server, "best", whole, text, draw, 500)
            n_read += 500
    return [("readings beside a writer", f"{n_read:,}, the writer killed {n_kills} times; none false")]


def power_loss(options: argparse.Namespace, place: Path, text: Path, tiny: Path) -> list[Row]:
    """Make and recover the states that losses of power leave."""
    (place / "recorded").mkdir()
    os.environ["GPTLAB_RUNS"] = str(place / "recorded")
    recorded = record_training(text, place / "recorded")
    states, n_resumed = states_to_try(recorded, options.states, options.seed), 0
    for number, (state, acknowledged) in enumerate(states):
        recover(state, acknowledged, recorded, place / "left")
        if acknowledged and number % 50 == 0:
            resume_from(place / "left", recorded)
            n_resumed += 1
    os.environ["GPTLAB_RUNS"] = str(place / "runs")
    return [
        (
            "crash states after a loss of power",
            f"{len(states):,} distinct ones, at {len(recorded.operations):,} points of a training; all recovered",
        ),
        ("of these resumed to the end", f"{n_resumed}, all equal bit for bit"),
    ]


def corruptions(options: argparse.Namespace, place: Path, text: Path, tiny: Path) -> list[Row]:
    """Damage runs, and write into them what no run can be."""
    original, draw = whole_run(place / "original", tiny), random.Random(options.seed)
    rows = []
    for what, made in (
        ("damages to a file of a run", list(damages(original, draw, options.damages))),
        ("records that no run can have, with hashes that fit", [*IMPOSSIBLE, on_one_file(100_000)]),
        ("strange values with hashes that fit", list(made_changes(original, draw, options.made))),
    ):
        failed = failures(made, original, place / "damaged")
        assert not failed, "\n".join(failed)
        rows.append((what, f"{len(made)}: {RESULTS[len(rows)]}"))
    return rows


def attacks_refused(options: argparse.Namespace, place: Path, text: Path, tiny: Path) -> list[Row]:
    """Attack a run in every way that is known."""
    original = whole_run(place / "victim", tiny)
    names = [name for name in ATTACKS if name != NO_ATTACK]
    failed = [*failed_attacks(names, original, place / "attacked"), *failed_commands(names, original, place / "run")]
    assert not failed, "\n".join(failed)
    tried = f"{len(names)}, read by all readers and by {len(COMMANDS)} commands"
    return [("attacks by a run of somebody else", f"{tried}: {NO_HARM}")]


def faults(options: argparse.Namespace, place: Path, text: Path, tiny: Path) -> list[Row]:
    """Let every call that writes fail in turn, and resume."""
    whole = start(small_config(text, steps=8), "whole-8")
    whole.go(lambda step, note: None)
    expected, number = hashes(whole.run), 1
    while fail_at(number, text, expected, ERRORS[number % len(ERRORS)]):
        number += options.fault_every
    return [
        (
            "calls of the system that failed (ENOSPC, EIO, EACCES, EROFS, EFBIG)",
            f"{number // options.fault_every:,} of {number:,}; {KEPT}",
        )
    ]


def fuzzing(options: argparse.Namespace, place: Path, text: Path, tiny: Path) -> list[Row]:
    """Let hypothesis look for inputs that break a property, in rounds with other seeds."""
    started, n_rounds = time.monotonic(), 0
    pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "hypothesis"]
    while not n_rounds or time.monotonic() - started < 60 * options.fuzz_minutes:
        seed = f"--hypothesis-seed={options.seed + n_rounds}"
        subprocess.run([*pytest, "--hypothesis-profile=fuzz", seed, *FUZZED], cwd=ROOT, check=True)
        n_rounds += 1
    hours = (time.monotonic() - started) / 3600
    return [("fuzzing of readers, tokenizers and the life of a run", f"{hours:.1f} hours, {n_rounds} rounds; {HELD}")]


def times(options: argparse.Namespace, place: Path, text: Path, tiny: Path) -> list[Row]:
    """Measure what safety costs."""
    training = start(replace(preset("cpu"), {"corpus": str(text), "threads": 1}, "soak"), "timed")
    weights, n_steps = training.objective.weights(), 20
    snapshot_s = min(timed(lambda step=step: write_snapshot(training.run, step, weights)) for step in range(1, 40))
    step_s = timed(lambda: [take_step(training.objective, step) for step in range(n_steps)]) / n_steps
    share = snapshot_s * 58 / (step_s * 5000)
    resume_s = timed(lambda: resume_training(Run(tiny), trained_config(Run(tiny))))
    run = Run(training.run.path)
    n_bytes = sum(snapshot.bytes for snapshot in run.snapshots())
    verify_s = timed(lambda: verify(run))
    many = place / "many"
    for number in range(1000):
        (many / f"run-{number}").mkdir(parents=True)
        shutil.copy(tiny / "run.json", many / f"run-{number}")
    list_s = timed(lambda: list_runs(many))
    return [
        (
            "a snapshot of 0.2 million parameters, flushed",
            f"{snapshot_s * 1e3:.1f} ms; {share:.2%} of the training of preset cpu",
        ),
        ("resuming a run of the tiny preset", f"{resume_s:.2f} s in a process with everything imported"),
        ("verify", f"{n_bytes / 1e6 / verify_s:.0f} MB/s"),
        ("listing 1,000 runs", f"{list_s:.2f} s at the first time"),
    ]


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


KEPT = "nothing acknowledged was touched, and each resumed to the same end"
NO_HARM = "nothing outside the run read or changed, good runs still listed, no traceback, no hang"
HELD = "every property held"
FUZZED = (
    "tests/reliability/damage/test_fuzzing.py",
    "tests/data/files",
    "tests/data/tokens",
    "tests/data/documents/test_records.py",
    "tests/data/test_text_files.py",
)
"""Tests with properties of what reads files and texts."""
RESULTS = (
    "all that change a value named; no traceback, no hang, no more than 1.5 GB",
    "all refused in a line",
    "no traceback, no hang, no more than 1.5 GB",
)


PARTS: dict[str, Callable[[argparse.Namespace, Path, Path, Path], list[Row]]] = {
    "kills": kills,
    "power": power_loss,
    "damage": corruptions,
    "attacks": attacks_refused,
    "faults": faults,
    "readers": readers,
    "fuzz": fuzzing,
    "times": times,
}


def write_table(rows: list[Row]) -> None:
    """Write the table between the two marks of the page; rows of parts that did not run stay."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    table, _, after = rest.partition(END)
    lines = [
        line.strip("| ").split(" | ")
        for line in table.splitlines()
        if line.startswith("| ") and not line.startswith("| what |")
    ]
    known = dict(lines) | dict(rows)
    PAGE.write_text(f"{before}{BEGIN}\n{format_table(list(known.items()))}\n{END}{after}", encoding="utf-8")


def format_table(rows: list[Row]) -> str:
    """Format the table as Markdown."""
    return "\n".join(["| what | result |", "|---|---|", *(f"| {what} | {result} |" for what, result in rows)])


if __name__ == "__main__":
    main()
