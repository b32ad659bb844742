"""Load models from a run: the configuration from run.json, the weights from a snapshot.

The shapes that run.json describes are compared with a snapshot's before the model is built (`trainer.model_shapes`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from data.errors import InputError
from data.runs import Run, Snapshot
from trainer.config import ModelConfig, described_model
from trainer.model import GPT
from trainer.model_shapes import HEAD, check_fits, compare_shapes, first_shapes, shapes_of
from trainer.pretrained.hf_model import HFModel, blank_hf_model

__all__ = ["HEAD", "Model", "blank_model", "each_model", "load_model", "load_weights"]

Model = GPT | HFModel
"""Our GPT, or a model that was made elsewhere: both compute logits, and have a ``config`` and an ``unembed``."""


def blank_model(run: Run) -> Model:
    """Build the model of a run without its weights, in evaluation mode.

    Raises
    ------
    InputError
        If run.json describes no model, or another one than the snapshots are of.
    """
    shape = described_model(run)
    if (found := first_shapes(run)) is None:
        run.sound_snapshots()  # names each that is damaged, and raises
        raise run.without_snapshots()
    source, tensors = found
    check_fits(run.info["model"], shape, tensors, source)
    return _build(run, shape)


def _build(run: Run, shape: ModelConfig) -> Model:
    with torch.random.fork_rng():  # torch draws weights when layers are made; the caller's random state is restored
        foreign = run.info["model"].get("kind") == "hf"
        model = blank_hf_model(run.info["model"], shape) if foreign else GPT(shape)
    return model.eval().requires_grad_(False)


def load_weights(model: Model, tensors: Mapping[str, NDArray[Any]], source: str) -> None:
    """Copy weights into a model; an `InputError` names a tensor that is missing, unknown or of another shape.

    The tensors have the names of a snapshot; the head of a task (`HEAD`) is not part of the model and is skipped. ``source`` names where
    they come from in messages, e.g. ``"snapshot of step 100"``.
    """
    parameters = model.weights() if isinstance(model, HFModel) else dict(model.named_parameters())
    compare_shapes(shapes_of(parameters), shapes_of(tensors), source)
    for name, parameter in parameters.items():
        np.copyto(parameter.detach().numpy(), tensors[name])


def load_model(run: Run, step: int) -> Model:
    """Load the model of one step, in evaluation mode.

    Raises
    ------
    InputError
        If there is no snapshot of this step (the message lists the steps), it is damaged, or run.json describes another model.
    """
    shape = described_model(run)
    tensors = run.snapshot(step).read_checked()
    if isinstance(tensors, str):
        raise InputError(f"snapshot of step {step} of run {run.name!r} {tensors}: choose another step")
    check_fits(run.info["model"], shape, shapes_of(tensors), f"snapshot of step {step}")
    model = _build(run, shape)
    load_weights(model, tensors, f"snapshot of step {step}")
    return model


def each_model(run: Run) -> Iterator[tuple[Snapshot, Model]]:
    """Yield every whole snapshot with a model of its weights; it is one model whose weights change, so memory stays flat."""
    model = blank_model(run)
    for snapshot, tensors in run.sound_tensors():
        load_weights(model, tensors, f"snapshot of step {snapshot.step}")
        del tensors  # freed before the next are read
        yield snapshot, model
