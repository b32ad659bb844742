"""python -m trainer.supervised: fine-tune a model on a task, and measure what its pre-training contributes."""

from __future__ import annotations

import dataclasses
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import FlagCreatePairsOff

from data.commands import EXIT_INTERRUPTED, one_line_mistakes, parse
from data.errors import InputError
from data.progress import progress_bar
from trainer.field_checks import check_at_least
from trainer.parallel.torchrun import check_alone, one_command
from trainer.supervised.task_config import TaskConfig, check

if TYPE_CHECKING:
    from data.runs import Run
    from data.tasks.examples import Task
    from trainer.finetune.base_snapshot import Base
    from trainer.loop import Training
    from trainer.supervised.task_objective import TaskObjective
    from trainer.supervised.task_report import TaskReport

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
    """Name of the run; made from model and task if not given. With --resume: the run to resume (default: the newest)."""
    resume: Annotated[bool, FlagCreatePairsOff] = False
    """Resume a fine-tuning that was stopped, with the options it was started with."""


TASK_FIELDS = frozenset(field.name for field in dataclasses.fields(TaskConfig))


def main(args: list[str]) -> int:
    check_alone("fine-tuning")
    options: SupervisedArguments = parse(SupervisedArguments, prog=PROG, args=args)
    options = resumed_options(options) if options.resume else options
    config = check(TaskConfig(**{f.name: getattr(options, f.name) for f in dataclasses.fields(TaskConfig)}))
    check_at_least(options, 1, "n_train", "n_test", "seeds")
    task = read(options)
    from data.runs import open_run
    from trainer.finetune.base_snapshot import open_base
    from trainer.loop.stopping import Stopped
    from trainer.supervised.task_objective import resume_task, start_task
    from trainer.supervised.task_report import measure

    base = open_base(options.model or open_run().name)
    name = options.run if options.resume and options.run else free_run_name(options, base, task)
    overlap = introduce(base, task, options)

    def open_training(objective: TaskObjective) -> Training[TaskObjective]:
        if options.resume:
            return resume_task(open_run(name), objective)
        return start_task(objective, base, name, request_of(options, base))

    try:
        run, report = measure(
            base, task, config, open_training, seeds=options.seeds, compare=options.compare, bar=progress_bar
        )
    except Stopped as stopped:
        print(f"stopped at step {stopped.step:,}; resume with  {PROG} --resume --run {name}")
        return stopped.exit_status
    return conclude(run, {**report, "overlap": overlap})


def free_run_name(options: SupervisedArguments, base: Base, task: Task) -> str:
    """Check the name of the new run, or make one of those of base and task."""
    from data.runs import check_free
    from trainer.finetune.base_snapshot import run_name
    from trainer.loop import free_name

    name = options.run or free_name(f"{base.run.name}-{run_name(task.name)}")
    return check_free(name, advice="give another name with `run`, or pass `resume=True` to resume it")


def introduce(base: Base, task: Task, options: SupervisedArguments) -> list[str]:
    """Print what is tuned on what; return the names of corpora that hold both the base's text and the test set."""
    from trainer.supervised.task_overlap import overlapping_corpora

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
    return overlap


def conclude(run: Run, report: TaskReport) -> int:
    """Write and print the report; return the exit status."""
    from data.files.atomic_files import write_json
    from trainer.loop import describe_standstill
    from trainer.supervised.task_report import show

    write_json(run.inside("report.json"), report)
    show(report)
    print(f"wrote {run.path / 'report.json'}")
    if standstill := describe_standstill(run):
        print(standstill)
    films = f"python -m viz.video --run {run.name}"
    print(f"wrote {len(run.snapshots())} snapshots to {run.path}; see what moved with  {films}")
    if not report["whole"]:
        print(
            f"stopped: the report holds the seeds that were finished; {PROG} --resume --run {run.name} adds the others"
        )
    return 0 if report["whole"] else EXIT_INTERRUPTED


def request_of(options: SupervisedArguments, base: Base) -> dict[str, Any]:
    """Collect the options that a resumed run needs again, for run.json; paths are absolute."""
    found: dict[str, Any] = {}
    for field in dataclasses.fields(SupervisedArguments):
        value = getattr(options, field.name)
        if field.name not in TASK_FIELDS | {"run", "resume", "model"} and value is not None:
            found[field.name] = str(value.absolute()) if isinstance(value, Path) else value
    return {**found, "model": f"{base.run.name}@{base.step}"}


def resumed_options(options: SupervisedArguments) -> SupervisedArguments:
    """Complete the options of a run to resume by those that it was started with."""
    from data.runs import open_run

    run = open_run(options.run)
    recorded = dict((run.info.get("task") or {}).get("request") or {})
    if not recorded:
        raise InputError(f"run {run.name!r} does not record a task to resume: name one that was tuned with  {PROG}")
    given = [name for name in recorded if getattr(options, name) != getattr(SupervisedArguments(), name)]
    if given:
        raise InputError(f"a resumed run keeps its {', '.join(given)}: leave that out, or tune a new run")
    paths = {name: Path(recorded[name]) for name in ("data", "test") if name in recorded}
    lists = {name: tuple(recorded[name]) for name in ("columns", "labels") if name in recorded}
    settings = {name: value for name, value in run.info["training"].items() if name in TASK_FIELDS}
    return dataclasses.replace(options, run=run.name, **{**recorded, **paths, **lists, **settings})


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
