"""Stills of decoding: what was weighed up token by token, and what temperature makes of the bets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.colors import Normalize, to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from viz.drawing.labels import display
from viz.drawing.slide import LIGHT, LINE_PT, WIDE, Box, Slide, blank_slide, color_bar, heat_map, shorten, text_points
from viz.drawing.theme import Theme, text_on
from viz.figures.next_token_figure import quote
from viz.films.temperature_film import leading_rows

MOST_COLUMNS = 16
LEAST_COLUMN_PT = 56
ROW_PT = 52
MOST_RANKS = 7
LABELS_PT = 80
BAR_ROW_PT = 27
MOST_ROWS = 14


def draw_trace(
    trace: xr.Dataset,
    *,
    title: str,
    subtitle: str,
    theme: Theme = LIGHT,
    inches: tuple[float, float] = WIDE,
    takeaway: str = "",
) -> Figure:
    """Draw the leading candidates of each token, the likeliest first, the one that was taken framed; the text reads along the top.

    Parameters
    ----------
    trace : ``candidate`` (position, rank), with ``probability`` and ``drawn_from`` of the same shape, and ``chosen`` and ``chosen_rank``
        (position), as `probes.models.decoding.decoding_trace` returns it. Of a long one as many tokens are drawn as fit, from the first.
    """
    slide = blank_slide(title, subtitle, theme, inches, takeaway)
    area = quote(slide, str(trace.attrs["prompt"])).inset(left=LABELS_PT, right=62, top=LINE_PT + 12)
    n_columns = min(trace.sizes["position"], MOST_COLUMNS, int(area.width / LEAST_COLUMN_PT))
    shown = trace.isel(position=slice(0, n_columns))
    n_rows = max(1, min(MOST_RANKS, trace.sizes["rank"], int(area.height / ROW_PT)))
    if is_beyond(shown, n_rows):  # a row for tokens that were taken though others led
        n_rows = max(1, n_rows - 1)
        rows = n_rows + 1
    else:
        rows = n_rows
    cells = _cells(area, rows, n_columns)
    _label(slide, cells, shown, n_rows)
    _draw_candidates(slide, cells, shown, n_rows)
    color_bar(
        slide,
        Box(area.right + 14, area.bottom, 12, area.height),
        (heat_map(theme), Normalize(0, 1)),
        (0, 0.5, 1),
        "{:g}",
    )
    return slide.figure


def is_beyond(trace: xr.Dataset, n_rows: int) -> bool:
    """Say whether any token was taken that is not among the first ``n_rows`` candidates."""
    ranks = trace["chosen_rank"].values
    return bool(((ranks < 0) | (ranks >= n_rows)).any())


def told(trace: xr.Dataset) -> NDArray[np.float64]:
    """Return the probabilities (position, rank) that a picture shows: the model's own where the likeliest was always taken."""
    greedy = trace.attrs["decoding"]["temperature"] == 0
    return np.asarray(trace["probability" if greedy else "drawn_from"].values, dtype=float)


def _cells(area: Box, n_rows: int, n_columns: int) -> list[list[Box]]:
    height, width = min(area.height / n_rows, 1.5 * ROW_PT), min(area.width / n_columns, 2 * LEAST_COLUMN_PT)
    return [
        [Box(area.left + column * width, area.top - (row + 1) * height, width, height) for column in range(n_columns)]
        for row in range(n_rows)
    ]


def _label(slide: Slide, cells: list[list[Box]], trace: xr.Dataset, n_rows: int) -> None:
    """Write the text that came out over the columns, and the ranks at the left."""
    top, theme = cells[0], slide.theme
    slide.text(top[0].left - 12, top[0].top + 10, "writes", color=theme.muted, ha="right")
    for box, token in zip(top, trace["chosen"].values, strict=True):
        written = shorten(display(str(token)), box.width - 14)
        slide.text(box.left + box.width / 2, box.top + 10, written, bold=True, ha="center")
    for row, boxes in enumerate(cells):
        name = f"{row + 1}." if row < n_rows else "further"
        middle = boxes[0].bottom + boxes[0].height / 2
        slide.text(boxes[0].left - 12, middle, name, color=theme.muted, ha="right", va="center")


def _draw_candidates(slide: Slide, cells: list[list[Box]], trace: xr.Dataset, n_rows: int) -> None:
    candidates, values, ranks = trace["candidate"].values, told(trace), trace["chosen_rank"].values
    taken = trace["chosen"].values, _taken_values(trace)
    for column in range(trace.sizes["position"]):
        for row in range(n_rows):
            is_taken = ranks[column] == row
            _draw_cell(slide, cells[row][column], str(candidates[column, row]), values[column, row], is_taken=is_taken)
        if not 0 <= ranks[column] < n_rows:
            _draw_cell(slide, cells[-1][column], str(taken[0][column]), taken[1][column], is_taken=True)


