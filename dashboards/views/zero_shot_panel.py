"""Zero-shot under the slider: how often each snapshot tells which of four lines comes next, a curve beside the loss."""

from __future__ import annotations

import streamlit as st
import xarray as xr

from dashboards.compute import queries
from dashboards.compute.background_jobs import BackgroundJob, look
from dashboards.compute.live_runs import digests_of, latest
from dashboards.compute.result_cache import Result
from dashboards.page import Page, without_advice
from dashboards.state.url import get_field, set_field
from data.errors import InputError
from data.runs import Run
from viz.drawing.theme import group_color
from viz.player import Curves, Panel, Samples
from viz.player.panels import Series

LOOK_EVERY_S = 0.7
AREA = "next_line"


def ask_zero_shot(page: Page) -> bool:
    """Offer to ask the snapshots; while they are asked, show how far it is, and draw the page anew at the end."""
    say = page.say
    wanted = st.toggle(
        say("overview.zero_shot"),
        value=get_field("ask") == "zero-shot",
        key="zero_shot",
        help=say("overview.zero_shot_help"),
    )
    set_field("ask", "zero-shot" if wanted else None)
    found = _look(page.run) if wanted else None
    if isinstance(found, BackgroundJob):
        _progress(page, found)
    return wanted


def _progress(page: Page, work: BackgroundJob[Result[xr.Dataset]]) -> None:
    @st.fragment(run_every=LOOK_EVERY_S)
    def progress() -> None:
        if work.is_over:
            st.rerun()
        total = max(1, len(page.run.manifest()))
        st.progress(min(1.0, work.done / total), page.say("overview.zero_shot_asking", done=work.done, total=total))

    progress()


def zero_shot_panel(page: Page) -> Panel:
    """Return the curves; in their place, while there are none, why."""
    found = _look(page.run)
    title = page.say("overview.zero_shot_name")
    if isinstance(found, InputError):
        return Samples(AREA, AREA, title, texts=(), empty=without_advice(found))
    known = latest(page.run, ("zero-shot",)) if isinstance(found, BackgroundJob) else None
    data = known[1].value if known else None if isinstance(found, BackgroundJob) else found.value
    if data is None:
        return Samples(AREA, AREA, title, texts=(), empty=page.say("overview.zero_shot_yet"))
    return _curves(page, data)


def _curves(page: Page, found: xr.Dataset) -> Curves:
    say, steps = page.say, queries.steps_of(found)
    series = [
        Series(say(f"overview.{name}"), group_color(page.theme, place), steps, found[name].values.tolist())
        for place, name in enumerate(("accuracy_by_gain", "accuracy"))
    ]
    chance = float(found["accuracy"].attrs["chance"])
    series.append(Series(say("overview.chance"), page.theme.muted, steps, [chance] * len(steps), True))
    title = say("overview.zero_shot_title", n=say.number(int(found.attrs["questions"])))
    return Curves(AREA, AREA, title, series=series)


def _look(run: Run) -> Result[xr.Dataset] | BackgroundJob[Result[xr.Dataset]] | InputError:
    try:
        return look(("zero-shot", run.path), lambda progress: queries.zero_shot(run, progress), state=digests_of(run))
    except InputError as mistake:
        return mistake
