"""The dashboard: `streamlit run dashboards/app.py`, or `python -m dashboards`. Views only; the numbers come from `probes` and `viz`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import streamlit as st

from dashboards import shelf
from dashboards.address import read_address
from dashboards.chrome import STYLE, choose_language, plain, words

NAME = "GPTLab"
SCREENS = ("overview", "embeddings", "attention", "generate", "films", "compare", "figures")
# An icon by name (":material/...:") would be fetched from a server elsewhere.
ICON = Path(__file__).with_name("icon.svg")


def main() -> None:
    """Draw the page that the address names."""
    # Kept until they are told: the page that an address names may lead on to another at once.
    mistakes: list[str] = st.session_state.setdefault("mistakes", [])
    mistakes += read_address()
    page = st.navigation(_pages(), position="top")
    st.set_page_config(page_title=title(page.title), page_icon=str(ICON), layout="wide")
    st.html(STYLE)
    page.run()
    for mistake in mistakes:
        st.toast(plain(mistake), icon=":material/link_off:", duration="long")
    mistakes.clear()
    choose_language()


def title(page: str) -> str:
    """Return what the browser's tab says."""
    return page if page == NAME else f"{page} · {NAME}"


def _pages() -> list[st.Page]:
    say = words()
    if not shelf.runs():  # links to the other pages lead here, too
        welcome = st.Page(screen("first_visit"), title=NAME, url_path="welcome", default=True)
        hidden = (st.Page(screen("first_visit"), title=NAME, url_path=name, visibility="hidden") for name in SCREENS)
        return [welcome, *hidden]
    # Without icons: the browser would fetch them, for its tab, from a server elsewhere.
    home, *others = (st.Page(screen(name), title=say(f"nav.{name}"), url_path=name) for name in SCREENS)
    # The first page stands at the root and only reserves its path; a link that names it is led there.
    first = st.Page(screen("overview"), title=home.title, url_path="home", default=True)
    named = st.Page(lambda: st.switch_page(first), title=home.title, url_path="overview", visibility="hidden")
    return [first, *others, named]


def screen(name: str) -> Callable[[], None]:
    """Return what draws a page; its module is loaded when it is first shown, so that the first page is there sooner."""
    return lambda: import_module(f"dashboards.screens.{name}").show()


main()
