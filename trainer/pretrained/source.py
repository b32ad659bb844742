"""Open a pretrained model on disk: its configuration, and its tensors, each read on demand.

Weights in safetensors are preferred. Pickles are read without running their code: one that needs anything but tensors and plain values
is refused before.
"""

from __future__ import annotations

import json
import pickle
import re
import warnings
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from data.errors import InputError
from data.text_files import read_text

WEIGHT_FILES = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
PICKLES = {".pt", ".pth", ".ckpt", ".bin"}
CHECKPOINT = "ckpt.pt"
SAFETENSORS_ADVICE = "whoever trusts it can write its weights as model.safetensors"
_PLAIN_ADVICE = "whoever trusts it can load it with torch and save it again with tensors and plain values alone"
_RESTORE: list[Any] = [np.float64(0).__reduce__()[0], np.zeros(0).__reduce__()[0]]
_HARMLESS: list[Any] = [
    *(
        (function, f"{package}.multiarray.{function.__name__}")
        for function in _RESTORE
        for package in ("numpy.core", "numpy._core")
    ),
    *(np.ndarray, np.dtype, *(type(np.dtype(code)) for code in "?bhilqBHILQefdU")),
]
"""What NumPy's numbers and arrays of numbers are pickled with, by the names of NumPy 1 and 2; none of it runs code."""

ReadTensor = Callable[[str], Tensor]
Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class ModelSource:
    """A pretrained model on disk."""

    path: Path
    settings: Mapping[str, Any]
    """The content of ``config.json``, or what a checkpoint holds besides its weights."""
    shapes: Shapes
    """Shapes of the tensors, by name."""
    read: ReadTensor
    """Reads the tensor of a name."""


def open_source(path: Path) -> ModelSource:
    """Open a model: a folder with ``config.json`` and weights or with ``ckpt.pt``, or a checkpoint file; nothing of it runs."""
    if path.is_dir() and (path / "config.json").is_file():
        return ModelSource(path, read_settings(path), *_weights_in(path))
    if path.is_dir() and (path / CHECKPOINT).is_file():
        path = path / CHECKPOINT
    if path.is_file() and path.suffix in PICKLES:
        return _checkpoint(path)
    raise InputError(
        f"{path} is no model that is known here: give a folder with config.json and model.safetensors, "
        f"a nanoGPT checkpoint ({CHECKPOINT}) or a .gguf file"
    )


def read_json(path: Path) -> Any:
    """Read a file of JSON; an `InputError` if it cannot be read."""
    try:
        return json.loads(read_text(path, "fetch it again"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as JSON ({error}): fetch it again") from None


def read_settings(folder: Path) -> dict[str, Any]:
    """Read the ``config.json`` in a folder."""
    path = folder / "config.json"
    settings = read_json(path)
    if not isinstance(settings, dict):
        raise InputError(f"{path} holds no configuration: it has to be a JSON object")
    return settings


def _weights_in(folder: Path) -> tuple[Shapes, ReadTensor]:
    """Open the weights in a folder, from the first of `WEIGHT_FILES` that exists."""
    found = next((folder / name for name in WEIGHT_FILES if (folder / name).is_file()), None)
    if found is None:
        raise InputError(f"{folder} has a config.json and no weights: it needs {' or '.join(WEIGHT_FILES[::2])}")
    parts = [found]
    if found.suffix == ".json":  # an index of several files
        index = read_json(found)
        files = index.get("weight_map") if isinstance(index, dict) else None
        if not isinstance(files, dict) or not files or not all(isinstance(file, str) for file in files.values()):
            raise InputError(
                f"{found} is no index of weights: its weight_map must name the file of each tensor; fetch it again"
            )
        parts = [folder / Path(name).name for name in sorted(set(files.values()))]
    shapes: dict[str, tuple[int, ...]] = {}
    readers: dict[str, ReadTensor] = {}
    for part in parts:
        some, read = _safetensors(part) if part.suffix == ".safetensors" else _tensors_of(load_pickle(part), part)
        shapes |= some
        readers |= dict.fromkeys(some, read)
    return shapes, lambda name: readers[name](name)


def _safetensors(path: Path) -> tuple[dict[str, tuple[int, ...]], ReadTensor]:
    from safetensors import SafetensorError, safe_open

    try:
        file: Any = safe_open(path, framework="pt")  # memory-mapped: a tensor takes memory when it is read
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path} cannot be read as safetensors ({error}): fetch it again") from None
    return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}, file.get_tensor  # noqa: SIM118


