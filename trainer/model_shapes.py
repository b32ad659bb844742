"""The shapes of a model, compared with those in the header of a snapshot before any memory is asked for.

A run.json may be damaged, or come from somebody else: ``n_layer`` 10⁹ would build blocks for ever, ``n_embd`` 10⁷ would ask for terabytes.
So the blocks are counted first; then the model is built on torch's meta device, where tensors have shapes and no numbers, and each shape is
compared with the tensor that the snapshot has. Of our GPT every tensor is compared. A model of Hugging Face is compared likewise where
its class can be built without numbers; otherwise its numbers of layers and experts and its width must be found in the tensors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch

from data.errors import InputError
from data.runs import Run
from trainer.config import ModelConfig
from trainer.model import GPT
from trainer.pretrained.hf_model import HFModel, blank_hf_model, first_line

Shape = tuple[int, ...]
TensorShapes = Mapping[str, Shape]

HEAD = "task_head."
"""Prefix of the names of a task head's tensors (see `trainer.supervised.task_model`)."""
MOST_PARTS = 256
"""A description may count so many experts, or layers of another kind, though it has fewer tensors: classes list what they do not build."""
MOST_BUFFER_BYTES = 1 << 30
"""Buffers that are not in a snapshot, such as masks and tables of angles, take at most so much."""


def first_shapes(run: Run) -> tuple[str, TensorShapes] | None:
    """Read the shapes of the tensors of a run from the first header that can be read, with a name of that snapshot for messages."""
    for snapshot in run.snapshots():
        shapes = snapshot.shapes()
        if not isinstance(shapes, str):
            return f"snapshot of step {snapshot.step}", shapes
    return None


def check_fits(description: Mapping[str, Any], shape: ModelConfig, tensors: TensorShapes, source: str) -> None:
    """Check that a model has the tensors of a snapshot, before it is built.

    Parameters
    ----------
    description : the ``model`` of run.json.
    shape : the configuration in it.
    tensors : the shapes in the header of a snapshot.
    source : names the snapshot in messages.

    Raises
    ------
    InputError
        If the model has other tensors, or asks for more than they show.
    """
    if description.get("kind") == "hf":
        _check_foreign(description, shape, tensors, source)
    else:
        _check_gpt(shape, tensors, source)


def compare_shapes(model: TensorShapes, tensors: TensorShapes, source: str) -> None:
    """Compare the tensors of a model with those of a snapshot; an `InputError` names one that is missing, unknown or of another shape."""
    tensors = {name: shape for name, shape in tensors.items() if not name.startswith(HEAD)}
    if model.keys() != tensors.keys():
        wrong = sorted(model.keys() ^ tensors.keys())[0]
        fault = "lacks the tensor" if wrong in model else "has a tensor that the model does not know,"
        raise InputError(f"{source} {fault} {wrong!r}: the weights do not fit the model that run.json describes")
    for name, shape in model.items():
        if shape != tensors[name]:
            raise InputError(f"{source}: {name!r} has the shape {tensors[name]}, and the model's is {shape}")


def shapes_of(tensors: Mapping[str, Any]) -> dict[str, Shape]:
    """Collect the shapes of tensors or arrays by name."""
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _check_gpt(shape: ModelConfig, tensors: TensorShapes, source: str) -> None:
    _check_most(
        "n_layer", shape.n_layer, len({name.split(".")[1] for name in tensors if name.startswith("h.")}), source
    )
    tables = {"wte.weight": (shape.vocab_size, shape.n_embd), "wpe.weight": (shape.block_size, shape.n_embd)}
    # The tables first: wider layers may have more numbers than torch can count.
    compare_shapes(tables, {name: tensors[name] for name in tables if name in tensors}, source)
    with torch.device("meta"):
        model = GPT(shape)
    compare_shapes(shapes_of(dict(model.named_parameters())), tensors, source)


def _check_foreign(description: Mapping[str, Any], shape: ModelConfig, tensors: TensorShapes, source: str) -> None:
    _check_most("n_layer", shape.n_layer, len(tensors), source)
    parts = max([MOST_PARTS, len(tensors), *(dims[0] for dims in tensors.values() if len(dims) == 3)])
    for name, count in _counts_of_parts(description.get("config") or {}):
        _check_most(name, count, len(tensors) if name in ("num_hidden_layers", "n_layer") else parts, source)
    try:
        with torch.device("meta"):
            model = blank_hf_model(description, shape)
    except RuntimeError:  # a class that computes with its numbers while it is built
        _check_width(shape, tensors, source)
        return
    except InputError:
        raise
    except Exception as error:  # the classes check little of what they are given
        raise InputError(
            f"the model that run.json describes cannot be built ({first_line(error)}): put the original run.json back"
        ) from None
    compare_shapes(shapes_of(model.weights()), tensors, source)
    _check_buffers(model)


def _check_most(name: str, count: int, most: int, source: str) -> None:
    if count > most:
        raise InputError(
            f"run.json describes a model with {name} {count:,}, and {source} has tensors for {most:,} at most: "
            "put the original run.json back"
        )


def _counts_of_parts(config: Any) -> Iterator[tuple[str, int]]:
    """Yield the numbers of layers and experts in a configuration, also in those nested in it, by their names."""
    for name, value in config.items():
        if isinstance(value, Mapping):
            yield from _counts_of_parts(value)
        elif isinstance(value, int) and ("layer" in name or "expert" in name):
            yield name, value


def _check_width(shape: ModelConfig, tensors: TensorShapes, source: str) -> None:
    sizes = {size for dims in tensors.values() for size in dims}
    for name, size in (("n_embd", shape.n_embd), ("vocab_size", shape.vocab_size)):
        if size > max(sizes, default=0):
            _check_most(name, size, max(sizes, default=0), source)


def _check_buffers(model: HFModel) -> None:
    n_bytes = sum(buffer.numel() * buffer.element_size() for buffer in model.buffers())
    if n_bytes > MOST_BUFFER_BYTES:
        raise InputError(
            f"the model that run.json describes needs {n_bytes / 1e9:,.0f} GB besides its weights: put the original run.json back"
        )
