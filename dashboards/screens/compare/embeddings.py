"""The embeddings of several runs, turned onto those of the first by the items that they share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st
import xarray as xr

from dashboards.compute import queries
from dashboards.forms.group_form import find_groups, highlight_lassoed
from dashboards.page import Page
from dashboards.screens import embeddings_page
from dashboards.screens.compare.grid import area, grid_of_runs, show_panels
from dashboards.views import run_panels
from dashboards.widgets import show_notes
from viz.drawing.theme import group_color
from viz.films.side_by_side import shared_labels, turned_onto
from viz.player.comparison_panels import LegendEntry
from viz.player.panels import ColoredGroup, Scatter
from viz.projection.projector import METHODS


def embeddings_view(pages: Sequence[Page]) -> Callable[[], None]:
    """Ask how to lay out the tables, and return the function that shows them."""
    form, first = embeddings_page.ask_layout(pages[0]), pages[0]
    st.caption(first.say("compare.rotated_help"))

    def draw() -> None:
        tables = [read_table(page, form) for page in pages]
        layouts = lay_out(pages, tables, form)
        if layouts is None:
            return
        titles = titles_of(pages, tables, layouts, form)
        panels = unify_colors(
            first,
            [
                points(page, area(place), titles[place], tables[place], layouts[place], form, with_notes=not place)
                for place, page in enumerate(pages)
            ],
        )
        events = show_panels(
            pages,
            panels,
            grid_of_runs(len(pages)),
            title=first.say(f"compare.title_{form.what}", method=METHODS[form.method]),
            steps=[queries.steps_of(table) for table in tables],
            fields=embeddings_page.FIELDS,
            entries=legend_entries(first, panels),
        )
        lassoed = next((table for place, table in enumerate(tables) if events.panel == area(place)), tables[0])
        highlight_lassoed(queries.labels_of(lassoed), events.selected)

    return draw


def read_table(page: Page, form: embeddings_page.EmbeddingsForm) -> xr.DataArray:
    """Read the table of a run at the snapshots that were requested."""
    table = queries.table(page.computation, page.run, form.what)
    show_notes(table.notes, page.say)
    return embeddings_page.requested_snapshots(page, form, table.value)


def lay_out(
    pages: Sequence[Page], tables: Sequence[xr.DataArray], form: embeddings_page.EmbeddingsForm
) -> list[xr.Dataset] | None:
    """Lay out every table, and turn all onto the first; None while a large one has not been requested."""
    layouts: list[xr.Dataset] = []
    for page, table in zip(pages, tables, strict=True):
        layout = embeddings_page.layout_of(page, table, form)
        if layout is None:
            return None
        if layouts and len(shared_labels(layout, layouts[0])) > form.axes:
            layout = turned_onto(layout, layouts[0])
        layouts.append(layout)
    return layouts


def points(
    page: Page,
    where: str,
    title: str,
    table: xr.DataArray,
    layout: xr.Dataset,
    form: embeddings_page.EmbeddingsForm,
    *,
    with_notes: bool,
) -> Scatter:
    """Build the picture of one run, without a legend of its own."""
    groups = find_groups(page, form.groups, queries.labels_of(table), with_notes=with_notes)
    near = queries.all_neighbours(page.computation, page.run, table, form.metric)
    steps = queries.steps_of(table)
    panel = run_panels.scatter(page, where, title, table, layout, groups=groups, neighbours=near, steps=steps)
    return replace(panel, has_legend=False)


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


def legend_entries(page: Page, panels: Sequence[Scatter]) -> list[LegendEntry]:
    """List the groups and classes of all pictures, and what open discs are, each once."""
    groups = {group.name: group.color for panel in panels for group in (*panel.groups, *panel.classes)}
    entries = [LegendEntry(name, color, "disc") for name, color in groups.items()]
    if any(panel.trust is not None and (panel.trust < 255).any() for panel in panels):
        entries.append(LegendEntry(page.say("compare.doubt"), page.theme.muted, "ring", page.say("scatter.doubt_note")))
    return entries


def titles_of(
    pages: Sequence[Page],
    tables: Sequence[xr.DataArray],
    layouts: Sequence[xr.Dataset],
    form: embeddings_page.EmbeddingsForm,
) -> list[str]:
    """Write the title of every picture: whether it was turned onto the first, and by how many items."""
    say, first = pages[0].say, pages[0].run.name
    titles = []
    for place, (page, table, layout) in enumerate(zip(pages, tables, layouts, strict=True)):
        n_shared = len(shared_labels(layout, layouts[0]))
        is_same = n_shared == table.shape[1] == tables[0].shape[1]
        key = "turned" if is_same else "turned_shared" if n_shared > form.axes else "apart"
        values = {"run": page.run.name, "first": first, "dim": say.number(table.sizes["dim"])}
        values |= {"n": say.number(n_shared), "what": say(f"embeddings.{form.what}")}
        titles.append(say(f"compare.{key if place else 'alone'}", **values))
    return titles
