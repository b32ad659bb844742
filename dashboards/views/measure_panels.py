"""Panels of numbers: how far a picture may be believed, how close groups stand in the full space, and who an item's neighbours are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from dashboards.compute import queries
from dashboards.page import Page
from probes.groups.naming import Group
from probes.groups.wording import p_value_text, share_text, short_name
from probes.tables.embeddings import TableName
from viz.drawing.legend import item_colors
from viz.drawing.text import label_name
from viz.player.panels import Comparison, ComparisonRow, Comparisons, Curves, Neighbours, Number, Numbers, Series

SHARES = ("trustworthiness", "continuity", "recall", "distance_correlation", "motion_agreement")
REMARKABLE = 0.05


def fidelity(page: Page, area: str, layout: xr.Dataset) -> Numbers:
    """Return how far the layout may be believed at each step; a layout that was not judged says so."""
    say, title = page.say, page.say("views.fidelity")
    measures = [_number(page, layout, name) for name in SHARES if name in layout]
    if "explained_variance" in layout:
        measures.append(_number(page, layout, "explained_variance"))
    if "trust" not in layout:
        steps = queries.steps_of(layout)
        measures.append(Number(say("views.not_judged"), steps, [""] * len(steps), say("views.not_judged_help")))
    return Numbers("fidelity", area, title, lines=measures)


def _number(page: Page, layout: xr.Dataset, name: str) -> Number:
    values = [float(value) for value in layout[name].values]
    texts = [page.say.number(value, 2) if np.isfinite(value) else "–" for value in values]
    shares = [value if np.isfinite(value) else 0.0 for value in values]
    return Number(
        page.say(f"views.{name}"), queries.steps_of(layout), texts, page.say(f"views.{name}_help"), "", shares
    )


def cohesion(page: Page, area: str, known: Mapping[str, xr.Dataset], colors: Mapping[str, str]) -> Curves:
    """Return the cohesion of each group over training, over the band of random groups like the first."""
    series = [
        Series(short_name(name, 20), colors[name], queries.steps_of(group), group["cohesion"].values.tolist())
        for name, group in known.items()
    ]
    if known:
        first = next(iter(known.values()))
        low, middle, high = (_nulls(first)[0]["band"].isel(quantile=i).values.tolist() for i in range(3))
        name = page.say("views.random_band")
        series.append(Series(name, page.theme.muted, queries.steps_of(first), middle, True, low, high))
    return Curves("cohesion", area, page.say("views.cohesion"), series=series)


def comparisons(
    page: Page, area: str, what: TableName, known: Mapping[str, xr.Dataset], colors: Mapping[str, str]
) -> Comparisons:
    """Return how many of each kind of groups stand further apart than the highlighted ones, with corrected p-values.

    A group that is not ``known`` yet is under way.
    """
    kinds = ["random", "neighbouring" if what == "positions" else "matched"]
    rows = []
    for name, color in colors.items():
        of_kind = {str(null["null"].values): null for null in _nulls(known[name])} if name in known else {}
        steps = queries.steps_of(known[name]) if name in known else []
        cells = [_against(page, of_kind[kind]) if kind in of_kind else [None] * len(steps) for kind in kinds]
        rows.append(ComparisonRow(name, color, steps, cells))
    columns = [page.say(f"views.than_{kind}") for kind in kinds]
    help = page.say("views.comparisons_help")
    return Comparisons("comparisons", area, page.say("views.comparisons"), columns=columns, rows=rows, help=help)


def _nulls(compared: xr.Dataset) -> list[xr.Dataset]:
    if "null" not in compared.dims:
        return [compared]
    return [compared.isel({"null": place}) for place in range(compared.sizes["null"])]


def _against(page: Page, null: xr.Dataset) -> list[Comparison]:
    others = int(null["n_groups"]) - bool(null["exact"])
    return [
        Comparison(
            share_text(float(share), others, bool(null["exact"]), page.say.number),
            f"p {p_value_text(float(p), page.say.number)}",
            bool(p < REMARKABLE),
        )
        for share, p in zip(null["percentile"].values, null["p_corrected"].values, strict=True)
    ]


def neighbours(
    page: Page, area: str, trajectory: xr.DataArray, item: int, metric: str, groups: Sequence[Group]
) -> Neighbours:
    """Return the nearest items of one in the full space at every step."""
    labels = [str(label) for label in trajectory[trajectory.dims[1]].values]
    items, distances = queries.neighbours_of(page.run, trajectory, item, metric)
    colors = item_colors(len(labels), groups, page.theme)
    quiet = {page.theme.disc: page.theme.muted}
    styles = {int(i): (label_name(labels[i]), quiet.get(colors[i], colors[i])) for i in np.unique(items)}
    title = page.say("embeddings.neighbours", name=label_name(labels[item]))
    return Neighbours(
        "neighbours",
        area,
        title,
        item=item,
        measured_steps=queries.steps_of(trajectory),
        items=items,
        distances=distances,
        styles=styles,
    )
