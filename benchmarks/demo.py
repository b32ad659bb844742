"""The demo as a whole, as a newcomer starts it, and its commands alone; process start included.

    python benchmarks/demo.py                 5,000 steps
    python benchmarks/demo.py --steps 300     a short training, with as many snapshots: films and figures take as long

Target on 2 cores: 2 min 30 s for the whole. The commands alone run one after another, on a copy of the run without films, figures and
layouts; their processor time includes that of the encoders. Nothing is fetched if GPTLAB_DATA names a folder with the corpora.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tables import show

import gptlab

N_SNAPSHOTS = 50

Times = tuple[float, float]
"""Seconds on the clock, and of the processor."""


def timed(arguments: Sequence[str], runs: Path) -> Times:
    """Run ``python`` with arguments and a folder of runs, and measure it with the processes that it starts."""
    environment = {**os.environ, "GPTLAB_RUNS": str(runs)}
    before, started = os.times(), time.perf_counter()
    nowhere = subprocess.DEVNULL
    subprocess.run([sys.executable, *arguments], env=environment, check=True, stdout=nowhere, stderr=nowhere)
    after = os.times()
    processor = sum(after[2:4]) - sum(before[2:4])  # of the children that have ended: user and system
    return time.perf_counter() - started, processor


def whole(steps: int, runs: Path) -> Times:
    """Measure ``gptlab demo``, with so many steps of training."""
    options = ("--steps", str(steps), "--snapshot-every", str(max(1, steps // N_SNAPSHOTS)))
    code = f"import gptlab; gptlab.TRAIN_DEMO += {options!r}; gptlab.main(['demo'])"
    return timed(("-c", code), runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=5000)
    steps = parser.parse_args().steps
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder)
        rows = [("the whole", *whole(steps, runs))]
        for made in ("films", "figures", "projections"):
            shutil.rmtree(runs / gptlab.DEMO_RUN / made)
        for label, command in gptlab.DRAW_DEMO.items():
            rows.append((f"{label} alone", *timed(("-m", *command), runs)))
        rows.append(("all again, resumed", *timed(("-m", "gptlab", "demo"), runs)))
    show(f"gptlab demo, {steps:,} steps", ("", "seconds", "processor seconds"), rows)


if __name__ == "__main__":
    main()
