"""The layout of a table on a page: what was requested, or what can be shown until that is computed."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace

import streamlit as st
import xarray as xr

from dashboards.compute import queries
from dashboards.compute.background_jobs import BackgroundJob
from dashboards.page import Page
from dashboards.views.awaited import Awaited, Line
from dashboards.widgets import show_notes
from probes.tables.embeddings import TableName
from viz.player.panels import Pending
from viz.projection import umap

# The layout of a larger table takes minutes and is computed only on request. PCA is drawn at once; its fidelity takes as long.
MANY_ITEMS = 1500
SECONDS_PER_ITEM_AND_STEP = {"tsne": 2e-3, "umap": 2e-3, "pca": 3e-4}


@dataclass(frozen=True)
class LayoutChoice:
    """Which table to lay out, and how."""

    what: TableName
    method: str
    axes: int
    metric: str


@dataclass(frozen=True)
class ShownLayout:
    """The layout that a page shows.

    Parameters
    ----------
    layout : the projection; without fidelity where that has not been measured.
    choice : how it was made. While another is computed this is the one shown before, or PCA.
    awaited : the job that computes what was requested.
    offer : a line that offers to compute it.
    """

    layout: xr.Dataset
    choice: LayoutChoice
    awaited: Awaited | None = None
    offer: Pending | None = None

    @property
    def pending(self) -> Pending | None:
        """The line over the panel: how far the computation is, or the offer to begin it."""
        return self.awaited.line() if self.awaited else self.offer

    @property
    def line(self) -> Line:
        """The line, to be followed; its clicks are those of `request_layout`."""
        return Line(self.awaited.panel if self.awaited else "", None, self.pending, self.awaited)

    def by_pca(self, page: Page, trajectory: xr.DataArray) -> ShownLayout:
        """Replace the layout by that of PCA, with the same line over the panel."""
        return replace(_by_pca(page, trajectory, self.choice), awaited=self.awaited, offer=self.offer)


def find_layout(page: Page, trajectory: xr.DataArray, choice: LayoutChoice, panel: str = "points") -> ShownLayout:
    """Find the layout to show; what takes longer is computed in the background, and that of a large table only on request.

    ``panel`` is the id of the panel over which the progress is shown.
    """
    table, (n_steps, n_items) = (page.computation, page.run, trajectory), trajectory.shape[:2]
    is_wanted = _requests().get((page.run.path, choice), n_items <= MANY_ITEMS)
    if not is_wanted and not queries.is_cached(*table, choice.method, n_axes=choice.axes, metric=choice.metric):
        return replace(_stand_in(page, trajectory, choice), offer=_offer(page, trajectory, choice))
    found = queries.poll_projection(*table, choice.method, n_axes=choice.axes, metric=choice.metric)
    if isinstance(found, BackgroundJob):
        awaited = Awaited(panel, found, 2 * n_steps, _progress_text(page, choice, n_steps), page.say("jobs.cancel"))
        return replace(_stand_in(page, trajectory, choice), awaited=awaited)
    show_notes(found.notes, page.say)
    _shown()[page.run.path, choice.what] = choice
    return ShownLayout(found.value, choice)


def request_layout(page: Page, trajectory: xr.DataArray, choice: LayoutChoice, *, is_wanted: bool) -> None:
    """Begin to compute a layout, or cancel it, and rerun the page."""
    _requests()[page.run.path, choice] = is_wanted
    if not is_wanted:
        queries.cancel_projection(
            page.computation, page.run, trajectory, choice.method, n_axes=choice.axes, metric=choice.metric
        )
    st.rerun(scope="app")


def _stand_in(page: Page, trajectory: xr.DataArray, choice: LayoutChoice) -> ShownLayout:
    """Find what can be shown at once: the same layout without fidelity, the layout shown before, or PCA."""
    table = page.computation, page.run, trajectory
    before = _shown().get((page.run.path, choice.what))
    if choice.method != "pca" and before is not None:
        method, axes, metric = before.method, before.axes, before.metric
        if queries.is_cached(*table, method, n_axes=axes, metric=metric):
            return ShownLayout(queries.projection(*table, method, n_axes=axes, metric=metric).value, before)
    return _by_pca(page, trajectory, choice)


def _by_pca(page: Page, trajectory: xr.DataArray, choice: LayoutChoice) -> ShownLayout:
    table, pca = (page.computation, page.run, trajectory), replace(choice, method="pca")
    return ShownLayout(queries.pca_without_fidelity(*table, n_axes=pca.axes, metric=pca.metric).value, pca)


def _offer(page: Page, trajectory: xr.DataArray, choice: LayoutChoice) -> Pending:
    """Offer a computation that takes minutes, or that was cancelled."""
    say, (n_steps, n_items) = page.say, trajectory.shape[:2]
    minutes = max(1, round(n_items * n_steps * SECONDS_PER_ITEM_AND_STEP[choice.method] / 60))
    key = "offer_fidelity" if choice.method == "pca" else "offer_layout"
    snapshots = say.count("embeddings.n_snapshots", n_steps)
    start = say(f"embeddings.{key}", n=say.number(n_items), what=say(f"embeddings.{choice.what}"), snapshots=snapshots)
    is_large = n_items > MANY_ITEMS
    help = say(f"embeddings.{key}_help", minutes=minutes) if is_large else say("embeddings.cancelled")
    return Pending(help, start=start)


def _progress_text(page: Page, choice: LayoutChoice, n_steps: int) -> Callable[[float], str]:
    say = page.say

    def text(done: float) -> str:
        if choice.method == "umap" and not done and not umap.is_imported():
            return say("embeddings.preparing_umap")
        if done >= n_steps or choice.method == "pca":
            measured = say.number(min(n_steps, max(1, int(done) - n_steps + 1)))
            return say("embeddings.measuring_fidelity", done=measured, total=say.number(n_steps))
        return say("embeddings.laying_out", done=say.number(int(done) + 1), total=say.number(n_steps))

    return text


def _requests() -> dict[Hashable, bool]:
    """The layouts that this visit has requested (True) or cancelled (False)."""
    found: dict[Hashable, bool] = st.session_state.setdefault("requested_layouts", {})
    return found


def _shown() -> dict[Hashable, LayoutChoice]:
    """How the layout was made that was shown last, by run and table."""
    found: dict[Hashable, LayoutChoice] = st.session_state.setdefault("shown_layouts", {})
    return found
