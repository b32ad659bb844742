"""Resume slots: what a training needs to continue, written to two files in turn.

A slot holds the weights and the optimizer state of one step as safetensors. Nothing else is needed, since the order of the data and
the dropout of a step follow from (seed, step). If writing one slot is interrupted, the other is still whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from data.runs import Run
from data.runs.atomic_files import append_line, read_lines, write_bytes
from data.runs.safetensors_files import decode_metadata, decode_tensors, stream_tensors
from trainer.parallel import processes
from trainer.parallel.data_parallel import like, whole


@dataclass(frozen=True)
class Checkpoint:
    """The step of a slot and the seconds trained up to it."""

    step: int
    seconds: float


def save(
    run: Run, reached: Checkpoint, models: Mapping[str, nn.Module], optimizers: Sequence[torch.optim.Optimizer]
) -> None:
    """Write the weights of some models and the optimizer state into the slot that was not written last.

    All processes must call it: what is sharded is gathered, and the first process writes.
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
    arrays = {name: tensor.cpu().numpy() for name, tensor in gathered if processes.is_first()}
    if not processes.is_first():
        return
    manifest = run.path / "resume" / "manifest.jsonl"
    written = read_lines(manifest)
    slot = "b.safetensors" if written and written[-1]["file"] == "a.safetensors" else "a.safetensors"
    content = stream_tensors(arrays, {"numbers": json.dumps(numbers)})
    _, digest = write_bytes(manifest.parent / slot, content)
    append_line(manifest, {"step": reached.step, "file": slot, "sha256": digest})


def load(run: Run, models: Mapping[str, nn.Module], optimizers: Sequence[torch.optim.Optimizer]) -> Checkpoint | None:
    """Load the newest whole slot into models and optimizers; return None, and change nothing, if there is none."""
    content = _newest_slot(run)
    if content is None:
        return None
    tensors = {name: torch.from_numpy(array.copy()) for name, array in decode_tensors(content).items()}
    numbers = json.loads(decode_metadata(content)["numbers"])
    with torch.no_grad():
        for which, model in models.items():
            for name, p in model.named_parameters():
                p.copy_(like(p, tensors[f"{which}.{name}"]))
    for i, optimizer in enumerate(optimizers):
        state: dict[int, dict[str, object]] = {}
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        for name, value in (tensors | numbers).items():
            if name.startswith(f"optimizer.{i}."):
                p, key = name.split(".")[2:]
                is_tensor = isinstance(value, torch.Tensor)
                state.setdefault(int(p), {})[key] = like(parameters[int(p)], value) if is_tensor else value
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    return Checkpoint(numbers["step"], numbers["seconds"])


def _newest_slot(run: Run) -> bytes | None:
    folder = run.path / "resume"
    for record in reversed(read_lines(folder / "manifest.jsonl")):
        path = folder / record["file"]
        content = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(content).hexdigest() == record["sha256"]:
            return content
    return None
