"""How alike the tables of two runs are: their distances, CKA and neighbours over training, and the items that differ most."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
import xarray as xr

from dashboards.compute import queries, run_pairs
from dashboards.compute.background_jobs import LOOK_EVERY_S, BackgroundJob
from dashboards.compute.result_cache import CachedResult
from dashboards.page import Page
from dashboards.screens import embeddings_page
from dashboards.screens.compare import embeddings
from dashboards.screens.compare.differences import Pair, seeds_note
from dashboards.screens.compare.grid import Row, color_of, message_panel, show_panels, stacked_grid
from dashboards.state.url import get_field, is_new_event, set_field
from data.errors import InputError
from probes.groups.naming import format_label, parse_label
from probes.tables.neighbours import neighbours_of_all
from probes.tables.similarity import SharedTables
from viz.drawing.text import label_name
from viz.fonts import letter
from viz.player.comparison_panels import Neighbourhoods
from viz.player.panels import Curves, Panel, Scatter, Series
from viz.projection.projector import METHODS

MEASURES = ("distance_correlation", "cka", "neighbour_overlap")
MOST_LISTED = 40
GRID = stacked_grid(
    [Row(["one", "other", "items"], "6fr", 260), Row(MEASURES, "minmax(160px, 3fr)", 160)],
)


def distances_view(pages: Sequence[Page], pair: Pair) -> Callable[[], None]:
    """Ask for a table and its layout, and return the function that shows how alike the tables are."""
    form, say = embeddings_page.ask_layout(pair.one), pair.one.say
    st.caption(say("compare.distances_help"))

    def draw() -> None:
        tables = {page.run.name: _table(page, form) for page in pages}
        found = _measure(pages, pair, tables, form.metric)
        pictures, notes = _pictures(pair, tables, found, form)
        curves = [_curves(pages, pair, found, measure) for measure in MEASURES]
        steps = [queries.steps_of(table) for table in tables.values() if isinstance(table, xr.DataArray)]
        events = show_panels(
            pages,
            [*pictures, *curves],
            GRID,
            title=say(f"compare.distances_{form.what}", method=METHODS[form.method]),
            steps=steps,
            fields=("aspect", "against", "item", *embeddings_page.FIELDS),
            entries=embeddings.legend_entries(pair.one, [one for one in pictures if isinstance(one, Scatter)]),
            note=" ".join([*notes, seeds_note(pages, pair)]),
        )
        measured = found[pair.other.run.name]
        if isinstance(measured, _Measured):
            _keep_item(queries.labels_of(measured.shared.one), events.item)
        _await([one for one in found.values() if isinstance(one, _Measured)])

    return draw


@dataclass(frozen=True)
class _Measured:
    """What two runs share, and how alike it is; ``similarity`` is None while it is measured by ``job``."""

    shared: SharedTables
    similarity: xr.Dataset | None = None
    job: BackgroundJob[CachedResult[xr.Dataset]] | None = None


def _table(page: Page, form: embeddings_page.EmbeddingsForm) -> xr.DataArray | InputError:
    try:
        return embeddings.read_table(page, form)
    except InputError as error:
        return error


def _measure(
    pages: Sequence[Page], pair: Pair, tables: Mapping[str, xr.DataArray | InputError], metric: str
) -> dict[str, _Measured | str]:
    """Measure how alike each other run is to the first, or say why it cannot be compared."""
    say, first, found = pair.one.say, tables[pair.one.run.name], dict[str, _Measured | str]()
    for page in pages[1:]:
        table = tables[page.run.name]
        if isinstance(first, InputError):
            found[page.run.name] = say.error(first)
            continue
        if isinstance(table, InputError):
            found[page.run.name] = say.error(table)
            continue
        runs = pair.one.run, page.run
        try:
            shared = run_pairs.shared(page.computation, runs, (first, table))
        except InputError:
            found[page.run.name] = say("compare.too_little_shared", run=pair.one.run.name, other=page.run.name)
            continue
        polled = run_pairs.poll_similarity(page.computation, runs, shared, metric)
        if isinstance(polled, BackgroundJob):
            found[page.run.name] = _Measured(shared, job=polled)
        else:
            found[page.run.name] = _Measured(shared, polled.value)
    return found


def _pictures(
    pair: Pair,
    tables: Mapping[str, xr.DataArray | InputError],
    found: Mapping[str, _Measured | str],
    form: embeddings_page.EmbeddingsForm,
) -> tuple[list[Panel], list[str]]:
    """Build the embeddings of both runs over what they share, and the list of the items whose neighbours differ most."""
    say, measured = pair.one.say, found[pair.other.run.name]
    title = say("compare.neighbours_differ")
    if isinstance(measured, str):
        blank = [message_panel(page, where, "") for page, where in ((pair.one, "one"), (pair.other, "other"))]
        return [*blank, message_panel(pair.other, "items", measured, title)], []
    pages, shared = (pair.one, pair.other), measured.shared
    whole = [table for page in pages if isinstance(table := tables[page.run.name], xr.DataArray)]
    layouts = embeddings.lay_out(pages, whole, form) or []
    item = str(shared.one.dims[1])
    places = [_places(table, shared.one) for table in whole]
    panels: list[Scatter] = []
    for number, layout in enumerate(layouts):
        page, where = pages[number], ("one", "other")[number]
        own, drawn = (array.isel({item: places[number]}) for array in (whole[number], layout))
        panels.append(embeddings.points(page, where, page.run.name, own, drawn, form, with_notes=not number))
    notes = [say("compare.shared_only", n=say.number(shared.one.shape[1]), what=say(f"embeddings.{form.what}"))]
    if not layouts:
        notes = []
    items: Panel = message_panel(pair.one, "items", say("compare.measuring_distances"), title)
    if measured.similarity is not None:
        items = _neighbourhoods(pair, shared, measured.similarity, form, title)
    return [*embeddings.unify_colors(pair.one, panels), items], notes


def _places(table: xr.DataArray, shared: xr.DataArray) -> list[int]:
    labels = {str(label): place for place, label in reversed(list(enumerate(queries.labels_of(table))))}
    return [labels[label] for label in queries.labels_of(shared)]


def _neighbourhoods(
    pair: Pair, shared: SharedTables, similarity: xr.Dataset, form: embeddings_page.EmbeddingsForm, title: str
) -> Neighbourhoods:
    say, labels = pair.one.say, queries.labels_of(shared.one)
    overlap = similarity["neighbour_overlap"]
    k = int(overlap.attrs["k"])
    near = [neighbours_of_all(table, k, metric=form.metric).values for table in (shared.one, shared.other)]
    shares, correlations = similarity["item_overlap"].values, similarity["item_correlation"].values
    order = np.lexsort((correlations, shares), axis=1)[:, :MOST_LISTED]
    chosen = [np.take_along_axis(one, order[:, :, None], axis=1) for one in near]
    small = np.uint16
    note = say("compare.chance_overlap", value=say.number(k * float(overlap.attrs["chance"]), 1), k=say.number(k))
    selected = get_field("item")
    return Neighbourhoods(
        "items",
        "items",
        title,
        items=order.astype(small),
        overlaps=np.rint(k * np.take_along_axis(shares, order, axis=1)).astype(small),
        neighbours=np.stack(chosen, axis=2).astype(small),
        names=letter(labels, labels, label_name),
        columns=[pair.one.run.name, pair.other.run.name],
        colors=[color_of((pair.one,), 0), color_of((pair.one,), pair.place)],
        headings=[say("compare.item"), say("compare.shared_neighbours")],
        shared=say("compare.n_of_k", n="{n}", k="{k}"),
        note=note,
        selected=None if selected is None else parse_label(selected, labels),
        steps=queries.steps_of(similarity),
    )


def _curves(pages: Sequence[Page], pair: Pair, found: Mapping[str, _Measured | str], measure: str) -> Panel:
    """Build the curves of a measure of all runs against the first, with the band of permuted items for the pair in detail."""
    say, series, messages = pair.one.say, list[Series](), list[str]()
    for place, page in enumerate(pages):
        measured = found.get(page.run.name)
        if isinstance(measured, str):
            messages.append(measured)
        if not isinstance(measured, _Measured) or measured.similarity is None:
            continue
        values = measured.similarity[measure]
        series.append(Series(page.run.name, color_of(pages, place), queries.steps_of(values), values.values.tolist()))
    measured = found[pair.other.run.name]
    title = say(f"compare.{measure}")
    if isinstance(measured, _Measured) and measured.similarity is not None:
        series.append(_band(pair, measured.similarity, measure))
        title = f"{title} · {_significance(pair, measured.similarity, measure)}"
    if not series:
        text = messages[0] if messages else say("compare.measuring_distances")
        return message_panel(pair.one, measure, text, title)
    return Curves(measure, measure, title, series=series, has_names=False)


def _band(pair: Pair, similarity: xr.Dataset, measure: str) -> Series:
    low, high = (similarity[f"{measure}_{part}"].values.tolist() for part in ("low", "high"))
    middle = [(one + two) / 2 for one, two in zip(low, high, strict=True)]
    name, steps = pair.one.say("compare.permuted"), queries.steps_of(similarity)
    return Series(name, pair.one.theme.muted, steps, middle, True, low, high)


def _significance(pair: Pair, similarity: xr.Dataset, measure: str) -> str:
    """Say since which step the two are more alike than with permuted items, up to the end."""
    say, p = pair.one.say, similarity[f"{measure}_p"].values
    beyond = p < 0.05
    if not beyond[-1]:
        return say("compare.as_chance")
    first = len(p) - int(np.argmin(beyond[::-1])) if not beyond.all() else 0
    return say("compare.beyond_chance", step=say.number(int(similarity["step"][first])))


def _keep_item(labels: Sequence[str], item: int | None) -> None:
    """Write the item that was clicked into the address; the browser marks it by itself."""
    if item is None or item >= len(labels) or not is_new_event("item", item):
        return
    set_field("item", None if item < 0 else format_label(item, labels))


def _await(measured: Sequence[_Measured]) -> None:
    """Rerun the page when another measurement is finished."""
    jobs = [one.job for one in measured if one.job is not None]
    if not jobs:
        return

    @st.fragment(run_every=LOOK_EVERY_S)
    def look() -> None:
        if any(job.is_finished for job in jobs):
            st.rerun()

    look()
