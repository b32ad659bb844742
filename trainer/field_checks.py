"""Checks of the fields of a configuration; an `InputError` names the field, what was found and what would do."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection
from typing import TYPE_CHECKING

from data.errors import InputError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

MOST_SEED = 2**62


def check_finite(config: DataclassInstance) -> None:
    """Check that no number of a configuration is infinite or nan; an `InputError` names the field."""
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if isinstance(value, float) and not math.isfinite(value):
            usual = f": pass `{field.name}={field.default}`, say" if isinstance(field.default, (int, float)) else ""
            raise InputError(f"{field.name} must be a finite number; got {value}{usual}")


def check_at_least(config: object, least: int, *names: str) -> None:
    """Check the lower bound of the fields that are set; an `InputError` names the field."""
    for name in names:
        value = getattr(config, name)
        if value is not None and not least <= value < math.inf:
            raise InputError(f"{name} must be {least} or more; got {value}")


def check_choice(config: object, name: str, values: Collection[str]) -> None:
    """Check that a field has one of some values; an `InputError` lists them."""
    if getattr(config, name) not in values:
        raise InputError(f"{name} must be one of {', '.join(values)}; got {getattr(config, name)!r}")


def check_seed(seed: int) -> None:
    """Check the range of a seed: step numbers are added to it, and torch accepts seeds below 2**64 only."""
    if not 0 <= seed <= MOST_SEED:
        raise InputError(f"seed must be 0 or more, and at most {MOST_SEED}; got {seed}: pass `seed=1337`, say")


def check_dropout(dropout: float | None) -> None:
    if dropout is not None and not 0 <= dropout < 1:
        raise InputError(f"dropout must be at least 0 and below 1; got {dropout}")
