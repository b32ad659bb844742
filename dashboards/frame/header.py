"""The header: name and run, and beside them the tour, the language, the theme, a link to copy, and projector mode."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from dashboards.state.language import Translation
from dashboards.widgets import as_json
from data.language import LANGUAGES

FOLDER = Path(__file__).parent
HTML = '<div class="frame-header" data-testid="frame-header"></div>'

TOUR_COOKIE = "gptlab_tour"
"""Set by the browser once it has shown the tour, which then does not begin by itself again."""


def begins_now() -> bool:
    """Check whether the tour begins by itself: on the first visit of a browser, at an address that asks for nothing in particular."""
    is_browser = bool(st.context.headers.get("User-Agent"))
    return is_browser and not dict(st.query_params) and TOUR_COOKIE not in st.context.cookies


def show_header(
    say: Translation, *, run: str, theme: str, has_player: bool, tour: str, paths: tuple[str, ...]
) -> str | None:
    """Show the header over the bar with the pages' names; return the language that was chosen in it just now.

    Parameters
    ----------
    run : name of the run; empty without one.
    theme : ``light`` or ``dark``, as it is shown now.
    has_player : whether the page has a picture that can fill the screen.
    tour : address where the tour starts; empty without a run.
    paths : of all pages: Streamlit remembers the theme for each path by itself.
    """
    other = next(language for language in LANGUAGES if language != say.language)
    data = {
        "run": run,
        "theme": theme,
        "paths": list(paths),
        "hasPlayer": has_player,
        "tour": tour,
        "language": other,
        "languageName": LANGUAGES[other],
        "words": dict(say.section("frame")),
    }
    state = _component()(key="frame_header", data=as_json(data), on_language_change=lambda: None)
    chosen = state.get("language")
    return chosen if chosen in LANGUAGES else None


def show_address(address: str) -> None:
    """Have the browser put the fields of a page into its empty address, without an entry of its own in the history."""
    _address_component()(key="frame_address", data=as_json({"address": address}))


@lru_cache(maxsize=1)
def _component() -> Any:
    return st.components.v2.component(
        "gptlab_header", html=HTML, css=read("header.css"), js=read("follow.js") + read("header.js")
    )


@lru_cache(maxsize=1)
def _address_component() -> Any:
    return st.components.v2.component("gptlab_address", html="<span></span>", js=read("history.js"))


def read(name: str) -> str:
    """Read a script or style sheet of this folder."""
    return (FOLDER / name).read_text(encoding="utf-8")
