"""Steps a second beside programs that keep cores busy: with fixed numbers of threads, and with the number that a training chooses itself.

Targets, with k = 1, 2, 4 busy loops: 0.85 of the rate of the best fixed number for that load, and 0.5 of the fair share, which is the
rate of one thread on a quiet machine times its share of a core among k + 1 programs. The ways take turns; the clock of the choice stands
still between its turns. `--change` shows how long a training takes to follow when the loops come and go.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import torch
from tables import show

from data.corpora.catalog import load_corpus
from trainer.config import PRESETS, TrainConfig
from trainer.loop import take_step
from trainer.machine import reuse_freed_memory
from trainer.session import Session, build
from trainer.threads import ThreadChoice, fastest_threads, thread_candidates

LOOP = "while True: pass"


@contextlib.contextmanager
def busy_loops(number: int) -> Iterator[None]:
    """Keep so many processes busy while the context lasts."""
    loops = [subprocess.Popen([sys.executable, "-c", LOOP]) for _ in range(number)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


class Way:
    """A way of training: with a fixed number of threads, or with a choice; counts its steps and the time they took."""

    def __init__(self, name: str, session: Session, threads: int | None):
        self.name, self.session, self.threads = name, session, threads
        self.steps, self.seconds = itertools.count(), 0.0
        self.n_steps = 0
        self.chosen = threads or fastest_threads(lambda: take_step(session, 0), (1, thread_candidates()[-1]))
        self.choice = None if threads else ThreadChoice(thread_candidates(), clock=lambda: self.seconds)

    def go(self, seconds: float) -> None:
        """Train for some time."""
        torch.set_num_threads(self.chosen)
        until = time.perf_counter() + seconds
        while (started := time.perf_counter()) < until:
            take_step(self.session, next(self.steps))
            took = time.perf_counter() - started
            self.seconds += took
            self.n_steps += 1
            if self.choice is not None:
                self.choice.took(took)
        self.chosen = torch.get_num_threads()


def measure(session: Session, loops: int, seconds: float, turns: int) -> dict[str, float]:
    """Measure the rate of every way beside some busy loops, in turns, in steps a second."""
    with busy_loops(loops):
        ways = [*(Way(str(number), session, number) for number in thread_candidates()), Way("chosen", session, None)]
        spent = {way.name: 0.0 for way in ways}
        for _ in range(turns):
            for way in ways:
                started = time.perf_counter()
                way.go(seconds)
                spent[way.name] += time.perf_counter() - started
    return {way.name: way.n_steps / spent[way.name] for way in ways}


def show_rates(session: Session, options: argparse.Namespace) -> None:
    cores, quiet, rows = os.cpu_count() or 1, 0.0, []
    for loops in options.loops:
        rates = measure(session, loops, options.seconds, options.turns)
        fixed = {name: rate for name, rate in rates.items() if name != "chosen"}
        quiet = quiet or fixed["1"]
        share = quiet * min(1.0, cores / (loops + 1))
        rows.append(
            (
                loops,
                *(f"{rate:.2f}" for rate in fixed.values()),
                f"{rates['chosen']:.2f}",
                f"{rates['chosen'] / max(fixed.values()):.2f}",
                f"{rates['chosen'] / share:.2f}",
            )
        )
    columns = (
        "loops",
        *(f"{number} threads" for number in thread_candidates()),
        "chosen",
        "of the best",
        "of the fair share",
    )
    show(f"Steps a second, {options.turns} turns of {options.seconds:g} s", columns, rows)


def show_change(session: Session, loops: int, seconds: float) -> None:
    """Show the rate and the number of threads, second by second, while loops come and go."""
    way, rows = Way("chosen", session, None), []
    for phase, number in (("quiet", 0), ("busy", loops), ("quiet again", 0)):
        with busy_loops(number):
            for second in range(int(seconds)):
                before = way.n_steps
                way.go(1.0)
                if second < 4 or second % 5 == 4:
                    rows.append((phase, second + 1, way.n_steps - before, way.chosen))
    show(f"{loops} busy loops come and go", ("phase", "second", "steps", "threads at its end"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="cpu", choices=PRESETS)
    parser.add_argument("--corpus", default="machado")
    parser.add_argument("--recipe", default="best")
    parser.add_argument("--loops", type=int, nargs="+", default=[0, 1, 2, 4])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--change", action=argparse.BooleanOptionalAction, default=True)
    options = parser.parse_args()
    reuse_freed_memory()
    fields = PRESETS[options.preset] | {"corpus": options.corpus, "threads": 1}
    session = build(TrainConfig(preset=options.preset, recipe=options.recipe, **fields), load_corpus(options.corpus))
    session.model.train()
    show_rates(session, options)
    if options.change:
        show_change(session, max(options.loops), 20)


if __name__ == "__main__":
    main()
