"""Figures of the position table at several snapshots: the table itself, and the similarity of its rows."""

from __future__ import annotations

from typing import Unpack

import numpy as np
import xarray as xr
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.fft import dct

from data.language import say
from viz.drawing.layout import Box
from viz.drawing.lines import step_names
from viz.drawing.slide import LINE_PT, Slide, SlideOptions, blank_slide, color_bar, evenly
from viz.drawing.text import text_width, wrap
from viz.drawing.theme import diverging_map

QUANTILE = 0.998
"""Where the colour scale ends, so that single large values do not make all others pale."""


def draw_table(trajectory: xr.DataArray, **options: Unpack[SlideOptions]) -> Figure:
    """Draw the position table at up to six snapshots as heat maps: a row per position, a column per dimension, one colour scale.

    Parameters
    ----------
    trajectory : (step, position, dim). The dimensions are ordered by `order_by_wave` of the last step.
    **options : title, subtitle, takeaway, theme and inches, as in `viz.drawing.slide.blank_slide`.
    """
    slide = blank_slide(**options)
    body = _footnote(slide, say("Columns: dimensions, from slow to fast wave along the positions at the last step"))
    tables = trajectory.transpose("step", "position", "dim")
    is_wide = body.width > 1.7 * body.height
    places = evenly(len(tables), 6 if is_wide else 4)
    n_columns = {1: 1, 2: 2, 3: 3 if is_wide else 1, 4: 2}.get(len(places), 3)
    values = tables.isel(step=places).values.astype(float)
    values = values[:, :, order_by_wave(values[-1])]
    top = float(np.nanquantile(np.abs(values), QUANTILE)) or 1.0
    positions = [str(position) for position in tables["position"].values]
    names = step_names(tables["step"])
    cells = body.inset(left=_room(positions), right=84).grid(-(-len(places) // n_columns), n_columns, (24, 14))
    for i, (cell, table) in enumerate(zip(cells, values, strict=False)):
        rows = (positions[0], positions[-1]) if i % n_columns == 0 else None
        _draw_panel(slide, cell, table, name=names[places[i]], limit=top, rows=rows)
    _add_bar(slide, cells, top, "{:+.2g}" if top < 10 else "{:+z.0f}")
    _name_rows(slide, body, cells)
    return slide.figure


def draw_similarity(similarity: xr.DataArray, **options: Unpack[SlideOptions]) -> Figure:
    """Draw the similarity of every pair of positions at the first, the middle and the last snapshot.

    Parameters
    ----------
    similarity : from -1 to 1, (step, position, other).
    **options : title, subtitle, takeaway, theme and inches, as in `viz.drawing.slide.blank_slide`.
    """
    slide = blank_slide(**options)
    matrices = similarity.transpose("step", "position", "other")
    places = evenly(len(matrices), 3)
    body = slide.body.inset(bottom=LINE_PT)
    positions = [str(position) for position in matrices["position"].values]
    names = step_names(matrices["step"])
    cells = _squares(body.inset(left=_room(positions), right=56), len(places))
    for place, cell in zip(places, cells, strict=True):
        is_left = cell.left == cells[0].left
        rows = (positions[0], positions[-1]) if is_left else None
        _draw_panel(slide, cell, matrices.values[place].astype(float), name=names[place], limit=1, rows=rows)
        if cell.bottom == min(other.bottom for other in cells):
            _name_columns(slide, cell, positions)
    _add_bar(slide, cells, 1.0, "{:+z.0f}")
    _name_rows(slide, body, cells)
    return slide.figure


def order_by_wave(table: NDArray[np.float64]) -> NDArray[np.int64]:
    """Order the dimensions by the frequency at which each varies most along the positions, from slow to fast.

    Parameters
    ----------
    table : (position, dim)

    Returns
    -------
    Indices of the dimensions. The frequency is that of the largest coefficient of the discrete cosine transform of the centred column;
    dimensions of equal frequency are ordered by the coefficient, from most positive to most negative.

    Examples
    --------
    >>> slow, fast = np.cos(np.pi * (np.arange(8) + 0.5) / 8), np.cos(5 * np.pi * (np.arange(8) + 0.5) / 8)
    >>> order_by_wave(np.stack([fast, -slow, slow], axis=1)).tolist()
    [2, 1, 0]
    """
    centred = table - table.mean(axis=0)
    terms = dct(centred, norm="ortho", axis=0)
    strongest = np.abs(terms).argmax(axis=0)
    amplitude = np.take_along_axis(terms, strongest[None], axis=0)[0]
    return np.lexsort((-amplitude, strongest)).astype(np.int64)


def _footnote(slide: Slide, text: str) -> Box:
    """Write a footnote below the body; return the box above it."""
    lines = wrap(text, slide.body.width)
    for i, line in enumerate(reversed(lines)):
        slide.text(slide.body.left, slide.body.bottom + 4 + i * LINE_PT, line, color=slide.theme.muted)
    return slide.body.inset(bottom=len(lines) * LINE_PT + 12)


def _squares(area: Box, n: int) -> list[Box]:
    """Make ``n`` cells of a title over a square: in a row or, in a tall area, the last one large beside the others."""
    side = min((area.width - 26 * (n - 1)) / n, area.height - LINE_PT)
    if n < 3 or side > 0.55 * (area.height - LINE_PT):
        bottom = area.bottom + (area.height - LINE_PT - side) / 2
        return [Box(area.left + i * (side + 26), bottom, side, side + LINE_PT) for i in range(n)]
    large = min(area.height - LINE_PT, (area.width - 26 + LINE_PT + 7) / 1.5)
    small = (large - LINE_PT - 14) / 2
    bottom = area.bottom + (area.height - LINE_PT - large) / 2
    return [
        Box(area.left, bottom + small + LINE_PT + 14, small, small + LINE_PT),
        Box(area.left, bottom, small, small + LINE_PT),
        Box(area.left + small + 26, bottom, large, large + LINE_PT),
    ]


def _room(positions: list[str]) -> float:
    """Measure the names at the left of the panels."""
    return 33 + max(text_width(position) for position in positions)


def _draw_panel(
    slide: Slide, cell: Box, table: NDArray[np.float64], *, name: str, limit: float, rows: tuple[str, str] | None
) -> None:
    """Draw a table under its name; the colours run from ``-limit`` to ``limit``, and ``rows`` names the first and the last row."""
    slide.text(cell.left, cell.top - 16, name.replace("\n", " "))
    box = cell.inset(top=LINE_PT)
    axes = slide.axes(box)
    axes.imshow(table, cmap=diverging_map(slide.theme), vmin=-limit, vmax=limit, aspect="auto")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color(slide.theme.line)
    if rows is not None:
        slide.text(box.left - 8, box.top, rows[0], color=slide.theme.muted, ha="right", va="top")
        if len(table) > 1:
            slide.text(box.left - 8, box.bottom, rows[1], color=slide.theme.muted, ha="right", va="bottom")


def _name_columns(slide: Slide, cell: Box, positions: list[str]) -> None:
    ends = text_width(positions[0]) + text_width(positions[-1])
    slide.text(cell.left, cell.bottom - 20, positions[0], color=slide.theme.muted)
    if len(positions) > 1:
        slide.text(cell.right, cell.bottom - 20, positions[-1], color=slide.theme.muted, ha="right")
    if cell.width > ends + text_width(say("position")) + 24:
        slide.text(cell.left + cell.width / 2, cell.bottom - 20, say("position"), color=slide.theme.muted, ha="center")


def _name_rows(slide: Slide, body: Box, cells: list[Box]) -> None:
    first = cells[0]
    x, y = body.left + 12, first.bottom + (first.height - LINE_PT) / 2
    slide.text(x, y, say("position"), color=slide.theme.muted, ha="center", va="center", rotation=90)


def _add_bar(slide: Slide, cells: list[Box], top: float, form: str) -> None:
    right, high, low = max(cell.right for cell in cells), max(cell.top for cell in cells), min(c.bottom for c in cells)
    box = Box(right + 16, low, 12, high - LINE_PT - low)
    color_bar(slide, box, (diverging_map(slide.theme), Normalize(-top, top)), (-top, 0, top), form)
