"""How long a training step takes beside its matrix products alone (the GEMM floor), and where the rest goes.

Target: a step of the preset cpu at 2 threads within 2.0 times the floor. The floor makes every product of the forward and backward pass
at the step's own shapes and memory layouts, into buffers that are there already; a step is all of it, from the draw of the batch to the
update. Floor and steps take turns in one process, a few in a row each, and the ratio is taken turn by turn, so that whatever else the
machine does falls on both.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from tables import show

from data.corpora.catalog import load_corpus
from trainer import fused
from trainer.config import PRESETS, ModelConfig, TrainConfig
from trainer.loop import take_step
from trainer.machine import reuse_freed_memory
from trainer.optimizers.recipes import RECIPES
from trainer.session import Session, build

IN_A_ROW = 5
PROFILED_STEPS = 30

Work = Callable[[], object]


def gemm_floor(config: ModelConfig, batch_size: int) -> Work:
    """Return a function that makes all matrix products of a step and nothing else; each has operands of its own, as in a step."""
    width, tokens = config.n_embd, batch_size * config.block_size
    forward: list[Work] = []
    backward: list[Work] = []
    for _ in range(config.n_layer):
        for outputs, inputs in ((3 * width, width), (width, width), (4 * width, width), (width, 4 * width)):
            _add_linear(forward, backward, tokens, outputs, inputs)
        _add_attention(forward, backward, config, batch_size)
    _add_linear(forward, backward, tokens, config.vocab_size, width)
    products = forward + backward[::-1]
    return lambda: [product() for product in products]


def _add_linear(forward: list[Work], backward: list[Work], tokens: int, outputs: int, inputs: int) -> None:
    x, weight, grad = torch.randn(tokens, inputs), torch.randn(outputs, inputs), torch.randn(tokens, outputs)
    y, d_x, d_weight = torch.empty(tokens, outputs), torch.empty(tokens, inputs), torch.empty(outputs, inputs)
    forward.append(lambda: torch.mm(x, weight.T, out=y))
    backward.append(lambda: torch.mm(grad, weight, out=d_x))
    backward.append(lambda: torch.mm(grad.T, x, out=d_weight))


def _add_attention(forward: list[Work], backward: list[Work], config: ModelConfig, batch_size: int) -> None:
    heads, length = batch_size * config.n_head, config.block_size
    q, k, v, y, grad, d_q, d_k, d_v = (torch.randn(heads, length, config.n_embd // config.n_head) for _ in range(8))
    weights, d_weights = (torch.randn(heads, length, length) for _ in range(2))
    forward.append(lambda: torch.bmm(q, k.mT, out=weights))
    forward.append(lambda: torch.bmm(weights, v, out=y))
    backward.append(lambda: torch.bmm(weights.mT, grad, out=d_v))
    backward.append(lambda: torch.bmm(grad, v.mT, out=d_weights))
    backward.append(lambda: torch.bmm(d_weights, k, out=d_q))
    backward.append(lambda: torch.bmm(d_weights.mT, q, out=d_k))


def step(session: Session) -> Work:
    """Return a function that makes one training step after the other."""
    numbers = itertools.count()
    session.model.train()
    return lambda: take_step(session, next(numbers) % session.config.steps)


@contextmanager
def plain_blocks() -> Iterator[None]:
    """Leave the backward pass to autograd."""
    before, fused.MAX_CONTEXT = fused.MAX_CONTEXT, 0
    try:
        yield
    finally:
        fused.MAX_CONTEXT = before


def plainly(work: Work) -> Work:
    def run() -> None:
        with plain_blocks():
            work()

    return run


def take_turns(works: dict[str, Work], rounds: int) -> dict[str, list[float]]:
    """Return for each work the milliseconds it usually takes, turn by turn; the first round warms up and is left out."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, work in works.items():
            milliseconds = []
            for _ in range(IN_A_ROW):
                started = time.perf_counter()
                work()
                milliseconds.append(1e3 * (time.perf_counter() - started))
            if number:
                taken[name].append(statistics.median(milliseconds))
    return taken


def show_times(taken: dict[str, list[float]], threads: int) -> None:
    floor = taken["matrix products alone"]
    rows = []
    for name, times in taken.items():
        ratios = [ours / theirs for ours, theirs in zip(times, floor, strict=True)]
        low, middle, high = np.quantile(ratios, [0.25, 0.5, 0.75])
        rows.append(
            (name, f"{statistics.median(times):.2f}", f"{min(times):.2f}", f"{middle:.2f}", f"{low:.2f} - {high:.2f}")
        )
    columns = ("what", "median ms", "fastest ms", "times the floor", "half of the turns")
    show(f"A training step, {threads} thread{'s' * (threads > 1)}", columns, rows)


