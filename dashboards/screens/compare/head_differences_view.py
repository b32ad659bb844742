"""How the heads of two runs differ: a measure of every head of one minus that of the other, at a step and over training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import streamlit as st
import xarray as xr

from dashboards.compute import queries
from dashboards.page import Page
from dashboards.screens import attention_page
from dashboards.screens.compare.differences_view import Pair, seeds_note
from dashboards.screens.compare.grid import LOSS_HEIGHT_PX, Row, message_panel, name_of, show_panels, stacked_grid
from dashboards.screens.compare.settings import seed_pairs
from dashboards.state import run_list
from dashboards.views import run_panels
from dashboards.views.awaited import follow
from dashboards.views.live_panels import FoundMeasure, find_measure
from dashboards.widgets import ask_option
from data.errors import InputError
from probes.models.head_differences import Pairing, head_difference, spread_of_head_scores
from viz.drawing.theme import diverging_map
from viz.player.attention_panels import HeadTimeline
from viz.player.comparison_panels import HeadGrid
from viz.player.panels import Panel

PAIRINGS: tuple[Pairing, ...] = ("rank", "number")
GRID = stacked_grid([Row(["grid", "timeline"], "5fr", 260), Row(["loss"], "2fr", LOSS_HEIGHT_PX)])
LEAST_SCALE = 0.01


def heads_view(pages: Sequence[Page], pair: Pair) -> Callable[[], None]:
    """Ask for a score and which heads are compared, and return the function that shows their differences."""
    say = pair.one.say
    score = attention_page.ask_score(pair.one)
    label, help = say("compare.pairing"), say("compare.pairing_help")
    names: dict[str, str] = {pairing: say(f"compare.by_{pairing}") for pairing in PAIRINGS}
    pairing = cast("Pairing", ask_option("pairing", label, names))
    st.caption(help)

    def draw() -> None:
        found = {page.run.name: find_measure(page, "heads", "grid") for page in pages}
        known = {name: one.known[score] for name, one in found.items() if one.known is not None}
        panels, note = _panels(pages, pair, known, pairing)
        for page in (pair.other, pair.one):
            panels = _waiting(page, found[page.run.name], panels)
        steps = [run_list.snapshot_steps(page.run) for page in (pair.one, pair.other)]
        title = say(
            "compare.heads_differ", score=say(f"attention.{score}"), run=name_of(pair.one), other=name_of(pair.other)
        )
        fields = ("aspect", "against", "score", "pairing")
        events = show_panels(pages, panels, GRID, title=title, steps=steps, fields=fields, note=note)
        # The line that is shown comes first: a click is in that one.
        names = dict.fromkeys([pair.one.run.name, pair.other.run.name, *found])
        follow([found[name].line for name in names], events)

    return draw


def _waiting(page: Page, scores: FoundMeasure, panels: list[Panel]) -> list[Panel]:
    """Write into the first panel what it waits for, or why a run has no scores."""
    first, *others = panels
    if scores.error is not None:
        first = message_panel(page, first.id, f"{name_of(page)}: {page.say.error(scores.error)}", first.title)
    elif scores.line.pending is not None:
        first = replace(first, pending=scores.line.pending)
    return [first, *others]


def _panels(
    pages: Sequence[Page], pair: Pair, scores: Mapping[str, xr.DataArray], pairing: Pairing
) -> tuple[list[Panel], str]:
    say, own = pair.one.say, [scores.get(page.run.name) for page in (pair.one, pair.other)]
    titles = say("compare.heads_now"), say("compare.heads_over_steps")
    blank: list[Panel] = [
        message_panel(pair.one, where, "", title) for where, title in zip(("grid", "timeline"), titles, strict=True)
    ]
    if own[0] is None or own[1] is None:
        return blank, ""
    try:
        difference = head_difference(own[0], own[1], pairing=pairing)
    except InputError:
        message = say("compare.no_common_step", run=name_of(pair.one), other=name_of(pair.other))
        return [message_panel(pair.one, "grid", message, titles[0]), blank[1]], ""
    spread = _spread(pages, pair, scores, difference, pairing)
    note = " ".join(part for part in (_left_out(pair, (own[0], own[1])), seeds_note(pages, pair)) if part)
    return [_grid(pair, difference, spread, pairing, titles[0]), _timeline(pair, difference, pairing, titles[1])], note


def _spread(
    pages: Sequence[Page], pair: Pair, scores: Mapping[str, xr.DataArray], difference: xr.DataArray, pairing: Pairing
) -> xr.DataArray | None:
    """Compute how far runs that differ in their seed alone differ, where such are among those that are compared."""
    both = {pair.one.run.name, pair.other.run.name}
    found = []
    for runs in seed_pairs([page.run for page in pages]):
        measured = [scores[run.name] for run in runs if run.name in scores]
        if {run.name for run in runs} != both and len(measured) == len(runs):
            found.append(spread_of_head_scores(measured, pairing=pairing))
    if not found:
        return None
    largest = xr.concat(found, dim="pair", join="inner").max("pair")
    return largest.reindex_like(difference)


def _left_out(pair: Pair, scores: Sequence[xr.DataArray]) -> str:
    """List the layers and heads that have no partner in the other run."""
    say, sizes = pair.one.say, [(one.sizes["layer"], one.sizes["head"]) for one in scores]
    if sizes[0] == sizes[1]:
        return ""
    fewest = [min(numbers) for numbers in zip(*sizes, strict=True)]
    shapes = [
        say("compare.shape", run=name_of(page), layers=say.number(layers), heads=say.number(heads))
        for page, (layers, heads) in zip((pair.one, pair.other), sizes, strict=True)
    ]
    return say(
        "compare.heads_left_out", shapes="; ".join(shapes), layers=say.number(fewest[0]), heads=say.number(fewest[1])
    )


def _scale(difference: xr.DataArray) -> float:
    return max(LEAST_SCALE, float(np.nanmax(np.abs(difference.values))))


def _names(pair: Pair, difference: xr.DataArray, pairing: Pairing) -> tuple[list[str], list[str]]:
    say = pair.one.say
    rows = [f"{say('slider.layer')} {layer}" for layer in range(difference.sizes["layer"])]
    heads = range(difference.sizes["head"])
    if pairing == "number":
        return rows, [f"{say('slider.head')} {head}" for head in heads]
    return rows, [say("compare.rank", n=say.number(head + 1)) for head in heads]


def _grid(pair: Pair, difference: xr.DataArray, spread: xr.DataArray | None, pairing: Pairing, title: str) -> HeadGrid:
    say = pair.one.say
    rows, columns = _names(pair, difference, pairing)
    return HeadGrid(
        "grid",
        "grid",
        title,
        values=difference.values.astype(np.float32),
        ramp=run_panels.ramp(diverging_map(pair.one.theme)),
        high=_scale(difference),
        rows=rows,
        columns=columns,
        spread=None if spread is None else spread.values.astype(np.float32),
        within=say("compare.within_seeds"),
        note=say("compare.bold_beyond") if spread is not None else "",
        steps=queries.steps_of(difference),
    )


def _timeline(pair: Pair, difference: xr.DataArray, pairing: Pairing, title: str) -> HeadTimeline:
    rows, columns = _names(pair, difference, pairing)
    high = _scale(difference)
    short = [f"{pair.one.say('views.L')}{layer} {column}" for layer in range(len(rows)) for column in columns]
    return HeadTimeline(
        "timeline",
        "timeline",
        title,
        values=difference.values.reshape(difference.sizes["step"], -1).astype(np.float32),
        rows=short,
        ramp=run_panels.ramp(diverging_map(pair.one.theme)),
        heads=[(layer, head) for layer in range(len(rows)) for head in range(len(columns))],
        low=-high,
        high=high,
        steps=queries.steps_of(difference),
    )
