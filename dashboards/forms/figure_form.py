"""The form for a figure, and which figures a run has the data for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import streamlit as st

from dashboards.forms.film_form import MOST_CHARACTERS, ask_part, ask_short_prompt, n_parts
from dashboards.forms.group_form import MOST_GROUPS, highlight_input
from dashboards.page import Page, set_step
from dashboards.state import run_list
from dashboards.state.url import get_field, set_field, set_initial_value
from dashboards.widgets import ask_option, choose, escape_markdown
from data.errors import InputError
from data.runs import Run
from probes.groups.naming import split_highlight
from trainer.config import described_model
from viz.drawing.slide import SIZES
from viz.grouped_table import loss_curve
from viz.projection.projector import METHODS
from viz.registry import FIGURES, canonical
from viz.request import FigureRequest

#: The figures of this page; the one of a trace is drawn from a file that `trainer.generate` has written.
OFFERED = tuple(name for name, kind in FIGURES.items() if "trace" not in kind.fields)


def reasons(run: Run) -> Mapping[str, str]:
    """Explain, for each figure that does not apply to a run, why; what takes reading all snapshots is found when it is drawn."""
    lacking: dict[str | None, str] = {}
    try:
        described_model(run)
    except InputError as reason:
        lacking["model"] = str(reason)
    if not run.info.get("tensors", {}).get("position_table"):
        lacking["positions"] = f"run {run.name!r} has no table of positions"
    if loss_curve(run) is None:
        lacking["losses"] = f"run {run.name!r} has no losses to draw: it was made without evaluations"
    return {name: lacking[FIGURES[name].needs] for name in OFFERED if FIGURES[name].needs in lacking}


def ask_figure(page: Page) -> FigureRequest:
    """Show the form in the sidebar and build a request from it."""
    with st.sidebar:
        name = _ask_name(page)
        fields = FIGURES[name].fields
        given: dict[str, Any] = {}
        if "step" in fields:
            given["step"] = _ask_step(page)
        if "prompt" in fields:
            given["prompt"] = _ask_prompt(page)
        if "all_tokens" in fields:
            given["all_tokens"] = _ask_all_tokens(page)
        for part in ("layer", "head"):
            if part in fields:
                given[part] = _ask_part(page, part)
        if "highlight" in fields:
            given.update(_ask_map(page))
        given |= _ask_look(page)
    return FigureRequest(only=(name,), run=page.run.name, language=page.say.picture_language, **given)


def _ask_all_tokens(page: Page) -> bool:
    set_initial_value("figure_all_tokens", get_field("bars") == "all")
    chosen = st.toggle(page.label("all_tokens"), key="figure_all_tokens")
    set_field("bars", "all" if chosen else None)
    return chosen


def _ask_look(page: Page) -> dict[str, Any]:
    say = page.say
    set_initial_value("figure_theme", get_field("colors") or page.theme.name)
    theme = choose(page.label("theme"), say.names("films", "light", "dark"), "figure_theme")
    set_field("colors", None if theme == page.theme.name else theme)
    shapes = {size: say(f"figures.{size}") if size.isalpha() else size for size in SIZES}
    size = ask_option("shape", say("figures.shape"), shapes, "figure_size")
    set_initial_value("figure_transparent", get_field("ground") == "transparent")
    transparent = st.toggle(say("figures.transparent"), key="figure_transparent", help=say("figures.transparent_help"))
    set_field("ground", "transparent" if transparent else None)
    return {"theme": theme, "size": size, "transparent": transparent}


def figure_name(name: str, page: Page) -> str:
    """Name a figure in the reader's language."""
    return FIGURES[name].labels[page.say.language]


def _ask_name(page: Page) -> str:
    linked = canonical(get_field("figure") or "", FIGURES) or None
    if linked is not None and linked not in OFFERED:
        st.toast(escape_markdown(page.say("figures.no_such_figure", name=linked[:60])), icon=":material/link_off:")
        set_field("figure", None)
        linked = None
    names = list(OFFERED)
    left_out = reasons(page.run)
    set_initial_value("figure_choice", linked or next((name for name in names if name not in left_out), names[0]))
    name: str = st.selectbox(
        page.say("figures.figure"),
        names,
        format_func=lambda name: figure_name(name, page) + ("  ∅" if name in left_out else ""),
        key="figure_choice",
    )
    set_field("figure", name)
    return name


def _ask_step(page: Page) -> int | None:
    steps = run_list.snapshot_steps(page.run)
    if not steps:
        return None
    linked, key = get_field("step"), f"figure_step {page.run.name}"
    set_initial_value(key, linked if linked in steps else steps[-1], steps)
    label = page.say("slider.step").capitalize()
    chosen = st.selectbox(label, steps[::-1], format_func=partial(page.say.step, page.run, in_words=False), key=key)
    step = None if chosen == steps[-1] else chosen
    set_step(step)
    return step


def _ask_prompt(page: Page) -> str | None:
    set_initial_value("figure_prompt", get_field("prompt")[:MOST_CHARACTERS])
    text = ask_short_prompt(page, "figure_prompt")
    set_field("prompt", text)
    return text


def _ask_part(page: Page, part: str) -> int | None:
    linked, key = get_field(part), f"figure_{part} {page.run.name}"
    set_initial_value(key, linked if linked in range(n_parts(page.run, part)) else -1)
    at = ask_part(page, part, f"figures.usual_{part}", key)
    set_field(part, at)
    return at


def _ask_map(page: Page) -> dict[str, Any]:
    method = ask_option("method", page.label("method"), METHODS, "figure_method")
    set_initial_value("figure_groups", "; ".join(get_field("group")))
    highlight = split_highlight(highlight_input(page, "figure_groups", "films.groups_help", MOST_CHARACTERS))
    set_field("group", highlight[:MOST_GROUPS])
    return {"method": method, "highlight": highlight}
