"""Panels of numbers: how close groups and neighbours are in the full space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import xarray as xr

from dashboards.compute import queries
from dashboards.page import Page
from probes.groups.naming import Group
from probes.groups.wording import p_value_text, share_text, short_name
from probes.tables.embeddings import TableName
from viz.drawing.legend import item_colors, other_color
from viz.drawing.text import label_name
from viz.fonts import letter
from viz.player.panels import Comparison, ComparisonRow, Comparisons, Curves, Neighbours, Series

SIGNIFICANT = 0.05


def cohesion(page: Page, known: Mapping[str, xr.Dataset], colors: Mapping[str, str]) -> Curves:
    """Build the curves of each group's cohesion over training, with the band of random groups of the first one's size."""
    series = [
        Series(short_name(name, 20), colors[name], queries.steps_of(group), group["cohesion"].values.tolist())
        for name, group in known.items()
    ]
    if known:
        first = next(iter(known.values()))
        low, middle, high = (_nulls(first)[0]["band"].isel(quantile=i).values.tolist() for i in range(3))
        name = page.say("views.random_band")
        series.append(Series(name, page.theme.muted, queries.steps_of(first), middle, True, low, high))
    return Curves("cohesion", "cohesion", page.say("views.cohesion"), series=series, about=("cohesion",))


def comparisons(page: Page, what: TableName, known: Mapping[str, xr.Dataset], colors: Mapping[str, str]) -> Comparisons:
    """Build the table of group comparisons: for each kind of null groups, the share that is further apart, and the corrected p-value.

    The row of a group that is not ``known`` yet is empty.
    """
    kinds = ["random", "neighbouring" if what == "positions" else "matched"]
    rows = []
    for name, color in colors.items():
        of_kind = {str(null["null"].values): null for null in _nulls(known[name])} if name in known else {}
        steps = queries.steps_of(known[name]) if name in known else []
        cells = [_cells(page, of_kind[kind]) if kind in of_kind else [None] * len(steps) for kind in kinds]
        rows.append(ComparisonRow(name, color, steps, cells))
    columns = [page.say(f"views.than_{kind}") for kind in kinds]
    title, help = page.say("views.comparisons"), page.say("views.comparisons_help")
    return Comparisons("comparisons", "comparisons", title, columns=columns, rows=rows, help=help)


def _nulls(compared: xr.Dataset) -> list[xr.Dataset]:
    if "null" not in compared.dims:
        return [compared]
    return [compared.isel({"null": index}) for index in range(compared.sizes["null"])]


def _cells(page: Page, null: xr.Dataset) -> list[Comparison]:
    exact, number = bool(null["exact"]), page.say.number
    n_others = int(null["n_groups"]) - exact
    return [
        Comparison(
            share_text(float(share), n_others, exact, number),
            f"p {p_value_text(float(p), number)}",
            bool(p < SIGNIFICANT),
        )
        for share, p in zip(null["percentile"].values, null["p_corrected"].values, strict=True)
    ]


def neighbours(page: Page, trajectory: xr.DataArray, *, item: int, metric: str, groups: Sequence[Group]) -> Neighbours:
    """Build the list of the nearest neighbours of an item in the full space at every step."""
    labels = queries.labels_of(trajectory)
    found = queries.neighbours(page.computation, page.run, trajectory, item, metric)
    colors = item_colors(len(labels), groups, page.theme)
    visible = {other_color(page.theme): page.theme.muted}  # the colour of a disc is too faint for text
    numbers = found["neighbour"].values
    names = letter(labels, labels, partial(label_name, language=page.say.language))
    return Neighbours(
        "neighbours",
        "neighbours",
        page.say("embeddings.neighbours", name=names[item]),
        item=item,
        measured_steps=queries.steps_of(trajectory),
        items=numbers.astype(np.uint16 if len(labels) <= 2**16 else np.uint32),
        distances=found["distance"].values.astype(np.float32),
        styles={int(i): (names[i], visible.get(colors[i], colors[i])) for i in np.unique(numbers)},
    )
