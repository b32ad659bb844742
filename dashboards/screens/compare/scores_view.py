"""The scores of the heads of several runs, which are measured in the background."""

from __future__ import annotations

from dataclasses import dataclass

import xarray as xr

from dashboards.compute import queries
from dashboards.compute.background_jobs import BackgroundJob
from dashboards.page import Page
from dashboards.views.awaited import Awaited
from data.errors import InputError


@dataclass(frozen=True)
class Scores:
    """The scores of a run's heads as far as they are known, why there are none, and the job that measures them."""

    known: xr.Dataset | None = None
    error: InputError | None = None
    awaited: Awaited | None = None


def find_scores(page: Page, where: str) -> Scores:
    """Find the scores of a run, or begin to measure them; ``where`` is the id of the panel that waits for them."""
    try:
        found = queries.poll_measure(page.computation, page.run, "heads")
    except InputError as error:
        return Scores(error=error)
    if not isinstance(found, BackgroundJob):
        return Scores(found.value)
    before, say = queries.latest(page.computation, page.run, "heads"), page.say
    total = max(1, len(page.run.manifest()))

    def text(done: float) -> str:
        return say("attention.scoring", done=say.number(min(total, int(done) + 1)), total=say.number(total))

    return Scores(before.value if before else None, awaited=Awaited(where, found, total, text))
