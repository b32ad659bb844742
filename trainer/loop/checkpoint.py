"""Resume slots: what a training needs to continue, written to two files in turn.

A slot holds the weights and the optimizer state of one step as safetensors. Nothing else is needed, since the order of the data and
the dropout of a step follow from (seed, step). If writing one slot is interrupted, the other is still whole.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn

from data.errors import InputError
from data.files.atomic_files import Record, append_line, write_bytes
from data.files.json_files import DamagedError, parse_json, read_lines
from data.files.regular_files import UnsafeFileError, open_regular
from data.files.safetensors_files import decode_metadata, decode_tensors, stream_tensors
from data.notices import notify
from data.runs import Run
from data.runs.schema import SlotLine
from trainer.parallel import processes
from trainer.parallel.data_parallel import like, whole


@dataclass(frozen=True)
class Checkpoint:
    """The step of a slot and the seconds trained up to it."""

    step: int
    seconds: float


def gather(
    reached: Checkpoint, models: Mapping[str, nn.Module], optimizers: Sequence[torch.optim.Optimizer]
) -> tuple[dict[str, NDArray[Any]], dict[str, object]]:
    """Collect the weights of some models and the optimizer state: arrays, and numbers.

    All processes must call it: what is sharded is gathered, and only the first gets the arrays.
    """
    tensors = {f"{which}.{name}": p.detach() for which, model in models.items() for name, p in model.named_parameters()}
    numbers: dict[str, object] = {"step": reached.step, "seconds": reached.seconds}
    for i, optimizer in enumerate(optimizers):
        for p, entries in optimizer.state_dict()["state"].items():
            for key, value in entries.items():
                if isinstance(value, torch.Tensor):
                    tensors[f"optimizer.{i}.{p}.{key}"] = value.detach()
                else:
                    numbers[f"optimizer.{i}.{p}.{key}"] = value
    gathered = ((name, whole(tensor)) for name, tensor in tensors.items())
    return {name: tensor.cpu().numpy() for name, tensor in gathered if processes.is_first()}, numbers


def save(run: Run, step: int, arrays: Mapping[str, NDArray[Any]], numbers: Mapping[str, object]) -> None:
    """Write what `gather` collected into the slot that was not written last."""
    manifest = run.inside("resume", "manifest.jsonl")
    written = read_lines(manifest, SlotLine)
    slot = "b.safetensors" if written and written[-1]["file"] == "a.safetensors" else "a.safetensors"
    size, digest = write_bytes(run.inside("resume", slot), stream_tensors(arrays, {"numbers": json.dumps(numbers)}))
    append_line(manifest, {"step": step, "file": slot, "bytes": size, "sha256": digest})


def load(run: Run, models: Mapping[str, nn.Module], optimizers: Sequence[torch.optim.Optimizer]) -> Checkpoint | None:
    """Load the newest whole slot into models and optimizers; return None, and change nothing, if there is none.

    Raises
    ------
    InputError
        If the slot is whole, but not of these models and optimizers.

    Warns
    -----
    UserWarning
        If a newer slot is damaged, so that an older one is used, or none.
    """
    content = _newest_slot(run)
    if content is None:
        return None
    try:
        tensors = {name: torch.from_numpy(array.copy()) for name, array in decode_tensors(content).items()}
        numbers = parse_json(decode_metadata(content)["numbers"].encode(), dict[str, int | float])
        for which, model in models.items():
            _copy_into(model, which, tensors)
        for i, optimizer in enumerate(optimizers):
            state = _state_of(optimizer, f"optimizer.{i}.", tensors | numbers)
            optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
        return Checkpoint(int(numbers["step"]), float(numbers["seconds"]))
    except (DamagedError, LookupError, ValueError, RuntimeError) as error:
        advice = "its run.json was changed, or another version wrote it; put the original back, or train a new run"
        raise InputError(f"the resume slot of run {run.name!r} does not fit its model ({error}): {advice}") from None


@torch.no_grad()
def _copy_into(model: nn.Module, which: str, tensors: Mapping[str, torch.Tensor]) -> None:
    for name, p in model.named_parameters():
        if p.shape != tensors[f"{which}.{name}"].shape:
            raise ValueError(f"{name} has another shape")
        p.copy_(like(p, tensors[f"{which}.{name}"]))


def _state_of(
    optimizer: torch.optim.Optimizer, prefix: str, values: Mapping[str, object]
) -> dict[int, dict[str, object]]:
    """Collect the state of one optimizer, by the number of the parameter and the name of the value."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    state: dict[int, dict[str, object]] = {}
    for name, value in values.items():
        if name.startswith(prefix):
            number, key = name.removeprefix(prefix).split(".")
            if isinstance(value, torch.Tensor):
                value = like(parameters[int(number)], value)
            state.setdefault(int(number), {})[key] = value
    return state


def _newest_slot(run: Run) -> bytes | None:
    """Read the newest slot that is whole; a notice says if a newer one was passed over."""
    damaged: int | None = None
    passed: set[str] = set()  # of a slot only the last line can be right
    for record in reversed(read_lines(run.inside("resume", "manifest.jsonl"), SlotLine)):
        if record["file"] in passed:
            continue
        passed.add(record["file"])
        content = _read_slot(run, record)
        if content is not None:
            if damaged is not None:
                notify(
                    f"the resume slot of step {damaged:,} of run {run.name!r} is damaged: "
                    f"that of step {record['step']:,} is used",
                    stacklevel=4,
                )
            return content
        damaged = record["step"] if damaged is None else damaged
    if damaged is not None:
        notify(f"the resume slots of run {run.name!r} are damaged: it is trained from the start", stacklevel=4)
    return None


def _read_slot(run: Run, record: Record) -> bytes | None:
    """Read a slot if it is what its line says; size and hash are checked before, since what somebody put there may be of any size."""
    try:
        with open_regular(run.inside("resume", record["file"])) as opened:
            if record.get("bytes") not in (None, os.fstat(opened.fileno()).st_size):
                return None
            if hashlib.file_digest(opened, "sha256").hexdigest() != record["sha256"]:
                return None
            opened.seek(0)
            return opened.read()
    except (OSError, UnsafeFileError):
        return None
