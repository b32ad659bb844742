"""Figures of attention maps: all layers by heads, the heads of one layer, one head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm, to_hex
from matplotlib.figure import Figure
from numpy.typing import NDArray

from viz.drawing.layout import Box
from viz.drawing.slide import LINE_PT, Slide, SlideOptions, blank_slide, color_bar
from viz.drawing.text import TEXT_PT, short_label, text_width
from viz.drawing.theme import Theme, text_on, weight_map

NORM = PowerNorm(0.5, 0, 1)
"""Colours follow the square root of the weight, which shows small weights too."""
KEY_PT, KEY_HEIGHT_PT = 66, 230
MOST_LABEL_ROWS = 2
LEAST_VALUE_CELL_PT = 36
"""The least side of a cell that holds a weight in 18-point type."""


def draw_grid(maps: xr.DataArray, **options: Unpack[SlideOptions]) -> Figure:
    """Draw the attention maps of every head at one step, a row per layer and a column per head.

    Parameters
    ----------
    maps : attention weights, (layer, head, query, key).
    """
    slide = blank_slide(**options)
    n_layers, n_heads = maps.sizes["layer"], maps.sizes["head"]
    names = [f"layer {i}" for i in maps["layer"].values]
    left = max(map(text_width, names)) + 14
    area = slide.body.inset(right=KEY_PT, top=LINE_PT)
    gap = 10.0 if max(n_layers, n_heads) <= 6 else 3.0
    side = min((area.width - left + gap) / n_heads, (area.height + gap) / n_layers) - gap
    if side < TEXT_PT:  # the names of all rows would touch
        names = [name if i % 2 == 0 else "" for i, name in enumerate(names)]
    start = area.left + left + max((area.width - left - n_heads * (side + gap) + gap) / 2, 0)
    for (i, j), _ in np.ndenumerate(np.empty((n_layers, n_heads))):
        box = Box(start + j * (side + gap), area.top - side - i * (side + gap), side, side)
        _draw_map(slide, box, maps.isel(layer=i, head=j).values)
        if j == 0:
            slide.text(box.left - 12, box.bottom + side / 2, names[i], ha="right", va="center")
    row = Box(start, area.top + 8, n_heads * (side + gap), LINE_PT)
    _name_heads(slide, maps["head"].values.tolist(), row, side)
    _add_key(slide, row.right + 14, area.top, area.height)
    return slide.figure


def draw_layer(maps: xr.DataArray, **options: Unpack[SlideOptions]) -> Figure:
    """Draw the attention maps of one layer's heads side by side, for short prompts with tokens on the axes and weights in the cells.

    Parameters
    ----------
    maps : attention weights, (head, query, key), with the coordinate ``query_token``.
    """
    slide = blank_slide(**options)
    area = slide.body.inset(right=KEY_PT)
    tokens = [short_label(str(token)) for token in maps["query_token"].values]
    n = maps.sizes["head"]
    n_columns = _best_columns(n, area)
    n_rows = -(-n // n_columns)
    for head, cell in zip(range(n), area.grid(n_rows, n_columns, (22, 14)), strict=False):
        name = f"head {maps['head'].values[head]}"
        _draw_labelled(slide, cell.inset(top=LINE_PT + 8), maps.isel(head=head).values, tokens, name=name)
    _add_key(slide, slide.body.right - KEY_PT + 14, area.top, area.height)
    return slide.figure


def draw_head(maps: xr.DataArray, **options: Unpack[SlideOptions]) -> Figure:
    """Draw the attention map of one head with tokens on both axes and, where there are few, weights in the cells.

    Parameters
    ----------
    maps : attention weights, (query, key), with the coordinate ``query_token``.
    """
    slide = blank_slide(**options)
    area = slide.body.inset(right=KEY_PT)
    tokens = [short_label(str(token)) for token in maps["query_token"].values]
    used = _draw_labelled(slide, area, maps.values, tokens, centred=True)
    _add_key(slide, used.right + 18, used.top, used.height)
    return slide.figure


def _draw_labelled(
    slide: Slide,
    area: Box,
    values: NDArray[np.floating],
    tokens: Sequence[str],
    *,
    name: str = "",
    centred: bool = False,
) -> Box:
    """Draw a map as large as fits, with tokens at the left and on top if they can be read; return the box of the map."""
    longest = max(map(text_width, tokens))
    rows = _label_rows(tokens, min(area.width - longest - 12, area.height - LINE_PT))
    step = longest + 8  # between rows of labels
    margin = rows * step + 4 if rows else 0.0
    upright = longest + 4 <= rows * (area.height - margin) / len(tokens)
    head = (rows * LINE_PT if upright else margin + 6) if rows else 0.0
    side = min(area.width - margin, area.height - head)
    left, top = area.left + margin, area.top - head
    if centred:
        left += max((area.right - left - side) / 2, 0)
    else:
        top -= max((top - area.bottom - side) / 3, 0)
    box = Box(left, top - side, side, side)
    slide.text(box.left, top + head + 10, name, bold=True)
    axes = _draw_map(slide, box, values)
    cell = side / len(tokens)
    for i in range(len(tokens)) if rows else ():
        along, row = (i + 0.5) * cell, i % rows
        slide.text(box.left - 8 - row * step, box.top - along, tokens[i], ha="right", va="center")
        if upright:
            slide.text(box.left + along, box.top + 8 + row * LINE_PT, tokens[i], ha="center")
        else:
            slide.text(box.left + along, box.top + 8 + row * step, tokens[i], ha="center", va="bottom", rotation=90)
    if cell >= LEAST_VALUE_CELL_PT:
        _print_values(axes, values, slide.theme)
    return box


def _label_rows(tokens: Sequence[str], side: float) -> int:
    """Count the rows into which the labels of all tokens fit along a side; 0 if they do not fit."""
    rows = int(np.ceil((TEXT_PT + 3) * len(tokens) / side))
    return rows if rows <= MOST_LABEL_ROWS else 0


def _draw_map(slide: Slide, box: Box, values: NDArray[np.floating]) -> Axes:
    axes = slide.axes(box)
    past = np.ma.masked_array(values, np.triu(np.ones(values.shape, dtype=bool), 1))
    axes.imshow(past, cmap=weight_map(slide.theme), norm=NORM, interpolation="nearest", aspect="auto")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color(slide.theme.line)
    return axes


def _print_values(axes: Axes, values: NDArray[np.floating], theme: Theme) -> None:
    for i, j in np.ndindex(values.shape):
        if j <= i:
            color = text_on(to_hex(weight_map(theme)(NORM(values[i, j]))))
            number = f"{values[i, j]:.2f}".removeprefix("0") if values[i, j] < 0.995 else "1"
            axes.text(j, i, number, ha="center", va="center", fontsize=TEXT_PT, color=color)


def _name_heads(slide: Slide, heads: Sequence[int], row: Box, side: float) -> None:
    """Write the heads' names in a row above their columns, of maps of this side; where they do not fit, numbers alone."""
    advance = row.width / len(heads)
    in_words = text_width(f"head {heads[-1]}") + 8 <= advance
    every = 1 if in_words else max(1, int(np.ceil((text_width(str(heads[-1])) + 8) / advance)))
    for j in range(0, len(heads), every):
        name = f"head {heads[j]}" if in_words else str(heads[j])
        slide.text(row.left + j * advance + side / 2, row.bottom, name, ha="center")
    if not in_words:
        slide.text(row.left - 12, row.bottom, "head", ha="right")


def _best_columns(n: int, area: Box) -> int:
    """Choose the number of columns that makes ``n`` squares largest."""
    return max(range(1, n + 1), key=lambda k: min(area.width / k - 22, area.height / -(-n // k) - 50))


def _add_key(slide: Slide, left: float, top: float, room: float) -> None:
    height = min(room, KEY_HEIGHT_PT)
    box = Box(left, top - height, KEY_PT, height)
    color_bar(slide, box, (weight_map(slide.theme), NORM), (0, 0.1, 0.5, 1), "{:g}")
