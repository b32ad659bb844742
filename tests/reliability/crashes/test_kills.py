"""A training that is killed at any moment, also in the middle of a writing, ends as the one that nobody killed."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

from data.runs import Run
from tests.reliability.crashes.kills import Tally, chain, reference, training_server
from tests.reliability.crashes.readers import read_beside_a_writer
from tests.reliability.crashes.trainings import KINDS

N_READINGS = 30
KILLS = {"best": 2, "reference": 1, "finetune": 1, "supervised": 1}


def test_what_was_acknowledged_survives_kills_and_the_end_is_the_same(
    runs: Path, text_file: Path, tmp_path: Path
) -> None:
    shutil.move(runs / "tiny", runs / "base")
    tally = Tally()
    with training_server(runs) as server:
        for number, kind in enumerate(KINDS):
            whole = reference(server, kind, text_file, runs)
            log = tmp_path / f"{kind}.log"
            chain(server, kind, f"killed-{kind}", whole, text_file, log, random.Random(number), tally, KILLS[kind])
        whole = Run(runs / "whole-best")
        assert read_beside_a_writer(server, "best", whole, text_file, random.Random(1), N_READINGS) >= 0
    assert tally.chains == len(KINDS)
    assert tally.kills >= 2
    assert tally.aimed
