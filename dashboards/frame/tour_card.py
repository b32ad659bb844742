"""The card of the tour: a stop's question, its sentence, and the links to the stops before and after it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import streamlit as st

from dashboards.frame.header import TOUR_COOKIE, read
from dashboards.page import Page
from dashboards.state.url import get_field, set_field
from dashboards.tour import stops
from dashboards.widgets import as_json
from data.errors import InputError

HTML = '<div class="tour-card" role="complementary"></div>'
LOOK_EVERY_S = 1.0


def show_tour(page: Page) -> None:
    """Show the card of the stop that the address names, whose page this is."""
    number = get_field("tour")
    try:
        is_pending = _is_pending(page, number)
    except InputError:  # the run was damaged or deleted just now, which the page itself says
        set_field("tour", None)
        return
    st.fragment(lambda: _card(page, number, is_pending), run_every=LOOK_EVERY_S if is_pending else None)()


def _is_pending(page: Page, number: int) -> bool:
    """Check whether this stop's sentence, or the link to the next stop, still waits for a measure."""
    return any(stops.stop(page, n).sentence is None for n in (number, number + 1) if n <= stops.N_STOPS)


def _card(page: Page, number: int, was_pending: bool) -> None:
    say, found = page.say, stops.stop(page, number)
    neighbours = {name: stops.address(page, n) if 1 <= n <= stops.N_STOPS else "" for name, n in _around(number)}
    data = {
        "title": say(f"tour.title_{number}"),
        "sentence": found.sentence or say("tour.measuring"),
        "link": _link(page, number, found),
        "cookie": TOUR_COOKIE,
        "words": {**say.section("tour"), "progress": say("tour.progress", n=number, total=stops.N_STOPS)},
        **neighbours,
    }
    if _component()(key="tour_card", data=as_json(data), on_left_change=lambda: None).get("left"):
        set_field("tour", None)
        st.rerun(scope="app")
    if was_pending and not _is_pending(page, number):
        st.rerun(scope="app")  # nothing more to look for


def _link(page: Page, number: int, found: stops.Stop) -> tuple[str, str] | None:
    """Choose the link within a stop: its own, or one to what the sentence speaks of, where the page shows something else by now."""
    if found.link is not None:
        return found.link
    is_shown = all(
        get_field(name) == value for name, value in found.fields.items() if name in ("step", "layer", "head")
    )
    return None if is_shown or found.sentence is None else (page.say("tour.show"), stops.address(page, number, found))


def _around(number: int) -> tuple[tuple[str, int], tuple[str, int]]:
    return ("previous", number - 1), ("next", number + 1)


@lru_cache(maxsize=1)
def _component() -> Any:
    js = read("follow.js") + read("tour_card.js")
    return st.components.v2.component("gptlab_tour", html=HTML, css=read("tour_card.css"), js=js)
