"""From a run on disk back to a model: the shape from run.json, the weights from a snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from data.errors import InputError
from data.runs import Run, Snapshot
from trainer.config import described_model
from trainer.model import GPT
from trainer.pretrained.hf_model import HFModel, blank_hf_model

Model = GPT | HFModel
"""Our GPT, or a model that was made elsewhere: both give logits, have a ``config`` and an ``unembed``."""

HEAD = "task_head."
"""What the names of the tensors of a task's head begin with (see `trainer.supervised.task_model`)."""


def blank_model(run: Run) -> Model:
    """Build the model that a run describes, in evaluation mode; its weights are still to be loaded.

    Raises
    ------
    NotApplicableError
        If run.json does not describe a model that can be run.
    """
    shape = described_model(run)
    with torch.random.fork_rng():  # making layers draws weights; the caller's random state is not ours
        foreign = run.info["model"].get("kind") == "hf"
        model = blank_hf_model(run.info["model"], shape) if foreign else GPT(shape)
    return model.eval().requires_grad_(False)


def load_weights(model: Model, tensors: Mapping[str, NDArray[Any]], whose: str) -> None:
    """Copy weights into a model.

    Parameters
    ----------
    model : whose parameters are overwritten.
    tensors : by name, as in a snapshot; the head of a task (`HEAD`) is no part of the model and is passed over.
    whose : what the weights are called in messages, e.g. ``"snapshot of step 100"``.

    Raises
    ------
    InputError
        If a tensor is missing, left over, or has another shape; the message names it.
    """
    parameters = model.weights() if isinstance(model, HFModel) else dict(model.named_parameters())
    tensors = {name: tensor for name, tensor in tensors.items() if not name.startswith(HEAD)}
    if parameters.keys() != tensors.keys():
        wrong = sorted(parameters.keys() ^ tensors.keys())[0]
        fault = "lacks the tensor" if wrong in parameters else "has a tensor that the model does not know,"
        raise InputError(f"{whose} {fault} {wrong!r}: the weights do not fit the model that run.json describes")
    for name, parameter in parameters.items():
        if tuple(parameter.shape) != tensors[name].shape:
            raise InputError(
                f"{whose}: {name!r} has the shape {tensors[name].shape}, and the model's is {tuple(parameter.shape)}"
            )
        np.copyto(parameter.detach().numpy(), tensors[name])


def load_model(run: Run, step: int) -> Model:
    """Return the model of one step, in evaluation mode; an `InputError` names the steps there are."""
    snapshot = run.snapshot(step)
    found = snapshot.read_checked()
    if isinstance(found, str):
        raise InputError(f"snapshot of step {step} of run {run.name!r} {found}: choose another step")
    model = blank_model(run)
    load_weights(model, found, f"snapshot of step {step}")
    return model


def each_model(run: Run) -> Iterator[tuple[Snapshot, Model]]:
    """Yield every whole snapshot and the model with its weights: one model whose weights change, so memory stays flat."""
    model = blank_model(run)
    for snapshot, tensors in run.sound_tensors():
        load_weights(model, tensors, f"snapshot of step {snapshot.step}")
        del tensors  # they are gone before the next are read
        yield snapshot, model
