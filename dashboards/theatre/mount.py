"""Put a scene on a Streamlit page, and hear what the reader did to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from dashboards.theatre.scene import Scene

FOLDER = Path(__file__).parent / "js"
# In the order in which one needs the other; `theatre.js` holds the default export that Streamlit calls.
MODULES = (
    "drawing",
    "timeline",
    "stepper",
    "theatre",
    "tip",
    "heat",
    "heads",
    "atlas",
    "curves",
    "cloud",
    "camera",
    "discs",
    "lettering",
    "lasso",
    "traces",
    "scatter_furniture",
    "scatter",
    "maps",
    "scores",
    "bars",
    "samples",
    "numbers",
    "claims",
    "neighbours",
)
HTML = '<div class="theatre" data-testid="theatre"><div class="slider"></div><div class="floor"></div></div>'


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
    return st.components.v2.component("gptlab_theatre", html=HTML, css=style(), js=script())


def style() -> str:
    """Return the style sheets of ``js/`` as one."""
    return "\n".join(
        path.read_text(encoding="utf-8")
        for path in sorted(FOLDER.glob("*.css"), key=lambda path: path.stem != "theatre")
    )


def script() -> str:
    """Return the modules of ``js/`` as one, which is what Streamlit takes: each becomes a function that gives what it exports."""
    bound = [_bound(name, (FOLDER / f"{name}.js").read_text(encoding="utf-8")) for name in MODULES]
    return "\n".join([*bound, "export default $theatre.default_;"])


def _bound(name: str, module: str) -> str:
    body = re.sub(r'^import (\{[^}]*\}) from "\./(\w+)\.js";$', r"const \1 = $\2;", module, flags=re.MULTILINE)
    exported = re.findall(r"^export (?:const|function) (\w+)", body, flags=re.MULTILINE)
    default = re.findall(r"^export default function (\w+)", body, flags=re.MULTILINE)
    body = re.sub(r"^export (?:default )?", "", body, flags=re.MULTILINE)
    given = ", ".join(exported + [f"default_: {found}" for found in default])
    return f"const ${name} = (() => {{\n{body}\nreturn {{ {given} }};\n}})();"


def _nothing() -> None:
    """Hear of a change by the page's next run."""
