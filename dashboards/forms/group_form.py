"""The form for a highlight: one text, see `probes.groups.naming`."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards.page import Page, translation
from dashboards.state.url import get_field, set_field, set_initial_value
from dashboards.widgets import show_notes
from probes.groups.naming import Group, format_highlight, parse_highlight_leniently, split_highlight

MOST_GROUPS = 6
MOST_CHARACTERS = 2000


def ask_highlight(page: Page) -> tuple[str, ...]:
    """Ask which groups to highlight; return their texts, at most `MOST_GROUPS`."""
    set_initial_value("groups_text", "; ".join(get_field("group")))
    if "lassoed_groups" in st.session_state:
        st.session_state["groups_text"] = st.session_state.pop("lassoed_groups")
    texts = split_highlight(highlight_input(page, "groups_text", "embeddings.groups_help", MOST_CHARACTERS))
    if len(texts) > MOST_GROUPS:
        st.caption(page.say("embeddings.many_groups", most=MOST_GROUPS))
    set_field("group", texts[:MOST_GROUPS])
    return texts[:MOST_GROUPS]


def highlight_input(page: Page, key: str, help: str, most: int) -> str:
    """Show the field for a highlight of at most ``most`` characters, and return its text."""
    return st.text_input(
        page.label("highlight"),
        key=key,
        help=page.say(help),
        placeholder=page.say("embeddings.groups_placeholder"),
        max_chars=most,
    )


def find_groups(page: Page, texts: Sequence[str], labels: Sequence[str], *, with_notes: bool = True) -> list[Group]:
    """Find the highlighted groups among the labels; a note names what is not found."""
    groups, errors = parse_highlight_leniently(texts, labels, language=page.say.language)
    if with_notes:
        show_notes([str(error) for error in errors], page.say)
    return list(groups)


def highlight_lassoed(labels: Sequence[str], selected: Sequence[int] | None) -> None:
    """Add the items of a lasso to the highlight as a group, and rerun the page."""
    members = [i for i in selected or [] if 0 <= i < len(labels)]
    if not members:
        return
    text = "; ".join(
        [*get_field("group")[: MOST_GROUPS - 1], format_highlight([members], labels, language=translation().language)]
    )
    if len(text) > MOST_CHARACTERS:
        st.toast(translation()("embeddings.lasso_too_large", n=len(members)), icon=":material/lasso_select:")
        return
    st.session_state["lassoed_groups"] = text
    st.rerun(scope="app")
