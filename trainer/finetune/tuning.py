"""Fine-tuning, whatever is to be learned: a run of its own that begins with the weights of another.

What is learned is an `Objective`; this file does the rest: AdamW under a linear warm-up and a linear fall, gradients gathered over
micro-batches and clipped (`trainer.finetune.finetune_config`), evaluations, samples, snapshots (that of step 0 is the base, so
that a film shows
what fine-tuning moves), a stop by Ctrl-C that leaves a sound run, and going on from there. In short::

    base = open_base("machado@5000")                                # trainer.finetune.base_snapshot
    model = trainable(base)
    grow(model, tokenizer.vocab_size, first_new, seed=config.seed)  # rows for new tokens
    tuning = begin(objective, config, base, info, name="machado-jokes")
    with progress_bar("fine-tuning", tuning.steps, "step") as update:
        val_loss = tuning.go(update)

``info`` is what run.json says besides (`begin` lists it). A `TuneConfig` of one's own may add fields to this one.

References
----------
Radford, Narasimhan, Salimans and Sutskever (2018), Improving language understanding by generative pre-training: section 4.1.
"""

from __future__ import annotations

import dataclasses
import datetime
import math
import os
import platform
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from data.errors import InputError
from data.runs import Run, create_run, rewind, runs_folder, write_snapshot
from data.runs.atomic_files import append_line
from trainer import checkpoint
from trainer.finetune.base_snapshot import Base, describe_model, weights_of
from trainer.finetune.finetune_config import TuneConfig, check, plan
from trainer.loading import Model
from trainer.loop import ReportStep, StopFlag, Stopped, TrainingClock, own_random_state, seed_dropout, stop_on_interrupt
from trainer.machine import fastest_threads, reuse_freed_memory
from trainer.session import MOST_THREADS, check_room

SMALL = 5_000_000
"""Parameters up to which it is tried whether one thread is faster than several, and the first steps have snapshots of their own."""


class Objective(Protocol):
    """What is learned: the model, its data in steps, its loss, and how it is judged."""

    @property
    def model(self) -> Model:
        """The model whose weights make the snapshots."""

    @property
    def module(self) -> nn.Module:
        """All that is trained: the model, or a module that holds it and a head of its own."""

    @property
    def steps(self) -> int:
        """Return the number of optimizer steps."""

    def losses(self, step: int) -> Iterator[Tensor]:
        """Yield the shares of each micro-batch in the loss of a step: they add up to it. One is made when the last is done with."""

    def judge(self, step: int) -> dict[str, float]:
        """Return ``train_loss``, ``val_loss``, ``tokens`` (seen so far) and whatever else is measured at ``step``."""

    def sample(self, step: int) -> Mapping[str, object] | None:
        """Return a line for samples.jsonl, or None if there is nothing to sample."""


@dataclass(frozen=True)
class Tuning:
    """A run and what writes it, ready to go on from ``step``, after ``seconds`` of training before; ``is_new`` if it was made just now."""

    run: Run
    objective: Objective
    config: TuneConfig
    optimizer: torch.optim.Optimizer
    device: torch.device
    step: int = 0
    seconds: float = 0.0
    is_new: bool = False

    @property
    def steps(self) -> int:
        """Return the number of optimizer steps."""
        return self.objective.steps

    @property
    def model(self) -> nn.Module:
        """Return all that is trained."""
        return self.objective.module

    @property
    def averaged(self) -> nn.Module:
        """Return what is kept: the weights themselves."""
        return self.objective.module

    @property
    def optimizers(self) -> Sequence[torch.optim.Optimizer]:
        """Return what `trainer.checkpoint` saves the state of."""
        return [self.optimizer]

    def go(self, report: ReportStep) -> dict[str, float]:
        """Train to the last step; return what was measured there.

        Raises
        ------
        Stopped
            If Ctrl-C asked for it, after the step under way.
        InputError
            If the loss is no longer a number. A new run that has nothing but its base by then goes away again.
        """
        try:
            with stop_on_interrupt() as wish, own_random_state(self.device):
                return _tune(self, report, wish)
        except InputError:
            if self.is_new and not any(snapshot.step for snapshot in self.run.snapshots()):
                shutil.rmtree(self.run.path)
            raise


