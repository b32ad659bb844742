"""How low a recipe brings the validation loss, and what its steps cost beside those of plain AdamW.

Targets: 1.50 nats per character on machado with the preset cpu, whole validation split, mean of three seeds; at most 1.3 times the time.
The steps of the two recipes are taken turn by turn in one process, so that whatever else the machine does falls on both. Steps that
refresh the coordinates of SOAP are dearer than the rest: the median tells what a step usually takes, the mean what the training pays.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from numpy.typing import NDArray
from tables import show

from data.corpora.catalog import load_corpus
from trainer.config import PRESETS, TrainConfig
from trainer.loop import take_step
from trainer.optimizers.recipes import RECIPES
from trainer.session import Session, build

WARM_UP = 20


def final_loss(session: Session) -> float:
    """Train from the first step to the last; return the loss on the whole validation split in nats per token."""
    session.model.train()
    for step in range(session.config.steps):
        take_step(session, step)
    return session.whole_validation_loss()


def step_times(sessions: dict[str, Session], steps: int) -> dict[str, NDArray[np.float64]]:
    """Return the milliseconds of each of ``steps`` steps by recipe, after some to warm up."""
    taken: dict[str, list[float]] = {recipe: [] for recipe in sessions}
    for step in range(WARM_UP + steps):
        for recipe, session in sessions.items():
            started = time.perf_counter()
            take_step(session, step)
            taken[recipe].append(1e3 * (time.perf_counter() - started))
    return {recipe: np.array(times[WARM_UP:]) for recipe, times in taken.items()}


def show_times(times: dict[str, NDArray[np.float64]], threads: int) -> None:
    plain = times["reference"]
    rows = [
        (recipe, np.median(ms), ms.mean(), np.median(ms) / np.median(plain), ms.mean() / plain.mean())
        for recipe, ms in times.items()
    ]
    columns = ("recipe", "median ms", "mean ms", "median / AdamW", "mean / AdamW")
    show(f"Time of a step, {threads} threads", columns, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="cpu", choices=PRESETS)
    parser.add_argument("--recipe", default="best", choices=RECIPES)
    parser.add_argument("--corpus", default="machado")
    parser.add_argument("--steps", type=int, help="of each training; the preset's own number if not given")
    parser.add_argument("--seeds", type=int, nargs="*", default=[1337, 1338, 1339], help="none: measure the time only")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--timed-steps", type=int, default=300, help="0: train only")
    options = parser.parse_args()
    fields = PRESETS[options.preset] | {"corpus": options.corpus, "threads": options.threads}
    if options.steps is not None:
        fields |= {"steps": options.steps}
    corpus = load_corpus(options.corpus)

    def session(recipe: str, seed: int) -> Session:
        return build(TrainConfig(preset=options.preset, recipe=recipe, seed=seed, **fields), corpus)

    if options.timed_steps:
        recipes = dict.fromkeys((options.recipe, "reference"))
        show_times(step_times({name: session(name, 1) for name in recipes}, options.timed_steps), options.threads)
    losses = {str(seed): final_loss(session(options.recipe, seed)) for seed in options.seeds}
    if losses:
        rows = [(seed, f"{loss:.4f}") for seed, loss in losses.items()]
        mean = ("mean", f"{np.mean(list(losses.values())):.4f}")
        title = f"Validation loss, preset {options.preset} on {options.corpus}, recipe {options.recipe}"
        show(title, ("seed", "nats per token"), [*rows, mean])


if __name__ == "__main__":
    main()
