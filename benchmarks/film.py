"""Films end to end: frames a second of the whole command, and how its memory grows with the number of snapshots.

The runs are made up (tables of the cpu preset's size that wander and settle), so that their length can be chosen; everything
else is the command as a user calls it. Targets: 24 frames a second or more for 58 snapshots of 115 tokens in 1080p at 30 fps,
projection included; peak memory for 1000 snapshots at most 1.2 times that for 50.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tables import show

from data.runs import Run, create_run, write_snapshot

N_TOKENS, N_POSITIONS, N_EMBD = 115, 32, 64


def made_tokens() -> str:
    """Return 115 symbols."""
    return "".join(chr(33 + i) for i in range(94)) + "áàâãéêíóôõúçÁÀÂÉÊÍÓÚ "


def wandering(n_snapshots: int, n_items: int, random: np.random.Generator) -> np.ndarray:
    """Return tables (step, item, dim) that go from noise to groups, slower and slower."""
    groups = random.normal(size=(6, N_EMBD))[random.integers(0, 6, n_items)]
    start = random.normal(size=(n_items, N_EMBD))
    share = 1 - np.exp(-4 * np.linspace(0, 1, n_snapshots))[:, None, None]
    return ((1 - share) * start + share * (groups + 0.6 * start)).astype(np.float32) * 0.1


def made_run(folder: Path, n_snapshots: int) -> Run:
    """Write a run of so many snapshots."""
    random = np.random.default_rng(0)
    info = {
        "parameters": 207_936,
        "corpus": {"name": "made", "characters": 0},
        "tokenizer": {"kind": "char", "symbols": made_tokens()},
        "tensors": {"token_table": "wte.weight", "position_table": "wpe.weight"},
    }
    run = create_run(f"made-{n_snapshots}", info, folder)
    tokens, positions = (wandering(n_snapshots, n, random) for n in (N_TOKENS, N_POSITIONS))
    rest = random.normal(size=198_528).astype(np.float32)
    for i in range(n_snapshots):
        write_snapshot(run, 100 * i, {"wte.weight": tokens[i], "wpe.weight": positions[i], "rest": rest})
    return run


@dataclass(frozen=True)
class Measured:
    """What one command took."""

    seconds: float
    peak_mb: float
    frames: int


def film(runs: Path, run: str, *options: str, highlight: str | None = "digits") -> Measured:
    """Run ``python -m viz.video`` and return its wall time, the peak memory of its own process, and the frames it wrote."""
    picked = ["--what", "tokens", "--highlight", highlight] if highlight else []
    command = [sys.executable, "-m", "viz.video", "--run", run, *picked, *options]
    started = time.perf_counter()
    process = subprocess.Popen(
        command, env={**os.environ, "GPTLAB_RUNS": str(runs)}, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    output = process.stderr.read() if process.stderr else b""
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(output.decode())
    frames = [line for line in output.decode().splitlines() if line.startswith("film:")][-1]
    return Measured(
        time.perf_counter() - started, usage.ru_maxrss / 1024, int(frames.split(" of ")[1].split()[0].replace(",", ""))
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=1, help="films of each kind; medians are shown")
    repeats = range(parser.parse_args().repeats)
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder)
        for n in (58, 50, 1000):
            made_run(runs, n)
        first = [film(runs, "made-58", "--seed", str(seed)) for seed in repeats]
        again = [film(runs, "made-58", "--seed", "0") for _ in repeats]
        rows = [
            (
                name,
                some[0].frames,
                np.median([m.seconds for m in some]),
                np.median([m.frames / m.seconds for m in some]),
            )
            for name, some in (("mp4 and gif", first), ("mp4 and gif, layout kept from before", again))
        ]
        show("Film of 58 snapshots, 115 tokens, 1080p, 30 fps, end to end", ("", "frames", "seconds", "frames/s"), rows)
        short = ("--size", "640x360", "--fps", "10", "--seconds-per-snapshot", "0.1")
        for method in ("pca", "tsne"):
            few, many = (film(runs, f"made-{n}", *short, "--method", method) for n in (50, 1000))
            rows = [(str(m.frames), m.peak_mb, m.peak_mb / few.peak_mb) for m in (few, many)]
            show(f"Peak memory of the command, {method}, one frame a snapshot", ("frames", "peak MB", "ratio"), rows)


if __name__ == "__main__":
    main()
