"""Addresses of the tour's stops: ordinary links, which can be shared and lead back."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from dashboards.screens import SCREENS
from dashboards.state import run_list
from dashboards.state.url import FIELDS, get_field
from data.runs import Run

HOME = SCREENS[0]
STOP_SCREENS = (HOME, "embeddings", "attention", HOME, "generate")
"""The pages of the stops."""


def stop_address(screen: str, run: Run, number: int, fields: Mapping[str, object]) -> str:
    """Write the address of a stop: a page and its fields, in the language of this address."""
    named = {"lang": get_field("lang"), "run": run.name, "tour": number, **fields}
    written = {name: FIELDS[name].write(value) for name, value in named.items() if value != FIELDS[name].default}
    return f"/{'' if screen == HOME else screen}?{urlencode(written)}"


def is_stop(screen: str) -> bool:
    """Check whether the address names a stop of the tour that is on this page; elsewhere the tour has been left."""
    number = get_field("tour")
    return number is not None and 1 <= number <= len(STOP_SCREENS) and STOP_SCREENS[number - 1] == screen


def start_fields(run: Run) -> dict[str, object]:
    """List the fields of the first stop: the first snapshot, where there are several."""
    steps = run_list.snapshot_steps(run)
    return {"step": steps[0]} if len(steps) > 1 else {}


def start_address(run: Run) -> str:
    """Write the address at which the tour of a run starts."""
    return stop_address(HOME, run, 1, start_fields(run))
