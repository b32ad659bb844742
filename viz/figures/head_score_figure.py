"""The figure of head scores over the snapshots: small multiples, with the loss beside them."""

from __future__ import annotations

from typing import Unpack

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from data.arrays import FloatArray
from data.language import digits, say
from viz.drawing.curve_panel import Curve, FilmClock, step_axis
from viz.drawing.layout import Box
from viz.drawing.lines import nice_top, plain_number, quiet_axes
from viz.drawing.slide import LINE_PT, Slide, SlideOptions, blank_slide, scale_key
from viz.drawing.text import shorten, text_width
from viz.drawing.theme import layer_colors, role_color

SCORES = ("previous_token", "duplicate_token", "induction", "sink", "entropy", "distance")
"""The scores, in the order in which they are drawn."""
ATTENTION = ("previous_token", "duplicate_token", "induction", "sink")
"""Scores that are mean attention weights."""
LEAST_TOP = 0.2
"""The axes of those end at this value or above, so that what no head does does not fill a panel."""
BY_IMPORTANCE = ("induction", "previous_token", "sink", "entropy", "duplicate_token", "distance")
"""The scores, in the order in which they are chosen where not all fit."""
NAMES = {
    "duplicate_token": "same token earlier",
    "sink": "first token (sink)",
    "entropy": "entropy (1: even)",
    "distance": "distance (tokens)",
}
"""Names in figures and films, where they say more than the variable's name."""
LOWEST_LEADS = ("entropy",)
"""Scores whose leading head is that of the lowest score: the most focused."""

HEAD_PT = 58
"""Height of the two lines of text above each panel, and of the half of a tick label that stands above it."""
HEAD_ROOM_PT = 66
"""Width of the disc before a head's name and of the value after it."""
TICKS_PT = 28


