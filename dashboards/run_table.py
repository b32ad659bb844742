"""The table of all runs on a Streamlit page: mounts it, and returns what the reader chose, named or opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import streamlit as st

from viz.player.bundle import RUNS_HTML, runs_script, runs_style


@dataclass(frozen=True)
class TableEvents:
    """What came from the browser: the view as texts of the address's fields, and the runs whose curves are drawn.

    ``opened`` and ``labelled`` last for one run of the page.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    drawn: tuple[str, ...] = ()
    opened: str | None = None
    labelled: Mapping[str, str] = field(default_factory=dict)


def show(data: Mapping[str, Any], key: str, on_open: Callable[[], None] = lambda: None) -> TableEvents:
    """Mount the table; ``data`` is its JSON object, ``on_open`` is called before the page runs again after a run was opened."""
    state = _component()(
        key=key,
        data=dict(data),
        on_view_change=lambda: None,
        on_label_change=lambda: None,
        on_open_change=on_open,
    )
    view = state.get("view") or {}
    current = view if view.get("decision") == data["decision"] else {}  # else from before the page's last decision
    return TableEvents(
        fields={str(name): str(text) for name, text in (current.get("fields") or {}).items()},
        drawn=tuple(map(str, current.get("names") or ())),
        opened=state.get("open"),
        labelled={str(name): str(text) for name, text in (state.get("label") or {}).items()},
    )


@lru_cache(maxsize=1)
def _component() -> Any:
    return st.components.v2.component("gptlab_runs", html=RUNS_HTML, css=runs_style(), js=runs_script())
