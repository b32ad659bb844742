"""The script that draws the dashboard; `dashboards.server` runs it for every visit."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import streamlit as st

from dashboards.frame.header import begins_now, show_address, show_header
from dashboards.frame.seeing import show_seeing
from dashboards.page import Page, choose_language, current_page, current_theme, mark_language, translation
from dashboards.screens import NAME, SCREENS
from dashboards.state import run_list
from dashboards.state.url import InvalidField, address_written, first_address, read_address, set_field
from dashboards.tour.address import is_stop, start_address, start_fields
from dashboards.warm_up import first_page_stands
from dashboards.widgets import escape_markdown

# Pages without a picture that could fill the screen.
WITHOUT_PLAYER = ("films", "figures")
# A named icon (":material/...:") would be fetched from a server elsewhere.
ICON = Path(__file__).with_name("icon.svg")
STYLES = [Path(__file__).with_name(name) for name in ("page.css", "accessible.css")]


def main() -> None:
    """Draw the page that the address names."""
    # They are kept until they are shown: the page that an address names may switch to another at once.
    invalid: list[InvalidField] = st.session_state.setdefault("invalid_fields", [])
    invalid += read_address()
    page = st.navigation(_pages(), position="top")
    title = NAME if page.title == NAME else f"{page.title} · {NAME}"
    st.set_page_config(page_title=title, page_icon=str(ICON), layout="wide")
    for style in STYLES:
        st.html(style)
    mark_language()
    name = page.url_path if page.url_path in SCREENS else SCREENS[0]
    toured = _frame(name)
    if toured is None:
        page.run()
    else:
        # The card has the same place at every stop, so that none of the stop before stays; it is drawn after the page.
        card = st.container(key="frame_tour")
        page.run()
        with card:
            _show_tour(toured)
    for field in invalid:
        st.toast(escape_markdown(field.message(translation())), icon=":material/link_off:", duration="long")
    invalid.clear()
    show_address(first_address())
    first_page_stands.set()


def _frame(name: str) -> Page | None:
    """Show what stands above a page; return it if a stop of the tour is on it."""
    page = current_page()
    if page is not None and not st.session_state.get("has_begun") and begins_now():
        for field, value in {"tour": 1, **start_fields(page.run)}.items():
            set_field(field, value)
    st.session_state["has_begun"] = True
    chosen = show_header(
        translation(),
        run="" if page is None else page.run.name,
        theme=current_theme(),
        has_player=page is not None and name not in WITHOUT_PLAYER,
        tour="" if page is None else start_address(page.run),
        paths=("/", *(f"/{screen}" for screen in SCREENS)),
    )
    if chosen is not None:
        choose_language(chosen)
    if page is not None and is_stop(name):
        return page
    set_field("tour", None)
    if page is not None:
        show_seeing(name, page.say)
    return None


def _show_tour(page: Page) -> None:
    # Imported only now: it needs what measures a run, and the page stands before it.
    from dashboards.frame.tour_card import show_tour

    show_tour(page)


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
    # The first page has the path of the root. A link with its name draws the same; led there, it would leave an entry in the history from
    # which Back leads nowhere.
    first = page(home, "home", default=True)
    named = st.Page(screen(home), title=first.title, url_path=home, visibility="hidden")
    return [first, *(page(name, name) for name in others), named]


def screen(name: str) -> Callable[[], None]:
    """Build the function that draws a page; its module is imported when it is first shown, so that the first page appears sooner."""

    def draw() -> None:
        module = import_module(f"dashboards.screens.{name}_page")
        with address_written([*module.FIELDS, "step", "scale"]):
            module.show()

    return draw


main()