def draw_scores(scores: xr.Dataset, loss: Curve | None, **options: Unpack[SlideOptions]) -> Figure:
    """Draw a panel for each head score: a thin line per head, coloured by layer, the leading head thick and named.

    Parameters
    ----------
    scores : any of ``previous_token``, ``duplicate_token``, ``induction``, ``sink``, ``entropy``, ``distance``, each
        (step, layer, head) with the attribute ``uniform`` (the score of even attention: the dashed line).
    loss : the validation loss, which gets a panel of its own.

    Notes
    -----
    The leading head has the highest score at the last step, in entropy the lowest. Where not all panels fit, the most important are
    drawn.
    """
    slide = blank_slide(**options)
    n_columns = int((slide.body.width + 20) / 224)
    n_rows = 2 if n_columns > 2 or slide.body.height < 330 else 3
    names = _chosen(scores, n_rows * n_columns - 1 - (loss is not None))
    n_panels = len(names) + (loss is not None)
    n_columns = min(n_columns, n_panels + 1)
    n_rows = -(-(n_panels + 1) // n_columns)
    area = slide.body.inset(bottom=TICKS_PT)
    cells = area.grid(n_rows, n_columns, (22, 14 if n_rows > 2 else TICKS_PT + 14))
    clock = FilmClock.of(scores["step"])
    has_room = n_rows <= 2
    for i, cell in enumerate(cells[:n_panels]):
        lowest = has_room or i + n_columns >= n_panels
        if i < len(names):
            _draw_score(slide, cell, scores[names[i]], clock, top=_top(scores, names[i]), show_steps=lowest)
        elif loss is not None:
            _draw_loss(slide, cell, loss, clock, show_steps=lowest)
    _draw_key(slide, cells[n_panels], scores)
    return slide.figure


def leading_head(score: xr.DataArray) -> tuple[int, int]:
    """Find the head that leads at the last step: the indices (layer, head) of the highest score, in entropy the lowest.

    Examples
    --------
    >>> leading_head(xr.DataArray([[[0.1, 0.9], [0.2, 0.3]]], dims=("step", "layer", "head"), name="sink"))
    (0, 1)
    """
    last = score.isel(step=-1).transpose("layer", "head").values.astype(float)
    if not np.isfinite(last).any():
        return 0, 0
    place = np.nanargmin(last) if score.name in LOWEST_LEADS else np.nanargmax(last)
    layer, head = np.unravel_index(place, last.shape)
    return int(layer), int(head)


def _chosen(scores: xr.Dataset, most: int) -> list[str]:
    present = [name for name in BY_IMPORTANCE if name in scores][: max(most, 1)]
    return [name for name in SCORES if name in present]


def _top(scores: xr.Dataset, name: str) -> float:
    """Choose the upper end of the axis of a score."""
    score = scores[name]
    least = LEAST_TOP if name in ATTENTION else 0.0
    return nice_top(float(np.nanmax([np.nanmax(score.values, initial=least), score.attrs.get("uniform", 0.0)])))


def _draw_score(
    slide: Slide, cell: Box, score: xr.DataArray, clock: FilmClock, *, top: float, show_steps: bool
) -> None:
    score = score.transpose("step", "layer", "head")
    values = score.values.astype(float)
    layer, head = leading_head(score)
    colors = layer_colors(values.shape[1], slide.theme)
    named = _name(score, layer, head, cell.width - HEAD_ROOM_PT)
    axes = _panel(slide, cell, (score_title(str(score.name)), named, values[-1, layer, head], colors[layer]))
    steps = clock.steps.astype(float)
    _draw_all_heads(axes, steps, values, colors)
    uniform = float(score.attrs.get("uniform", np.nan))
    if np.isfinite(uniform):
        axes.axhline(uniform, color=slide.theme.muted, linewidth=1.4, dashes=(4, 3), zorder=4, clip_on=False)
    _lead(axes, steps, values[:, layer, head], colors[layer])
    axes.set_ylim(0, top)
    axes.set_yticks([0, top], ["0", plain_number(top)])
    _finish(slide, axes, cell, clock, show_steps=show_steps)


def _draw_all_heads(axes: Axes, steps: FloatArray, values: FloatArray, colors: list[str]) -> None:
    """Draw a thin line for each head, in the colour of its layer; ``values`` are (step, layer, head)."""
    n_heads = values[0].size
    lines = values.reshape(len(steps), n_heads)
    by_head = [color for color in colors for _ in range(values.shape[2])]
    if len(steps) == 1:
        axes.scatter(np.repeat(steps, n_heads), lines[0], s=30, c=by_head)
        return
    width, alpha = (1.5, 0.9) if n_heads <= 36 else (0.8, 0.6)
    segments = [np.column_stack([steps, line]) for line in lines.T]
    axes.add_collection(LineCollection(segments, colors=by_head, linewidths=width, alpha=alpha))


def _draw_loss(slide: Slide, cell: Box, loss: Curve, clock: FilmClock, *, show_steps: bool) -> None:
    color = role_color(slide.theme, loss.role)
    title = loss.title if text_width(loss.title, bold=True) <= cell.width else loss.title.split(" (")[0]
    axes = _panel(slide, cell, (title, say("nats per token") if "nats" in loss.title else "", loss.values[-1], color))
    _lead(axes, loss.steps.astype(float), loss.values, color)
    low, high = float(np.nanmin(loss.values)), float(np.nanmax(loss.values))
    ticks = [t for t in (np.ceil(low), np.floor(high)) if low <= t <= high]
    room = 0.06 * max(high - low, 0.1)
    axes.set_ylim(low - room, high + room)
    axes.set_yticks(sorted(set(ticks)), [plain_number(t) for t in sorted(set(ticks))])
    _finish(slide, axes, cell, clock, show_steps=show_steps)


def _name(score: xr.DataArray, layer: int, head: int, width: float) -> str:
    """Name a head, in the short form if the longest name does not fit."""
    layers, heads = score["layer"].values, score["head"].values
    longest = say("layer {layer} head {head}", layer=int(layers[-1]), head=int(heads[-1]))
    template = "layer {layer} head {head}" if text_width(longest) <= width else "L{layer} head {head}"
    return say(template, layer=int(layers[layer]), head=int(heads[head]))


def score_title(name: str) -> str:
    """Name a score in figures and films.

    Examples
    --------
    >>> score_title("duplicate_token"), score_title("previous_token")
    ('same token earlier', 'previous token')
    """
    return say(NAMES.get(name, name.replace("_", " ")))


def _panel(slide: Slide, cell: Box, heading: tuple[str, str, float, str]) -> Axes:
    """Write a heading above a panel (title; name, last value and colour of its main line) and add the axes."""
    title, named, value, color = heading
    slide.text(cell.left, cell.top - 16, shorten(title, cell.width), bold=True)
    shown = digits(f"{value:z.2f}" if abs(value) < 9.995 else f"{value:z.1f}")
    slide.dot(cell.left + 6, cell.top - LINE_PT - 9, color)
    slide.text(cell.left + 17, cell.top - LINE_PT - 15, shorten(named, cell.width - HEAD_ROOM_PT))
    slide.text(cell.right, cell.top - LINE_PT - 15, shown, bold=True, ha="right")
    return slide.axes(cell.inset(left=32, top=HEAD_PT, right=5))


def _lead(axes: Axes, steps: FloatArray, values: FloatArray, color: str) -> None:
    axes.plot(steps, values, color=color, linewidth=4, solid_capstyle="round", zorder=5, clip_on=False)
    axes.plot(steps[-1:], values[-1:], "o", color=color, markersize=10, zorder=6, clip_on=False)


def _finish(slide: Slide, axes: Axes, cell: Box, clock: FilmClock, *, show_steps: bool) -> None:
    ticks, labels = axes.get_yticks(), [label.get_text() for label in axes.get_yticklabels()]
    quiet_axes(axes, slide.theme, bins=3)
    axes.set_yticks(ticks, labels)
    axes.tick_params(axis="y", pad=6)
    axes.tick_params(axis="x", length=5, color=slide.theme.line, pad=5)
    step_axis(axes, clock)
    if not show_steps:
        axes.tick_params(axis="x", labelbottom=False)


def _draw_key(slide: Slide, cell: Box, scores: xr.Dataset) -> None:
    """Explain the lines in the last cell."""
    layers = scores["layer"].values
    y, x = cell.bottom + 2 * 28, cell.left + 8
    scale_key(
        slide,
        x,
        y,
        (say("layer {layer}", layer=int(layers[0])), str(layers[-1])),
        layer_colors(len(layers), slide.theme),
    )
    slide.line([x, x + 30], [y - 22] * 2, slide.theme.text, linewidth=4, solid_capstyle="butt")
    slide.text(x + 39, y - 28, say("leading head"))
    slide.line([x, x + 30], [y - 50] * 2, slide.theme.muted, linewidth=1.6, dashes=(4, 3))
    slide.text(x + 39, y - 56, say("even attention"))
