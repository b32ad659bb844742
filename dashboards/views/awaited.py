"""What panels wait for: a line over each panel says what is being computed and how far it is, while the rest stays usable."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic

import streamlit as st

from dashboards.compute.background_jobs import BackgroundJob
from dashboards.compute.live_runs import digests_of
from dashboards.compute.result_cache import Value
from dashboards.page import Page, snapshot_progress, snapshots_text
from dashboards.player import Events, send_progress
from dashboards.widgets import cleared_place
from data.progress import Progress
from viz.player.panels import Pending

LOOK_EVERY_S = 0.4
READING = "attention.reading"
"""Key of the text that says how many snapshots have read a prompt."""


@dataclass(frozen=True)
class Awaited:
    """A job that a panel waits for.

    Parameters
    ----------
    panel : id of the panel.
    job : the computation; its progress counts up to ``total``.
    text : says what is being computed, given what is done so far.
    cancel : text of the button that cancels it; no such button if empty. Its click is the event ``cancelled`` with the panel's id.
    """

    panel: str
    job: BackgroundJob[Any]
    total: int
    text: Callable[[float], str]
    cancel: str = ""

    def line(self) -> Pending:
        """Build the line over the panel, ``pending`` of `viz.player.panels.Panel`, as it is now."""
        done = self.job.done
        return Pending(self.text(done), min(1.0, done / max(1, self.total)), self.cancel)


def _await_jobs(awaited: Sequence[Awaited]) -> None:
    """Keep the lines over the panels up to date, and rerun the page as soon as one of the jobs has ended."""
    if not awaited:
        return

    @st.fragment(run_every=LOOK_EVERY_S)
    def look() -> None:
        if any(one.job.is_finished for one in awaited):
            st.rerun()
        with st.container(key="progress"):  # without height, see page.css
            send_progress({one.panel: one.line() for one in awaited})

    look()


@dataclass(frozen=True)
class Line:
    """The line over a panel that waits for a computation, or that offers the one that was cancelled.

    Parameters
    ----------
    panel : id of the panel.
    key : of the computation.
    pending : the line as it is now; None where nothing is waited for.
    awaited : the job; None where it was cancelled, or nothing is waited for.
    """

    panel: str
    key: Hashable = None
    pending: Pending | None = None
    awaited: Awaited | None = None


@dataclass(frozen=True)
class Answer(Generic[Value]):
    """A computed value, None until it is there, and the line over the panel that waits for it."""

    value: Value | None
    line: Line


def poll_for(
    page: Page,
    panel: str,
    key: Hashable,
    poll: Callable[[], Value | BackgroundJob[Value]],
    text: Callable[[float], str],
    *,
    total: int | None = None,
) -> Answer[Value]:
    """Return a computed value, or the line over the panel that waits for it.

    Parameters
    ----------
    panel : id of the panel.
    key : of the computation; one that was cancelled is not polled until the reader wants it again.
    poll : returns the value, or the job that computes it.
    text : says what is being computed, given the progress of the job.
    total : up to which the job counts; by default the number of snapshots of the page's run.
    """
    if key in _cancelled():
        return Answer(None, Line(panel, key, Pending(page.say("jobs.was_cancelled"), start=page.say("jobs.compute"))))
    found = poll()
    if not isinstance(found, BackgroundJob):
        return Answer(found, Line(panel))
    awaited = Awaited(panel, found, len(page.run.manifest()) if total is None else total, text, page.say("jobs.cancel"))
    return Answer(None, Line(panel, key, awaited.line(), awaited))


@dataclass(frozen=True)
class Kept(Generic[Value]):
    """What a panel shows, what it was ``asked`` for, and the line over it while something else is computed."""

    value: Value
    asked: Hashable
    line: Line


def find_or_keep(page: Page, panel: str, asked: Hashable, job: Callable[[Progress], Value]) -> Kept[Value]:
    """Return the value that a panel asked for; while it is computed or after it was cancelled, the value that the panel showed before.

    Parameters
    ----------
    panel : id of the panel.
    asked : identifies what is computed, beside the run and its snapshots.
    job : computes it, and counts the snapshots. A panel that has shown nothing yet waits for it.
    """
    key, state, background = (panel, page.run.path, asked), digests_of(page.run), page.computation.background
    kept: dict[str, tuple[Path, Value, Hashable]] = st.session_state.setdefault("kept", {})

    def poll() -> Value | BackgroundJob[Value]:
        return background.poll(key, job, state=state)

    answer, before = poll_for(page, panel, key, poll, snapshots_text(page, READING)), kept.get(panel)
    if answer.value is None and before is not None and before[0] == page.run.path:
        return Kept(before[1], before[2], answer.line)
    value = answer.value
    if value is None:
        with cleared_place() as place:
            value = background.wait_for(key, job, snapshot_progress(page, place, READING), state=state)
    kept[panel] = (page.run.path, value, asked)
    return Kept(value, asked, Line(panel))


def follow(lines: Sequence[Line], events: Events) -> None:
    """Keep lines up to date, and begin or cancel a computation at a click in its line.

    Call it once, after the player has been shown, with the lines of all panels.
    """
    for line in lines:
        if line.key is None or line.panel not in (events.cancelled, events.started):
            continue
        if line.panel == events.started:
            _cancelled().discard(line.key)
        elif line.awaited is not None:
            _cancelled().add(line.key)
            line.awaited.job.cancel()
        st.rerun(scope="app")
    _await_jobs([line.awaited for line in lines if line.awaited is not None])


def _cancelled() -> set[Hashable]:
    """The computations that this visit has cancelled."""
    found: set[Hashable] = st.session_state.setdefault("cancelled_computations", set())
    return found