def begin(
    objective: Objective, config: TuneConfig, base: Base, info: Mapping[str, Any], *, name: str, device: torch.device
) -> Tuning:
    """Make a new run with its snapshot of step 0, the base.

    Parameters
    ----------
    objective : what is learned; its model is on ``device``.
    config : goes into run.json under ``training``, with the number of ``steps`` beside it.
    base : what the model was made of; goes into run.json under ``base``.
    info : what run.json says besides: ``corpus`` (name, language, sha256, characters), ``tokenizer`` and more of one's own.
    name : of the run.

    Raises
    ------
    InputError
        If there is nothing to learn, the configuration makes no sense, the name is taken, or the disk is too full.
    """
    check(config)
    if objective.steps < 1:
        raise InputError("there is nothing to learn from: no step can be made of the data")
    check_room(objective.module, len(snapshot_steps(objective, config)), runs_folder())
    choose_threads(objective, config, device)
    run = create_run(name, {**_describe(objective, config, base, device), **info})
    write_snapshot(run, 0, kept_weights(objective))
    return Tuning(run, objective, config, _optimizer(objective.module, config), device, is_new=True)


def untracked(objective: Objective, base: Base, config: TuneConfig, device: torch.device) -> Tuning:
    """Return a tuning for `take_step` alone, which writes nothing: ``run`` is that of the base."""
    return Tuning(base.run, objective, check(config), _optimizer(objective.module, config), device)


def go_on(run: Run, objective: Objective, config: TuneConfig, device: torch.device) -> Tuning:
    """Take up a run where it stopped; the objective's model is built of the snapshot of step 0, and gets its newest weights here."""
    reuse_freed_memory()
    torch.set_num_threads(config.threads or run.info["threads"])
    tuning = Tuning(run, objective, config, _optimizer(objective.module, config), device)
    slot = checkpoint.load(run, tuning)
    if slot is None:  # stopped before anything was saved: the seed gives the same beginning again
        rewind(run, -1)
        write_snapshot(run, 0, kept_weights(objective))
        return tuning
    rewind(run, slot.step)
    return dataclasses.replace(tuning, step=slot.step, seconds=slot.seconds)


def snapshot_steps(objective: Objective, config: TuneConfig) -> list[int]:
    """Return the steps at which a snapshot is written: every so many, first and last, and for small models 1, 2, 4, ... 64."""
    early = [1, 2, 4, 8, 16, 32, 64] if _is_small(objective.module) else []
    return _up_to(objective.steps, config.snapshot_every, early)


def eval_steps(objective: Objective, config: TuneConfig) -> list[int]:
    """Return the steps at which the losses are measured: every so many, first and last."""
    return _up_to(objective.steps, config.eval_every, [])


