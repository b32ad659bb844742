"""The map of a table before and after training: first and last snapshot side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from probes.groups.naming import Group
from viz.drawing.legend import Caption, add_panel, item_colors
from viz.drawing.scatter import Discs, Thread, all_labelled, half_width, landmarks, radius_px
from viz.drawing.slide import LIGHT, LINE_PT, WIDE, Box, Slide, blank_slide, scale_key, shorten, text_points
from viz.drawing.theme import Theme, group_color
from viz.grouped_table import GroupedTable

LEAST_LABELLED_PT = 7.0
"""The smallest radius of a disc whose label can be read; taken where the discs still cover less than this share of the panel."""
MOST_COVERED = 0.3
NAME_PT = 10.0
"""Half the height of a label among dots."""
KEY_GAP_PT = 26


def draw_maps(
    subject: GroupedTable,
    projection: xr.Dataset,
    caption: Caption,
    theme: Theme = LIGHT,
    inches: tuple[float, float] = WIDE,
) -> Figure:
    """Draw the first and the last layout of a projection, each in the scale that fits it; the only one, if there is but one.

    Parameters
    ----------
    subject : the table and the items picked out in it.
    projection : ``layout`` (step, item, axis) and ``trustworthiness`` (step).
    caption : title and subtitle; the footnote speaks of films and is left out.
    inches : width and height of the slide.
    """
    slide = blank_slide(caption.title, caption.subtitle, theme, inches)
    groups = subject.groups or subject.classes
    colors = item_colors(len(subject.labels), groups, theme, ordered=subject.is_ordered)
    area = _write_key(slide, groups, colors, subject)
    shown = (0, -1) if projection.sizes["step"] > 1 else (0,)
    cells = area.columns([1] * len(shown), 20)
    named = _named(subject, projection["layout"].values[-1:], cells[-1])
    for cell, which in zip(cells, shown, strict=True):
        _draw_panel(slide, cell, subject, projection.isel(step=which), colors, named)
    return slide.figure


def _write_key(slide: Slide, groups: Sequence[Group], colors: Sequence[str], subject: GroupedTable) -> Box:
    """Name the colours in rows at the top of the body; return the box below."""
    body = slide.body
    x, y = body.left, body.top - 17
    if not groups:
        if subject.is_ordered:
            scale_key(slide, x, y, (f"position {subject.labels[0]}", subject.labels[-1]), colors)
        return body.inset(top=LINE_PT + 10 if subject.is_ordered else 0)
    for row in _rows([20 + text_points(group.name) + KEY_GAP_PT for group in groups], body.width + KEY_GAP_PT):
        x = body.left
        for index in row:
            name = shorten(groups[index].name, body.width - 20)
            slide.dot(x + 7, y + 6.5, group_color(slide.theme, index), size=14)
            slide.text(x + 20, y, name)
            x += 20 + text_points(name) + KEY_GAP_PT
        y -= 26
    return body.inset(top=body.top - y - 9)


def _rows(widths: Sequence[float], room: float) -> list[list[int]]:
    """Return the indices of things of these widths in as few rows as fit, of about the same length."""
    fewest = len(_fill(widths, room))
    rooms = (room * share for share in np.arange(0.4, 1.0, 0.02))
    return next((rows for narrow in rooms if len(rows := _fill(widths, narrow)) == fewest), _fill(widths, room))


def _fill(widths: Sequence[float], room: float) -> list[list[int]]:
    rows: list[list[int]] = [[]]
    for i, width in enumerate(widths):
        if rows[-1] and sum(widths[j] for j in rows[-1]) + width > room:
            rows.append([])
        rows[-1].append(i)
    return rows


def _named(subject: GroupedTable, last: NDArray[np.floating], cell: Box) -> list[int]:
    """Return the items to name where not all can be, the same in both panels; ``last`` (1, item, axis)."""
    if all_labelled(subject.labels, _radius(subject.labels, cell)):
        return []
    groups = [group.members for group in subject.groups]
    return landmarks(subject.labels, last, (cell.width, cell.height), NAME_PT, groups=groups)


def _draw_panel(
    slide: Slide, cell: Box, subject: GroupedTable, layout: xr.Dataset, colors: Sequence[str], named: Sequence[int]
) -> None:
    words = f"step {int(layout['step']):,}   trustworthiness {float(layout['trustworthiness']):.2f}"
    lines = [words] if text_points(words) <= cell.width else words.split("   ")
    for i, line in enumerate(reversed(lines)):
        slide.text(cell.left, cell.bottom + 4 + i * LINE_PT, line)
    box = cell.inset(bottom=LINE_PT * len(lines) + 8)
    places = layout["layout"].values.astype(np.float64)
    radius, members = _radius(subject.labels, box), [i for group in subject.groups for i in group.members]
    margin = max([1.6 * radius, *(half_width(subject.labels[i], NAME_PT) for i in named)])
    width, height = slide.size
    rect = (box.left / width, box.bottom / height, box.width / width, box.height / height)
    axes = add_panel(slide.figure, rect, places, margin, slide.theme, corner=8)
    if subject.is_ordered:
        Thread(axes, slide.theme, 1.6).move(places)
    discs = Discs(axes, subject.labels, colors, radius, slide.theme, on_top=members, named=named, name_px=NAME_PT)
    discs.move(places)


def _radius(labels: Sequence[str], box: Box) -> float:
    radius = radius_px(len(labels), box.width, box.height, unit=0.6)
    covered = len(labels) * np.pi * LEAST_LABELLED_PT**2 / (box.width * box.height)
    is_short = all_labelled(labels, LEAST_LABELLED_PT)
    return max(radius, LEAST_LABELLED_PT) if is_short and covered < MOST_COVERED else radius
