"""The embeddings of several runs, turned onto those of the first by the items that they share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st
import xarray as xr

from dashboards.compute import queries
from dashboards.forms.group_form import find_groups, highlight_lassoed
from dashboards.page import Page
from dashboards.player import Events
from dashboards.screens import embeddings_page
from dashboards.screens.compare.grid import area, grid_of_runs, name_of, show_panels
from dashboards.views import run_panels
from dashboards.views.awaited import follow
from dashboards.views.layouts import LayoutChoice, ShownLayout, find_layout, request_layout
from dashboards.widgets import show_notes
from viz.drawing.theme import group_color
from viz.films.side_by_side import shared_labels, turned_onto
from viz.player.comparison_panels import LegendLine
from viz.player.panels import ColoredGroup, Scatter
from viz.projection.projector import METHODS


def embeddings_view(pages: Sequence[Page]) -> Callable[[], None]:
    """Ask how to lay out the tables, and return the function that shows them."""
    form, first = embeddings_page.ask_layout(pages[0]), pages[0]
    st.caption(first.say("compare.rotated_help"))

    def draw() -> None:
        tables, areas = [read_table(page, form) for page in pages], [area(place) for place in range(len(pages))]
        shown = lay_out(pages, tables, form.choice, areas)
        titles = titles_of(pages, tables, shown)
        panels = unify_colors(
            first,
            [
                points(page, where, title, table, shown=layout, form=form)
                for page, where, title, table, layout in zip(pages, areas, titles, tables, shown, strict=True)
            ],
        )
        events = show_panels(
            pages,
            panels,
            grid_of_runs(len(pages)),
            title=first.say(f"compare.title_{form.what}", method=METHODS[shown[0].choice.method]),
            steps=[queries.steps_of(table) for table in tables],
            fields=embeddings_page.FIELDS,
            entries=legend_entries(first, panels),
        )
        follow([one.line for one in shown], events)
        request_layouts(pages, tables, form.choice, areas, events)
        lassoed = tables[areas.index(events.panel)] if events.panel in areas else tables[0]
        highlight_lassoed(queries.labels_of(lassoed), events.selected)

    return draw


def read_table(page: Page, form: embeddings_page.EmbeddingsForm) -> xr.DataArray:
    """Read the table of a run at the snapshots that were requested."""
    table = queries.table(page.computation, page.run, form.what)
    show_notes(table.notes, page.say)
    return embeddings_page.requested_snapshots(page, form, table.value)


def lay_out(
    pages: Sequence[Page], tables: Sequence[xr.DataArray], choice: LayoutChoice, areas: Sequence[str]
) -> list[ShownLayout]:
    """Find the layout of every table, and turn all onto the first; while one is computed, all are by PCA."""
    shown = [find_layout(page, table, choice, where) for page, table, where in zip(pages, tables, areas, strict=True)]
    if len({one.choice for one in shown}) > 1:  # layouts by two methods cannot be compared
        shown = [one.by_pca(page, table) for one, page, table in zip(shown, pages, tables, strict=True)]
    first = shown[0].layout
    return [shown[0], *(replace(one, layout=_turned(one.layout, first)) for one in shown[1:])]


def _turned(layout: xr.Dataset, first: xr.Dataset) -> xr.Dataset:
    return turned_onto(layout, first) if len(shared_labels(layout, first)) > layout.sizes["axis"] else layout


def request_layouts(
    pages: Sequence[Page],
    tables: Sequence[xr.DataArray],
    choice: LayoutChoice,
    areas: Sequence[str],
    events: Events,
) -> None:
    """Begin or cancel the layout of the panel whose button was pressed."""
    for page, table, where in zip(pages, tables, areas, strict=True):
        if where in (events.cancelled, events.started):
            request_layout(page, table, choice, is_wanted=events.started is not None)


def points(
    page: Page,
    where: str,
    title: str,
    table: xr.DataArray,
    *,
    shown: ShownLayout,
    form: embeddings_page.EmbeddingsForm,
) -> Scatter:
    """Build the picture of one run, without a legend of its own."""
    # The notes are those of the first run; the same one is not shown for every run.
    groups = find_groups(page, form.groups, queries.labels_of(table), with_notes=where in ("run0", "one"))
    near = queries.all_neighbours(page.computation, page.run, table, form.metric)
    steps = queries.steps_of(table)
    panel = run_panels.scatter(page, where, title, table, shown.layout, groups=groups, neighbours=near, steps=steps)
    return replace(panel, has_legend=False, pending=shown.pending, about=(*panel.about, "rotation"))


def unify_colors(page: Page, panels: Sequence[Scatter]) -> list[Scatter]:
    """Give a group the same colour in all pictures, also where a run lacks another group."""
    names = dict.fromkeys(group.name for panel in panels for group in (*panel.groups, *panel.classes))
    colors = {name: group_color(page.theme, place) for place, name in enumerate(names)}

    def recolored(groups: Sequence[ColoredGroup]) -> list[ColoredGroup]:
        return [replace(group, color=colors[group.name]) for group in groups]

    found = []
    for panel in panels:
        new = {group.color: colors[group.name] for group in (*panel.groups, *panel.classes)}
        found.append(
            replace(
                panel,
                groups=recolored(panel.groups),
                classes=recolored(panel.classes),
                colors=[new.get(color, color) for color in panel.colors],
            )
        )
    return found


def legend_entries(page: Page, panels: Sequence[Scatter]) -> list[LegendLine]:
    """List the groups and classes of all pictures, and what open discs are, each once."""
    groups = {group.name: group.color for panel in panels for group in (*panel.groups, *panel.classes)}
    entries = [LegendLine(name, color, "disc") for name, color in groups.items()]
    if any(panel.trust is not None and (panel.trust < 255).any() for panel in panels):
        entries.append(LegendLine(page.say("compare.doubt"), page.theme.muted, "ring", page.say("scatter.doubt_note")))
    return entries


def titles_of(pages: Sequence[Page], tables: Sequence[xr.DataArray], shown: Sequence[ShownLayout]) -> list[str]:
    """Write the title of every picture: whether it was turned onto the first, and by how many items."""
    say, first = pages[0].say, name_of(pages[0])
    titles = []
    for place, (page, table, one) in enumerate(zip(pages, tables, shown, strict=True)):
        n_shared = len(shared_labels(one.layout, shown[0].layout))
        is_same = n_shared == table.shape[1] == tables[0].shape[1]
        key = "turned" if is_same else "turned_shared" if n_shared > one.layout.sizes["axis"] else "apart"
        values = {"run": name_of(page), "first": first, "dim": say.number(table.sizes["dim"])}
        values |= {"n": say.number(n_shared), "what": say(f"embeddings.{one.choice.what}")}
        titles.append(say(f"compare.{key if place else 'alone'}", **values))
    return titles
