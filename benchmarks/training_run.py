"""A training as a user starts it: time to the reference's loss, set-up included, and what snapshots cost.

Targets: validation loss 2.02 (the reference's after 14 minutes) in less than 30 s on 2 cores; snapshots at most 2% of the training time.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from tables import show

from data.runs import Run, write_snapshot
from trainer.config import TrainConfig
from trainer.loop import take_step
from trainer.session import start

REFERENCE_LOSS = 2.02


def seconds_to_reference(runs: Path, corpus: str, seed: int) -> tuple[float, int]:
    """Start ``python -m trainer`` and return the seconds and steps until an evaluation shows the reference's loss."""
    name = f"race-{seed}"
    command = [
        sys.executable,
        "-m",
        "trainer",
        "--corpus",
        corpus,
        "--run",
        name,
        "--seed",
        str(seed),
        "--eval-every",
        "20",
    ]
    started = time.perf_counter()
    process = subprocess.Popen(
        command, env={**os.environ, "GPTLAB_RUNS": str(runs)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while process.poll() is None:
            time.sleep(0.02)
            reached = [record for record in Run(runs / name).metrics() if record["val_loss"] <= REFERENCE_LOSS]
            if reached:
                return time.perf_counter() - started, reached[0]["step"]
    finally:
        process.kill()
        process.wait()
    raise RuntimeError("the training ended without reaching the reference's loss")


def snapshot_share(runs: Path, corpus: str) -> tuple[float, float]:
    """Return the seconds of one snapshot and of the hundred steps between two."""
    os.environ["GPTLAB_RUNS"] = str(runs)
    training = start(TrainConfig(corpus=corpus), "snapshots")
    snapshots, steps = [], []
    for round_ in range(6):
        started = time.perf_counter()
        write_snapshot(training.run, round_, training.objective.weights())
        written = time.perf_counter()
        for step in range(100):
            take_step(training.objective, 100 * round_ + step)
        snapshots.append(written - started)
        steps.append(time.perf_counter() - written)
    return float(np.median(snapshots)), float(np.median(steps))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", default="machado")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        races = [seconds_to_reference(Path(folder), options.corpus, seed) for seed in range(1, options.seeds + 1)]
        rows = [(f"seed {seed}", step, seconds) for seed, (seconds, step) in enumerate(races, 1)]
        show(
            f"Time to validation loss {REFERENCE_LOSS} on {options.corpus}, process start included",
            ("", "step", "seconds"),
            rows,
        )
        snapshot, steps = snapshot_share(Path(folder), options.corpus)
        show(
            "Cost of snapshots, cpu preset, one every 100 steps",
            ("", "milliseconds", "share of training"),
            [("a snapshot", 1000 * snapshot, f"{snapshot / (snapshot + steps):.2%}"), ("100 steps", 1000 * steps, "")],
        )


if __name__ == "__main__":
    main()
