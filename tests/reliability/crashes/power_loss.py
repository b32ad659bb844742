"""A training is recorded, power is lost at every point of it, and what is left is recovered.

The training is stopped twice without warning and resumed, once in micro-batches, so that its snapshots differ by rounding: records of an
earlier attempt are on the disk, and are dropped later. What was acknowledged is kept outside the run.
"""

from __future__ import annotations

import contextlib
import random
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from data.errors import InputError
from data.files.json_files import read_lines
from data.notices import collect_notices
from data.runs import Run, list_runs
from data.runs.schema import SlotLine
from tests.reliability.crashes.crash_states import Disk, State, crash_states, read_state, write_state
from tests.reliability.crashes.recording import IGNORED, Operation, Recorder, recording
from trainer.config import TrainConfig, preset, replace
from trainer.loop import Training, checkpoint
from trainer.loop.objective import models
from trainer.session import Session, resume_training, start

NAME = "recorded"
STEPS = 24


class PowerLoss(Exception):
    """Ends a training as a crash does: nothing is saved."""


@dataclass(frozen=True)
class Recorded:
    """What a training asked of the disk, its configuration, and its session."""

    operations: Sequence[Operation]
    config: TrainConfig
    session: Session
    end: str
    """The sha256 of the last snapshot."""

    def hashes(self, step: int) -> set[str]:
        """Collect the hashes of all snapshots of a step that the training ever wrote; the last may be there before it is acknowledged."""
        said = (operation.what for operation in self.operations if operation.kind == "acknowledge")
        return {each.sha256 for each in said if each.kind == "snapshot" and each.step == step}


@dataclass(frozen=True)
class Acknowledged:
    """A snapshot or a resume slot of a step was reported as written; ``sha256`` is that of a snapshot."""

    kind: str
    step: int
    sha256: str = ""


def small_config(text: Path, **fields: object) -> TrainConfig:
    values = {
        "corpus": str(text),
        "steps": STEPS,
        "snapshot_every": 8,
        "eval_every": 8,
        "sample_tokens": 4,
        "resume_every": 0.0,
    }
    return replace(preset("tiny"), {**values, "eval_batches": 1, **fields}, "test")


def record_training(text: Path, folder: Path, **fields: object) -> Recorded:
    """Record a training with two crashes; ``folder``, of the runs, is empty, and GPTLAB_RUNS names it."""
    config = small_config(text, **fields)
    with recording(folder) as recorder, collect_notices():
        training: Training[Session] | None = start(config, NAME)
        assert training is not None
        run, session = training.run, training.objective
        _acknowledge(recorder, run, 0)
        in_parts = replace(config, {"accumulate": 2}, "test")
        for attempt, last in ((config, 4), (config, 16), (in_parts, 16), (config, config.steps)):
            with contextlib.suppress(PowerLoss):
                (training or resume_training(Run(run.path), attempt)).go(_stopping_at(recorder, run, last))
            training = None
        resume_training(Run(run.path), config).go(_stopping_at(recorder, run, -1))
        _acknowledge(recorder, run, config.steps)
    _check_recording(recorder, folder)
    return Recorded(recorder.operations, config, session, run.snapshot(config.steps).sha256)


def _stopping_at(recorder: Recorder, run: Run, last: int) -> Callable[[int, str | None], None]:
    """Build a progress callback that acknowledges what was written, and crashes after the snapshot of a step, before its slot."""

    def progress(step: int, note: str | None) -> None:
        slots = recorded_slots(run)
        if slots:
            recorder.acknowledge(Acknowledged("slot", slots[-1]))
        _acknowledge(recorder, run, step)
        if step == last:
            raise PowerLoss

    return progress


def recorded_slots(run: Run) -> list[int]:
    return [record["step"] for record in read_lines(run.path / "resume" / "manifest.jsonl", SlotLine)]


def _acknowledge(recorder: Recorder, run: Run, step: int) -> None:
    record = next((record for record in run.manifest() if record["step"] == step), None)
    if record is not None:
        recorder.acknowledge(Acknowledged("snapshot", step, record["sha256"]))


def _check_recording(recorder: Recorder, folder: Path) -> None:
    """Check that nothing was written past the recorder: what it saw is what there is."""
    disk = Disk()
    for operation in recorder.operations:
        disk.take(operation)
    assert disk.now() == read_state(folder, IGNORED), "something was written in a way that is not recorded"


def recover(state: State, acknowledged: Sequence[object], recorded: Recorded, folder: Path) -> None:
    """Recover from a state that a crash left: raise an `AssertionError` if anything that was acknowledged is missing."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_state(state, folder)
    snapshots = [each for each in acknowledged if isinstance(each, Acknowledged) and each.kind == "snapshot"]
    slots = [each.step for each in acknowledged if isinstance(each, Acknowledged) and each.kind == "slot"]
    with collect_notices():
        found = list_runs(folder)
        if not snapshots:
            return  # not even the first snapshot was reported as written
        assert [run.name for run in found] == [NAME]
        sound = {snapshot.step: snapshot.sha256 for snapshot in found[0].sound_snapshots()}
        for step in {each.step for each in snapshots}:
            assert sound.get(step) in recorded.hashes(step), f"step {step} is lost"
        assert found[0].tokenizer.vocab_size
        found[0].metrics()
        found[0].samples()
        slot = checkpoint.load(found[0], models(recorded.session), recorded.session.procedure.optimizers)
        assert (slot.step if slot else -1) >= (slots[-1] if slots else -1), "the resume slot is lost"


def resume_from(folder: Path, recorded: Recorded) -> None:
    """Resume the run that `recover` left in a folder, and check that its end is that of the training."""
    run = Run(folder / NAME)
    with collect_notices():
        try:
            training = resume_training(run, recorded.config)
        except InputError:
            assert not run.manifest(), "a run with a snapshot can be resumed"
            return
        training.go(lambda step, note: None)
    assert Run(run.path).snapshot(recorded.config.steps).sha256 == recorded.end


def states_to_try(recorded: Recorded, most: int, seed: int = 1) -> list[tuple[State, list[object]]]:
    """List the distinct states of all crashes; of more than ``most`` some that are drawn at random."""
    found = list(crash_states(recorded.operations, seed))
    return found if len(found) <= most else random.Random(seed).sample(found, most)
