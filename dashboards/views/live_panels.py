"""Panels of measures that are made in the background: the scores of the heads, and zero-shot accuracy."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Literal

import streamlit as st
import xarray as xr

from dashboards.compute import queries
from dashboards.compute.background_jobs import BackgroundJob
from dashboards.page import Page
from dashboards.state.url import get_field, set_field
from data.errors import InputError
from viz.drawing.theme import Role, role_color
from viz.player.panels import Curves, Panel, Samples, Series

LOOK_EVERY_S = 0.7
AREA = "next_line"
Measure = Literal["heads", "zero-shot"]


def await_measure(page: Page, name: Measure, key: str) -> None:
    """Measure all snapshots, with progress shown, and rerun the page when it is finished; `measured_panel` shows errors."""
    found = None
    with contextlib.suppress(InputError):
        found = queries.poll_measure(page.computation, page.run, name)
    if not isinstance(found, BackgroundJob):
        return
    job = found

    @st.fragment(run_every=LOOK_EVERY_S)
    def progress() -> None:
        if job.is_finished:
            st.rerun()
        total = max(1, len(page.run.manifest()))
        st.progress(min(1.0, job.done / total), page.say(key, done=int(job.done), total=total))

    progress()


def measured_panel(
    page: Page, name: Measure, draw: Callable[[xr.Dataset], Panel], *, area: str, title: str, pending: str
) -> Panel:
    """Draw the last result of a measure; without one, the panel says why, or by the text ``pending`` that it is being measured."""
    try:
        found = queries.poll_measure(page.computation, page.run, name)
        known = queries.latest(page.computation, page.run, name) if isinstance(found, BackgroundJob) else found
    except InputError as error:
        return Samples(area, area, title, texts=(), empty=page.say.error(error))
    return draw(known.value) if known else Samples(area, area, title, texts=(), empty=page.say(pending))


def ask_zero_shot(page: Page) -> bool:
    """Ask whether to measure zero-shot accuracy, and show progress while it is measured."""
    say = page.say
    before, help = get_field("ask") == "zero-shot", say("overview.zero_shot_help")
    wanted = st.toggle(say("overview.zero_shot"), value=before, key="zero_shot", help=help)
    set_field("ask", "zero-shot" if wanted else None)
    if wanted:
        await_measure(page, "zero-shot", "overview.zero_shot_asking")
    return wanted


def zero_shot_panel(page: Page) -> Panel:
    """Build the curves of zero-shot accuracy."""

    def curves(accuracy: xr.Dataset) -> Curves:
        say, steps = page.say, queries.steps_of(accuracy)
        names: tuple[Role, ...] = ("accuracy_by_gain", "accuracy")
        series = [
            Series(say(f"overview.{name}"), role_color(page.theme, name), steps, accuracy[name].values.tolist())
            for name in names
        ]
        chance = float(accuracy["accuracy"].attrs["chance"])
        series.append(Series(say("overview.chance"), page.theme.muted, steps, [chance] * len(steps), True))
        title = say("overview.zero_shot_title", n=say.number(int(accuracy.attrs["questions"])))
        return Curves(AREA, AREA, title, series=series, about=("zero-shot",))

    title = page.say("overview.zero_shot_name")
    return measured_panel(page, "zero-shot", curves, area=AREA, title=title, pending="overview.zero_shot_yet")
