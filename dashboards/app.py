"""The dashboard: `streamlit run dashboards/app.py`, or `python -m dashboards`. Views only; the numbers come from `probes` and `viz`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import streamlit as st

from dashboards.page import STYLE, choose_language, escape_markdown, translation
from dashboards.state import run_list
from dashboards.state.url import InvalidField, address_written, read_address

NAME = "GPTLab"
SCREENS = ("overview", "embeddings", "attention", "generate", "films", "compare", "figures")
# An icon by name (":material/...:") would be fetched from a server elsewhere.
ICON = Path(__file__).with_name("icon.svg")


def main() -> None:
    """Draw the page that the address names."""
    # Kept until they are told: the page that an address names may lead on to another at once.
    mistakes: list[InvalidField] = st.session_state.setdefault("mistakes", [])
    mistakes += read_address()
    page = st.navigation(_pages(), position="top")
    st.set_page_config(page_title=title(page.title), page_icon=str(ICON), layout="wide")
    st.html(STYLE)
    page.run()
    for mistake in mistakes:
        st.toast(escape_markdown(mistake.message(translation())), icon=":material/link_off:", duration="long")
    mistakes.clear()
    choose_language()


def title(page: str) -> str:
    """Return what the browser's tab says."""
    return page if page == NAME else f"{page} · {NAME}"


def _pages() -> list[st.Page]:
    """Return the pages: the same ones, by their paths, where there is no run yet, and then all of them draw the first visit.

    To Streamlit a page is its path. If the first visit were one of its own, the first run would lead to another page, and a fragment of
    the old one that happened to ask for its turn just then would have the browser clear the new one.
    """
    say, is_first_visit = translation(), not run_list.runs()

    def page(name: str, path: str, *, default: bool = False) -> st.Page:
        # Without icons: the browser would fetch them, for its tab, from a server elsewhere.
        return st.Page(
            screen("first_visit" if is_first_visit else name),
            title=NAME if is_first_visit else say(f"nav.{name}"),
            url_path=path,
            default=default,
            visibility="hidden" if is_first_visit and not default else "visible",
        )

    home, *others = SCREENS
    # The first page stands at the root and only reserves its path; a link that names it is led there.
    first = page(home, "home", default=True)
    named = st.Page(lambda: st.switch_page(first), title=first.title, url_path=home, visibility="hidden")
    return [first, *(page(name, name) for name in others), named]


def screen(name: str) -> Callable[[], None]:
    """Return what draws a page; its module is loaded when it is first shown, so that the first page is there sooner."""

    def draw() -> None:
        module = import_module(f"dashboards.screens.{name}_page")
        with address_written([*module.FIELDS, "step", "scale"]):
            module.show()

    return draw


main()
