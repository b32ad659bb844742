"""Figures of decoding: the candidates for each token, and the distribution of the next token at several temperatures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import numpy as np
import xarray as xr
from matplotlib.colors import Normalize, to_hex
from matplotlib.figure import Figure
from numpy.typing import NDArray

from data.language import digits, say
from viz.drawing.layout import Box
from viz.drawing.slide import LINE_PT, Slide, SlideOptions, blank_slide, color_bar
from viz.drawing.text import shorten, text_width
from viz.drawing.theme import heat_map, role_color, text_on
from viz.figures.next_token_figure import write_prompt
from viz.films.temperature_film import leading_rows, stands_for_others
from viz.fonts import drawable, label

MOST_COLUMNS = 16
LEAST_COLUMN_PT = 56
ROW_PT = 52
MOST_RANKS = 7
LABELS_PT = 80
BAR_ROW_PT = 27
MOST_ROWS = 14


def draw_trace(trace: xr.Dataset, **options: Unpack[SlideOptions]) -> Figure:
    """Draw the most probable candidates for each token in order, the chosen one framed; the text runs along the top.

    Parameters
    ----------
    trace : ``candidate`` (position, rank), with ``probability`` and ``drawn_from`` of the same shape, and ``chosen`` and ``chosen_rank``
        (position), as from `probes.models.decoding.decoding_trace`. Of a long trace, as many tokens are drawn as fit.
    **options : title, subtitle, takeaway, theme and inches, as in `viz.drawing.slide.blank_slide`.
    """
    slide = blank_slide(**options)
    area = write_prompt(slide, str(trace.attrs["prompt"])).inset(left=LABELS_PT, right=62, top=LINE_PT + 12)
    n_columns = min(trace.sizes["position"], MOST_COLUMNS, int(area.width / _column_width(trace)))
    shown = trace.isel(position=slice(0, n_columns))
    n_rows = max(1, min(MOST_RANKS, trace.sizes["rank"], int(area.height / ROW_PT)))
    ranks = shown["chosen_rank"].values
    has_further_row = bool(((ranks < 0) | (ranks >= n_rows)).any())
    if has_further_row:
        n_rows = max(1, n_rows - 1)
    cells = _cells(area, n_rows + has_further_row, n_columns)
    _label(slide, cells, shown, n_rows)
    _draw_candidates(slide, cells, shown, n_rows)
    key = Box(area.right + 14, area.bottom, 12, area.height)
    color_bar(slide, key, (heat_map(slide.theme), Normalize(0, 1)), (0, 0.5, 1), "{:g}")
    return slide.figure


def _shown_probabilities(trace: xr.Dataset) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Choose the probabilities of candidates (position, rank) and chosen tokens: those sampled from, or if greedy the model's own."""
    greedy = trace.attrs["decoding"]["temperature"] == 0
    names = ("probability", "chosen_probability") if greedy else ("drawn_from", "chosen_drawn_from")
    candidates, chosen = (np.asarray(trace[name].values, dtype=float) for name in names)
    return candidates, chosen


def _column_width(trace: xr.Dataset) -> float:
    """Choose the least width of a column, so that code points, which all begin alike, can be read in it."""
    tokens = {*map(str, trace["candidate"].values.flat), *map(str, trace["chosen"].values)}
    names = [drawable(label(token)) for token in tokens]
    widths = [text_width(name, bold=True) + 14 for name in names if "U+" in name]
    return min(max([LEAST_COLUMN_PT, *widths]), 2 * LEAST_COLUMN_PT)


def _cells(area: Box, n_rows: int, n_columns: int) -> list[list[Box]]:
    height, width = min(area.height / n_rows, 1.5 * ROW_PT), min(area.width / n_columns, 2 * LEAST_COLUMN_PT)
    return [
        [Box(area.left + column * width, area.top - (row + 1) * height, width, height) for column in range(n_columns)]
        for row in range(n_rows)
    ]


def _label(slide: Slide, cells: list[list[Box]], trace: xr.Dataset, n_rows: int) -> None:
    """Write the generated text above the columns, and the ranks at the left."""
    top, theme = cells[0], slide.theme
    slide.text(top[0].left - 12, top[0].top + 10, say("writes"), color=theme.muted, ha="right")
    for box, token in zip(top, trace["chosen"].values, strict=True):
        written = shorten(label(str(token)), box.width - 14)
        slide.text(box.left + box.width / 2, box.top + 10, written, bold=True, ha="center")
    for row, boxes in enumerate(cells):
        name = f"{row + 1}." if row < n_rows else say("further")
        middle = boxes[0].bottom + boxes[0].height / 2
        slide.text(boxes[0].left - 12, middle, name, color=theme.muted, ha="right", va="center")


