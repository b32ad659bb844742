"""python -m trainer.supervised: fine-tune a model on a task, and measure what its pre-training contributes."""

from __future__ import annotations

import dataclasses
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from data.commands import EXIT_INTERRUPTED, one_line_mistakes, parse
from data.errors import InputError
from data.progress import progress_bar
from trainer.config import check_at_least
from trainer.parallel.launch import check_alone, one_command
from trainer.supervised.task_config import TaskConfig, check

if TYPE_CHECKING:
    from data.tasks.examples import Task

PROG = "python -m trainer.supervised"
N_TRAIN, N_TEST = 3000, 1000


@dataclass(frozen=True)
class SupervisedArguments(TaskConfig):
    """Fine-tune a run on a task as in the paper on GPT-1, and write a run and a report.

    The task is made from the plays (--task) or read from files (--data, --kind). The report compares the model with chance, a bag of
    words and the same model without pre-training, over several seeds.
    """

    model: str | None = None
    """The run to start from, or RUN@STEP for one of its snapshots; the newest run if not given."""
    task: str | None = None
    """A task made from the plays: genre, same-play, distance or next-line."""
    data: Path | None = None
    """A CSV, TSV, JSON, JSONL or Parquet file of training examples."""
    test: Path | None = None
    """A file of test examples; a fifth of --data is held out if not given."""
    kind: str | None = None
    """Kind of the examples in the files: classification, entailment, similarity or choice."""
    columns: tuple[str, ...] | None = None
    """The columns of the texts in order, the answers of a choice last; found by their usual names if not given."""
    label: str | None = None
    """The column of the label or score; found by its usual names if not given."""
    labels: tuple[str, ...] | None = None
    """The classes in order; those of the file if not given. A similarity without classes has scores."""
    first_label: int | None = None
    """For a choice: the number of the first answer in the files, 0 or 1; 0 if not given."""
    n_train: int | None = None
    """Training examples; if not given, 3000 of the plays, or all of a file."""
    n_test: int | None = None
    """Test examples; if not given, 1000 of the plays, or all of a file."""
    seeds: int = 3
    """Number of fine-tunings, each with a seed one higher; the first becomes the run."""
    compare: bool = True
    """Measure the bag of words and the model without pre-training too."""
    run: str | None = None
    """Name of the run; made from model and task if not given."""


def main(args: list[str]) -> int:
    check_alone("fine-tuning")
    options: SupervisedArguments = parse(SupervisedArguments, prog=PROG, args=args)
    config = check(TaskConfig(**{f.name: getattr(options, f.name) for f in dataclasses.fields(TaskConfig)}))
    check_at_least(options, 1, "n_train", "n_test", "seeds")
    task = read(options)
    from data.runs import check_free, open_run
    from data.runs.atomic_files import write_json
    from trainer.finetune.base_snapshot import open_base, run_name
    from trainer.loop import Stopped, describe_standstill, free_name
    from trainer.supervised.task_overlap import overlapping_corpora
    from trainer.supervised.task_report import measure, show

    base = open_base(options.model or open_run().name)
    name = options.run or free_name(f"{base.run.name}-{run_name(task.name)}")
    check_free(name, advice="give another name with `run`")
    print(
        f"{task.name}: {task.kind}, {len(task.train):,} training and {len(task.test):,} test examples; "
        f"{base.run.name} {base.run.at_step(base.step)}{'; ' * bool(task.reading)}{task.reading}",
        flush=True,
    )
    overlap = overlapping_corpora(base.run, task) if options.task else []
    if overlap:
        contained = f"{', '.join(overlap)}, which contains plays of the test set of {task.name}"
        advice = "part of its score is memory; start with a run of the corpus training-plays"
        print(f"{base.run.name} was trained on {contained}: {advice}", flush=True)
    try:
        run, report = measure(base, task, config, name, seeds=options.seeds, compare=options.compare, bar=progress_bar)
    except Stopped as stopped:
        print(f"stopped at step {stopped.step:,}; the snapshots so far are in run {name}, and there is no report")
        return EXIT_INTERRUPTED
    write_json(run.path / "report.json", {**report, "overlap": overlap})
    show(report)
    print(f"wrote {run.path / 'report.json'}")
    if standstill := describe_standstill(run):
        print(standstill)
    films = f"python -m viz.video --run {run.name}"
    print(f"wrote {len(run.snapshots())} snapshots to {run.path}; see what moved with  {films}")
    if not report["whole"]:
        print("stopped: the report holds the seeds that were finished")
    return 0 if report["whole"] else EXIT_INTERRUPTED


def read(options: SupervisedArguments) -> Task:
    """Read the task that the options name; an `InputError` says if they name none or two, or what cannot be read."""
    from data.tasks.play_tasks import play_task
    from data.tasks.task_files import Columns, read_task
    from trainer.supervised.input_transforms import drawn

    if (options.task is None) == (options.data is None):
        raise InputError("one task at a time: pass `task=genre`, or `data=FILE.csv` and `kind=classification`")
    if options.task is not None:
        of_files = ("test", "kind", "columns", "label", "labels", "first_label")
        if unused := [name for name in of_files if getattr(options, name) is not None]:
            raise InputError(
                f"`{unused[0]}` concerns files, and `task={options.task}` is made from the plays: leave it out"
            )
        return play_task(options.task, seed=0, n_train=options.n_train or N_TRAIN, n_test=options.n_test or N_TEST)
    if options.kind is None:
        raise InputError(
            "the kind of the examples is missing: pass `kind=classification`, entailment, similarity or choice"
        )
    if options.first_label is not None and options.kind != "choice":
        raise InputError(f"`first_label` counts the answers of a choice, and `kind` is {options.kind}: leave it out")
    if options.labels is not None and options.kind == "choice":
        raise InputError("`labels` names classes, and a choice has answers instead: leave it out")
    columns = Columns(options.columns, options.label, options.labels, options.first_label or 0)
    task = read_task(options.data or Path(), options.test, options.kind, columns, seed=options.seed)
    train, test = (
        tuple(examples[i] for i in drawn(len(examples), most, seed=options.seed))
        for examples, most in ((task.train, options.n_train), (task.test, options.n_test))
    )
    return dataclasses.replace(task, train=train, test=test)


if __name__ == "__main__":
    with one_line_mistakes(PROG, SupervisedArguments), one_command(PROG):
        raise SystemExit(main(sys.argv[1:]))
