"""Projections and probes beside programs that keep cores busy: with fixed numbers of threads, and with as many as cores are free.

Targets as in `busy_machine.py`: 0.85 of the rate of the best fixed number of threads, and 0.5 of the fair share. The ways take turns.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

import numpy as np
import torch
from busy_machine import busy_loops
from tables import show

from data.free_cores import free_cores
from trainer.config import ModelConfig
from trainer.model import GPT
from viz.projection import tsne

Work = Callable[[int], object]


def projection(items: int = 5000) -> Work:
    """Return a function that lays out one more snapshot of so many items with a number of threads."""
    vectors = np.random.default_rng(0).normal(size=(items, 50)) + 3 * np.eye(50)[np.arange(items) % 50]
    points = np.random.default_rng(1).normal(size=(items, 2)) * 20
    return lambda threads: tsne.continue_layout(vectors, points, perplexity=30.0, n_iter=50, n_jobs=threads)


def reading(width: int = 384) -> Work:
    """Return a function that reads a batch with a model of the preset gpu's size with a number of threads."""
    shape = {"n_layer": 6, "n_head": 6, "n_embd": width, "block_size": 64, "vocab_size": 115}
    model, ids = GPT(ModelConfig(**shape)).eval(), torch.randint(115, (32, 64))

    @torch.no_grad()
    def read(threads: int) -> object:
        torch.set_num_threads(threads)
        return model(ids)

    return read


def rates(work: Work, loops: int, turns: int) -> dict[str, float]:
    """Measure how often a second the work is done beside busy loops, by every way, in turns."""
    ways: dict[str, Callable[[], int]] = {"1": lambda: 1, str(os.cpu_count() or 1): lambda: os.cpu_count() or 1}
    ways["as many as are free"] = free_cores
    spent = dict.fromkeys(ways, 0.0)
    with busy_loops(loops):
        time.sleep(0.3)  # until they run
        for turn in range(turns + 1):
            for name, threads in ways.items():
                started = time.perf_counter()
                work(threads())
                spent[name] += (time.perf_counter() - started) * (turn > 0)  # the first turn warms up
    return {name: turns / seconds for name, seconds in spent.items()}


def show_work(name: str, work: Work, options: argparse.Namespace) -> None:
    cores, quiet, rows = os.cpu_count() or 1, 0.0, []
    for loops in options.loops:
        found = rates(work, loops, options.turns)
        fixed, free = list(found.values())[:-1], found["as many as are free"]
        quiet = quiet or fixed[0]
        share = quiet * min(1.0, cores / (loops + 1))
        rows.append((loops, *(f"{rate:.2f}" for rate in (*fixed, free, free / max(fixed), free / share))))
    columns = ("loops", *(f"{n} threads" for n in list(found)[:-1]), "free cores", "of the best", "of the fair share")
    show(f"{name}: times a second", columns, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loops", type=int, nargs="+", default=[0, 1, 2, 4])
    parser.add_argument("--turns", type=int, default=10)
    options = parser.parse_args()
    show_work("A step of a t-SNE chain, 5,000 items", projection(), options)
    show_work("Reading 32 x 64 tokens, preset gpu", reading(), options)


if __name__ == "__main__":
    main()