def profile(work: Work, config: ModelConfig, batch_size: int) -> Counter[str]:
    """Return the milliseconds of a step by what they go to.

    Profiling makes each operation dearer by about a microsecond, so the share of Python and dispatch is an upper bound.
    """
    tokens = batch_size * config.block_size
    _touch_memory()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], record_shapes=True) as profiler:
        started = time.perf_counter()
        for _ in range(PROFILED_STEPS):
            work()
        wall = 1e3 * (time.perf_counter() - started)
    spent: Counter[str] = Counter()
    for event in profiler.key_averages(group_by_input_shape=True):
        largest = max((tuple(shape) for shape in event.input_shapes if shape), key=np.prod, default=())
        spent[_part(event.key, largest, tokens, config)] += event.self_cpu_time_total / 1e3
    spent["Python and dispatch"] += max(0.0, wall - sum(spent.values()))
    return Counter({name: total / PROFILED_STEPS for name, total in spent.items()})


def _touch_memory() -> None:
    """Leave memory with the process that has been touched.

    The profiler keeps its records between the tensors, so that freed ones cannot be joined and new memory is taken at every step; were
    it new to the process, its page faults would swamp what is measured.
    """
    blocks = [torch.zeros(1 << 21) for _ in range(50)]
    blocks.clear()


ARITHMETIC = (
    "add",
    "sub",
    "mul",
    "div",
    "addcmul",
    "lerp",
    "tanh",
    "tanh_backward",
    "pow",
    "fill",
    "copy",
    "sum",
    "sqrt",
)


def _part(operation: str, largest: tuple[int, ...], tokens: int, config: ModelConfig) -> str:
    """Name the part of a step that an operation belongs to, by its name and the shape of its largest operand."""
    name = operation.removeprefix("aten::")
    if name in ("mm", "addmm", "bmm", "baddbmm"):
        return "matrix products"
    if "adam" in name.lower() or name.startswith(("Optimizer", "_foreach", "linalg", "geqrf", "orgqr")):
        return "optimizer"
    if name.startswith("native_layer_norm"):
        return "LayerNorm"
    if name.startswith(("_log_softmax", "nll_loss", "embedding", "index", "cross_entropy")):
        return "embedding, batch and loss"
    if "softmax" in name or (name.rstrip("_") in ARITHMETIC and largest[-1:] == (config.block_size,)):
        return "attention: softmax, mask"
    if name.startswith("gelu") or (name.rstrip("_") in ARITHMETIC and largest[-1:] == (4 * config.n_embd,)):
        return "GELU"
    if name.rstrip("_") in ARITHMETIC and len(largest) >= 4:
        return "attention: moving heads"
    if name.rstrip("_") in ARITHMETIC and np.prod(largest) >= tokens * config.n_embd:
        return "residual stream, bias"
    return "Python and dispatch"


def show_profile(spent: Counter[str], threads: int) -> None:
    total = sum(spent.values())
    rows = [(name, f"{ms:.2f}", f"{ms / total:.0%}") for name, ms in spent.most_common()]
    show(
        f"Where a profiled step goes, {threads} thread{'s' * (threads > 1)}",
        ("part", "ms", "share"),
        [*rows, ("all", f"{total:.2f}", "")],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="cpu", choices=PRESETS)
    parser.add_argument("--corpus", default="machado")
    parser.add_argument("--threads", type=int, nargs="*", default=[2, 1])
    parser.add_argument("--rounds", type=int, default=40, help=f"turns of {IN_A_ROW} steps each")
    options = parser.parse_args()
    reuse_freed_memory()
    corpus = load_corpus(options.corpus)
    for threads in options.threads:
        fields = PRESETS[options.preset] | {"corpus": options.corpus, "threads": threads}
        measure(
            {recipe: build(TrainConfig(preset=options.preset, recipe=recipe, **fields), corpus) for recipe in RECIPES},
            options.rounds,
        )


def measure(sessions: dict[str, Session], rounds: int) -> None:
    """Print both tables for sessions of the same model and batch, by recipe."""
    reference = sessions["reference"]
    threads, config, batch_size = torch.get_num_threads(), reference.model.config, reference.config.batch_size
    works = {"matrix products alone": gemm_floor(config, batch_size)}
    works |= {f"step, recipe {name}": step(session) for name, session in sessions.items()}
    works["step, recipe reference, autograd alone"] = plainly(works["step, recipe reference"])
    show_times(take_turns(works, rounds), threads)
    show_profile(profile(works["step, recipe reference"], config, batch_size), threads)


if __name__ == "__main__":
    main()
