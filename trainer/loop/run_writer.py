"""What a training writes into its run: snapshots, measurements, samples and resume slots.

Before each write it is checked that the run is still the one that the training started with. Somebody may have deleted, moved or replaced
it; the training then stops rather than train for nothing, or write into another run.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn

from data.errors import InputError
from data.files.atomic_files import append_line, sweep_unfinished
from data.notices import notify
from data.runs import Run, write_snapshot
from data.runs.earlier_records import EarlierRecords, drop_earlier
from trainer.loop import checkpoint
from trainer.parallel import processes


class RunWriter:
    """Writes into one run; in a training of several processes the first writes, and all call.

    Parameters
    ----------
    run : the run, whose lock is held.
    earlier : what an earlier attempt recorded after the step that this one resumes from; dropped as this one passes it.
    on_error : what to do when the system refuses to write: ``stop`` raises its error, ``continue`` gives a notice and trains on.
    """

    def __init__(self, run: Run, earlier: EarlierRecords | None = None, on_error: str = "stop"):
        self._run, self._earlier, self._on_error = run, earlier, on_error
        self._identity = _identity(run)
        if processes.is_first():
            for folder in ((), ("snapshots",), ("resume",)):
                sweep_unfinished(run.inside(*folder))

    def write_snapshot(self, step: int, weights: Mapping[str, NDArray[Any]]) -> None:
        """Write the weights of a step."""
        if processes.is_first():
            with self._writing(f"the snapshot of step {step:,}"):
                write_snapshot(self._run, step, weights)

    def write_records(
        self, step: int, measured: Mapping[str, float] | None, sample: Mapping[str, object] | None
    ) -> None:
        """Write what was measured at a step, and a generated text, where there is one."""
        if measured is not None and processes.is_first():
            with self._writing(f"the losses of step {step:,}"):
                append_line(self._run.inside("metrics.jsonl"), measured)
        if sample is not None and processes.is_first():
            with self._writing(f"the sample of step {step:,}"):
                append_line(self._run.inside("samples.jsonl"), {"step": step, **sample})

    def save_slot(
        self,
        reached: checkpoint.Checkpoint,
        models: Mapping[str, nn.Module],
        optimizers: Sequence[torch.optim.Optimizer],
        *,
        is_last: bool,
    ) -> None:
        """Write a resume slot; once it is safe, drop the records of an earlier attempt up to its step, at the last step all."""
        arrays, numbers = checkpoint.gather(reached, models, optimizers)
        if not processes.is_first():
            return
        with self._writing(f"what is needed to resume from step {reached.step:,}"):
            checkpoint.save(self._run, reached.step, arrays, numbers)
            if self._earlier is not None:
                up_to = float("inf") if is_last else reached.step
                self._earlier = drop_earlier(self._run, self._earlier, up_to)

    def is_in_place(self) -> bool:
        """Check whether the run's folder is still the one that the training started with, with its records."""
        return _identity(self._run) == self._identity and (self._run.path / "manifest.jsonl").is_file()

    @contextlib.contextmanager
    def _writing(self, what: str) -> Iterator[None]:
        if not self.is_in_place():
            raise InputError(
                f"run {self._run.name!r} was deleted, moved or replaced while it was in training: {what} is not written; "
                "put it back and resume it, or train a new one"
            )
        try:
            yield
        except OSError as error:
            if self._on_error == "stop":
                raise
            notify(f"{what} was not written ({os.strerror(error.errno or 0)}): the training continues", stacklevel=4)


def _identity(run: Run) -> tuple[tuple[int, int] | None, ...]:
    """Identify the folder of a run, its snapshots and its run.json by device and number, None where one is missing."""
    return tuple(_number(run.path / part) for part in (".", "snapshots", "run.json"))


def _number(path: os.PathLike[str]) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino
