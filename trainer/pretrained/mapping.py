"""Weights of a relative under the names of our GPT, by a mapping table; every tensor is accounted for."""

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
"""What torch.compile, data parallelism and a class with a head put before the names."""


@dataclass(frozen=True)
class Conversion:
    """How a tensor of theirs becomes one of ours.

    ``note`` is what the report says of it; ``part`` the third of ours, along the first dimension, that it fills.
    """

    note: str = ""
    change: Callable[[Tensor], Tensor] = lambda tensor: tensor
    part: int | None = None


COPIED = Conversion()
TRANSPOSED = Conversion("transposed: theirs is stored (in, out)", lambda tensor: tensor.T)
QUERY, KEY, VALUE = (
    Conversion(f"joined: the {name}'s third", part=place) for place, name in enumerate(("query", "key", "value"))
)
TIED = Conversion("the token table again: stored once")
MASK = Conversion("ignored: the causal mask, made anew")
COUNTING = Conversion("ignored: the numbers of the positions, made anew")
CONVERTED = "joined or split by transformers, or left out"
"""What is said of tensors whose numbers stand in others, or nowhere: transformers does not tell which."""


@dataclass(frozen=True)
class MappingEntry:
    """A line of a mapping table: their name, our name, and the way from one to the other; ``#`` is the number of a block.

    Where ours is None the tensor is no weight, and left out; where the way is `TIED` it must equal ours.
    """

    theirs: str
    ours: str | None
    way: Conversion = COPIED


MappingTable = Sequence[MappingEntry]


@dataclass(frozen=True)
class TensorRow:
    """What became of one tensor of the source."""

    source: str
    shape: tuple[int, ...]
    ours: str | None
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it as it stands in ``run.json``."""
        return {"source": self.source, "shape": list(self.shape), "ours": self.ours, "note": self.note}


def weight_and_bias(
    theirs: str, ours: str | None = None, way: Conversion = COPIED
) -> tuple[MappingEntry, MappingEntry]:
    """Return the entries of a layer's weight and bias, under the same name unless ours is another."""
    ours = ours or theirs
    return MappingEntry(f"{theirs}.weight", f"{ours}.weight", way), MappingEntry(
        f"{theirs}.bias", f"{ours}.bias", way if way.part is not None else COPIED
    )


def map_tensors(
    source: ModelSource, table: MappingTable, config: ModelConfig
) -> tuple[dict[str, Tensor], list[TensorRow]]:
    """Return the tensors of a source under the names of our GPT, and a row for each tensor of the source.

    Parameters
    ----------
    source : the model made elsewhere.
    table : its mapping table.
    config : the shape of ours.

    Raises
    ------
    NotApplicableError
        If the source has an output head of its own, which ours has not.
    InputError
        If a tensor is missing, is unknown, or has another shape; the message names it with its shape.
    """
    expected = shapes_of(config)
    ours: dict[str, Tensor] = {}
    rows: list[TensorRow] = []
    filled: dict[str, set[int | None]] = {}
    for name in sorted(source.shapes, key=natural_order):
        entry, target = _entry(name, table, source)
        rows.append(TensorRow(name, source.shapes[name], target, entry.way.note))
        if entry.way is TIED:
            _check_tied(name, source, table)
        elif target is not None:
            if target not in expected or entry.way.part in filled.setdefault(target, set()):
                raise _unknown(name, source)
            _place(ours, target, entry.way, source, name, expected[target])
            filled[target].add(entry.way.part)
    for target, shape in expected.items():
        lacking = _lacking(target, filled.get(target, set()), table)
        if lacking is not None:
            raise InputError(f"{source.path} lacks the tensor {lacking!r} (ours: {target!r}, {shape})")
    return {name: ours[name] for name in expected}, rows


