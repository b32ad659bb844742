"""Embeddings: tokens or positions as points that move with the slider, the fidelity of their layout, and comparisons of groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import streamlit as st
import xarray as xr

from dashboards.compute import queries, record_queries
from dashboards.compute.background_jobs import LOOK_EVERY_S, BackgroundJob
from dashboards.compute.result_cache import CachedResult
from dashboards.forms.group_form import ask_highlight, find_groups, highlight_lassoed
from dashboards.page import Page, open_page, show_live, show_scene
from dashboards.state.url import get_field, is_new_event, set_field, visits
from dashboards.views import measure_panels, record_panels, run_panels
from dashboards.views.awaited import follow
from dashboards.views.layouts import LayoutChoice, ShownLayout, find_layout, request_layout
from dashboards.widgets import ask_option, show_notes
from data.errors import InputError
from probes.groups.naming import Group, format_label, parse_label
from probes.tables.embeddings import TableName
from viz.drawing.theme import group_color
from viz.explanations import help_text
from viz.player.panels import Panel
from viz.player.projection_scene import fidelity_panel
from viz.projection.projector import METHODS

FIELDS = ("what", "method", "axes", "metric", "group")
NO_ITEM = -1  # what the browser sends when an item is deselected


@dataclass(frozen=True)
class EmbeddingsForm:
    """The choices in the sidebar."""

    what: TableName
    method: str
    axes: int
    metric: str
    groups: tuple[str, ...]

    @property
    def choice(self) -> LayoutChoice:
        """How the table is to be laid out."""
        return LayoutChoice(self.what, self.method, self.axes, self.metric)


def show() -> None:
    """Draw the page."""
    page = open_page()
    form = ask_layout(page)
    show_live(page, lambda: _draw(page, form))


def ask_layout(page: Page) -> EmbeddingsForm:
    """Ask in the sidebar which table to show, and how; the choices are written into the address."""
    say = page.say
    with st.sidebar:
        what = ask_option("what", page.label("what"), say.names("embeddings", "tokens", "positions"))
        method = ask_option(
            "method", page.label("method"), METHODS, help=help_text("t-sne", "umap", "pca", language=say.language)
        )
        axes = ask_option("axes", page.label("axes"), {2: "2-D", 3: "3-D"})
        metric = ask_option("metric", page.label("metric"), say.names("embeddings", "euclidean", "cosine"))
        groups = ask_highlight(page)
        if method != "pca":
            st.caption(say("embeddings.tsne_warning"))
        elif page.is_live:
            st.caption(say("embeddings.live_pca"))
    return EmbeddingsForm("tokens" if what == "tokens" else "positions", method, axes, metric, groups)


def _draw(page: Page, form: EmbeddingsForm) -> None:
    table = queries.table(page.computation, page.run, form.what)
    show_notes(table.notes, page.say)
    trajectory = requested_snapshots(page, form, table.value)
    labels = queries.labels_of(trajectory)
    groups = find_groups(page, form.groups, labels)
    shown = find_layout(page, trajectory, form.choice, _waiting_panel(form))
    item, compared = _selected_item(page, labels), _compare(page, form, trajectory, groups)
    points = run_panels.scatter(
        page,
        "points",
        title_of(page, shown.choice, trajectory),
        trajectory,
        shown.layout,
        groups=groups,
        neighbours=queries.all_neighbours(page.computation, page.run, trajectory, form.metric),
    )
    points = replace(points, camera=_first_camera(page) if form.axes == 3 else None)
    around: list[Panel] = []
    if item is not None:
        around.append(measure_panels.neighbours(page, trajectory, item=item, metric=form.metric, groups=groups))
    column = _side_panels(page, form.what, shown.layout, compared, around)
    columns = " ".join(f'"points {panel.area}" {height}' for panel, height in column)
    panels = [_with_line(panel, form, shown) for panel in (points, *(panel for panel, _ in column))]
    steps = queries.steps_of(trajectory)
    fields = (*FIELDS, "item", *(["camera"] if form.axes == 3 else []))
    events = show_scene(page, "embeddings", panels, f"{columns} / 12fr 6fr", steps, fields=fields)
    if events.camera is not None and is_new_event("camera", events.camera):
        set_field("camera", tuple(events.camera) or None)
    highlight_lassoed(labels, events.selected)
    _select_item(labels, events.item)
    follow([shown.line], events)
    if _waiting_panel(form) in (events.cancelled, events.started):
        request_layout(page, trajectory, form.choice, is_wanted=events.started is not None)
    _await(compared)


def _first_camera(page: Page) -> tuple[float, float, float] | None:
    """Return the camera that the link named when the page was opened; afterwards the browser moves it."""
    entered = st.session_state.setdefault("first_camera", {})
    found: tuple[float, float, float] | None = entered.setdefault((page.run.name, visits()), get_field("camera"))
    return found


def _waiting_panel(form: EmbeddingsForm) -> str:
    """Name the panel that waits for a layout: the points themselves, but those of PCA are there at once, and only its fidelity is not."""
    return "fidelity" if form.method == "pca" else "points"


def _with_line(panel: Panel, form: EmbeddingsForm, shown: ShownLayout) -> Panel:
    return replace(panel, pending=shown.pending) if panel.id == _waiting_panel(form) else panel


def _side_panels(
    page: Page, what: TableName, layout: xr.Dataset, compared: _Compared, around: Sequence[Panel]
) -> list[tuple[Panel, str]]:
    """Build the panels beside the points, from the top down, each with its height in CSS; ``around`` holds the neighbours of an item."""
    colors = compared.colors(page)
    column = [(panel, "6fr") for panel in around]
    if colors:
        column.append((measure_panels.cohesion(page, compared.known, colors), "5fr"))
        column.append((measure_panels.comparisons(page, what, compared.known, colors), "fit-content(24%)"))
    if not (around and colors) and record_queries.metrics(page.computation, page.run):
        column.insert(0, (record_panels.loss(page), "4fr"))
    column.append((fidelity_panel(layout, language=page.say.language), "fit-content(40%)"))
    if not around and not colors and record_queries.samples(page.computation, page.run):
        column.append((record_panels.sample(page), "4fr"))
    return column if len(column) > 1 else [(column[0][0], "1fr")]


def requested_snapshots(page: Page, form: EmbeddingsForm, trajectory: xr.DataArray) -> xr.DataArray:
    """Select the snapshots to lay out: for a live run by t-SNE or UMAP, those that existed when the layout was requested."""
    if not page.is_live or form.method == "pca":
        return trajectory
    key = (page.run.name, form.what, form.method)
    last_steps: dict[object, int] = st.session_state.setdefault("last_steps", {})
    last = last_steps.setdefault(key, int(trajectory["step"][-1]))
    n_new = int((trajectory["step"] > last).sum())
    label = page.say.count("embeddings.refresh", n_new)
    if n_new and st.button(label, key=f"refresh {page.run.name}", icon=":material/refresh:"):
        last_steps[key] = last = int(trajectory["step"][-1])
    return trajectory.sel(step=slice(None, last))


def title_of(page: Page, choice: LayoutChoice, trajectory: xr.DataArray) -> str:
    """Write the title of a picture: its table and its method."""
    return page.say(f"embeddings.title_{choice.what}", dim=trajectory.sizes["dim"], method=METHODS[choice.method])


@dataclass(frozen=True)
class _Compared:
    """The comparisons of groups with null groups, by the name of the group: finished ones are ``known``, others are ``running``."""

    groups: Sequence[Group]
    known: Mapping[str, xr.Dataset]
    running: Mapping[str, BackgroundJob[CachedResult[xr.Dataset]]]

    def colors(self, page: Page) -> dict[str, str]:
        """Return the colours of the groups that can be compared; they are those of the points."""
        names = {*self.known, *self.running}
        return {group.name: group_color(page.theme, i) for i, group in enumerate(self.groups) if group.name in names}


def _compare(page: Page, form: EmbeddingsForm, trajectory: xr.DataArray, groups: Sequence[Group]) -> _Compared:
    """Compare every group with null groups; a note says why one cannot be compared."""
    table = page.computation, page.run, trajectory
    known, running, notes = {}, {}, []
    for group in groups:
        try:
            found = queries.group_cohesion(*table, group, what=form.what, metric=form.metric)
        except InputError as error:
            notes.append(f"{group.name}: {error}")
            continue
        if isinstance(found, BackgroundJob):
            running[group.name] = found
        else:
            notes += found.notes
            known[group.name] = found.value
    show_notes(notes, page.say)
    return _Compared(groups, known, running)


def _await(compared: _Compared) -> None:
    """Rerun the page when another comparison is finished."""
    if not compared.running:
        return

    @st.fragment(run_every=LOOK_EVERY_S)
    def look() -> None:
        if any(job.is_finished for job in compared.running.values()):
            st.rerun()

    look()


def _selected_item(page: Page, labels: Sequence[str]) -> int | None:
    """Return the item whose neighbours are listed; a note says so if the run does not have the one that the address names."""
    name = get_field("item")
    found = None if name is None else parse_label(name, labels)
    if name is not None and found is None:
        show_notes([page.say("embeddings.no_such_item", name=name)], page.say)
    return found


def _select_item(labels: Sequence[str], item: int | None) -> None:
    """List the neighbours of the item that was clicked, or no longer of any, and rerun the page."""
    if item is None or item >= len(labels) or not is_new_event("item", item):
        return
    set_field("item", None if item == NO_ITEM else format_label(item, labels))
    st.rerun(scope="app")
