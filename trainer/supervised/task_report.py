"""The report of a supervised fine-tuning: its scores over several seeds beside chance, a bag of words and no pre-training."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from data.progress import Progress
from data.runs import Run
from data.tasks.examples import Task
from trainer.finetune.base_snapshot import Base
from trainer.loop import Training, highest_rate
from trainer.machine import find_device
from trainer.supervised.task_config import TaskConfig
from trainer.supervised.task_objective import TaskObjective, describe_task, prepare, tune_without_run
from trainer.supervised.task_scores import bag_of_words, chance, majority

TaskReport = dict[str, Any]
ShowProgress = Callable[[str, int, str], AbstractContextManager[Progress]]
"""As `data.progress.progress_bar`."""

ROWS = {
    "chance": "chance",
    "majority": "always the same",
    "bag_of_words": "bag of words",
    "from_scratch": "no pre-training",
    "pre_trained": "pre-trained",
}


OpenTraining = Callable[[TaskObjective], Training[TaskObjective]]
"""Makes the run of an objective, or opens one to resume it."""


def measure(
    base: Base, task: Task, config: TaskConfig, opened: OpenTraining, *, seeds: int, compare: bool, bar: ShowProgress
) -> tuple[Run, TaskReport]:
    """Fine-tune a base on a task with as many seeds as ``seeds``, the first as a run, and measure the comparisons.

    ``opened`` makes or resumes the run, ``compare`` adds the bag of words, and the model without pre-training with every seed.

    Returns
    -------
    The run, and a report that can be written as JSON: ``task``, ``base``, ``seeds``, ``cut`` (the number of examples of the train and
    the test set that were too long for the context), ``whole`` (False if Ctrl-C ended it after the first seed), and ``scores``: for each
    of `ROWS` that was measured, each score's ``mean``, ``least`` and ``greatest`` over the seeds and its ``values``.
    """
    device = find_device(config.device)
    configs = [dataclasses.replace(config, seed=config.seed + number) for number in range(seeds)]
    objective = prepare(base, task, configs[0], device)
    scores = {"chance": [chance(task)], "majority": [majority(task)]}
    if compare:
        scores |= {"bag_of_words": [bag_of_words(task)], "from_scratch": []}
    steps = f"{objective.steps:,} step{'s' * (objective.steps != 1)} of {objective.batch_size:,} examples"
    print(f"{steps}; learning rate up to {highest_rate(objective):.1e}", flush=True)
    tuning = opened(objective)
    with bar(f"pre-trained, seed {config.seed}", objective.steps, "step") as update:
        tuning.go(update)
    scores["pre_trained"] = [objective.scores()]
    is_whole = True
    remaining = [("pre_trained", each) for each in configs[1:]]
    remaining += [("from_scratch", each) for each in configs] if compare else []
    try:
        for row, each in remaining:
            other = prepare(base, task, each, device, pre_trained=row == "pre_trained")
            with bar(f"{ROWS[row]}, seed {each.seed}", other.steps, "step") as update:
                scores[row].append(tune_without_run(other, update))
    except KeyboardInterrupt:  # report what has been measured
        is_whole = False
    report = {
        "task": describe_task(task),
        "examples": {"train": len(task.train), "test": len(task.test)},
        "cut": {"train": objective.train.n_cut, "test": objective.test.n_cut},
        "base": base.describe(),
        "seeds": [each.seed for each in configs],
        "whole": is_whole,
        "scores": {row: summarise(scores[row]) for row in ROWS if scores.get(row)},
    }
    return tuning.run, report


def summarise(scores: list[dict[str, float]]) -> dict[str, dict[str, Any]]:
    """Summarise each score by its mean, least and greatest value, and list the values."""
    found = {}
    for name in scores[0]:
        values = [each[name] for each in scores]
        found[name] = {"mean": float(np.mean(values)), "least": min(values), "greatest": max(values), "values": values}
    return found


def show(report: TaskReport) -> None:
    """Print a report as a table."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    columns = list(report["scores"]["pre_trained"])
    table = Table(
        "", *columns, box=None, title=f"{escape(report['task']['name'])}: {report['examples']['test']:,} test examples"
    )
    for row, found in report["scores"].items():
        cells = [format_score(found.get(name)) for name in columns]
        if len(columns) > 2:  # with the ranges beside them, three scores are wider than a terminal
            cells = [text.replace(" (", "\n(") for text in cells]
        table.add_row(ROWS[row], *cells)
    Console().print(table)
    cut = report["cut"]
    if any(cut.values()):
        print(f"longer than the context and cut: {cut['train']:,} training and {cut['test']:,} test examples")


def format_score(found: dict[str, Any] | None) -> str:
    """Format a score for a table: its mean, and its range if there are several seeds, as in ``0.625 (0.500 to 0.750)``."""
    if found is None:
        return ""
    spread = f" ({found['least']:.3f} to {found['greatest']:.3f})" if len(found["values"]) > 1 else ""
    return f"{found['mean']:.3f}{spread}"
