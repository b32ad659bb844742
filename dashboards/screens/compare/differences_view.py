"""The differences between runs as numbers: of their heads, of the shape of their tables, and of the distances within these."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from dashboards.page import Page
from dashboards.screens.compare.grid import name_of
from dashboards.screens.compare.settings import seed_pairs
from dashboards.state.url import get_field, set_field, set_initial_value
from dashboards.widgets import escape_markdown


@dataclass(frozen=True)
class Pair:
    """The first of the runs that are compared, and the one at ``place`` among them, whose difference from it is shown."""

    pages: Sequence[Page]
    place: int

    @property
    def one(self) -> Page:
        """The page of the first."""
        return self.pages[0]

    @property
    def other(self) -> Page:
        """The page of the other."""
        return self.pages[self.place]


def choose_pair(pages: Sequence[Page]) -> Pair:
    """Ask in the sidebar which of several runs is compared with the first in detail."""
    names = [page.run.name for page in pages[1:]]
    wanted, key = get_field("against"), f"against_choice {' '.join(names)}"
    if wanted is not None and wanted not in names:
        st.warning(
            escape_markdown(pages[0].say("compare.not_compared", name=wanted, other=names[0])),
            icon=":material/link_off:",
        )
    name = names[0]
    if len(names) > 1:
        set_initial_value(key, wanted if wanted in names else name, names)
        name = str(st.selectbox(pages[0].say("compare.against", run=name_of(pages[0])), names, key=key))
    set_field("against", None if name == names[0] else name)
    return Pair(pages, 1 + names.index(name))


def seeds_note(pages: Sequence[Page], pair: Pair) -> str:
    """Describe what can be known of chance: which of the runs differ in their seed alone."""
    say = pair.one.say
    alike = seed_pairs([page.run for page in pages])
    if any({pair.one.run.name, pair.other.run.name} == {run.name for run in runs} for runs in alike):
        return say("compare.seed_alone", run=name_of(pair.one), other=name_of(pair.other))
    if alike:
        known = {run.name for runs in alike for run in runs}
        names = [name_of(page) for page in pages if page.run.name in known]
        return say("compare.seeds_known", runs=", ".join(names))
    return say("compare.seeds_unknown")


def difference_view(pages: Sequence[Page]) -> Callable[[], None]:
    """Ask what is to be compared, and return the function that shows it."""
    from dashboards.screens.compare.distances_view import distances_view
    from dashboards.screens.compare.geometry_view import geometry_view
    from dashboards.screens.compare.head_differences_view import heads_view
    from dashboards.widgets import ask_option

    aspect = ask_option("aspect", pages[0].say("compare.aspect"), pages[0].say.names("compare", *ASPECTS))
    pair = choose_pair(pages)
    views = {"heads": heads_view, "geometry": geometry_view, "distances": distances_view}
    return views[aspect](pages, pair)


ASPECTS = ("heads", "geometry", "distances")
