"""The tests of reliability in their long form; prints the table of docs/reliability.md and writes it there.

Kills, losses of power, damage, attacks, faults, readers beside a writer and fuzzing, as often as the options say. Any failure ends the script
with its traceback, and the table is not written.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import torch

from data.runs import Run
from tests.conftest import made_text
from tests.reliability.crashes.kills import Tally, chain, reference, training_server
from tests.reliability.crashes.power_loss import record_training, recover, resume_from, states_to_try
from tests.reliability.crashes.trainings import KINDS
from tests.reliability.damage.corruptions import IMPOSSIBLE, damages, made_changes, on_one_file
from tests.reliability.damage.test_attacks import ATTACKS, failed_attacks
from tests.reliability.damage.test_corruptions import failures, whole_run
from trainer.config import preset, replace
from trainer.session import start

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
        parts: list[Callable[[], list[Row]]] = [
            lambda: kills(options, place / "runs", text),
            lambda: power_loss(options, place, text),
            lambda: corruptions(options, place, tiny),
            lambda: attacks_refused(place),
        ]
        rows: list[Row] = []
        for part in parts:
            started = time.perf_counter()
            found = part()
            rows += found
            print(f"{found[0][0]}: {time.perf_counter() - started:.0f} s", flush=True)
    table = "\n".join(["| what | result |", "|---|---|", *(f"| {what} | {result} |" for what, result in rows)])
    print(table)
    if options.write:
        write_table(table)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--states", type=int, default=2000)
    parser.add_argument("--damages", type=int, default=400)
    parser.add_argument("--made", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action=argparse.BooleanOptionalAction, default=True, help="write docs/reliability.md")
    return parser.parse_args()


def train_base(runs: Path, text: Path) -> Path:
    """Train the run that fine-tunings start from and damages are made to."""
    runs.mkdir()
    os.environ["GPTLAB_RUNS"] = str(runs)
    torch.set_num_threads(1)
    start(replace(preset("tiny"), {"corpus": str(text)}, "soak"), "base").go(lambda step, note: None)
    return runs / "base"


def kills(options: argparse.Namespace, runs: Path, text: Path) -> list[Row]:
    """Kill trainings at random and aimed moments."""
    tally, draw = Tally(), random.Random(options.seed)
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
        ("kills (SIGKILL)", f"{tally.kills}, {tally.aimed} of them in the middle of a writing ({at}); nothing acknowledged was lost"),
        ("ends compared with the training that nobody killed", f"{tally.chains} of {tally.chains} equal bit for bit"),
        ("lines of records read after kills", f"{tally.lines:,}, none damaged"),
    ]


def power_loss(options: argparse.Namespace, place: Path, text: Path) -> list[Row]:
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
        ("crash states after a loss of power", f"{len(states):,} distinct of {len(recorded.operations):,} points; all recovered"),
        ("of these resumed to the end", f"{n_resumed}, all equal bit for bit"),
    ]


def corruptions(options: argparse.Namespace, place: Path, tiny: Path) -> list[Row]:
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


def attacks_refused(place: Path) -> list[Row]:
    """Attack a run in every way that is known."""
    failed = failed_attacks(list(ATTACKS), place / "original" / "tiny", place / "attacked")
    assert not failed, "\n".join(failed)
    return [("attacks by a run of somebody else", f"{len(ATTACKS)}: {NO_HARM}")]


NO_HARM = "nothing outside the run read or changed, good runs still listed, no traceback, no hang"
RESULTS = (
    "all that change a value named; no traceback, no hang, no more than 1.5 GB",
    "all refused in a line",
    "no traceback, no hang, no more than 1.5 GB",
)


def write_table(table: str) -> None:
    """Write the table between the two marks of the page."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
