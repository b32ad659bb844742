"""What panels wait for: a line over each panel says what is being computed and how far it is, while the rest stays usable."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic

import streamlit as st

from dashboards.compute.background_jobs import BackgroundJob
from dashboards.compute.result_cache import Value
from dashboards.page import Page
from dashboards.player import Events, send_progress
from viz.player.panels import Pending

LOOK_EVERY_S = 0.4


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


def await_jobs(awaited: Sequence[Awaited]) -> None:
    """Keep the lines over the panels up to date, and rerun the page as soon as one of the jobs has ended.

    Call it after the player has been shown.
    """
    if not awaited:
        return

    @st.fragment(run_every=LOOK_EVERY_S)
    def look() -> None:
        if any(one.job.is_finished for one in awaited):
            st.rerun()
        with st.container(key="progress"):  # without height, see `dashboards.page.STYLE`
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
) -> Answer[Value]:
    """Return a computed value, or the line over the panel that waits for it.

    Parameters
    ----------
    panel : id of the panel.
    key : of the computation; one that was cancelled is not polled until the reader wants it again.
    poll : returns the value, or the job that computes it. The job counts the snapshots of the page's run.
    text : says what is being computed, given the number of snapshots that are done.
    """
    if key in _cancelled():
        return Answer(None, Line(panel, key, Pending(page.say("jobs.was_cancelled"), start=page.say("jobs.compute"))))
    found = poll()
    if not isinstance(found, BackgroundJob):
        return Answer(found, Line(panel))
    awaited = Awaited(panel, found, len(page.run.manifest()), text, page.say("jobs.cancel"))
    return Answer(None, Line(panel, key, awaited.line(), awaited))


def follow(lines: Sequence[Line], events: Events) -> None:
    """Keep lines up to date, and begin or cancel a computation at a click in its line. Call it after the player has been shown."""
    for line in lines:
        if line.key is None or line.panel not in (events.cancelled, events.started):
            continue
        if line.panel == events.started:
            _cancelled().discard(line.key)
        elif line.awaited is not None:
            _cancelled().add(line.key)
            line.awaited.job.cancel()
        st.rerun(scope="app")
    await_jobs([line.awaited for line in lines if line.awaited is not None])


def _cancelled() -> set[Hashable]:
    """The computations that this visit has cancelled."""
    found: set[Hashable] = st.session_state.setdefault("cancelled_computations", set())
    return found
