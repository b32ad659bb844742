"""How alike the tables of two runs are: their distances, CKA and neighbours over training, and the items that differ most."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import streamlit as st
import xarray as xr

from dashboards.compute import queries, run_pairs
from dashboards.page import Page
from dashboards.screens import embeddings_page
from dashboards.screens.compare import embeddings_view
from dashboards.screens.compare.differences_view import Pair, seeds_note
from dashboards.screens.compare.grid import Row, color_of, message_panel, name_of, show_panels, stacked_grid
from dashboards.state.url import get_field, is_new_event, set_field
from dashboards.views.awaited import Line, follow, poll_for
from dashboards.views.layouts import ShownLayout
from data.errors import InputError
from data.runs import Run
from probes.groups.naming import format_label, parse_label
from probes.tables.neighbours import neighbours_of_all
from probes.tables.similarity import TablePair
from viz.drawing.text import label_name
from viz.fonts import letter
from viz.player.comparison_panels import Neighbourhoods
from viz.player.panels import Curves, Panel, Scatter, Series
from viz.projection.projector import METHODS

PICTURES = ("one", "other")
MEASURES = ("distance_correlation", "cka", "neighbour_overlap")
MOST_LISTED = 40
SAME_TABLE = 0.999
"""Correlation of the distances from which on two tables count as the same."""
GRID = stacked_grid(
    [Row([*PICTURES, "items"], "6fr", 260), Row(MEASURES, "minmax(160px, 3fr)", 160)],
)


def distances_view(pages: Sequence[Page], pair: Pair) -> Callable[[], None]:
    """Ask for a table and its layout, and return the function that shows how alike the tables are."""
    form, say = embeddings_page.ask_layout(pair.one), pair.one.say
    st.caption(say("compare.distances_help"))

    def draw() -> None:
        tables = {page.run.name: _table(page, form) for page in pages}
        found = _measure(pages, pair, tables, form.metric)
        shown, measured = _shown(pair, tables, form), found[pair.other.run.name]
        pictures, items = _pictures(pair, shown, measured, form), _items(pair, measured, form)
        curves = [_curves(pages, pair, found, measure) for measure in MEASURES]
        steps = [queries.steps_of(table) for table in tables.values() if isinstance(table, xr.DataArray)]
        events = show_panels(
            pages,
            [*pictures, items, *curves],
            GRID,
            title=say(f"compare.distances_{form.what}", method=METHODS[form.method]),
            steps=steps,
            fields=("aspect", "against", "item", *embeddings_page.FIELDS),
            entries=embeddings_view.legend_entries(pair.one, [one for one in pictures if isinstance(one, Scatter)]),
            note=_note(pages, pair, measured, form),
        )
        if isinstance(measured, _Measured):
            _keep_item(queries.labels_of(measured.shared.one), events.item)
        lines = [one.line for one in found.values() if isinstance(one, _Measured)]
        follow([*(one.line for one in shown.layouts), *lines], events)
        embeddings_view.request_layouts((pair.one, pair.other), shown.tables, form.choice, PICTURES, events)

    return draw


@dataclass(frozen=True)
class _Shown:
    """The whole tables of the pair and their layouts; none where one of the runs has no such table."""

    tables: Sequence[xr.DataArray] = ()
    layouts: Sequence[ShownLayout] = ()


@dataclass(frozen=True)
class _Measured:
    """What two runs share, how alike it is, and the line over the panel that waits for the latter."""

    shared: TablePair
    similarity: xr.Dataset | None
    line: Line


def _table(page: Page, form: embeddings_page.EmbeddingsForm) -> xr.DataArray | InputError:
    try:
        return embeddings_view.read_table(page, form)
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
            found[page.run.name] = say("compare.too_little_shared", run=name_of(pair.one), other=name_of(page))
            continue
        where = "items" if page is pair.other else page.run.name
        found[page.run.name] = _similarity(page, where, runs, shared, metric)
    return found


def _similarity(page: Page, where: str, runs: tuple[Run, Run], shared: TablePair, metric: str) -> _Measured:
    """Find how alike two tables are, or begin to measure it; ``where`` is the id of the panel that waits for it."""
    say, total = page.say, shared.one.sizes["step"]

    def text(done: float) -> str:
        return say("compare.measuring_distances", done=say.number(min(total, int(done) + 1)), total=say.number(total))

    def poll() -> queries.Polled:
        return run_pairs.poll_similarity(page.computation, runs, shared, metric)

    key = ("similarity", *(run.path for run in runs), str(shared.one.dims[1]), metric)
    answer = poll_for(page, where, key, poll, text, total=total)
    return _Measured(shared, answer.value.value if answer.value else None, answer.line)


def _shown(pair: Pair, tables: Mapping[str, xr.DataArray | InputError], form: embeddings_page.EmbeddingsForm) -> _Shown:
    pages = pair.one, pair.other
    whole = [table for page in pages if isinstance(table := tables[page.run.name], xr.DataArray)]
    if len(whole) < len(pages):
        return _Shown()
    return _Shown(whole, embeddings_view.lay_out(pages, whole, form.choice, PICTURES))


def _pictures(
    pair: Pair, shown: _Shown, measured: _Measured | str, form: embeddings_page.EmbeddingsForm
) -> list[Panel]:
    """Build the embeddings of both runs over what they share, in the same order, so that both mark the same item."""
    pages = pair.one, pair.other
    if isinstance(measured, str) or not shown.tables:
        return [message_panel(page, where, "") for page, where in zip(pages, PICTURES, strict=True)]
    item, panels = str(measured.shared.one.dims[1]), list[Scatter]()
    for page, where, table, one in zip(pages, PICTURES, shown.tables, shown.layouts, strict=True):
        places = {item: _places(table, measured.shared.one)}
        part = replace(one, layout=one.layout.isel(places))
        panels.append(embeddings_view.points(page, where, name_of(page), table.isel(places), shown=part, form=form))
    return list(embeddings_view.unify_colors(pair.one, panels))


def _items(pair: Pair, measured: _Measured | str, form: embeddings_page.EmbeddingsForm) -> Panel:
    """Build the list of the items whose neighbours differ most."""
    title = pair.one.say("compare.neighbours_differ")
    if isinstance(measured, str):
        return message_panel(pair.other, "items", measured, title)
    if measured.similarity is None:
        waiting = message_panel(pair.one, "items", "", title)
        return replace(waiting, pending=measured.line.pending)
    return _neighbourhoods(pair, measured.shared, measured.similarity, form, title)


def _note(pages: Sequence[Page], pair: Pair, measured: _Measured | str, form: embeddings_page.EmbeddingsForm) -> str:
    say, chance = pair.one.say, seeds_note(pages, pair)
    if isinstance(measured, str):
        return chance
    if measured.similarity is not None and float(measured.similarity["distance_correlation"][0]) > SAME_TABLE:
        chance = f"{say('compare.same_start')} {chance}"
    n, what = measured.shared.one.shape[1], say(f"embeddings.{form.what}")
    if left_out := measured.shared.left_out:
        return f"{say('compare.drawn_only', n=say.number(n), all=say.number(n + left_out), what=what)} {chance}"
    return f"{say('compare.shared_only', n=say.number(n), what=what)} {chance}"


def _places(table: xr.DataArray, shared: xr.DataArray) -> list[int]:
    labels = {str(label): place for place, label in reversed(list(enumerate(queries.labels_of(table))))}
    return [labels[label] for label in queries.labels_of(shared)]


def _neighbourhoods(
    pair: Pair, shared: TablePair, similarity: xr.Dataset, form: embeddings_page.EmbeddingsForm, title: str
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
        names=letter(labels, labels, partial(label_name, language=say.language)),
        columns=[name_of(pair.one), name_of(pair.other)],
        colors=[color_of(pair.pages, 0), color_of(pair.pages, pair.place)],
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
        series.append(Series(name_of(page), color_of(pages, place), queries.steps_of(values), values.values.tolist()))
    measured = found[pair.other.run.name]
    title = say(f"compare.{measure}")
    if isinstance(measured, _Measured) and measured.similarity is not None:
        series.append(_band(pair, measured.similarity, measure))
        title = f"{title} · {_significance(pair, measured.similarity, measure)}"
    if not series:
        text = messages[0] if messages else say("compare.distances_yet")
        return message_panel(pair.one, measure, text, title)
    return Curves(measure, measure, title, series=series, has_names=False, about=("cka",) if measure == "cka" else ())


def _band(pair: Pair, similarity: xr.Dataset, measure: str) -> Series:
    low, high = (similarity[f"{measure}_{part}"].values.tolist() for part in ("low", "high"))
    middle = [(one + two) / 2 for one, two in zip(low, high, strict=True)]
    name, steps = pair.one.say("compare.permuted"), queries.steps_of(similarity)
    return Series(name, pair.one.theme.muted, steps, middle, True, low, high)


def _significance(pair: Pair, similarity: xr.Dataset, measure: str) -> str:
    """Name the step since which the two are more alike than with permuted items, up to the end."""
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
