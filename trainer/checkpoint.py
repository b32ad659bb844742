"""What a training needs to go on where it stopped, kept in two slots written in turn.

A slot holds weights and optimizer state of one step as safetensors. Nothing else is needed: the order of the data and the dropout of
a step follow from (seed, step). A stop in the middle of writing one slot leaves the other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from data.runs import Run
from data.runs.atomic_files import append_line, read_lines, write_bytes
from data.runs.safetensors_files import decode_metadata, decode_tensors, stream_tensors


class Resumable(Protocol):
    """What of a training a slot holds."""

    @property
    def model(self) -> torch.nn.Module:
        """What is trained."""

    @property
    def averaged(self) -> torch.nn.Module:
        """What is kept; ``model`` itself where no average is."""

    @property
    def optimizers(self) -> Sequence[torch.optim.Optimizer]:
        """What trains it."""


@dataclass(frozen=True)
class Checkpoint:
    """A slot that was read: the step and the seconds trained so far."""

    step: int
    seconds: float


def save(run: Run, step: int, seconds: float, session: Resumable) -> None:
    """Write weights, their average and optimizer state of ``step`` into the slot that was not written last."""
    tensors = {
        f"{which}.{name}": p.detach() for which, model in _models(session) for name, p in model.named_parameters()
    }
    numbers: dict[str, object] = {"step": step, "seconds": seconds}
    for i, optimizer in enumerate(session.optimizers):
        for p, entries in optimizer.state_dict()["state"].items():
            for key, value in entries.items():
                if isinstance(value, torch.Tensor):
                    tensors[f"optimizer.{i}.{p}.{key}"] = value.detach()
                else:
                    numbers[f"optimizer.{i}.{p}.{key}"] = value
    manifest = run.path / "resume" / "manifest.jsonl"
    written = read_lines(manifest)
    slot = "b.safetensors" if written and written[-1]["file"] == "a.safetensors" else "a.safetensors"
    content = stream_tensors({k: t.cpu().numpy() for k, t in tensors.items()}, {"numbers": json.dumps(numbers)})
    _, digest = write_bytes(manifest.parent / slot, content)
    append_line(manifest, {"step": step, "file": slot, "sha256": digest})


def load(run: Run, session: Resumable) -> Checkpoint | None:
    """Put the newest whole slot into the models and optimizers of ``session``; do nothing and return None if no slot is whole."""
    content = _newest_slot(run)
    if content is None:
        return None
    tensors = {name: torch.from_numpy(array.copy()) for name, array in decode_tensors(content).items()}
    numbers = json.loads(decode_metadata(content)["numbers"])
    with torch.no_grad():
        for which, model in _models(session):
            for name, p in model.named_parameters():
                p.copy_(tensors[f"{which}.{name}"])
    for i, optimizer in enumerate(session.optimizers):
        state: dict[int, dict[str, object]] = {}
        for name, value in (tensors | numbers).items():
            if name.startswith(f"optimizer.{i}."):
                p, key = name.split(".")[2:]
                state.setdefault(int(p), {})[key] = value
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    return Checkpoint(numbers["step"], numbers["seconds"])


def _models(session: Resumable) -> list[tuple[str, torch.nn.Module]]:
    averaged = [] if session.averaged is session.model else [("averaged", session.averaged)]
    return [("model", session.model), *averaged]


def _newest_slot(run: Run) -> bytes | None:
    folder = run.path / "resume"
    for record in reversed(read_lines(folder / "manifest.jsonl")):
        path = folder / record["file"]
        content = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(content).hexdigest() == record["sha256"]:
            return content
    return None
