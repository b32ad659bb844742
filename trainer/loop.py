"""The training loop: optimizer steps, evaluations, samples and snapshots, stoppable at any moment.

What is learned, and how, is an `Objective`: pre-training (`trainer.session`), documents (`trainer.finetune.language_model`) or a
task (`trainer.supervised.task_objective`). This file does the rest. `start_run` makes a new run, `resume_run` continues an old one,
and `Training.go` trains.

Everything that is random follows from the seed and the step, so that a resumed run equals an uninterrupted one.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import math
import platform
import shutil
import signal
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from data.errors import InputError
from data.progress import Progress, progress_bar
from data.runs import Run, create_run, rewind, runs_folder, write_snapshot
from data.runs.atomic_files import append_line, write_json
from trainer import checkpoint
from trainer.loggers.registry import Log, open_logs
from trainer.machine import check_room
from trainer.optimizers.recipes import average
from trainer.optimizers.schedules import Schedule, highest_share, set_rates
from trainer.parallel import processes
from trainer.parallel.data_parallel import own_part, whole
from trainer.seeds import own_random_state, seed_dropout

SAMPLE_TEMPERATURE = 0.8


@dataclass(frozen=True)
class Procedure:
    """How an objective is trained: optimizers, learning rates, and the steps at which something is written."""

    optimizers: Sequence[torch.optim.Optimizer]
    schedule: Schedule
    snapshot_steps: Sequence[int]
    eval_steps: Sequence[int]
    resume_every: float
    """At most every so many seconds, at a snapshot, a resume slot is written."""
    seed: int
    device: torch.device
    label: str
    """The name of the work, for progress bars."""
    advice: str
    """What to do when the loss is not finite; ends the message."""
    clip: float | None = None
    """Longest gradient; a longer one is shortened to it."""
    averaged: nn.Module | None = None
    """The running average of the weights, which is evaluated and kept; None where the weights themselves are."""
    averaging: float = 0.0
    """Decay rate of the running average."""
    drops: bool = True
    """Whether the model uses random numbers in training."""
    reads_losses: bool = True
    """Check and show the loss of every step; on a GPU, reading it waits for the step to end."""
    log: str | None = None
    """The loggers that receive metrics and samples too, see `trainer.loggers.registry`."""


class Objective(Protocol):
    """What is learned: the model, the loss of each step, and how progress is measured."""

    @property
    def module(self) -> nn.Module:
        """The model that is trained, with a head of its own where it has one."""

    @property
    def steps(self) -> int:
        """The number of optimizer steps."""

    @property
    def procedure(self) -> Procedure:
        """How the module is trained."""

    def losses(self, step: int) -> Iterator[Tensor]:
        """Yield the loss of each micro-batch of a step; they add up to the loss of the step."""

    def evaluate(self, step: int) -> dict[str, float]:
        """Measure ``train_loss``, ``val_loss``, ``tokens`` (seen so far) and whatever else belongs into metrics.jsonl."""

    def sample(self, step: int) -> Mapping[str, object] | None:
        """Generate a text for samples.jsonl; None if the model cannot."""

    def weights(self) -> dict[str, NDArray[Any]]:
        """Collect the tensors of a snapshot by name."""


AnyObjective = TypeVar("AnyObjective", bound=Objective)
Trained = TypeVar("Trained", bound=Objective, covariant=True)


class Stopped(Exception):
    """The training was stopped by Ctrl-C; everything needed to resume from ``step`` is saved."""

    def __init__(self, step: int):
        super().__init__(f"stopped at step {step}")
        self.step = step


@dataclass(frozen=True)
class Training(Generic[Trained]):
    """A run and the objective that writes it, ready to continue from ``step`` after ``seconds`` of earlier training."""

    run: Run
    objective: Trained
    step: int = 0
    seconds: float = 0.0
    is_new: bool = False

    def go(self, progress: Progress | None = None) -> dict[str, float]:
        """Train to the last step; return what was measured there, as in metrics.jsonl.

        ``progress`` is called after every step; without it there is a bar on standard error. Ctrl-C raises `Stopped` at the end of the
        current step. A loss that is not finite raises an `InputError`; a new run that has only its first snapshot by then is removed.
        """
        procedure = self.objective.procedure
        bar = progress_bar(procedure.label, self.objective.steps, "step", start=self.step)
        if progress is None and not processes.is_first():
            progress = _say_nothing
        with (
            bar if progress is None else contextlib.nullcontext(progress) as update,
            stop_on_interrupt() as stop,
            own_random_state(procedure.device),
            open_logs(procedure.log if processes.is_first() else None, self.run, self.step) as log,
        ):
            try:
                return _train(self, update, stop, log)
            except InputError:
                if self.is_new and not any(snapshot.step for snapshot in self.run.snapshots()):
                    processes.in_first(shutil.rmtree, self.run.path)
                raise


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

    def create() -> Run:
        check_room(objective.module, len(objective.procedure.snapshot_steps), runs_folder())
        run = create_run(name, described)
        write_snapshot(run, 0, weights)
        return run

    return Training(processes.first_decides(create), objective, is_new=True)


def resume_run(run: Run, objective: AnyObjective, config: Any) -> Training[AnyObjective]:
    """Continue a run from its newest resume slot, or from the start if nothing was saved; ``config`` is recorded in run.json."""
    slot = checkpoint.load(run, _models(objective), objective.procedure.optimizers)
    if slot is not None and slot.step > objective.steps:
        raise InputError(f"run {run.name!r} is at step {slot.step:,} already: pass `steps={slot.step}` or more")
    described = {"training": run.info["training"] | dataclasses.asdict(config), "processes": processes.count()}
    weights = objective.weights() if slot is None or slot.step == 0 else None

    def prepare() -> None:
        if not described.items() <= run.info.items():
            write_json(run.path / "run.json", run.info | described)
        rewind(run, -1 if weights is not None or slot is None else slot.step)
        if weights is not None:
            write_snapshot(run, 0, weights)

    processes.first_decides(prepare)  # once all have read the slot
    if slot is None or weights is not None:
        return Training(run, objective)
    return Training(run, objective, slot.step, slot.seconds)


def check_resumable(before: Any, config: Any, resumable: Collection[str], *, verb: str) -> None:
    """Check that a configuration differs from that of the run to resume in ``resumable`` fields only."""
    changed = [f.name for f in dataclasses.fields(before) if getattr(config, f.name) != getattr(before, f.name)]
    if fixed := [name for name in changed if name not in resumable]:
        raise InputError(f"a resumed run keeps its {', '.join(fixed)}: leave that out, or {verb} a new run")


def _train(training: Training[Objective], progress: Progress, stop: threading.Event, log: Log) -> dict[str, float]:
    run, objective, procedure = training.run, training.objective, training.objective.procedure
    snapshots, evaluations = set(procedure.snapshot_steps), set(procedure.eval_steps)
    started, saved, taken = time.perf_counter() - training.seconds, time.perf_counter(), StepTaken()
    objective.module.train()
    for step in range(training.step, objective.steps + 1):
        is_new = step > training.step or step == 0  # the step of a resumed run has its records already
        # Nothing is written before it is known to be finite.
        measured, sample = _evaluate(objective, step) if is_new and step in evaluations else (None, None)
        if step > training.step and step in snapshots:
            is_finite = all(bool(own_part(parameter).isfinite().all()) for parameter in _kept(objective).parameters())
            if processes.any_of_all(not is_finite):
                raise not_finite(objective, step)
            processes.in_first(write_snapshot, run, step, objective.weights())
        if measured is not None:
            seconds = round(time.perf_counter() - started, 3)
            norm = (
                {} if taken.grad_norm is None or not math.isfinite(taken.grad_norm) else {"grad_norm": taken.grad_norm}
            )
            measured = {"step": step, **measured, "lr": _rate(objective, step), **norm, "seconds": seconds}
            processes.in_first(append_line, run.path / "metrics.jsonl", measured)
        if sample is not None:
            processes.in_first(append_line, run.path / "samples.jsonl", {"step": step, **sample})
        log(step, measured, sample)
        progress(step, _note(objective, step, taken.loss, measured))
        is_stopped, now = processes.any_of_all(stop.is_set()), time.perf_counter()
        is_last, is_due = step == objective.steps or is_stopped, now - saved >= procedure.resume_every
        if is_last or (step in snapshots and processes.any_of_all(is_due)):
            checkpoint.save(run, checkpoint.Checkpoint(step, now - started), _models(objective), procedure.optimizers)
            saved = time.perf_counter()
        if step == objective.steps:
            return measured or run.metrics()[-1]
        if is_stopped:
            raise Stopped(step)
        taken = take_step(objective, step, measures_gradient=step + 1 in evaluations)
        if taken.loss is not None and not math.isfinite(taken.loss):
            raise not_finite(objective, step)
    raise AssertionError("the last step returns")


class StepTaken(NamedTuple):
    """What is known of an optimizer step: its loss in nats, and the norm of its gradient before clipping; None where they were not read."""

    loss: float | None = None
    grad_norm: float | None = None


def take_step(objective: Objective, step: int, *, measures_gradient: bool = False) -> StepTaken:
    """Take one optimizer step, from the weights of ``step``."""
    procedure = objective.procedure
    if procedure.drops:
        seed_dropout(procedure.seed, step, processes.rank())
    set_rates(procedure.optimizers, procedure.schedule(step))
    total = 0.0
    for loss in objective.losses(step):
        torch.autograd.backward(loss)
        if procedure.reads_losses:
            total += loss.item()
    # Without a limit, the norm is computed only where it is recorded; on a GPU, reading it waits for the step to end.
    norm = None
    if procedure.clip:
        norm = nn.utils.clip_grad_norm_(objective.module.parameters(), procedure.clip)
    elif measures_gradient:
        norm = nn.utils.get_total_norm([p.grad for p in objective.module.parameters() if p.grad is not None])
    grad_norm = float(whole(norm)) if measures_gradient and norm is not None else None
    for optimizer in procedure.optimizers:
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    if procedure.averaged is not None:
        average(procedure.averaged, objective.module, procedure.averaging, step)
    return StepTaken(total if procedure.reads_losses else None, grad_norm)


def not_finite(objective: Objective, step: int) -> InputError:
    """Build the error for a loss that is not finite."""
    return InputError(f"the loss is no longer a number at step {step}: {objective.procedure.advice}")


@contextlib.contextmanager
def stop_on_interrupt() -> Iterator[threading.Event]:
    """Turn the first Ctrl-C into an event, a request to stop after the current step; the second one stops at once."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # only the main thread receives signals
        yield stop
        return

    def interrupt(*_: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Put a model into evaluation mode, without gradients, and back into its mode before."""
    was_training = module.training
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        module.train(was_training)


def _kept(objective: Objective) -> nn.Module:
    return objective.procedure.averaged or objective.module


def _models(objective: Objective) -> dict[str, nn.Module]:
    """Name the models whose weights a resume slot holds."""
    averaged = objective.procedure.averaged
    return {"model": objective.module} | ({} if averaged is None else {"averaged": averaged})


def _evaluate(objective: Objective, step: int) -> tuple[dict[str, float], Mapping[str, object] | None]:
    """Measure the losses and sample a text."""
    with evaluating(_kept(objective)):
        measured = objective.evaluate(step)
        if not all(map(math.isfinite, measured.values())):
            raise not_finite(objective, step)
        return measured, objective.sample(step)


def _say_nothing(step: int, note: str | None = None) -> None:
    """Show no progress: the first process does."""


def _note(objective: Objective, step: int, loss: float | None, measured: Mapping[str, float] | None) -> str | None:
    """Format what the progress shows: the losses of an evaluation, or that of the last step with its learning rate."""
    note = f"train {measured['train_loss']:.3f}  val {measured['val_loss']:.3f}" if measured else None
    if not objective.procedure.reads_losses:
        return note
    return f"{note or f'loss {math.nan if loss is None else loss:.3f}'}  lr {_rate(objective, step):.2e}"


def _rate(objective: Objective, step: int) -> float:
    """Compute the learning rate of the step that led to ``step``."""
    procedure = objective.procedure
    return float(procedure.optimizers[0].param_groups[0]["peak"] * procedure.schedule(step - 1)) if step else 0.0


def highest_rate(objective: Objective) -> float:
    """Compute the highest learning rate that occurs in a training; 0 if it has no steps."""
    procedure = objective.procedure
    return float(procedure.optimizers[0].param_groups[0]["peak"] * highest_share(procedure.schedule, objective.steps))


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
