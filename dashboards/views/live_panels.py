"""Panels of measures that are made in the background: the scores of the heads, and zero-shot accuracy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import streamlit as st
import xarray as xr

from dashboards.compute import queries
from dashboards.page import Page
from dashboards.state.url import get_field, set_field
from dashboards.views.awaited import Line, poll_for
from data.errors import InputError
from viz.drawing.theme import Role, role_color
from viz.player.panels import Curves, Panel, Samples, Series

AREA = "next_line"
Measure = Literal["heads", "zero-shot"]


@dataclass(frozen=True)
class MeasuredPanel:
    """A panel of a measure of all snapshots, and the line over it; call `dashboards.views.awaited.follow` with the line."""

    panel: Panel
    line: Line


def measured_panel(
    page: Page, name: Measure, draw: Callable[[xr.Dataset], Panel], *, area: str, title: str, texts: tuple[str, str]
) -> MeasuredPanel:
    """Draw the last result of a measure; while it is measured, or if it was cancelled, a line over the panel says so.

    ``texts`` are the keys of what stands in the panel before there is a result, and of what the line says.
    """
    key, (empty, progress), total = (name, page.run.path), texts, len(page.run.manifest())

    def text(done: float) -> str:
        return page.say(progress, done=page.say.number(int(done)), total=page.say.number(total))

    def poll() -> queries.Polled:
        return queries.poll_measure(page.computation, page.run, name)

    try:
        answer = poll_for(page, area, key, poll, text)
    except InputError as error:
        return MeasuredPanel(Samples(area, area, title, texts=(), empty=page.say.error(error)), Line(area))
    known = answer.value or queries.latest(page.computation, page.run, name)
    panel = draw(known.value) if known else Samples(area, area, title, texts=(), empty=page.say(empty))
    return MeasuredPanel(replace(panel, pending=answer.line.pending), answer.line)


def ask_zero_shot(page: Page) -> bool:
    """Ask whether to measure zero-shot accuracy."""
    say = page.say
    before, help = get_field("ask") == "zero-shot", say("overview.zero_shot_help")
    wanted = st.toggle(say("overview.zero_shot"), value=before, key="zero_shot", help=help)
    set_field("ask", "zero-shot" if wanted else None)
    return wanted


def zero_shot_panel(page: Page) -> MeasuredPanel:
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
    texts = ("overview.zero_shot_yet", "overview.zero_shot_asking")
    return measured_panel(page, "zero-shot", curves, area=AREA, title=title, texts=texts)
