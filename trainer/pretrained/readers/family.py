"""Read models of the families that become our GPT, by their mapping tables; check the values in their configurations."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from data.errors import InputError
from trainer.config import ModelConfig
from trainer.pretrained.imported_run import ImportedModel
from trainer.pretrained.mapping import MappingTable, dtype_names, map_tensors, to_numpy, warn_if_not_finite
from trainer.pretrained.source import ModelSource, open_source


@dataclass(frozen=True)
class ModelFamily:
    """A family of models that can become our GPT."""

    name: str
    """Its name in run.json."""
    matches: Callable[[ModelSource], bool]
    """Recognises a model of the family."""
    shape: Callable[[ModelSource], ModelConfig]
    """Reads the shape of our GPT; `NotApplicableError` where ours has no such form."""
    table: MappingTable
    step: Callable[[ModelSource], int | None] = lambda source: None
    """Reads the optimizer step at which the weights were saved; None if the source does not say."""
    remark: Callable[[Mapping[str, Any]], str] = lambda tokenizer: ""
    """What the report says besides the table, given the description of the tokenizer."""


def read_as_gpt(
    family: ModelFamily, path: Path, *, context: int | None = None, gelu: str | None = None
) -> ImportedModel:
    """Read a model of a known family as our GPT; `NotApplicableError` if it has another form.

    The position table is cropped to ``context`` rows if that is given, and GELU has the form ``gelu`` instead of that of the source.
    """
    source = open_source(path)
    config = _with_gelu(family.shape(source), source, gelu)
    mapped, rows = map_tensors(source, family.table, config)
    warn_if_not_finite(mapped, path)
    tensors = {name: to_numpy(tensor) for name, tensor in mapped.items()}
    if context is not None and context != config.block_size:
        if not 1 <= context <= config.block_size:
            raise InputError(f"the context must be from 1 to the model's own {config.block_size}; got {context}")
        tensors["wpe.weight"] = tensors["wpe.weight"][:context]
        note = f"its first {context:,} rows of {config.block_size:,}, as was asked for"
        rows = [replace(row, note=note) if row.ours == "wpe.weight" else row for row in rows]
        config = replace(config, block_size=context)
    notes = {
        "left_out": [row.source for row in rows if row.ours is None],
        "dtype": dtype_names(mapped.values()),
        "tensors": [asdict(row) for row in rows],
    }
    tables = {"token_table": "wte.weight", "position_table": "wpe.weight"}
    n_parameters = sum(array.size for array in tensors.values())
    return ImportedModel(asdict(config), n_parameters, tensors, tables, notes)


def _with_gelu(config: ModelConfig, source: ModelSource, gelu: str | None) -> ModelConfig:
    """Change the form of GELU in a configuration, unless the source records another."""
    changed = config if gelu is None else replace(config, gelu=gelu)
    name = next((name for name in ("activation_function", "afn") if name in source.settings), None)
    if changed != config and name:
        recorded = f"{name} {source.settings[name]}"
        raise InputError(f"{source.path} says that its GELU is {config.gelu} ({recorded}): leave `gelu` out")
    return changed


def positive_integer(settings: Mapping[str, Any], name: str, default: int | None = None) -> int:
    """Read a whole number of 1 or more from a configuration; an `InputError` if it is missing or anything else."""
    value = settings.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InputError(f"the configuration must give {name} as a whole number of 1 or more; it has {value!r}")
    return value


def non_negative_number(settings: Mapping[str, Any], name: str, default: float) -> float:
    """Read a number of 0 or more from a configuration; an `InputError` if it is anything else."""
    value = settings.get(name, default)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < math.inf:
        raise InputError(f"the configuration must give {name} as a number of 0 or more; it has {value!r}")
    return float(value)


def saved_step(source: ModelSource, name: str) -> int | None:
    """Read the optimizer step of a source; None if it has none, an `InputError` if the value is no step."""
    value = source.settings.get(name)
    if isinstance(value, float) and value.is_integer():  # 5e3
        value = int(value)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        raise InputError(
            f"{name} must be a whole number of 0 or more; it is {value!r}: "
            f"name the step with `revisions={source.path.resolve().name}=1000`"
        )
    return value
