"""The relatives of our GPT: how each is told, what shape it has, and the mapping table of its tensors."""

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
    """A kind of model that becomes our GPT.

    ``is_one`` tells it; ``shape`` gives the shape of ours, and raises `NotApplicableError` where ours has no such form;
    ``step`` says after how many optimizer steps the weights were saved, where the source says so; ``remark`` is what is to be known
    besides the table, with the tokenizer that was found.
    """

    name: str
    is_one: Callable[[ModelSource], bool]
    shape: Callable[[ModelSource], ModelConfig]
    table: MappingTable
    step: Callable[[ModelSource], int | None] = lambda source: None
    remark: Callable[[Tokenizer], str] = lambda tokenizer: ""


def positive_integer(settings: Mapping[str, Any], name: str, default: int | None = None) -> int:
    """Return a whole number of a configuration; an `InputError` if it is missing or none."""
    value = settings.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InputError(f"the configuration must give {name} as a whole number of 1 or more; it has {value!r}")
    return value


def non_negative_number(settings: Mapping[str, Any], name: str, default: float) -> float:
    """Return a number of a configuration; an `InputError` if it is none, or below 0."""
    value = settings.get(name, default)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < math.inf:
        raise InputError(f"the configuration must give {name} as a number of 0 or more; it has {value!r}")
    return float(value)


def saved_step(settings: Mapping[str, Any], name: str) -> int | None:
    """Return the step that a source says it is of, None if it says none; an `InputError` if that is no step."""
    value = settings.get(name)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        raise InputError(
            f"{name} must be a whole number of 0 or more; it is {value!r}: name the step with --revisions ckpt.pt=1000"
        )
    return value
