"""The figure of a projected table: the first and the last snapshot side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from data.language import digits, say
from viz.drawing.curve_panel import FilmClock
from viz.drawing.layout import Box
from viz.drawing.legend import DOUBT, LEGEND_ROW, add_legend, item_colors, legend_entries, legend_rows, others_title
from viz.drawing.scatter import (
    Discs,
    Leaders,
    Thread,
    add_scatter_axes,
    all_labelled,
    half_width,
    landmarks,
    radius_px,
)
from viz.drawing.slide import LINE_PT, SIZES, Slide, blank_slide
from viz.drawing.text import TEXT_PT, Caption, shorten, text_width
from viz.drawing.theme import THEMES, Theme
from viz.fidelity.trust import doubted
from viz.grouped_table import GroupedTable

LEAST_LABELLED_PT = 7.0
"""The smallest radius of a disc with a legible label."""
MOST_COVERED = 0.3
"""Discs are not enlarged to that radius if they would cover more than this share of the panel."""
NAME_PT = 10.0
"""Half the height of a label among dots."""


def draw_maps(
    subject: GroupedTable,
    projection: xr.Dataset,
    caption: Caption,
    theme: Theme = THEMES["light"],
    inches: tuple[float, float] = SIZES["16:9"],
) -> Figure:
    """Draw the first and the last layout of a projection, each as large as it can be, with a note where one is enlarged.

    Parameters
    ----------
    subject : the table with its groups.
    projection : ``layout`` (step, item, axis) and ``trustworthiness`` (step); with ``item_recall``, doubted items are marked.
    caption : title and subtitle; the footnote is about films and is left out.
    inches : width and height of the slide.
    """
    slide = blank_slide(caption.title, caption.subtitle, theme, inches, caption.takeaway)
    shown = [0, -1] if projection.sizes["step"] > 1 else [0]
    marks = doubted(projection)
    marked = np.zeros((len(shown), len(subject.labels))) if marks is None else marks[shown].astype(np.float64)
    area = write_key(slide, subject, doubt=bool(marked.any()))
    cells = area.columns([1] * len(shown), 20)
    named = named_items(subject, projection["layout"].values[-1], cells[-1])
    texts = _texts(projection.isel(step=shown), cells[-1])
    for cell, which, doubt, lines in zip(cells, shown, marked, texts, strict=True):
        _draw_panel(slide, cell, subject, projection.isel(step=which), doubt=doubt, named=named, lines=lines)
    return slide.figure


def _texts(shown: xr.Dataset, cell: Box) -> list[list[str]]:
    """Write the step, the trustworthiness and the scale of each layout, in as few lines as fit, and in as many for each.

    The scale is how many times a layout is enlarged, against the one that is drawn smallest in cells of equal size.
    """
    clock, written = FilmClock.of(shown["step"]), []
    spans = (np.ptp(shown["layout"].values, axis=1) / (cell.width, cell.height)).max(axis=1)
    for step, trust, span in zip(clock.steps, shown["trustworthiness"].values, spans, strict=True):
        lines = [clock.label(int(step))]
        times = f"{spans.max() / max(span, 1e-12):z.1f}".removesuffix(".0")
        trusted = say("trustworthiness {value:z.2f}", value=float(trust))
        for part in (trusted, *([say("enlarged {times} times", times=digits(times))] if times != "1" else [])):
            joined = f"{lines[-1]}   {part}"
            lines[-1:] = [joined] if text_width(joined) <= cell.width else [lines[-1], part]
        written.append(lines)
    return [lines + [""] * (max(map(len, written)) - len(lines)) for lines in written]


def write_key(slide: Slide, subject: GroupedTable, *, doubt: bool) -> Box:
    """Draw the legend at the top of the body; return the box below."""
    body, groups = slide.body, subject.groups or subject.classes
    items: dict[str, Any] = {
        "labels": subject.labels,
        "ordered": subject.is_ordered,
        "others": others_title(subject.what),
    }
    entries = legend_entries(slide.theme, groups, **items, doubt=say(DOUBT) if doubt else "")
    entries = [replace(entry, name=shorten(entry.name, body.width - 40)) for entry in entries]
    rows = legend_rows(entries, body.width, TEXT_PT)
    if not rows:
        return body
    add_legend(slide, body.inset(top=12), entries, TEXT_PT)
    return body.inset(top=LEGEND_ROW * TEXT_PT * rows + 4)


def named_items(subject: GroupedTable, last: NDArray[np.floating], cell: Box) -> list[int]:
    """Choose the items to label in both panels if not all can be; ``last`` is the last layout, (item, axis)."""
    if all_labelled(subject.labels, disc_radius(subject.labels, cell)):
        return []
    groups = [group.members for group in subject.groups]
    return landmarks(subject.labels, last, (cell.width, cell.height), NAME_PT, groups=groups)


def _draw_panel(
    slide: Slide,
    cell: Box,
    subject: GroupedTable,
    layout: xr.Dataset,
    *,
    doubt: NDArray[np.float64],
    named: Sequence[int],
    lines: Sequence[str],
) -> None:
    for i, line in enumerate(reversed(lines)):
        slide.text(cell.left, cell.bottom + 4 + i * LINE_PT, line)
    box = cell.inset(bottom=LINE_PT * len(lines) + 8)
    places = layout["layout"].values.astype(np.float64)
    margin = max([1.3 * disc_radius(subject.labels, box), *(half_width(subject.labels[i], NAME_PT) for i in named)])
    axes = add_scatter_axes(slide, box, places, margin=margin, corner=8)
    groups = subject.groups or subject.classes
    colors = item_colors(len(subject.labels), groups, slide.theme, ordered=subject.is_ordered)
    draw_items(slide, axes, box, subject, places, colors=colors, named=named, doubt=doubt, thread_pt=1.6)


def draw_items(
    slide: Slide,
    axes: Axes,
    box: Box,
    subject: GroupedTable,
    places: NDArray[np.float64],
    *,
    colors: Sequence[str],
    named: Sequence[int],
    doubt: NDArray[np.float64],
    thread_pt: float,
) -> None:
    """Draw the items at their places, (item, axis), with labels that hide no other, and a thread through them if they have an order.

    ``doubt`` is that of each item, (item,), from 0 to 1.
    """
    radius, members = disc_radius(subject.labels, box), [i for group in subject.groups for i in group.members]
    style: dict[str, Any] = {"on_top": members, "named": named, "name_px": NAME_PT}
    discs = Discs(axes, subject.labels, colors, radius_px=radius, theme=slide.theme, **style)
    shown = discs.at_rest(places, (box.width, box.height))
    if subject.is_ordered:
        Thread(axes, slide.theme, thread_pt).move(shown)
    Leaders(axes, slide.theme, 1.0, radius_px=radius, width_px=box.width).show(places, shown)
    discs.move(shown)
    discs.show_doubt(doubt)


def disc_radius(labels: Sequence[str], box: Box) -> float:
    radius = radius_px(len(labels), box.width, box.height, unit=0.6)
    covered = len(labels) * np.pi * LEAST_LABELLED_PT**2 / (box.width * box.height)
    is_short = all_labelled(labels, LEAST_LABELLED_PT)
    return max(radius, LEAST_LABELLED_PT) if is_short and covered < MOST_COVERED else radius
