"""Trainings in processes that can be killed: a server with everything imported forks one for each request.

The server reads requests, a line of JSON each, and every process that it forks reports on the same pipe: ``started`` with its number,
``snapshot`` with a step once that is on the disk, ``aimed`` when it has stopped itself in the middle of a writing, and ``ended``.
"""

from __future__ import annotations

import dataclasses
import json
import os
import random
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any

import torch

from data.notices import collect_notices
from data.runs import Run, open_run, runs_folder
from data.tasks.examples import Classification, Task
from trainer.config import preset, replace
from trainer.finetune import language_model
from trainer.finetune.base_snapshot import open_base
from trainer.finetune.finetune_config import LanguageConfig
from trainer.loop import Training
from trainer.session import resume_training, start
from trainer.supervised.task_config import TaskConfig
from trainer.supervised.task_objective import prepare, resume_task, start_task

TUNED = {
    "learning_rate": 1e-2,
    "epochs": 2,
    "threads": 1,
    "snapshot_every": 4,
    "eval_every": 8,
    "resume_every": 0.0,
    "dropout": 0.1,
}
KINDS = ("best", "reference", "finetune", "supervised")
AIMED_AT = ("write", "fsync", "replace", "unlink", "open")


def open_training(kind: str, name: str, text: str) -> Training[Any]:
    """Start a training, or resume it if its run is there and can be."""
    is_there = (runs_folder() / name / "run.json").exists()
    if is_there and kind in ("finetune", "supervised") and not open_run(name).manifest():
        shutil.rmtree(runs_folder() / name)  # killed before its first snapshot was written: there is nothing to resume
        is_there = False
    if kind == "finetune":
        if is_there:
            return language_model.resume_language(open_run(name))
        fields = {**TUNED, "corpus": text, "length": 16, "sample_tokens": 4, "micro_batch": 4, "accumulate": 2}
        return language_model.start(LanguageConfig(**fields), "base", name=name)
    if kind == "supervised":
        base = open_base("base")
        objective = prepare(base, _task(), TaskConfig(**TUNED, seed=5), torch.device("cpu"))
        return resume_task(open_run(name), objective) if is_there else start_task(objective, base, name, {})
    config = replace(
        preset("tiny"),
        {
            "corpus": text,
            "recipe": kind,
            "dropout": 0.1,
            "steps": 40,
            "snapshot_every": 4,
            "eval_every": 8,
            "resume_every": 0.0,
        },
        "test",
    )
    config = dataclasses.replace(config, sample_tokens=4, eval_batches=1)
    return resume_training(open_run(name), config) if is_there else start(config, name)


def _task() -> Task:
    """Make a task that is the same in every process: whether a word has a doubled vowel."""
    draw = random.Random(11)
    labels = [draw.randint(0, 1) for _ in range(240)]
    examples = tuple(Classification(draw.choice(["ba", "co"]) + ("xixi" if label else "mo"), label) for label in labels)
    return Task("toy", "classification", ("no", "yes"), examples[:180], examples[180:])


def train(request: dict[str, Any], report: Callable[..., None]) -> None:
    """Do one request in a forked process."""
    report("started", process=os.getpid())
    if request["aim"] is not None:
        stop_at_call(request["aim"], report)
    with collect_notices():
        training = open_training(request["kind"], request["name"], request["text"])
        run, steps = training.run, set(training.objective.procedure.snapshot_steps)
        report("snapshot", step=0)
        training.go(lambda step, note: report("snapshot", step=step) if step in steps else None)
    report("ended", step=max(snapshot.step for snapshot in Run(run.path).snapshots()))


def stop_at_call(number: int, report: Callable[..., None]) -> None:
    """Stop this process at the n-th call that writes; a write is half done by then."""
    count = iter(range(1, 1 << 60))

    def wrap(name: str) -> None:
        real = getattr(os, name)

        def call(*args: Any, **named: Any) -> Any:
            if (name != "open" or args[1] & os.O_CREAT) and next(count) == number:
                if name == "write" and len(args[1]) > 1:
                    real(args[0], bytes(args[1])[: len(args[1]) // 2])
                report("aimed", at=name)
                os.kill(os.getpid(), signal.SIGSTOP)
            return real(*args, **named)

        setattr(os, name, call)

    for name in AIMED_AT:
        wrap(name)


def serve() -> None:
    """Fork a process for each request, and report how it ended."""
    torch.set_num_threads(1)
    write = os.write  # the real one, also where a process has wrapped it

    def report(event: str, **more: Any) -> None:
        write(1, (json.dumps({"event": event, **more}) + "\n").encode())

    for line in sys.stdin:
        process = os.fork()
        if not process:
            try:
                train(json.loads(line), report)
            except BaseException:
                report("failed", what=traceback.format_exc()[-3000:])
            finally:
                os._exit(0)
        os.waitpid(process, 0)
        report("gone")


if __name__ == "__main__":
    serve()
