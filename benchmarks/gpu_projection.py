"""The t-SNE chain of 50,000 items on a GPU and on the CPU: the neighbour search, a gradient, the layouts, and what they are worth.

The data are made up: noise that becomes a hundred groups. Both devices lay out the same steps, the last one first. The divergences of both
are approximated by the same function, on the CPU. `--device cpu` runs the parts in torch on the CPU: to try this script, not to measure.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from tables import show

from data.free_cores import free_cores
from viz.projection import tsne
from viz.projection.affinities import joint_probabilities, nearest_neighbours
from viz.projection.interpolated_gradient import interpolated_gradient
from viz.projection.projector import default_perplexity
from viz.projection.torch_engine.engine import TorchEngine

N_DIMS = 50
GRADIENTS = 20
WIDTH = 100.0
"""Of the layout whose gradient is timed: about that of a finished one of 50,000 items."""


def made_steps(n_items: int, n_steps: int) -> list[np.ndarray]:
    """Make up the last steps of noise that becomes a hundred groups, matrices (item, dim)."""
    random = np.random.default_rng(0)
    start, own = random.normal(size=(2, n_items, N_DIMS))
    groups = random.normal(size=(100, N_DIMS))[random.integers(0, 100, n_items)]
    return [(1 - share) * start + share * (groups + 0.6 * own) for share in np.linspace(0.8, 1, n_steps)]


class Measured(NamedTuple):
    """What one device takes: seconds of a neighbour search, of a gradient and of each layout, and the divergence of each."""

    search_s: float
    gradient_s: float
    layouts_s: list[float]
    divergences: list[float]


def seconds(make: Callable[[], object], times: int = 1) -> float:
    """Time a call, after one that is not timed."""
    make()
    started = time.perf_counter()
    for _ in range(times):
        make()
    return (time.perf_counter() - started) / times


def parts(vectors: np.ndarray, engine: TorchEngine | None, threads: int) -> tuple[float, float]:
    """Time the neighbour search and the gradient of one snapshot."""
    perplexity = default_perplexity(len(vectors))
    pairs = joint_probabilities(vectors, perplexity, n_jobs=threads)
    points = WIDTH / 4 * np.random.default_rng(0).normal(size=(len(vectors), 2))
    count = int(3 * perplexity)
    if engine is None:
        search: Callable[[], object] = partial(nearest_neighbours, vectors, count, threads)
        return seconds(search), seconds(lambda: interpolated_gradient(points, pairs, n_jobs=threads), GRADIENTS)
    placed = engine.place(pairs)
    return (
        seconds(lambda: engine.nearest_neighbours(vectors, count)),
        seconds(lambda: engine.gradient(points, placed), GRADIENTS),
    )


def measure(steps: list[np.ndarray], engine: TorchEngine | None, threads: int) -> Measured:
    """Lay out all steps, the last one first, and time the parts."""
    search_s, gradient_s = parts(steps[-1], engine, threads)
    layouts_s, divergences, started = list[float](), list[float](), time.perf_counter()
    perplexity = default_perplexity(len(steps[0]))
    for fit in tsne.chain(reversed(steps), perplexity=perplexity, n_jobs=threads, accelerator=engine):
        layouts_s.append(time.perf_counter() - started)
        divergences.append(interpolated_gradient(fit.points, fit.affinities, True, threads)[0])
        started = time.perf_counter()
    return Measured(search_s, gradient_s, layouts_s, divergences)


def compare(steps: list[np.ndarray], engine: TorchEngine, threads: int) -> None:
    """Print what the device and the CPU take, and how good their layouts are."""
    device, cpu = (measure(steps, used, threads) for used in (engine, None))
    rows: list[tuple[str, float, float]] = [
        ("neighbour search, s", device.search_s, cpu.search_s),
        ("gradient, ms", 1e3 * device.gradient_s, 1e3 * cpu.gradient_s),
        ("first layout, s", device.layouts_s[0], cpu.layouts_s[0]),
        ("a layout that continues, mean s", float(np.mean(device.layouts_s[1:])), float(np.mean(cpu.layouts_s[1:]))),
        ("all layouts, s", sum(device.layouts_s), sum(cpu.layouts_s)),
    ]
    rows += [
        (f"divergence of step {len(steps) - i}, nats", *pair)
        for i, pair in enumerate(zip(device.divergences, cpu.divergences, strict=True))
    ]
    where = torch.cuda.get_device_name() if engine.device.type == "cuda" else engine.device.type
    columns = ("", f"torch on {where}", f"CPU, {threads} threads", "CPU / device")
    title = f"t-SNE chain, {len(steps[0]):,} items x {len(steps)} steps"
    show(title, columns, [(name, f"{ours:.4g}", f"{theirs:.4g}", theirs / ours) for name, ours, theirs in rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=50_000)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--device", choices=("cuda", "mps", "cpu"), default="cuda")
    options = parser.parse_args()
    is_there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if not is_there[options.device]:
        print(f"gpu_projection: this machine has no {options.device} that torch can use; nothing is measured")
        return
    engine, threads = TorchEngine(torch.device(options.device)), free_cores()
    measure(made_steps(1200, 2), engine, threads)  # imports and compilation are not what is timed
    compare(made_steps(options.items, options.steps), engine, threads)


if __name__ == "__main__":
    main()
