"""The shape of the tables of several runs over training: ranks, anisotropy and norms, and their differences from the first run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import streamlit as st
import xarray as xr

from dashboards.compute import queries, run_pairs
from dashboards.page import Page
from dashboards.screens.compare.differences_view import Pair, seeds_note
from dashboards.screens.compare.grid import (
    LOSS_HEIGHT_PX,
    Row,
    color_of,
    message_panel,
    name_of,
    show_panels,
    stacked_grid,
)
from dashboards.screens.compare.settings import seed_pairs
from dashboards.state.url import get_field, set_field, set_initial_value
from dashboards.widgets import ask_option, show_notes
from data.errors import InputError
from data.runs import Run
from probes.tables.embeddings import TableName
from probes.tables.geometry import shape_difference
from viz.player.panels import Curves, Panel, Series

MEASURES = ("effective_rank", "stable_rank", "mean_cosine", "isotropy", "mean_norm")
GRID = stacked_grid([Row(["values", "difference"], "5fr", 260), Row(["loss"], "2fr", LOSS_HEIGHT_PX)])


def geometry_view(pages: Sequence[Page], pair: Pair) -> Callable[[], None]:
    """Ask for a table and a measure, and return the function that shows it for all runs."""
    say = pair.one.say
    what = ask_option("what", pair.one.label("what"), say.names("embeddings", "tokens", "positions"))
    measure = _ask_measure(pair.one)
    st.caption(say(f"compare.{measure}_help"))

    def draw() -> None:
        tables, errors = _tables(pages, "tokens" if what == "tokens" else "positions")
        show_notes(errors, say)
        steps = [queries.steps_of(table) for table in tables.values()]
        shapes = {
            page.run.name: run_pairs.shape(page.computation, page.run, tables[page.run.name])[measure]
            for page in pages
            if page.run.name in tables
        }
        panels = [_values(pages, shapes, measure), _difference(pages, shapes, measure)]
        fields = ("aspect", "against", "what", "measure")
        title = say(f"compare.geometry_{what}", measure=say(f"compare.{measure}"))
        show_panels(pages, panels, GRID, title=title, steps=steps, fields=fields, note=_note(pages, pair, tables))

    return draw


def _ask_measure(page: Page) -> str:
    wanted, say = get_field("measure"), page.say
    set_initial_value("measure_choice", wanted)
    found = st.selectbox(
        say("compare.measure"), MEASURES, format_func=lambda name: say(f"compare.{name}"), key="measure_choice"
    )
    set_field("measure", found)
    return str(found)


def _tables(pages: Sequence[Page], what: TableName) -> tuple[dict[str, xr.DataArray], list[str]]:
    """Read the table of every run that has one, and say which have none."""
    found, errors = {}, []
    for page in pages:
        try:
            found[page.run.name] = queries.table(page.computation, page.run, what).value
        except InputError as error:
            errors.append(str(error))
    return found, errors


def _values(pages: Sequence[Page], shapes: Mapping[str, xr.DataArray], measure: str) -> Curves:
    say = pages[0].say
    series = [
        Series(
            name_of(page), color_of(pages, place), queries.steps_of(shapes[page.run.name]), _list(shapes[page.run.name])
        )
        for place, page in enumerate(pages)
        if page.run.name in shapes
    ]
    whites = {round(float(shape.attrs["white"]), 6) for shape in shapes.values() if "white" in shape.attrs}
    if len(whites) == 1:
        steps = sorted({step for one in series for step in one.steps})
        series.append(
            Series(say("compare.white_noise"), pages[0].theme.muted, steps, [whites.pop()] * len(steps), True)
        )
    name = say(f"compare.{measure}")
    return Curves("values", "values", name[0].upper() + name[1:], series=series, has_names=False)


def _difference(pages: Sequence[Page], shapes: Mapping[str, xr.DataArray], measure: str) -> Panel:
    """Build the curves of the differences from the first run, with the band of runs that differ in their seed alone."""
    say, first = pages[0].say, pages[0].run.name
    title = say("compare.minus", run=name_of(pages[0]))
    if first not in shapes:
        return message_panel(pages[0], "difference", say("compare.first_has_none", run=name_of(pages[0])), title)
    series = []
    for place, page in enumerate(pages):
        if place and page.run.name in shapes:
            difference = shape_difference(shapes[first], shapes[page.run.name])
            series.append(
                Series(name_of(page), color_of(pages, place), queries.steps_of(difference), _list(difference))
            )
    if band := _seed_band(pages, shapes):
        series.append(band)
    return Curves("difference", "difference", title, series=series, has_names=False)


def _seed_band(pages: Sequence[Page], shapes: Mapping[str, xr.DataArray]) -> Series | None:
    """Build the band of what seeds alone do, around 0: the largest difference of runs that differ in nothing else."""
    pairs: list[tuple[Run, Run]] = seed_pairs([page.run for page in pages])
    differences = [
        abs(shape_difference(shapes[one.name], shapes[two.name]))
        for one, two in pairs
        if one.name in shapes and two.name in shapes
    ]
    if not differences:
        return None
    largest = xr.concat(differences, dim="pair", join="inner").max("pair")
    values = np.asarray(largest.values, dtype=float).tolist()
    zero = Series(
        pages[0].say("compare.seeds_band"), pages[0].theme.muted, queries.steps_of(largest), [0.0] * len(values)
    )
    return replace(zero, dashed=True, low=[-value for value in values], high=values)


def _note(pages: Sequence[Page], pair: Pair, tables: Mapping[str, xr.DataArray]) -> str:
    """Name the tables of another shape, since the shape limits these measures, and describe what is known of chance."""
    say = pair.one.say
    shapes = {name: table.shape[1:] for name, table in tables.items()}
    parts = [seeds_note(pages, pair)]
    if len(set(shapes.values())) > 1:
        listed = "; ".join(f"{name} {say.number(n)} × {say.number(dim)}" for name, (n, dim) in shapes.items())
        parts.insert(0, say("compare.shapes_differ", shapes=listed))
    return " ".join(parts)


def _list(values: xr.DataArray) -> list[float]:
    return [float(value) for value in values.values]
