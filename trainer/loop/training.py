"""The training loop: optimizer steps, evaluations, samples and snapshots, stoppable at any moment.

`start_run` makes a new run, `resume_run` continues an old one, and `Training.go` trains. In a training of several processes
(`trainer.parallel`) all do so, and the first writes.

Everything that is random follows from the seed and the step, so that a resumed run equals an uninterrupted one.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import math
import platform
import shutil
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import torch

from data.errors import InputError
from data.progress import Progress, progress_bar
from data.runs import Run, create_run, runs_folder, write_info, write_snapshot
from data.runs.earlier_records import EarlierRecords, earlier_records
from data.runs.training_lock import TrainingLock, lock_run
from trainer.loggers.choice import Log, open_logs
from trainer.loop import checkpoint
from trainer.loop.divergence import DivergedError, check_exploded, check_finite, mark_diverged, not_finite
from trainer.loop.objective import Objective, Procedure, evaluating, kept, models, rate
from trainer.loop.optimizer_step import StepTaken, take_step
from trainer.loop.run_writer import RunWriter
from trainer.loop.stopping import StopFlag, Stopped, stop_on_signal
from trainer.machine import check_room
from trainer.parallel import processes
from trainer.parallel.data_parallel import own_part
from trainer.seeds import own_random_state
from trainer.threads import ThreadChoice, thread_candidates

AnyObjective = TypeVar("AnyObjective", bound=Objective)
Trained = TypeVar("Trained", bound=Objective, covariant=True)


@dataclass(frozen=True)
class Training(Generic[Trained]):
    """A run and the objective that writes it, ready to continue from ``step`` after ``seconds`` of earlier training.

    The first process holds the run's ``lock`` until `go` has ended; ``earlier`` is what an earlier attempt recorded after ``step``.
    """

    run: Run
    objective: Trained
    lock: TrainingLock | None
    step: int = 0
    seconds: float = 0.0
    earlier: EarlierRecords | None = None
    is_new: bool = False

    def go(self, progress: Progress | None = None) -> dict[str, float]:
        """Train to the last step; return what was measured there, as in metrics.jsonl.

        ``progress`` is called after every step; without it there is a bar on standard error.

        Raises
        ------
        Stopped
            After Ctrl-C, SIGTERM or SIGHUP, at the end of the current step.
        DivergedError
            If the loss explodes or is not finite. A new run that has only its first snapshot by then is removed.
        InputError
            If the run was deleted or replaced.
        """
        procedure = self.objective.procedure
        bar = progress_bar(procedure.label, self.objective.steps, "step", start=self.step)
        if progress is None and not processes.is_first():
            progress = _say_nothing
        writer = RunWriter(self.run, self.earlier, procedure.on_snapshot_error)
        with (
            bar if progress is None else contextlib.nullcontext(progress) as update,
            stop_on_signal() as stop,
            own_random_state(procedure.device),
            open_logs(procedure.log if processes.is_first() else None, self.run, self.step) as log,
        ):
            try:
                return _train(self, writer, update, stop, log)
            except DivergedError as diverged:
                if processes.is_first() and writer.is_in_place():
                    self._end_diverged(diverged.step)
                raise
            finally:
                if self.lock is not None:
                    self.lock.release()

    def _end_diverged(self, step: int) -> None:
        if self.is_new and not any(snapshot.step for snapshot in self.run.snapshots()):
            shutil.rmtree(self.run.path)
        else:
            mark_diverged(self.run, step)


def start_run(objective: AnyObjective, info: Mapping[str, Any], *, name: str) -> Training[AnyObjective]:
    """Make a new run with its snapshot of step 0; run.json holds ``info`` and more (see `data.runs`)."""
    described = {
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
        "parameters": sum(p.numel() for p in objective.module.parameters()),
        "seed": objective.procedure.seed,
        **info,
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
        "device": str(objective.procedure.device),
        "threads": torch.get_num_threads(),
        "processes": processes.count(),
    }
    weights = objective.weights()
    locks: list[TrainingLock] = []

    def create() -> Run:
        check_room(objective.module, len(objective.procedure.snapshot_steps), runs_folder())
        run = create_run(name, described)
        locks.append(lock_run(run.path))
        with _released_on_error(locks):
            write_snapshot(run, 0, weights)
        return run

    run = processes.first_decides(create)
    return Training(run, objective, locks[0] if locks else None, is_new=True)


def resume_run(run: Run, objective: AnyObjective, config: Any) -> Training[AnyObjective]:
    """Continue a run from its newest whole resume slot, or from the start if there is none; ``config`` is recorded in run.json.

    Raises
    ------
    InputError
        If another process trains the run, or it is past the last step of ``config``.
    """
    locks: list[TrainingLock] = []
    processes.first_decides(lambda: locks.append(lock_run(run.path)))
    with _released_on_error(locks):
        step, seconds, earlier = _prepare_resuming(run, objective, config)
    return Training(run, objective, locks[0] if locks else None, step, seconds, earlier)


@contextlib.contextmanager
def _released_on_error(locks: Sequence[TrainingLock]) -> Iterator[None]:
    try:
        yield
    except BaseException:
        for lock in locks:
            lock.release()
        raise


def _prepare_resuming(run: Run, objective: Objective, config: Any) -> tuple[int, float, EarlierRecords]:
    """Load the newest slot and record the configuration; return the step and seconds to resume from, and what was recorded after it."""
    slot = checkpoint.load(run, models(objective), objective.procedure.optimizers)
    if slot is not None and slot.step > objective.steps:
        raise InputError(f"run {run.name!r} is at step {slot.step:,} already: pass `steps={slot.step}` or more")
    is_from_start = slot is None or slot.step == 0
    weights = objective.weights() if is_from_start else {}

    def prepare() -> EarlierRecords:
        info = {key: value for key, value in run.info.items() if key != "diverged"}
        info |= {"training": info["training"] | dataclasses.asdict(config), "processes": processes.count()}
        if info != run.info:
            write_info(run, info)
        earlier = earlier_records(run, -1 if slot is None or is_from_start else slot.step)
        if is_from_start:
            write_snapshot(run, 0, weights)
        return earlier

    earlier = processes.first_decides(prepare)  # once all have read the slot
    return (0, 0.0, earlier) if slot is None or is_from_start else (slot.step, slot.seconds, earlier)


def check_resumable(before: Any, config: Any, resumable: Collection[str], *, verb: str) -> None:
    """Check that a configuration differs from that of the run to resume in ``resumable`` fields only."""
    changed = [f.name for f in dataclasses.fields(before) if getattr(config, f.name) != getattr(before, f.name)]
    if fixed := [name for name in changed if name not in resumable]:
        raise InputError(f"a resumed run keeps its {', '.join(fixed)}: leave that out, or {verb} a new run")


def _train(
    training: Training[Objective], writer: RunWriter, progress: Progress, stop: StopFlag, log: Log
) -> dict[str, float]:
    objective, procedure = training.objective, training.objective.procedure
    snapshots, evaluations = set(procedure.snapshot_steps), set(procedure.eval_steps)
    started, saved, taken = time.perf_counter() - training.seconds, time.perf_counter(), StepTaken()
    first, threads = _first_loss(training.run), _thread_choice(procedure)
    objective.module.train()
    for step in range(training.step, objective.steps + 1):
        is_new = step > training.step or step == 0  # the step of a resumed run has its records already
        measured, sample = _evaluate(objective, step, taken) if is_new and step in evaluations else (None, None)
        first = _check_losses(objective, step, measured, first)
        if step > training.step and step in snapshots:
            _check_weights(objective, step)
            writer.write_snapshot(step, objective.weights())
        if measured is not None:
            measured["seconds"] = round(time.perf_counter() - started, 3)
            if threads is not None:
                measured["threads"] = torch.get_num_threads()
        writer.write_records(step, measured, sample)
        log(step, measured, sample)
        progress(step, _note(objective, step, taken.loss, measured))
        now, is_last, stopping = time.perf_counter(), step == objective.steps, processes.highest(stop.number)
        is_due = step in snapshots and processes.any_of_all(now - saved >= procedure.resume_every)
        if is_last or stopping or is_due:
            _check_weights(objective, step)
            reached = checkpoint.Checkpoint(step, now - started)
            writer.save_slot(reached, models(objective), procedure.optimizers, is_last=is_last)
            saved = time.perf_counter()
        if is_last:
            return measured or training.run.metrics()[-1]
        if stopping:
            raise Stopped(step, stopping)
        taken = _take_step(objective, step, threads, measures_gradient=step + 1 in evaluations)
        if taken.loss is not None and not math.isfinite(taken.loss):
            raise not_finite(step, procedure.advice)
    raise AssertionError("the last step returns")


def _thread_choice(procedure: Procedure) -> ThreadChoice | None:
    """Build what chooses the number of threads again as the training runs; None where it stays as it is."""
    may_choose = procedure.chooses_threads and procedure.device.type == "cpu" and processes.count() == 1
    return ThreadChoice(thread_candidates()) if may_choose else None


def _take_step(objective: Objective, step: int, threads: ThreadChoice | None, *, measures_gradient: bool) -> StepTaken:
    started = time.perf_counter()
    taken = take_step(objective, step, measures_gradient=measures_gradient)
    if threads is not None:
        threads.took(time.perf_counter() - started)
    return taken


def _first_loss(run: Run) -> float | None:
    """Read the training loss of the first evaluation of a run, in nats; None if there was none."""
    return next((float(record["train_loss"]) for record in run.metrics() if "train_loss" in record), None)


def _check_losses(
    objective: Objective, step: int, measured: Mapping[str, float] | None, first: float | None
) -> float | None:
    """Check that the losses of a step have not exploded, if they were measured; return the first training loss, in nats."""
    if measured is None:
        return first
    first = measured["train_loss"] if first is None else first
    if objective.procedure.may_explode:
        check_exploded(measured, first, step, objective.procedure.advice)
    return first


def _check_weights(objective: Objective, step: int) -> None:
    """Check that the weights that are kept are finite, before they are written."""
    is_finite = all(bool(own_part(parameter).isfinite().all()) for parameter in kept(objective).parameters())
    if processes.any_of_all(not is_finite):
        raise not_finite(step, objective.procedure.advice)


def _evaluate(
    objective: Objective, step: int, taken: StepTaken
) -> tuple[dict[str, float], Mapping[str, object] | None]:
    """Measure a step for metrics.jsonl, given the optimizer step that led to it, and sample a text."""
    with evaluating(kept(objective)):
        measured = objective.evaluate(step)
        check_finite(measured, step, objective.procedure.advice)
        measured = {"step": step, **measured, "lr": rate(objective, step), **taken.recorded()}
        return measured, objective.sample(step)


def _say_nothing(step: int, note: str | None = None) -> None:
    """Show no progress: the first process does."""


def _note(objective: Objective, step: int, loss: float | None, measured: Mapping[str, float] | None) -> str | None:
    """Format what the progress shows: the losses of an evaluation, or that of the last step with its learning rate."""
    note = f"train {measured['train_loss']:.3f}  val {measured['val_loss']:.3f}" if measured else None
    if not objective.procedure.reads_losses:
        return note
    return f"{note or f'loss {math.nan if loss is None else loss:.3f}'}  lr {rate(objective, step):.2e}"


def describe_standstill(run: Run) -> str | None:
    """Describe for a message that training has not changed a weight, by the hashes of the snapshots; None if it has."""
    first, *_, last = run.snapshots()
    if first.sha256 != last.sha256:
        return None
    return f"nothing moved: the weights of step {last.step:,} equal those of step 0, byte for byte; raise the learning rate"


def free_name(name: str) -> str:
    """Find a free name for a run: ``name``, or the first of ``name-2``, ``name-3`` and so on that no run has."""
    names = (f"{name}-{number}" if number > 1 else name for number in range(1, 10_000))
    return next(each for each in names if not (runs_folder() / each).exists())
