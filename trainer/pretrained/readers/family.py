"""Families of models that can become our GPT, and checks of the values in their configurations."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from data.errors import InputError
from data.tokens.tokenizers import Tokenizer
from trainer.config import ModelConfig
from trainer.pretrained.mapping import MappingTable
from trainer.pretrained.source import ModelSource


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
    remark: Callable[[Tokenizer], str] = lambda tokenizer: ""
    """What the report says besides the table, given the tokenizer."""


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


def saved_step(settings: Mapping[str, Any], name: str) -> int | None:
    """Read the optimizer step of a source; None if it has none, an `InputError` if the value is no step."""
    value = settings.get(name)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        raise InputError(
            f"{name} must be a whole number of 0 or more; it is {value!r}: name the step with `revisions=ckpt.pt=1000`"
        )
    return value
