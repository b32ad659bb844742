"""Map the tensors of another implementation to those of our GPT by a table; every tensor is accounted for."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from data.errors import InputError, NotApplicableError
from trainer.config import ModelConfig
from trainer.model import GPT
from trainer.pretrained.source import ModelSource

_TYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_WRAPPERS = re.compile(r"(?:_orig_mod\.|module\.|transformer\.)*")
"""Prefixes of tensor names: of torch.compile, data parallelism, and classes with an output head."""


@dataclass(frozen=True)
class Conversion:
    """How a tensor of the source becomes one of ours."""

    note: str = ""
    """What run.json and the report say of it."""
    convert: Callable[[Tensor], Tensor] = lambda tensor: tensor
    part: int | None = None
    """The third of our tensor, along its first dimension, that it fills; None fills all of it."""


COPIED = Conversion()
TRANSPOSED = Conversion("transposed: theirs is stored (in, out)", lambda tensor: tensor.T)
QUERY, KEY, VALUE = (
    Conversion(f"joined: the {name}'s third", part=place) for place, name in enumerate(("query", "key", "value"))
)
TIED = Conversion("the token table again: stored once")
MASK = Conversion("ignored: the causal mask, made anew")
COUNTING = Conversion("ignored: the numbers of the positions, made anew")
CONVERTED = "joined or split by transformers, or left out"
"""The note of tensors that transformers joined, split or left out; it does not report which."""


@dataclass(frozen=True)
class MappingEntry:
    """A row of a mapping table; in both names ``#`` stands for the number of a block.

    A tensor whose ``ours`` is None is no weight and is left out; one whose ``conversion`` is `TIED` must equal ours.
    """

    theirs: str
    ours: str | None
    conversion: Conversion = COPIED


MappingTable = Sequence[MappingEntry]


@dataclass(frozen=True)
class TensorRow:
    """How one tensor of the source was used."""

    source: str
    shape: tuple[int, ...]
    ours: str | None
    note: str = ""


def weight_and_bias(
    theirs: str, ours: str | None = None, conversion: Conversion = COPIED
) -> tuple[MappingEntry, MappingEntry]:
    """Build the entries of a layer's weight and bias; ``ours`` is the same name if None."""
    ours = ours or theirs
    of_bias = conversion if conversion.part is not None else COPIED
    return (
        MappingEntry(f"{theirs}.weight", f"{ours}.weight", conversion),
        MappingEntry(f"{theirs}.bias", f"{ours}.bias", of_bias),
    )


