"""The figure of a projected table: the first and the last snapshot side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from probes.groups.naming import Group
from viz.drawing.curve_panel import FilmClock
from viz.drawing.layout import Box, flow
from viz.drawing.legend import item_colors
from viz.drawing.scatter import Discs, Thread, add_scatter_axes, all_labelled, half_width, landmarks, radius_px
from viz.drawing.slide import LINE_PT, SIZES, Slide, blank_slide, scale_key
from viz.drawing.text import Caption, shorten, text_width
from viz.drawing.theme import THEMES, Theme, group_color
from viz.grouped_table import GroupedTable

LEAST_LABELLED_PT = 7.0
"""The smallest radius of a disc with a legible label."""
MOST_COVERED = 0.3
"""Discs are not enlarged to that radius if they would cover more than this share of the panel."""
NAME_PT = 10.0
"""Half the height of a label among dots."""
KEY_GAP_PT = 26


def draw_maps(
    subject: GroupedTable,
    projection: xr.Dataset,
    caption: Caption,
    theme: Theme = THEMES["light"],
    inches: tuple[float, float] = SIZES["16:9"],
) -> Figure:
    """Draw the first and the last layout of a projection, each at its own scale.

    Parameters
    ----------
    subject : the table with its groups.
    projection : ``layout`` (step, item, axis) and ``trustworthiness`` (step).
    caption : title and subtitle; the footnote is about films and is left out.
    inches : width and height of the slide.
    """
    slide = blank_slide(caption.title, caption.subtitle, theme, inches)
    groups = subject.groups or subject.classes
    colors = item_colors(len(subject.labels), groups, theme, ordered=subject.is_ordered)
    area = write_key(slide, groups, colors, subject)
    shown = (0, -1) if projection.sizes["step"] > 1 else (0,)
    cells = area.columns([1] * len(shown), 20)
    named = named_items(subject, projection["layout"].values[-1:], cells[-1])
    for cell, which in zip(cells, shown, strict=True):
        _draw_panel(slide, cell, subject, projection.isel(step=which), colors=colors, named=named)
    return slide.figure


def write_key(slide: Slide, groups: Sequence[Group], colors: Sequence[str], subject: GroupedTable) -> Box:
    """Draw the legend at the top of the body; return the box below."""
    body = slide.body
    x, y = body.left, body.top - 17
    if not groups:
        if subject.is_ordered:
            scale_key(slide, x, y, (f"position {subject.labels[0]}", subject.labels[-1]), colors)
        return body.inset(top=LINE_PT + 10 if subject.is_ordered else 0)
    names = [shorten(group.name, body.width - 20) for group in groups]
    widths = [20 + text_width(name) + KEY_GAP_PT for name in names]
    places = flow(widths, body.width + KEY_GAP_PT, balanced=True)
    for index, (name, (column, row)) in enumerate(zip(names, places, strict=True)):
        slide.dot(x + column + 7, y - 26 * row + 6.5, group_color(slide.theme, index), size=14)
        slide.text(x + column + 20, y - 26 * row, name)
    return body.inset(top=26 * (places[-1][1] + 1) + 8)


def named_items(subject: GroupedTable, last: NDArray[np.floating], cell: Box) -> list[int]:
    """Choose the items to label in both panels if not all can be; ``last`` is the last layout, (1, item, axis)."""
    if all_labelled(subject.labels, disc_radius(subject.labels, cell)):
        return []
    groups = [group.members for group in subject.groups]
    return landmarks(subject.labels, last, (cell.width, cell.height), NAME_PT, groups=groups)


def _draw_panel(
    slide: Slide, cell: Box, subject: GroupedTable, layout: xr.Dataset, *, colors: Sequence[str], named: Sequence[int]
) -> None:
    text = f"{FilmClock.of(layout['step']).label(int(layout['step']))}   trustworthiness {float(layout['trustworthiness']):.2f}"
    lines = [text] if text_width(text) <= cell.width else text.split("   ")
    for i, line in enumerate(reversed(lines)):
        slide.text(cell.left, cell.bottom + 4 + i * LINE_PT, line)
    box = cell.inset(bottom=LINE_PT * len(lines) + 8)
    places = layout["layout"].values.astype(np.float64)
    radius, members = disc_radius(subject.labels, box), [i for group in subject.groups for i in group.members]
    margin = max([1.6 * radius, *(half_width(subject.labels[i], NAME_PT) for i in named)])
    axes = add_scatter_axes(slide, box, places, margin=margin, corner=8)
    if subject.is_ordered:
        Thread(axes, slide.theme, 1.6).move(places)
    discs = Discs(
        axes, subject.labels, colors, radius_px=radius, theme=slide.theme, on_top=members, named=named, name_px=NAME_PT
    )
    discs.move(places)


def disc_radius(labels: Sequence[str], box: Box) -> float:
    radius = radius_px(len(labels), box.width, box.height, unit=0.6)
    covered = len(labels) * np.pi * LEAST_LABELLED_PT**2 / (box.width * box.height)
    is_short = all_labelled(labels, LEAST_LABELLED_PT)
    return max(radius, LEAST_LABELLED_PT) if is_short and covered < MOST_COVERED else radius