def _checkpoint(path: Path) -> ModelSource:
    """Open a file with weights under ``model`` and settings beside them, as nanoGPT writes it, or with weights alone."""
    content = load_pickle(path)
    if not isinstance(content, dict):
        raise InputError(f"{path} holds a {type(content).__name__} and no weights by name")
    weights = content.get("model", content)
    shapes, read = _tensors_of(weights, path)
    settings = {name: _plain(value) for name, value in content.items() if name not in ("model", "optimizer")}
    return ModelSource(path, settings if weights is not content else {}, shapes, read)


def _plain(value: Any) -> Any:
    """Turn one-element tensors and NumPy's numbers into numbers of Python, in dictionaries as well."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, np.generic):
        return value.item()
    is_one = (isinstance(value, Tensor) and value.numel() == 1) or (isinstance(value, np.ndarray) and value.size == 1)
    return value.item() if is_one else value


def _tensors_of(weights: Any, path: Path) -> tuple[dict[str, tuple[int, ...]], ReadTensor]:
    """Check that a pickle holds tensors by name."""
    named = weights if isinstance(weights, Mapping) else {}
    tensors = {name: value for name, value in named.items() if isinstance(name, str) and isinstance(value, Tensor)}
    if not tensors or len(tensors) < len(named):
        unexpected = next((repr(name) for name in named if name not in tensors), "no tensor")
        raise InputError(f"{path} holds no weights by name: it has {unexpected} where tensors belong")
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}, tensors.__getitem__


def load_pickle(path: Path) -> Any:
    """Read the tensors and plain values of a pickle of torch; it is refused before any of its code runs if it needs anything else."""
    mapped = zipfile.is_zipfile(path)  # before version 1.6 torch wrote no archives, and only those can be memory-mapped
    if mapped:
        _check_stored(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with torch.serialization.safe_globals(_HARMLESS):
                return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except Exception as error:  # damaged bytes lead to UnpicklingError, RuntimeError, KeyError, EOFError, ...
        if isinstance(error, pickle.UnpicklingError):
            advice = SAFETENSORS_ADVICE if (path.parent / "config.json").is_file() else _PLAIN_ADVICE
            raise InputError(f"{path} is {refusal_message(error)}; {advice}") from None
        raise InputError(f"{path} cannot be read as weights ({type(error).__name__}): fetch or save it again") from None


def _check_stored(path: Path) -> None:
    """Refuse an archive with compressed members, which may grow without bounds when they are read; torch writes none."""
    try:
        with zipfile.ZipFile(path) as archive:
            compressed = [entry.filename for entry in archive.infolist() if entry.compress_type != zipfile.ZIP_STORED]
    except zipfile.BadZipFile:
        return  # torch says what is wrong with it
    if compressed:
        raise InputError(
            f"{path} is no checkpoint of torch: {compressed[0]!r} in it is compressed; fetch or save it again"
        )


def refusal_message(error: pickle.UnpicklingError) -> str:
    """Explain why torch refused a pickle; its own message advises to read it all the same, and so to run its code."""
    imported = re.search(r"GLOBAL ([\w.]+)", str(error))
    if imported:
        return f"a pickle that asks for {imported[1]}, which may run code: it is refused, and nothing of it ran"
    return (
        "a pickle that torch did not write, or a damaged one: it is refused, as it may run code, and nothing of it ran"
    )


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def read_literals(path: Path) -> Any:
    """Read a pickle of numbers, strings, lists and dictionaries, as nanoGPT's ``meta.pkl``; nothing is imported or called."""
    try:
        with path.open("rb") as file:
            return _PlainUnpickler(file).load()
    except Exception as error:  # damaged bytes lead to UnpicklingError, IndexError, KeyError, EOFError, ...
        raise InputError(
            f"{path} is no pickle of plain values ({error}): nothing of it ran; give the vocabulary as JSON"
        ) from None
