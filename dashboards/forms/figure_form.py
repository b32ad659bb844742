"""The form for a figure, and which figures a run has the data for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboards.forms.film_form import MOST_CHARACTERS
from dashboards.forms.group_form import MOST_GROUPS
from dashboards.page import Page, escape_markdown, set_step
from dashboards.state.film_list import METHODS
from dashboards.state.url import get_field, set_field, set_initial_value
from data.errors import InputError
from data.runs import Run
from probes.groups.naming import split_highlight
from probes.texts import default_prompt
from trainer.config import described_model
from viz.drawing.slide import SIZES
from viz.grouped_table import loss_curve
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
        for part in ("layer", "head"):
            if part in fields:
                given[part] = _ask_part(page, part)
        if "highlight" in fields:
            given.update(_ask_map(page))
        given |= _ask_look(page)
    return FigureRequest(only=(name,), run=page.run.name, **given)


def _ask_look(page: Page) -> dict[str, Any]:
    say = page.say
    set_initial_value("figure_theme", get_field("colors") or page.theme.name)
    theme = st.segmented_control(
        page.label("theme"),
        ["light", "dark"],
        format_func=lambda theme: say(f"films.{theme}"),
        required=True,
        key="figure_theme",
    )
    set_field("colors", None if theme == page.theme.name else theme)
    set_initial_value("figure_size", get_field("shape"))
    size = st.segmented_control(
        say("figures.shape"),
        list(SIZES),
        format_func=lambda size: say("figures.square") if size == "square" else size,
        required=True,
        key="figure_size",
    )
    set_field("shape", size)
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
    steps = [record["step"] for record in page.run.manifest()]
    if not steps:
        return None
    linked = get_field("step")
    set_initial_value(f"figure_step {page.run.name}", linked if linked in steps else steps[-1], steps)
    step = st.selectbox(
        page.say("slider.step").capitalize(),
        steps[::-1],
        format_func=page.say.number,
        key=f"figure_step {page.run.name}",
    )
    set_step(None if step == steps[-1] else step)
    return None if step == steps[-1] else step


def _ask_prompt(page: Page) -> str | None:
    try:
        usual = default_prompt(page.run)
    except InputError:
        usual = ""
    set_initial_value("figure_prompt", get_field("prompt")[:MOST_CHARACTERS])
    text = st.text_input(
        page.label("prompt"),
        key="figure_prompt",
        placeholder=usual,
        max_chars=MOST_CHARACTERS,
        help=page.say("attention.prompt_help"),
    )
    set_field("prompt", text)
    return text or None


def _ask_part(page: Page, part: str) -> int | None:
    n = int(page.run.info.get("model", {}).get(f"n_{part}", 0))
    linked = get_field(part)
    set_initial_value(f"figure_{part} {page.run.name}", linked if linked is not None and linked < n else -1)
    at = st.selectbox(
        page.say(f"slider.{part}").capitalize(),
        [-1, *range(n)],
        format_func=lambda at: page.say(f"figures.usual_{part}") if at < 0 else str(at),
        key=f"figure_{part} {page.run.name}",
    )
    set_field(part, None if at < 0 else at)
    return None if at < 0 else at


def _ask_map(page: Page) -> dict[str, Any]:
    say = page.say
    set_initial_value("figure_method", get_field("method"))
    method = st.segmented_control(
        page.label("method"),
        list(METHODS),
        format_func=METHODS.__getitem__,
        required=True,
        key="figure_method",
    )
    set_field("method", method)
    set_initial_value("figure_groups", "; ".join(get_field("group")))
    text = st.text_input(
        page.label("highlight"),
        key="figure_groups",
        placeholder=say("embeddings.groups_placeholder"),
        max_chars=MOST_CHARACTERS,
        help=say("films.groups_help"),
    )
    set_field("group", split_highlight(text)[:MOST_GROUPS])
    return {"method": method, "highlight": split_highlight(text)}
