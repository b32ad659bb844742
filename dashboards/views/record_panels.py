"""Panels of what a run recorded during training: losses and samples. The first page needs no more, so this imports little."""

from __future__ import annotations

from dashboards.compute import record_queries
from dashboards.page import Page
from data.printing import visible
from viz.player.loss_panel import loss_panel
from viz.player.panels import Curves, Samples, StepText


def loss(page: Page) -> Curves:
    """Build the curves of the run's losses."""
    return loss_panel(record_queries.metrics(page.computation, page.run), theme=page.theme, language=page.say.language)


def sample(page: Page, area: str = "sample", *, history: bool = False) -> Samples:
    """Build the panel of the texts sampled during training; with ``history``, it lists all of them."""
    texts = [
        StepText(
            int(one["step"]),
            visible(str(one["text"])),
            page.say("views.temperature", value=page.say.number(one.get("temperature", 0), 1)),
        )
        for one in record_queries.samples(page.computation, page.run)
    ]
    return Samples(
        area, area, page.say("views.sample"), texts=texts, empty=page.say("views.no_sample"), history=history
    )
