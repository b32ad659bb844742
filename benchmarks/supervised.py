"""What pre-training is worth on the four tasks made from the plays, at a size that a laptop can do.

A model of two layers learns the 26 plays that are not held out, in sub-words. Then it is fine-tuned on each task, and so is the same
model with weights that nothing has trained; beside them stand chance and a bag of words. Everything is judged on the twelve plays that
are held out whole. The line below each score is the range over the seeds; a score of 1000 examples is itself uncertain by about 0.015.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from tables import show

from data.progress import progress_bar
from data.tasks.examples import Task
from data.tasks.play_tasks import MAKERS, play_task
from probes.models.zero_shot import zero_shot
from trainer.config import TrainConfig
from trainer.finetune.base_snapshot import Base, open_base
from trainer.session import start
from trainer.supervised.task_config import TaskConfig
from trainer.supervised.task_objective import prepare, tune_without_run
from trainer.supervised.task_report import ROWS, format_score, summarise
from trainer.supervised.task_scores import bag_of_words, chance, headline

SHAPE = {"tokenizer": "bpe", "vocab_size": 512, "n_layer": 2, "block_size": 96}
COLUMNS = ("chance", "bag_of_words", "from_scratch", "pre_trained")


@contextmanager
def pre_trained(steps: int, threads: int) -> Iterator[Base]:
    """Pre-train on the plays that are not held out, in a folder that goes away again."""
    config = TrainConfig(
        corpus="training-plays",
        steps=steps,
        eval_every=steps,
        snapshot_every=max(1, steps // 4),
        threads=threads,
        **SHAPE,
    )
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GPTLAB_RUNS"] = folder
        training = start(config, "plays")
        with progress_bar("pre-training", steps, "step") as update:
            loss = training.go(update)["val_loss_whole"]
        print(f"pre-trained for {steps:,} steps: {loss:.3f} nats per token on the validation split")
        yield open_base("plays")


def measured(base: Base, task: Task, configs: list[TaskConfig]) -> dict[str, str]:
    """Return a cell for each of `COLUMNS`."""
    scores = {"chance": [chance(task)], "bag_of_words": [bag_of_words(task)], "from_scratch": [], "pre_trained": []}
    for column in ("from_scratch", "pre_trained"):
        for config in configs:
            objective = prepare(base, task, config, torch.device("cpu"), pre_trained=column == "pre_trained")
            scores[column].append(tune_without_run(objective))
            print(f"{task.name}, {ROWS[column]}, seed {config.seed}: {scores[column][-1]}", flush=True)
    return {column: format_score(summarise(scores[column])[headline(task)]) for column in COLUMNS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="a run to begin with, or RUN@STEP, instead of pre-training one")
    parser.add_argument("--steps", type=int, default=3000, help="of the pre-training")
    parser.add_argument("--tasks", nargs="*", default=list(MAKERS), choices=MAKERS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--train", type=int, default=1500, help="examples to learn from")
    parser.add_argument("--test", type=int, default=1000, help="examples to be judged by")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--lm-weight", type=float, default=0.5)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    tuned = {"learning_rate": options.learning_rate, "epochs": options.epochs, "lm_weight": options.lm_weight}
    configs = [TaskConfig(dropout=0.0, seed=1337 + number, **tuned) for number in range(options.seeds)]

    def report(base: Base) -> None:
        rows = []
        for name in options.tasks:
            started = time.perf_counter()
            task = play_task(name, n_train=options.train, n_test=options.test)
            cells = measured(base, task, configs)
            rows.append((name, headline(task), *cells.values(), f"{time.perf_counter() - started:.0f}"))
        columns = ("task", "score", *(ROWS[column] for column in COLUMNS), "seconds")
        show(f"{base.run.name} at step {base.step:,}; {options.train:,} examples, {options.seeds} seeds", columns, rows)
        asked = zero_shot(base.run).isel(step=-1)
        print(
            f"next-line without being taught, {asked.attrs['questions']} questions: {float(asked['accuracy']):.3f} by probability, "
            f"{float(asked['accuracy_by_gain']):.3f} by what the context adds to it"
        )

    if options.model is not None:
        report(open_base(options.model))
        return
    with pre_trained(options.steps, options.threads) as base:
        report(base)


if __name__ == "__main__":
    main()