def map_tensors(
    source: ModelSource, table: MappingTable, config: ModelConfig
) -> tuple[dict[str, Tensor], list[TensorRow]]:
    """Map the tensors of a source to those of our GPT.

    Returns
    -------
    Our tensors by name, and a row for each tensor of the source.

    Raises
    ------
    NotApplicableError
        If the output head of the source is not tied to its token table, as ours is.
    InputError
        If a tensor is missing, is unknown, or has another shape; the message names it with its shape.
    """
    expected = _shapes_of(config)
    ours: dict[str, Tensor] = {}
    rows: list[TensorRow] = []
    filled: dict[str, set[int | None]] = {}
    for name in sorted(source.shapes, key=natural_order):
        entry, target = _entry(name, table, source)
        rows.append(TensorRow(name, source.shapes[name], target, entry.conversion.note))
        if entry.conversion is TIED:
            _check_tied(name, source, table)
        elif target is not None:
            part = entry.conversion.part
            if target not in expected or part in filled.setdefault(target, set()):
                raise _unknown(name, source)
            filled[target].add(part)
            shape = expected[target]
            if part is None:
                ours[target] = _convert(source, name, entry.conversion, shape)
            else:
                third = _convert(source, name, entry.conversion, (shape[0] // 3, *shape[1:]))
                ours.setdefault(target, third.new_empty(shape)).chunk(3)[part].copy_(third)
    for target, shape in expected.items():
        missing = _missing_part(target, filled.get(target, set()), table)
        if missing is not None:
            raise InputError(f"{source.path} lacks the tensor {missing!r} (ours: {target!r}, {shape})")
    return {name: ours[name] for name in expected}, rows


def _shapes_of(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Compute the shape of each parameter of our GPT, by name, without building the model."""
    try:
        with torch.device("meta"):  # allocates and draws no numbers
            return {name: tuple(p.shape) for name, p in GPT(config).named_parameters()}
    except RuntimeError:  # a size that torch cannot count
        sizes = ", ".join(f"{name} {getattr(config, name):,}" for name in ("vocab_size", "block_size", "n_embd"))
        raise InputError(f"no model can be as large as the configuration says ({sizes}): fetch it again") from None


def check_dtype(tensor: Tensor, name: str, path: Path) -> Tensor:
    """Return a tensor, unless its numbers are not floating-point of 16 bits or more."""
    if tensor.dtype not in _TYPES:
        known = dtype_names([torch.empty(0, dtype=dtype) for dtype in _TYPES])
        raise InputError(
            f"{path}: {name!r} has numbers of the type {dtype_names([tensor])}: weights are read in {known}"
        )
    return tensor


def warn_if_not_finite(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Warn of infinities and NaNs; the model is imported all the same, since a diverged training may be worth a look."""
    wrong = [name for name, tensor in tensors.items() if not torch.isfinite(tensor).all()]
    if wrong:
        warnings.warn(
            f"{path} has numbers that are not finite in {len(wrong)} of its tensors, {wrong[0]!r} the first: its predictions mean nothing",
            stacklevel=2,
        )


def _read(source: ModelSource, name: str) -> Tensor:
    return check_dtype(source.read(name), name, source.path)


def dtype_names(tensors: Iterable[Tensor]) -> str:
    """List the types of the numbers in tensors."""
    return ", ".join(sorted({str(tensor.dtype).removeprefix("torch.") for tensor in tensors}))


def to_numpy(tensor: Tensor) -> NDArray[Any]:
    """Convert a tensor to NumPy; bfloat16, which NumPy lacks, becomes float32."""
    array: NDArray[Any] = (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).detach().numpy()
    return array


def strip_prefixes(name: str) -> str:
    """Strip the prefixes that wrappers put before a tensor's name.

    Examples
    --------
    >>> strip_prefixes("_orig_mod.transformer.h.0.ln_1.weight")
    'h.0.ln_1.weight'
    """
    return name[_WRAPPERS.match(name).end() :]  # type: ignore[union-attr]  # it matches the empty string at least


def _pattern(name: str) -> tuple[str, str]:
    """Split a name into its pattern, with # for the number of the block, and that number."""
    number = re.search(r"(?<=\.)\d+(?=\.)", name)
    return (name.replace(f".{number[0]}.", ".#.", 1), number[0]) if number else (name, "#")


def _entry(name: str, table: MappingTable, source: ModelSource) -> tuple[MappingEntry, str | None]:
    """Find the entry of the table for a tensor of the source, and our name for it."""
    pattern, number = _pattern(strip_prefixes(name))
    for entry in table:
        if entry.theirs == pattern:
            return entry, entry.ours and entry.ours.replace("#", number)
    raise _unknown(name, source)


def _missing_part(target: str, filled: set[int | None], table: MappingTable) -> str | None:
    """Name a tensor of the source that is missing for one of ours; None if ours is complete."""
    if None in filled or len(filled) == 3:
        return None
    pattern, number = _pattern(target)
    return next(
        entry.theirs.replace("#", number)
        for entry in table
        if entry.ours == pattern and entry.conversion is not TIED and entry.conversion.part not in filled
    )


def _convert(source: ModelSource, name: str, conversion: Conversion, expected: tuple[int, ...]) -> Tensor:
    """Read a tensor of the source and convert it to ours, of the expected shape."""
    tensor = conversion.convert(_read(source, name))
    if tuple(tensor.shape) != expected:
        theirs = tuple(conversion.convert(torch.empty(expected, device="meta")).shape)  # in the order of the source
        raise InputError(f"{source.path}: {name!r} has the shape {source.shapes[name]}, and the model's is {theirs}")
    return tensor


def _check_tied(name: str, source: ModelSource, table: MappingTable) -> None:
    """Refuse an output head that differs from the token table."""
    token_table = next(entry.theirs for entry in table if entry.ours == "wte.weight" and entry.conversion is not TIED)
    source_name = next((other for other in source.shapes if strip_prefixes(other) == token_table), None)
    if source_name is None:
        raise InputError(f"{source.path} lacks {token_table!r}, the token table")
    if not torch.equal(_read(source, name), _read(source, source_name)):
        raise NotApplicableError(f"its output head {name!r} is not the token table")


def _unknown(name: str, source: ModelSource) -> InputError:
    return InputError(
        f"{source.path} has a tensor that the model has no place for: {name!r} with the shape {source.shapes[name]}"
    )


def natural_order(name: str) -> list[tuple[int, str | int]]:
    """Build the sort key that puts block 2 before block 10."""
    return [(1, int(part)) if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]
