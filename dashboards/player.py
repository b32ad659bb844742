"""Put a scene on a Streamlit page, and hear what the reader did to it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import streamlit as st

from viz.player.bundle import script, style
from viz.player.scene import Scene

HTML = '<div class="player" data-testid="player"><div class="slider"></div><div class="floor"></div></div>'


@dataclass(frozen=True)
class Events:
    """What the reader did: where the slider rests, its scale, the head or item chosen; None is not yet.

    ``selected`` are the items of a lasso that are to be highlighted, ``panel`` the one they were drawn in; told once.
    """

    step: int | None = None
    scale: str | None = None
    selected: list[int] | None = None
    panel: str | None = None
    head: list[int] | None = None
    item: int | None = None


def show(scene: Scene, key: str, on_change: Any = None) -> Events:
    """Mount a scene under a key that stays; ``on_change`` is called before the page runs again after an event."""
    heard = _component()(
        key=key,
        data=scene.to_json(),
        **{f"on_{name}_change": on_change or _nothing for name in ("step", "scale", "selected", "head", "item")},
    )
    lasso = heard.get("selected") or {}
    said = {name: heard.get(name) or {} for name in ("step", "head", "item")}
    # Where the slider rested, and what was chosen, before the page decided otherwise is no news.
    told = {name: one.get(name) if one.get("asked") == scene.asked else None for name, one in said.items()}
    return Events(**told, scale=heard.get("scale"), selected=lasso.get("items"), panel=lasso.get("panel"))


@lru_cache(maxsize=1)
def _component() -> Any:
    return st.components.v2.component("gptlab_player", html=HTML, css=style(), js=script())


def _nothing() -> None:
    """Hear of a change by the page's next run."""
