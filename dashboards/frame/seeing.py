"""A sentence on each page about what it shows; dismissed, it stays away in this browser."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import streamlit as st

from dashboards.frame.header import read
from dashboards.state.language import Translation, catalogue
from dashboards.widgets import as_json

COOKIE = "gptlab_seen"
"""Holds the names of the pages whose sentence was dismissed, joined by dots."""
HTML = '<p class="seeing"><span></span><button type="button">✕</button></p>'


def show_seeing(screen: str, say: Translation) -> None:
    """Show the sentence of a page, unless it was dismissed."""
    dismissed = {*str(st.context.cookies.get(COOKIE, "")).split("."), *st.session_state.get("dismissed", ())}
    if screen in dismissed or f"seeing.{screen}" not in catalogue():
        return
    data = {
        "text": say(f"seeing.{screen}"),
        "dismiss": say("seeing.dismiss"),
        "cookie": COOKIE,
        "seen": ".".join(sorted({*dismissed, screen} - {""})),
    }
    if _component()(key=f"seeing_{screen}", data=as_json(data), on_dismissed_change=lambda: None).get("dismissed"):
        st.session_state["dismissed"] = {*dismissed, screen}
        st.rerun()


@lru_cache(maxsize=1)
def _component() -> Any:
    return st.components.v2.component("gptlab_seeing", html=HTML, css=read("sentence.css"), js=read("sentence.js"))