def _draw_candidates(slide: Slide, cells: list[list[Box]], trace: xr.Dataset, n_rows: int) -> None:
    candidates, ranks = trace["candidate"].values, trace["chosen_rank"].values
    values, chosen_values = _shown_probabilities(trace)
    for column, chosen in enumerate(trace["chosen"].values):
        for row in range(n_rows):
            is_chosen = ranks[column] == row
            token = str(candidates[column, row])
            _draw_cell(slide, cells[row][column], token, values[column, row], is_chosen=is_chosen)
        if not 0 <= ranks[column] < n_rows:
            _draw_cell(slide, cells[-1][column], str(chosen), chosen_values[column], is_chosen=True)


def _draw_cell(slide: Slide, box: Box, token: str, value: float, *, is_chosen: bool) -> None:
    """Draw a candidate: its token over its probability, on the colour of the probability; framed if it was chosen."""
    theme = slide.theme
    background = to_hex(heat_map(theme)(value))
    frame = {"edgecolor": theme.palette[0], "linewidth": 3.5} if is_chosen else {"edgecolor": "none", "linewidth": 0}
    slide.rectangle(box.inset(left=2, right=2, bottom=2, top=2), facecolor=background, **frame)
    x, y, color = box.left + box.width / 2, box.bottom + box.height / 2, text_on(background)
    text = shorten(label(token), box.width - 10)
    slide.text(x, y + 11, text, color=color, bold=is_chosen, ha="center", va="center")
    slide.text(x, y - 11, _number(value), color=color, ha="center", va="center")


def _number(value: float) -> str:
    return "–" if value == 0 else digits(f"{value:z.2f}") if value >= 0.005 else digits("<.01")


def draw_temperatures(distributions: xr.Dataset, prompt: str, **options: Unpack[SlideOptions]) -> Figure:
    """Draw the distribution of the next token at several temperatures: a column per temperature, a row per token.

    Parameters
    ----------
    distributions : ``probability`` (temperature, token) and ``entropy`` (temperature), in nats.
    prompt : the text before the token.
    **options : title, subtitle, takeaway, theme and inches, as in `viz.drawing.slide.blank_slide`.
    """
    slide = blank_slide(**options)
    theme, body = slide.theme, write_prompt(slide, prompt)
    room = int((body.height - 2.6 * LINE_PT) / BAR_ROW_PT)
    # The last temperature decides the order: at temperature 0 all tokens but one are equal.
    names, values = leading_rows(distributions, max(2, min(MOST_ROWS, room)))
    names = [shorten(name, 0.22 * body.width) for name in names]
    head, entropy_name = say("temperature" if body.width > 600 else "temp."), say("entropy")
    left = max(text_width(name) for name in (*names, entropy_name, head)) + 14
    area = body.inset(left=left, top=1.4 * LINE_PT, bottom=1.2 * LINE_PT)
    columns = area.columns([1] * len(values), 10)
    pitch = min(area.height / len(names), 40)
    for row, name in enumerate(names):
        y = area.top - (row + 0.5) * pitch
        color = theme.muted if stands_for_others(name) else theme.text
        slide.text(area.left - 12, y, name, ha="right", va="center_baseline", color=color)
    foot = area.top - len(names) * pitch - 22
    slide.text(area.left - 12, foot, entropy_name, color=theme.muted, ha="right")
    for column, temperature, entropy, shares in zip(
        columns, distributions["temperature"].values, distributions["entropy"].values, values, strict=True
    ):
        slide.text(column.left, area.top + 12, digits(f"{float(temperature):g}"), bold=True)
        slide.text(column.left, foot, digits(f"{float(entropy):z.2f}"), color=theme.muted)
        _draw_column(slide, column, names, shares, pitch)
    slide.text(area.left - 12, area.top + 12, head, color=theme.muted, ha="right")
    return slide.figure


def _draw_column(slide: Slide, column: Box, names: Sequence[str], shares: NDArray[np.float64], pitch: float) -> None:
    """Draw the bars of one temperature, with room for the number beside the longest possible bar."""
    theme = slide.theme
    longest = column.width - text_width("0.00", bold=True) - 8
    for row, share in enumerate(shares):
        y = column.top - (row + 0.5) * pitch
        color = theme.disc if stands_for_others(names[row]) else role_color(theme, "probability")
        bar = Box(column.left, y - 0.34 * pitch, max(share * longest, 1.0 if share else 0.0), 0.68 * pitch)
        slide.rectangle(bar, color=color, linewidth=0)
        if share >= 0.005:
            slide.text(bar.right + 6, y, digits(f"{share:z.2f}"), va="center_baseline")
