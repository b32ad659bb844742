"""What panels wait for: a line over each panel says what is being computed and how far it is, while the rest stays usable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from dashboards.compute.background_jobs import BackgroundJob
from dashboards.player import send_progress
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
