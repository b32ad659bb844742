"""The zero-shot panel: how often each snapshot finds the next one of four lines."""

from __future__ import annotations

import streamlit as st
import xarray as xr

from dashboards.compute import queries
from dashboards.compute.background_jobs import BackgroundJob
from dashboards.compute.live_runs import digests_of
from dashboards.compute.result_cache import CachedResult
from dashboards.page import Page
from dashboards.state.url import get_field, set_field
from data.errors import InputError
from viz.drawing.theme import group_color
from viz.player import Curves, Panel, Samples
from viz.player.panels import Series

LOOK_EVERY_S = 0.7
AREA = "next_line"


def ask_zero_shot(page: Page) -> bool:
    """Ask whether to measure zero-shot accuracy, and show progress while it is measured."""
    say = page.say
    wanted = st.toggle(
        say("overview.zero_shot"),
        value=get_field("ask") == "zero-shot",
        key="zero_shot",
        help=say("overview.zero_shot_help"),
    )
    set_field("ask", "zero-shot" if wanted else None)
    found = _poll(page) if wanted else None
    if isinstance(found, BackgroundJob):
        show_progress(page, found, "overview.zero_shot_asking")
    return wanted


def show_progress(page: Page, job: BackgroundJob[CachedResult[xr.Dataset]], key: str) -> None:
    """Show the progress of a job over the snapshots, and rerun the page when it is finished."""

    @st.fragment(run_every=LOOK_EVERY_S)
    def progress() -> None:
        if job.is_finished:
            st.rerun()
        total = max(1, len(page.run.manifest()))
        st.progress(min(1.0, job.done / total), page.say(key, done=job.done, total=total))

    progress()


def zero_shot_panel(page: Page) -> Panel:
    """Build the curves of zero-shot accuracy; without a result, the panel says why."""
    found = _poll(page)
    title = page.say("overview.zero_shot_name")
    if isinstance(found, InputError):
        return Samples(AREA, AREA, title, texts=(), empty=page.say.error(found))
    known = queries.latest(page.computation, page.run, "zero-shot") if isinstance(found, BackgroundJob) else found
    if known is None:
        return Samples(AREA, AREA, title, texts=(), empty=page.say("overview.zero_shot_yet"))
    return _curves(page, known.value)


def _curves(page: Page, accuracy: xr.Dataset) -> Curves:
    say, steps = page.say, queries.steps_of(accuracy)
    series = [
        Series(say(f"overview.{name}"), group_color(page.theme, place), steps, accuracy[name].values.tolist())
        for place, name in enumerate(("accuracy_by_gain", "accuracy"))
    ]
    chance = float(accuracy["accuracy"].attrs["chance"])
    series.append(Series(say("overview.chance"), page.theme.muted, steps, [chance] * len(steps), True))
    title = say("overview.zero_shot_title", n=say.number(int(accuracy.attrs["questions"])))
    return Curves(AREA, AREA, title, series=series)


def _poll(page: Page) -> CachedResult[xr.Dataset] | BackgroundJob[CachedResult[xr.Dataset]] | InputError:
    try:
        return page.computation.background.poll(
            ("zero-shot", page.run.path),
            lambda progress: queries.zero_shot(page.computation, page.run, progress),
            state=digests_of(page.run),
        )
    except InputError as error:
        return error