def _taken_values(trace: xr.Dataset) -> NDArray[np.float64]:
    greedy = trace.attrs["decoding"]["temperature"] == 0
    return np.asarray(trace["chosen_probability" if greedy else "chosen_drawn_from"].values, dtype=float)


def _draw_cell(slide: Slide, box: Box, token: str, value: float, *, is_taken: bool) -> None:
    """Draw one candidate: its token over its probability, on the colour of that; a frame if it was taken."""
    theme, (width, height) = slide.theme, slide.size
    ground = to_hex(heat_map(theme)(value))
    inner = box.inset(left=2, right=2, bottom=2, top=2)
    slide.figure.add_artist(
        Rectangle(
            (inner.left / width, inner.bottom / height),
            inner.width / width,
            inner.height / height,
            facecolor=ground,
            edgecolor=theme.palette[0] if is_taken else "none",
            linewidth=3.5 if is_taken else 0,
            transform=slide.figure.transFigure,
        )
    )
    color, middle = text_on(ground), box.left + box.width / 2
    centre = box.bottom + box.height / 2
    slide.text(
        middle,
        centre + 11,
        shorten(display(token), box.width - 10),
        color=color,
        bold=is_taken,
        ha="center",
        va="center",
    )
    slide.text(middle, centre - 11, _number(value), color=color, ha="center", va="center")


def _number(value: float) -> str:
    return "–" if value == 0 else f"{value:.2f}" if value >= 0.005 else "<.01"


def draw_temperatures(
    distributions: xr.Dataset,
    prompt: str,
    *,
    title: str,
    subtitle: str,
    theme: Theme = LIGHT,
    inches: tuple[float, float] = WIDE,
    takeaway: str = "",
) -> Figure:
    """Draw the distribution of the next token at a few temperatures side by side: a column each, the same token in the same row.

    Parameters
    ----------
    distributions : ``probability`` (temperature, token) and ``entropy`` (temperature), in nats.
    prompt : what the model has read.
    """
    slide = blank_slide(title, subtitle, theme, inches, takeaway)
    body = quote(slide, prompt)
    room = int((body.height - 2.6 * LINE_PT) / BAR_ROW_PT)
    # The order of the bars is that of the last temperature, which has one: at 0 all but one are equal.
    names, values = leading_rows(distributions, max(2, min(MOST_ROWS, room)))
    names = [shorten(name, 0.22 * body.width) for name in names]
    head = "temperature" if body.width > 600 else "temp."
    left = max(text_points(name) for name in (*names, "entropy", head)) + 14
    area = body.inset(left=left, top=1.4 * LINE_PT, bottom=1.2 * LINE_PT)
    columns = area.columns([1] * len(values), 10)
    pitch = min(area.height / len(names), 40)
    for row, name in enumerate(names):
        y = area.top - (row + 0.5) * pitch
        slide.text(area.left - 12, y, name, ha="right", va="center_baseline", color=_quiet(theme, names, row))
    foot = area.top - len(names) * pitch - 22
    slide.text(area.left - 12, foot, "entropy", color=theme.muted, ha="right")
    for column, temperature, entropy, shares in zip(
        columns, distributions["temperature"].values, distributions["entropy"].values, values, strict=True
    ):
        slide.text(column.left, area.top + 12, f"{float(temperature):g}", bold=True)
        slide.text(column.left, foot, f"{float(entropy):.2f}", color=theme.muted)
        _draw_column(slide, column, names, shares, pitch)
    slide.text(area.left - 12, area.top + 12, head, color=theme.muted, ha="right")
    return slide.figure


def _draw_column(slide: Slide, column: Box, names: Sequence[str], shares: NDArray[np.float64], pitch: float) -> None:
    """Draw the bars of one temperature; the longest bar there can be leaves room for its number."""
    theme, (width, height) = slide.theme, slide.size
    longest = column.width - text_points("0.00", bold=True) - 8
    for row, share in enumerate(shares):
        y = column.top - (row + 0.5) * pitch
        color = theme.disc if names[row].endswith(("other", "others")) else theme.palette[1]
        size = max(share * longest, 1.0 if share else 0.0), 0.68 * pitch
        corner = column.left / width, (y - 0.34 * pitch) / height
        slide.figure.add_artist(
            Rectangle(
                corner, size[0] / width, size[1] / height, color=color, linewidth=0, transform=slide.figure.transFigure
            )
        )
        if share >= 0.005:
            slide.text(column.left + size[0] + 6, y, f"{share:.2f}", va="center_baseline")


def _quiet(theme: Theme, names: Sequence[str], row: int) -> str:
    return theme.muted if names[row].endswith(("other", "others")) else theme.text