def _up_to(last: int, every: int | None, early: Sequence[int]) -> list[int]:
    steps = {*range(0, last + 1, every or max(1, last // 20)), *(step for step in early if step <= last), last}
    return sorted(steps)


def kept_weights(objective: Objective) -> dict[str, Any]:
    """Return the tensors of a snapshot: the model's, and those that ``module`` has beside it (the head of a task), by its names."""
    models = {id(parameter) for parameter in objective.model.parameters()}
    beside = {name: p for name, p in objective.module.named_parameters() if id(p) not in models}
    return weights_of(objective.model) | {name: p.detach().cpu().numpy() for name, p in beside.items()}


def choose_threads(objective: Objective, config: TuneConfig, device: torch.device) -> None:
    """Set the number of CPU threads: the one asked for, or all; one if a small model makes its first step faster with it."""
    reuse_freed_memory()
    most = min(MOST_THREADS, os.cpu_count() or 1)
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    elif device.type == "cpu" and most > 1 and _is_small(objective.module):
        with own_random_state(device):

            def work() -> None:
                torch.autograd.backward(next(objective.losses(0)))
                objective.module.zero_grad(set_to_none=True)

            fastest_threads(work, (1, most))


def take_step(tuning: Tuning, step: int) -> float:
    """Make one optimizer step, from the weights of ``step`` to those of ``step + 1``; return its loss."""
    config, objective = tuning.config, tuning.objective
    seed_dropout(config.seed, step)
    for group in tuning.optimizer.param_groups:
        group["lr"] = config.learning_rate * plan(config, objective.steps)(step)
    total = 0.0
    for loss in objective.losses(step):
        torch.autograd.backward(loss)
        total += loss.item()
    if config.clip:
        nn.utils.clip_grad_norm_(objective.module.parameters(), config.clip)
    tuning.optimizer.step()
    tuning.optimizer.zero_grad(set_to_none=True)
    return total


def _tune(tuning: Tuning, report: ReportStep, wish: StopFlag) -> dict[str, float]:
    run, objective, config = tuning.run, tuning.objective, tuning.config
    snapshots, evaluations = set(snapshot_steps(objective, config)), set(eval_steps(objective, config))
    clock, loss = TrainingClock(tuning.seconds), math.nan
    objective.module.train()
    for step in range(tuning.step, tuning.steps + 1):
        is_new = step > tuning.step or step == 0  # what stands at the step of a resumed run was written before
        measured, sample = _evaluate(tuning, step) if is_new and step in evaluations else (None, None)
        if step > tuning.step and step in snapshots:
            _check_weights(objective.module, step)
            write_snapshot(run, step, kept_weights(objective))
        if measured is not None:
            measured = _record(tuning, step, clock.seconds(), measured, sample)
        report(step, _note(tuning, step, loss, measured))
        is_last = step == tuning.steps or wish.to_stop
        if is_last or (step in snapshots and clock.since_mark() >= config.resume_every):
            checkpoint.save(run, step, clock.seconds(), tuning)
            clock.mark()
        if step == tuning.steps:
            return measured or run.metrics()[-1]
        if wish.to_stop:
            raise Stopped(step)
        loss = take_step(tuning, step)
        if not math.isfinite(loss):
            raise no_number(step)
    raise AssertionError("the last step returns")


def no_number(step: int) -> InputError:
    """Return the mistake of a loss that is no longer a number."""
    return InputError(f"the loss is no longer a number at step {step}: tune again with a lower --learning-rate")


def _check_weights(module: nn.Module, step: int) -> None:
    if not all(bool(torch.isfinite(parameter).all()) for parameter in module.parameters()):
        raise no_number(step)


def _evaluate(tuning: Tuning, step: int) -> tuple[dict[str, float], Mapping[str, object] | None]:
    """Return what is measured at a step, and a sample; neither is written before it is known to be sound."""
    objective = tuning.objective
    objective.module.eval()
    with torch.no_grad():
        measured = objective.judge(step)
        if not all(map(math.isfinite, measured.values())):
            raise no_number(step)
        sample = objective.sample(step)
    objective.module.train()
    return measured, sample


def _record(
    tuning: Tuning, step: int, seconds: float, measured: Mapping[str, float], sample: Mapping[str, object] | None
) -> dict[str, float]:
    record = {"step": step, **measured, "lr": _rate(tuning, step), "seconds": round(seconds, 3)}
    append_line(tuning.run.path / "metrics.jsonl", record)
    if sample is not None:
        append_line(tuning.run.path / "samples.jsonl", {"step": step, **sample})
    return record


def _note(tuning: Tuning, step: int, loss: float, measured: Mapping[str, float] | None) -> str:
    """Return what the progress shows: the loss of the step just made and its learning rate, or the losses of an evaluation."""
    now = f"train {measured['train_loss']:.3f}  val {measured['val_loss']:.3f}" if measured else f"loss {loss:.3f}"
    return f"{now}  lr {_rate(tuning, step):.2e}"


def _rate(tuning: Tuning, step: int) -> float:
    """Return the learning rate of the step that led to ``step``."""
    return tuning.config.learning_rate * plan(tuning.config, tuning.steps)(step - 1) if step else 0.0


def _optimizer(module: nn.Module, config: TuneConfig) -> torch.optim.Optimizer:
    tables = {id(child.weight) for child in module.modules() if isinstance(child, nn.Embedding)}
    matrices = [p for p in module.parameters() if p.ndim >= 2 and id(p) not in tables]
    others = [p for p in module.parameters() if p.ndim < 2 or id(p) in tables]
    groups = [{"params": matrices, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=config.learning_rate, fused=True)


def _describe(objective: Objective, config: TuneConfig, base: Base, device: torch.device) -> dict[str, Any]:
    return {
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
        "parameters": sum(p.numel() for p in objective.module.parameters()),
        "seed": config.seed,
        "model": describe_model(base, objective.model),
        "base": base.describe(),
        "training": {**dataclasses.asdict(config), "steps": objective.steps},
        "tensors": base.run.info["tensors"],
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
        "device": str(device),
        "threads": torch.get_num_threads(),
    }


def _is_small(module: nn.Module) -> bool:
    return sum(p.numel() for p in module.parameters()) <= SMALL
