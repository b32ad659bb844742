"""The player on a Streamlit page: mounts a scene, and returns the reader's events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import streamlit as st

from dashboards.widgets import as_json
from viz.player.bundle import HTML, script, style
from viz.player.panels import Pending
from viz.player.scene import Scene
from viz.player.serialization import to_json

STATES = ("step", "head", "item", "picture", "query", "position", "camera")
"""Events that hold until the page decides otherwise."""
TRIGGERS = ("selected", "cancelled", "started")
"""Events that last for one run of the page."""
PROGRESS = "gptlab-progress"
"""The event of the window by which progress reaches the player, see ``viz/player/js/streamlit.js``."""


@dataclass(frozen=True)
class Events:
    """Events of the player; None where there was none. A lasso lasts for one run of the page."""

    step: int | None = None  # where the slider rests
    scale: str | None = None
    selected: list[int] | None = None  # items in a lasso, to be highlighted
    panel: str | None = None  # of the lasso
    head: list[int] | None = None  # [] for all
    item: int | None = None  # -1 for none
    camera: list[float] | None = None  # yaw, pitch and magnification of three dimensions; [] for those at first
    picture: str | None = None  # of one head: map or words
    query: int | None = None  # the word whose lines are shown, -1 for all
    position: int | None = None  # in the prompt, that is followed
    cancelled: str | None = None  # id of the panel whose computation was cancelled, see `viz.player.panels.Pending`
    started: str | None = None  # id of the panel whose computation was requested


def show(scene: Scene, key: str, on_change: Any = None) -> Events:
    """Mount a scene under a constant key; ``on_change`` is called after an event, before the page runs again."""
    state = _component()(
        key=key,
        data=as_json(scene.to_json()),
        **{f"on_{name}_change": on_change or (lambda: None) for name in (*STATES, *TRIGGERS, "scale")},
    )
    lasso = state.get("selected") or {}
    events = {name: state.get(name) or {} for name in STATES}
    # Events from before the page's last decision are outdated.
    current = {
        name: event.get(name) if event.get("decision") == scene.decision else None for name, event in events.items()
    }
    return Events(
        **current,
        scale=state.get("scale"),
        selected=lasso.get("items"),
        panel=lasso.get("panel"),
        cancelled=state.get("cancelled"),
        started=state.get("started"),
    )


def send_progress(lines: Mapping[str, Pending]) -> None:
    """Send the progress of what panels wait for, by their ids, to the player on this page; the scene itself is not sent again."""
    _progress_component()(key="player_progress", data=as_json({id: to_json(line) for id, line in lines.items()}))


@lru_cache(maxsize=1)
def _progress_component() -> Any:
    # Streamlit would take a single line with brackets for the name of a file.
    js = f"""export default function mount({{ data: [lines] }}) {{
  dispatchEvent(new CustomEvent("{PROGRESS}", {{ detail: lines }}));
}}"""
    return st.components.v2.component("gptlab_progress", js=js)


@lru_cache(maxsize=1)
def _component() -> Any:
    return st.components.v2.component("gptlab_player", html=HTML, css=style(), js=script("streamlit"))
