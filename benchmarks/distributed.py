"""Several processes against one, and what saves memory: the same batch, the same learning, other times.

Two processes of torchrun with a thread each share the batch that one process learns from alone, with one thread and with two. They take
turns, each as a command of its own. Where other programs use the cores, the processor time of a process says more than the time of a step:
waiting for another process takes none, and with a core for each process a step would take about as long. Memory is what a step keeps for
its backward pass, counted tensor by tensor.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from tables import show

from data.corpora.catalog import load_corpus
from trainer.config import PRESETS, TrainConfig
from trainer.loop import take_step
from trainer.model import GPT
from trainer.parallel import processes
from trainer.parallel.batch_shares import micro_batches
from trainer.parallel.model_forms import compile_ahead
from trainer.parallel.torchrun import joined
from trainer.session import Session, build

WAYS = {"1 process, 1 thread": (1, 1), "1 process, 2 threads": (1, 2), "2 processes, 1 thread each": (2, 1)}
PARTS = ("step", "processor", "optimizers", "agreement")
WARM_UP = 10


def session_of(preset: str, corpus: str, **fields: object) -> Session:
    values = {**PRESETS[preset], "corpus": corpus, **fields}
    return build(TrainConfig(preset=preset, **values), load_corpus(corpus))


def milliseconds(works: list[Callable[[], object]]) -> float:
    """Return the median time of some works, one after the other."""
    taken = []
    for work in works:
        started = time.perf_counter()
        work()
        taken.append(1e3 * (time.perf_counter() - started))
    return statistics.median(taken)


def numbered_steps(session: Session, n_steps: int) -> list[Callable[[], object]]:
    session.model.train()
    return [lambda step=step: take_step(session, step) for step in range(n_steps)]


def measure_steps(options: argparse.Namespace) -> None:
    """Print the times of a step and its parts as JSON; one process, or each of those that torchrun started."""
    with joined():
        session = session_of(options.preset, options.corpus, recipe=options.recipe, threads=options.threads)
        milliseconds(numbered_steps(session, WARM_UP))
        used = time.process_time()
        found = {"step": milliseconds(numbered_steps(session, options.steps))}
        found["processor"] = 1e3 * (time.process_time() - used) / options.steps
        for loss in session.losses(0):
            loss.backward()
        updates = session.procedure.optimizers
        found["optimizers"] = milliseconds([lambda: [each.step() for each in updates]] * options.steps)
        found["agreement"] = milliseconds([lambda: processes.any_of_all(False)] * options.steps)
        if processes.is_first():
            print(json.dumps(found))


def run_measured(options: argparse.Namespace, n_processes: int, threads: int, recipe: str) -> dict[str, float]:
    own = [str(Path(__file__).resolve()), "--only", "worker", "--threads", str(threads), "--recipe", recipe]
    own += ["--preset", options.preset, "--corpus", options.corpus, "--steps", str(options.steps)]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torchrun = ["-m", "torch.distributed.run", f"--nproc-per-node={n_processes}", "--master-addr=127.0.0.1"]
    command = [sys.executable, *([*torchrun, f"--master-port={port}"] if n_processes > 1 else []), *own]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(result.stdout.splitlines()[-1])
    return found


def show_processes(options: argparse.Namespace) -> None:
    for recipe in ("best", "reference"):
        rounds = [
            {name: run_measured(options, *way, recipe) for name, way in WAYS.items()} for _ in range(options.rounds)
        ]
        rows = []
        for name in WAYS:
            parts = [statistics.median(each[name][part] for each in rounds) for part in PARTS]
            ratio = statistics.median(each[name]["step"] / each["1 process, 1 thread"]["step"] for each in rounds)
            rows.append((name, *(f"{part:.2f}" for part in parts), f"{ratio:.2f}"))
        columns = ("way", "step, ms", "processor of a process", "optimizers", "asking all to stop", "times 1 process")
        show(f"A step of preset {options.preset}, recipe {recipe}, load {os.getloadavg()[0]:.1f}", columns, rows)


def kept_bytes(session: Session) -> int:
    """Count the bytes that the blocks keep for the backward pass of a micro-batch, without fused blocks."""
    sizes: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    config, rows = session.config, micro_batches(session.config.batch_size, session.config.accumulate)[0]
    blocks = type(session.model).blocks if config.checkpoint_activations else GPT.blocks
    x = torch.randn(rows.stop - rows.start, config.block_size, config.n_embd, requires_grad=True)
    weights = {p.untyped_storage().data_ptr() for p in session.model.parameters()}
    with (
        torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor),
        torch.autocast("cpu", torch.bfloat16, enabled=config.precision == "bf16"),
    ):
        blocks(session.model.train(), x)
    return sum(size for place, size in sizes.items() if place not in weights)


def show_memory(options: argparse.Namespace) -> None:
    ways: dict[str, dict[str, object]] = {
        "plain": {},
        "accumulate 4": {"accumulate": 4},
        "checkpoint activations": {"checkpoint_activations": True},
        "both": {"accumulate": 4, "checkpoint_activations": True},
        "bf16": {"precision": "bf16"},
    }
    fields: dict[str, object] = {"recipe": "reference", "threads": 1, "dropout": 0.0}
    sessions = {name: session_of(options.memory_preset, options.corpus, **fields, **way) for name, way in ways.items()}
    taken: dict[str, list[float]] = {name: [] for name in sessions}
    for _ in range(options.rounds + 1):
        for name, session in sessions.items():
            taken[name].append(milliseconds(numbered_steps(session, 1)))
    rows = [
        (name, f"{kept_bytes(session) / 1e6:.1f}", f"{statistics.median(taken[name][1:]):.0f}")
        for name, session in sessions.items()
    ]
    show(f"A step of preset {options.memory_preset}, 1 thread", ("way", "kept, MB", "step, ms"), rows)


def soap_costs() -> Iterator[tuple[str, ...]]:
    for preset, width in (("cpu", 64), ("cpu", 128), ("cpu", 256), ("gpu", 384)):
        session = session_of(preset, "tinyshakespeare", n_embd=width, threads=1, dropout=0.0)
        for step in range(3):
            take_step(session, step)
        adam, soap = session.procedure.optimizers
        size, n_weights = (sum(_bytes(each) for each in (adam, soap)), session.model.count_parameters())
        for loss in session.losses(0):
            loss.backward()
        times = (milliseconds([each.step] * 10) for each in (adam, soap))
        yield (
            f"{preset}, width {width}",
            f"{4 * n_weights / 1e6:.1f}",
            f"{size / 1e6:.1f}",
            *(f"{t:.1f}" for t in times),
        )


def _bytes(optimizer: torch.optim.Optimizer) -> int:
    values = (value for state in optimizer.state.values() for value in state.values())
    return sum(value.nbytes for value in values if isinstance(value, torch.Tensor))


def show_compilation(options: argparse.Namespace) -> None:
    plain, compiled = (
        session_of("cpu", options.corpus, threads=1, compile=on, recipe="reference") for on in (False, True)
    )
    seconds = compile_ahead(compiled)
    rows = []
    for name, session in (("fused blocks", plain), ("compiled", compiled)):
        milliseconds(numbered_steps(session, WARM_UP))
        rows.append((name, f"{milliseconds(numbered_steps(session, options.steps)):.2f}"))
    show(f"Compiling preset cpu took {seconds:.1f} s", ("way", "step, ms"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=["processes", "memory", "soap", "compile", "worker"])
    parser.add_argument("--preset", default="cpu", choices=PRESETS)
    parser.add_argument("--memory-preset", default="gpu", choices=PRESETS)
    parser.add_argument("--corpus", default="tinyshakespeare")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--recipe", default="best")
    options = parser.parse_args()
    if options.only == "worker":
        measure_steps(options)
        return
    topics: dict[str, Callable[[], None]] = {
        "processes": lambda: show_processes(options),
        "memory": lambda: show_memory(options),
        "soap": lambda: show(
            "Optimizers of the recipe best, 1 thread",
            ("model", "weights, MB", "state, MB", "AdamW, ms", "SOAP, ms"),
            soap_costs(),
        ),
        "compile": lambda: show_compilation(options),
    }
    for name, topic in topics.items():
        if options.only in (None, name):
            topic()


if __name__ == "__main__":
    main()
