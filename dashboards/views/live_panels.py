"""Panels of measures that are made in the background: the scores of the heads, and zero-shot accuracy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import streamlit as st

from dashboards.page import Page, snapshots_text
from dashboards.state.url import get_field, set_field
from dashboards.views.awaited import Line, poll_for
from data.errors import InputError
from viz.drawing.theme import Role, role_color
from viz.player.panels import Curves, Panel, Samples, Series

if TYPE_CHECKING:
    import xarray as xr

    from dashboards.compute.queries import Polled

AREA = "next_line"
Measure = Literal["heads", "zero-shot"]
PROGRESS: dict[Measure, str] = {"heads": "attention.scoring", "zero-shot": "overview.zero_shot_asking"}
"""Keys of the texts that say how many snapshots are measured."""


@dataclass(frozen=True)
class FoundMeasure:
    """A measure of all snapshots as far as it is known, the reason where there is none, and the line over the panel that waits for it."""

    known: xr.Dataset | None
    line: Line
    error: InputError | None = None


def find_measure(page: Page, name: Measure, panel: str) -> FoundMeasure:
    """Find the last result of a measure, or begin to measure it; ``panel`` is the id of the panel that waits for it."""

    from dashboards.compute import queries  # the first page stands sooner without it

    def poll() -> Polled:
        return queries.poll_measure(page.computation, page.run, name)

    try:
        answer = poll_for(page, panel, (name, page.run.path), poll, snapshots_text(page, PROGRESS[name]))
    except InputError as error:
        return FoundMeasure(None, Line(panel), error)
    known = answer.value or queries.latest(page.computation, page.run, name)
    return FoundMeasure(known.value if known else None, answer.line)


@dataclass(frozen=True)
class MeasuredPanel:
    """A panel of a measure of all snapshots, and the line over it; call `dashboards.views.awaited.follow` with the line."""

    panel: Panel
    line: Line


def measured_panel(
    page: Page, name: Measure, draw: Callable[[xr.Dataset], Panel], *, area: str, title: str, empty: str
) -> MeasuredPanel:
    """Draw the last result of a measure; before there is one, the panel says so by the text ``empty``, or why there is none."""
    found = find_measure(page, name, area)
    if found.known is not None:
        panel = draw(found.known)
    else:
        message = page.say.error(found.error) if found.error else page.say(empty)
        panel = Samples(area, area, title, texts=(), empty=message)
    return MeasuredPanel(replace(panel, pending=found.line.pending), found.line)


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
        from dashboards.compute.queries import steps_of

        say, steps = page.say, steps_of(accuracy)
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
    return measured_panel(page, "zero-shot", curves, area=AREA, title=title, empty="overview.zero_shot_yet")
