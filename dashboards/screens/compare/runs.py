"""Which runs are compared: those that the address names, or else the one that is most like the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from dashboards.page import Page
from dashboards.screens.compare.settings import settings_of
from dashboards.state import run_list
from dashboards.state.url import MOST_BESIDE, get_field, set_field, set_initial_value
from dashboards.widgets import escape_markdown
from data.runs import Run

MOST_OTHERS = MOST_BESIDE - 1


def choose_pages(page: Page) -> tuple[Page, ...]:
    """Ask in the sidebar for the runs to compare, and return a page for each, the first included; empty where there is no other."""
    say, others = page.say, [run for run in run_list.runs() if run.name != page.run.name]
    if not others:
        st.info(say("compare.one_run"), icon=":material/compare:")
        st.code("python -m trainer --preset cpu --run another --seed 2", language="bash")
        return ()
    by_name = {run.name: run for run in others}
    chosen = _ask(page, list(by_name), most_alike(page.run, others).name)
    set_field("with", tuple(chosen))
    _say_refused(page, chosen)
    st.session_state["compared"] = (page.run.name, *chosen)
    if not chosen:
        st.info(escape_markdown(say("compare.choose_some", run=page.run.name)), icon=":material/compare:")
        return ()
    return (page, *(replace(page, run=by_name[name]) for name in chosen))


def _ask(page: Page, names: list[str], usual: str) -> list[str]:
    wanted, key = _names_of_address(page, names, usual), f"with_choice {page.run.name}"
    set_initial_value(key, wanted)
    shown = list(st.session_state[key])
    kept = [name for name in shown if name in names]
    if kept != shown:  # a run was deleted
        st.session_state[key] = kept or wanted
    with st.sidebar:
        found: list[str] = st.multiselect(
            page.say("compare.with"),
            names,
            key=key,
            max_selections=MOST_OTHERS,
            placeholder=page.say("compare.choose"),
            help=page.say("compare.with_help", n=page.say.number(MOST_OTHERS)),
        )
    return found


def _names_of_address(page: Page, names: Sequence[str], usual: str) -> list[str]:
    """Return the runs that the address names, and say which of them cannot be shown."""
    own, wanted = page.run.name, list(dict.fromkeys(get_field("with")))
    before = st.session_state.get("compared", ())
    if before and before[0] in names and own in wanted and tuple(wanted) == before[1:]:
        wanted[wanted.index(own)] = before[0]  # one of the others was chosen as the first: they swap places
    found, refused = [name for name in wanted if name in names], list[tuple[str, dict[str, str]]]()
    for name in wanted:
        if name == own and not found:
            refused.append(("compare.same", {"other": usual, "run": own}))
        elif name not in names and name != own:
            refused.append(("compare.no_such_run" if found else "page.no_such_run", {"name": name}))
    shown = found[:MOST_OTHERS] or [usual]
    if refused:
        st.session_state["refused"] = (own, tuple(shown), refused)
    return shown


def _say_refused(page: Page, chosen: Sequence[str]) -> None:
    """Warn of the runs in the address that are not shown, until another choice is made; the address itself is corrected at once."""
    own, shown, refused = st.session_state.get("refused", ("", (), []))
    if (own, shown) == (page.run.name, tuple(chosen)):
        for key, values in refused:
            st.warning(escape_markdown(page.say(key, **values)), icon=":material/link_off:")


def most_alike(run: Run, others: Sequence[Run]) -> Run:
    """Find the run whose recorded settings differ least, the newest of several."""
    mine = settings_of(run)

    def likeness(other: Run) -> int:
        theirs = settings_of(other)
        same_symbols: bool = other.info.get("tokenizer") == run.info.get("tokenizer")
        return 1000 * same_symbols + sum(bool(theirs.get(name) == value) for name, value in mine.items())

    return max(others, key=likeness)