def shapes_of(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Return the shape of each parameter of our GPT, by name."""
    try:
        with torch.device("meta"):  # no number is drawn
            return {name: tuple(p.shape) for name, p in GPT(config).named_parameters()}
    except RuntimeError:  # the numbers of a tensor cannot be counted
        told = ", ".join(f"{name} {getattr(config, name):,}" for name in ("vocab_size", "block_size", "n_embd"))
        raise InputError(f"no model can be as large as the configuration says ({told}): fetch it again") from None


def check_dtype(tensor: Tensor, name: str, path: Path) -> None:
    """Refuse numbers that NumPy does not know, and those that stand for others."""
    if tensor.dtype not in _TYPES:
        told = f"{path}: {name!r} has numbers of the type {dtype_names([tensor])}"
        raise InputError(
            f"{told}: weights are read in {dtype_names([torch.empty(0, dtype=dtype) for dtype in _TYPES])}"
        )


def warn_if_not_finite(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Say if there are numbers that are none: a training that went wrong may be worth a look."""
    wrong = [name for name, tensor in tensors.items() if not torch.isfinite(tensor).all()]
    if wrong:
        warnings.warn(
            f"{path} has numbers that are not finite in {len(wrong)} of its tensors, {wrong[0]!r} the first: its bets mean nothing",
            stacklevel=2,
        )


def _read(source: ModelSource, name: str) -> Tensor:
    tensor = source.read(name)
    check_dtype(tensor, name, source.path)
    return tensor


def dtype_names(tensors: Iterable[Tensor]) -> str:
    """Return the types of the numbers in tensors."""
    return ", ".join(sorted({str(tensor.dtype).removeprefix("torch.") for tensor in tensors}))


def to_numpy(tensor: Tensor) -> NDArray[Any]:
    """Return a tensor as NumPy knows it: bfloat16, which it does not know, becomes float32."""
    array: NDArray[Any] = (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).detach().numpy()
    return array


def strip_prefixes(name: str) -> str:
    """Return a name without what wrappers put before it.

    Examples
    --------
    >>> bare("_orig_mod.transformer.h.0.ln_1.weight")
    'h.0.ln_1.weight'
    """
    return name[_WRAPPERS.match(name).end() :]  # type: ignore[union-attr]  # it matches nothing at least


def _pattern(name: str) -> tuple[str, str]:
    """Return a name with # for the number of its block, and that number."""
    number = re.search(r"(?<=\.)\d+(?=\.)", name)
    return (name.replace(f".{number[0]}.", ".#.", 1), number[0]) if number else (name, "#")


def _entry(name: str, table: MappingTable, source: ModelSource) -> tuple[MappingEntry, str | None]:
    """Return the line of the table that a name of theirs stands in, and our name for it."""
    pattern, number = _pattern(strip_prefixes(name))
    for entry in table:
        if entry.theirs == pattern:
            return entry, entry.ours and entry.ours.replace("#", number)
    raise _unknown(name, source)


def _lacking(target: str, filled: set[int | None], table: MappingTable) -> str | None:
    """Return their name of what is still missing of one of our tensors, or None if nothing is."""
    if None in filled or len(filled) == 3:
        return None
    pattern, number = _pattern(target)
    return next(
        entry.theirs.replace("#", number)
        for entry in table
        if entry.ours == pattern and entry.way is not TIED and entry.way.part not in filled
    )


def _place(
    ours: dict[str, Tensor], target: str, way: Conversion, source: ModelSource, name: str, shape: tuple[int, ...]
) -> None:
    tensor = way.change(_read(source, name))
    wanted = shape if way.part is None else (shape[0] // 3, *shape[1:])
    if tuple(tensor.shape) != wanted:
        asked = tuple(way.change(torch.empty(wanted, device="meta")).shape)  # turned back: in their order
        raise InputError(f"{source.path}: {name!r} has the shape {source.shapes[name]}, and the model's is {asked}")
    if way.part is None:
        ours[target] = tensor
    else:
        whole = ours.setdefault(target, tensor.new_empty(shape))
        whole[way.part * wanted[0] : (way.part + 1) * wanted[0]] = tensor


def _check_tied(name: str, source: ModelSource, table: MappingTable) -> None:
    token_table = next(entry.theirs for entry in table if entry.ours == "wte.weight" and entry.way is not TIED)
    twin = next((other for other in source.shapes if strip_prefixes(other) == token_table), None)
    if twin is None:
        raise InputError(f"{source.path} lacks {token_table!r}, the token table")
    if not torch.equal(_read(source, name), _read(source, twin)):
        raise NotApplicableError(f"its output head {name!r} is not the token table")


def _unknown(name: str, source: ModelSource) -> InputError:
    return InputError(
        f"{source.path} has a tensor that the model has no place for: {name!r} with the shape {source.shapes[name]}"
    )


def natural_order(name: str) -> list[tuple[int, str | int]]:
    """Return what sorts block 2 before block 10."""
    return [(1, int(part)) if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]
