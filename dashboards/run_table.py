"""The table of all runs on a Streamlit page: mounts it, and reports what the reader chose, named or opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

import streamlit as st

from dashboards.widgets import as_json
from viz.player.bundle import RUNS_HTML, runs_script, runs_style


@dataclass(frozen=True)
class TableEvent:
    """What came from the browser; what did not is empty.

    ``fields`` is the view as texts of the address's fields, ``drawn`` names the runs in the chart, ``opened`` the one that was pressed, and
    ``labelled`` holds the ``run`` that was given a ``name`` or a ``color``. ``decision`` is that of the table which the reader saw.
    """

    decision: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    drawn: tuple[str, ...] = ()
    opened: str | None = None
    labelled: Mapping[str, str] = field(default_factory=dict)


def show(data: Mapping[str, Any], key: str, on_event: Callable[[TableEvent], None]) -> None:
    """Mount the table; ``data`` is its JSON object. ``on_event`` is called after an event, before the page runs again."""
    heard = {f"on_{name}_change": partial(_hear, key, name, on_event) for name in ("view", "open", "label")}
    _component()(key=key, data=as_json(data), **heard)


def _hear(key: str, name: str, on_event: Callable[[TableEvent], None]) -> None:
    value = st.session_state[key].get(name)
    if name == "open" and isinstance(value, str):
        on_event(TableEvent(opened=value))
    elif name == "label" and isinstance(value, Mapping):
        on_event(TableEvent(labelled=_texts(value)))
    elif name == "view" and isinstance(value, Mapping):
        fields, names = value.get("fields"), value.get("names")
        on_event(
            TableEvent(
                decision=str(value.get("decision")),
                fields=_texts(fields if isinstance(fields, Mapping) else {}),
                drawn=tuple(map(str, names if isinstance(names, list) else ())),
            )
        )


def _texts(values: Mapping[Any, Any]) -> dict[str, str]:
    return {str(name): str(text) for name, text in values.items()}


@lru_cache(maxsize=1)
def _component() -> Any:
    return st.components.v2.component("gptlab_runs", html=RUNS_HTML, css=runs_style(), js=runs_script())
