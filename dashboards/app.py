"""The script that draws the dashboard; `dashboards.server` runs it for every visit."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import streamlit as st

from dashboards.page import STYLE, choose_language, mark_language, translation
from dashboards.screens import NAME, SCREENS
from dashboards.state import run_list
from dashboards.state.url import InvalidField, address_written, read_address
from dashboards.widgets import escape_markdown

# A named icon (":material/...:") would be fetched from a server elsewhere.
ICON = Path(__file__).with_name("icon.svg")
ACCESSIBLE = Path(__file__).with_name("accessible.css")


def main() -> None:
    """Draw the page that the address names."""
    # They are kept until they are shown: the page that an address names may switch to another at once.
    invalid: list[InvalidField] = st.session_state.setdefault("invalid_fields", [])
    invalid += read_address()
    page = st.navigation(_pages(), position="top")
    title = NAME if page.title == NAME else f"{page.title} · {NAME}"
    st.set_page_config(page_title=title, page_icon=str(ICON), layout="wide")
    st.html(STYLE)
    st.html(ACCESSIBLE)
    mark_language()
    page.run()
    for field in invalid:
        st.toast(escape_markdown(field.message(translation())), icon=":material/link_off:", duration="long")
    invalid.clear()
    choose_language()


def _pages() -> list[st.Page]:
    """List the pages; without a run they have the same paths, but all of them draw the first visit.

    Streamlit identifies a page by its path. If the first visit had a path of its own, the first run would lead to another page. A fragment
    of the old page that reran just then would make the browser clear the new one.
    """
    say, is_first_visit = translation(), not run_list.runs()

    def page(name: str, path: str, *, default: bool = False) -> st.Page:
        # No icons: the browser would fetch them for its tab from a server elsewhere.
        return st.Page(
            screen("first_visit" if is_first_visit else name),
            title=NAME if is_first_visit else say(f"nav.{name}"),
            url_path=path,
            default=default,
            visibility="hidden" if is_first_visit and not default else "visible",
        )

    home, *others = SCREENS
    # The first page has the path of the root; a link with its name is led there.
    first = page(home, "home", default=True)
    named = st.Page(lambda: st.switch_page(first), title=first.title, url_path=home, visibility="hidden")
    return [first, *(page(name, name) for name in others), named]


def screen(name: str) -> Callable[[], None]:
    """Build the function that draws a page; its module is imported when it is first shown, so that the first page appears sooner."""

    def draw() -> None:
        module = import_module(f"dashboards.screens.{name}_page")
        with address_written([*module.FIELDS, "step", "scale"]):
            module.show()

    return draw


main()
