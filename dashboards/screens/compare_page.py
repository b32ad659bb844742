"""Compare: several runs beside each other under one slider, and their differences as numbers.

Each run shows its last snapshot at or before the step of the slider.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from dashboards.page import REFRESH_EVERY_S, Page, open_page
from dashboards.screens.compare.differences_view import difference_view
from dashboards.screens.compare.embeddings_view import embeddings_view
from dashboards.screens.compare.grid import FIELDS as FIELDS
from dashboards.screens.compare.model_views import attention_view, heads_view, text_view
from dashboards.screens.compare.runs import choose_pages
from dashboards.screens.compare.settings import show_differences
from dashboards.widgets import ask_option, guarded

VIEWS: dict[str, Callable[[Sequence[Page]], Callable[[], None]]] = {
    "embeddings": embeddings_view,
    "attention": attention_view,
    "heads": heads_view,
    "text": text_view,
    "differences": difference_view,
}


def show() -> None:
    """Draw the page."""
    page = open_page()
    pages = choose_pages(page)
    if not pages:
        return
    guarded(lambda: _draw(pages), page.say)
    guarded(lambda: show_differences(pages), page.say)


def _draw(pages: Sequence[Page]) -> None:
    say = pages[0].say
    with st.sidebar:
        view = ask_option("view", say("compare.view"), say.names("compare", *VIEWS))
        draw = VIEWS[view](pages)
    is_live = any(page.is_live for page in pages)
    st.fragment(lambda: guarded(draw, say), run_every=REFRESH_EVERY_S if is_live else None)()
