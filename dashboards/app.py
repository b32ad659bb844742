"""The dashboard: `streamlit run dashboards/app.py`, or `python -m dashboards`. Views only; the numbers come from `probes` and `viz`."""

from __future__ import annotations

import streamlit as st

from dashboards import shelf
from dashboards.address import read_address
from dashboards.chrome import STYLE, choose_language, plain, words


def main() -> None:
    """Draw the page that the address names."""
    st.set_page_config(page_title="GPTLab", page_icon=":material/neurology:", layout="wide")
    mistakes = read_address()
    st.html(STYLE)
    st.navigation(_pages(), position="top").run()
    for mistake in mistakes:
        st.toast(plain(mistake), icon=":material/link_off:", duration="long")
    choose_language()


def _pages() -> list[st.Page]:
    from dashboards.screens import attention, compare, embeddings, figures, films, first_visit, generate, overview

    say = words()
    shown = {
        "overview": (overview.show, "monitoring"),
        "embeddings": (embeddings.show, "scatter_plot"),
        "attention": (attention.show, "grid_on"),
        "generate": (generate.show, "edit_note"),
        "films": (films.show, "movie"),
        "compare": (compare.show, "compare"),
        "figures": (figures.show, "image"),
    }
    if (
        not shelf.runs()
    ):  # so do links to the other pages, and a page that is open while the last run is deleted, lead there
        welcome = st.Page(first_visit.show, title="GPTLab", url_path="welcome", default=True)
        return [
            welcome,
            *(st.Page(first_visit.show, title="GPTLab", url_path=name, visibility="hidden") for name in shown),
        ]
    return [
        st.Page(show, title=say(f"nav.{name}"), icon=f":material/{icon}:", url_path=name, default=name == "overview")
        for name, (show, icon) in shown.items()
    ]


main()
