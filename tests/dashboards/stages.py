"""A page under test: its scenes are recorded, and the events of the reader are made up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from streamlit.testing.v1 import AppTest

from dashboards.player import Events
from viz.player.panels import Panel
from viz.player.scene import Scene

SCRIPT = """
from dashboards.state.url import read_address
from dashboards.page import translation
from dashboards.widgets import escape_markdown
from dashboards.screens import {name}_page
import streamlit as st
for mistake in read_address():
    st.toast(escape_markdown(mistake.message(translation())))
{name}_page.show()
"""


@dataclass
class Stage:
    """The scenes that a page showed, and the next events of the reader; those of ``once`` are sent to one run of the page only."""

    scenes: list[Scene] = field(default_factory=list)
    events: Events = field(default_factory=Events)
    once: list[Events] = field(default_factory=list)

    def mount(self, scene: Scene, key: str, on_change: object = None) -> Events:
        scene.to_json()  # a scene that cannot be sent is an error
        self.scenes.append(scene)
        return self.once.pop() if self.once else self.events

    def panel(self, id: str) -> Panel:
        """Return a panel of the last scene."""
        return next(panel for panel in self.scenes[-1].panels if panel.id == id)


def open_screen(name: str, **address: object) -> AppTest:
    """Open a page at an address."""
    at = AppTest.from_string(SCRIPT.format(name=name), default_timeout=120)
    for key, value in address.items():
        at.query_params[key] = str(value)
    return at.run()


def run_until(at: AppTest, done: Callable[[], bool], most_s: float = 60.0) -> None:
    """Rerun a page until a background job has finished."""
    until = time.monotonic() + most_s
    while not done():
        assert time.monotonic() < until, "it took too long"
        at.run()
