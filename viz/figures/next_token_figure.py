"""Figures of next-token predictions: the distribution over tokens, the logit lens, and the loss by position in the context."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Unpack

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, to_hex
from matplotlib.figure import Figure

from data.arrays import FloatArray
from data.errors import InputError
from data.language import digits, picture_language, say
from probes.groups.symbols import display
from viz.drawing.layout import Box
from viz.drawing.lines import LineEnd, draw_fan, name_ends, quiet_axes, step_names
from viz.drawing.slide import LINE_PT, SIZES, Slide, SlideOptions, blank_slide, color_bar, evenly
from viz.drawing.text import TEXT_PT, label_name, others_name, short_label, shorten, text_width
from viz.drawing.theme import heat_map, role_color, text_on

MOST_BARS = 12
FEWEST_BARS = 5
LEAST_PRINTED = 0.01
"""Tokens below this probability have no number of their own."""
LEAST_LABEL_PT, LEAST_BAR_PT = 12, 28
MOST_COLUMNS = 16
MOST_OF_REST = 2.0
"""The longest the bar of all other tokens may be, in lengths of the longest bar of a token, before it is cut."""


@dataclass(frozen=True)
class TokenBar:
    """A bar of the next-token chart; ``earlier`` are the probabilities at earlier snapshots."""

    label: str
    value: float
    earlier: tuple[float, ...]
    is_rest: bool = False


def draw_next_token(
    distribution: xr.DataArray, prompt: str, *, least: float = LEAST_PRINTED, **options: Unpack[SlideOptions]
) -> Figure:
    """Draw the most probable next tokens at the last step as bars, with marks for their probabilities at earlier steps.

    Parameters
    ----------
    distribution : probabilities, (step, token) or (token,).
    prompt : the text before the token; stands above the bars.
    least : tokens below this probability are summed in one bar, except the five most probable.
    **options : title, subtitle, takeaway, theme and inches, as in `viz.drawing.slide.blank_slide`.
    """
    slide = blank_slide(**options)
    theme = slide.theme
    body = write_prompt(slide, prompt)
    by_step = distribution if "step" in distribution.dims else distribution.expand_dims("step")
    places = evenly(by_step.sizes["step"], 3)
    values = by_step.transpose("step", "token").isel(step=places).values.astype(float)
    has_earlier = len(places) > 1
    area = body.inset(bottom=LINE_PT + 12 if has_earlier else 0)
    fitting = min(MOST_BARS, int(area.height / 25))
    bars = next_token_bars(values, [str(token) for token in by_step["token"].values], least, fitting)
    colors = [theme.palette[0], theme.text][-len(places) + 1 :] if has_earlier else []
    _draw_bars(slide, area, bars, colors, least)
    if has_earlier:
        _write_mark_key(slide, step_names(by_step["step"][places]), colors)
    return slide.figure


def draw_all_tokens(distribution: xr.DataArray, prompt: str, **options: Unpack[SlideOptions]) -> Figure:
    """Draw the distribution of the next token with a bar for every token, in the order of the vocabulary, column by column.

    Parameters
    ----------
    distribution : probabilities, (token,).
    prompt : the text before the token; stands above the bars.
    **options : title, subtitle, takeaway, theme and inches, as in `viz.drawing.slide.blank_slide`.

    Raises
    ------
    InputError
        If the tokens are too many to be read.
    """
    slide = blank_slide(**options)
    theme, area = slide.theme, write_prompt(slide, prompt)
    values, labels = distribution.values.astype(float), [short_label(str(t)) for t in distribution["token"].values]
    size, columns = _columns_of_bars(area, labels)
    if not columns:
        large = Box(0, 0, *(72 * side - 100 for side in SIZES["large"]))
        advice = ", or pass `size=large`" if _columns_of_bars(large, labels)[1] else ""
        raise InputError(f"{len(labels):,} tokens are too many for a bar each: leave out `all_tokens`{advice}")
    n_rows = -(-len(labels) // len(columns))
    names, pitch = max(text_width(label, size) for label in labels), area.height / n_rows
    for place, (label, value) in enumerate(zip(labels, values, strict=True)):
        column, y = columns[place // n_rows], area.top - (place % n_rows + 0.5) * pitch
        is_printed = value >= LEAST_PRINTED
        color = theme.text if is_printed else theme.muted
        slide.text(column.left + names, y, label, color=color, size=size, ha="right", va="center_baseline")
        start = column.left + names + 6
        length = value / max(values.max(), 1e-9) * (column.right - start - _number_pt(size))
        slide.rectangle(
            Box(start, y - 0.36 * pitch, length, 0.72 * pitch), color=role_color(theme, "probability"), linewidth=0
        )
        if is_printed:
            slide.text(start + length + 4, y, digits(f"{value:z.2f}"), size=size, va="center_baseline")
    return slide.figure


def _columns_of_bars(area: Box, labels: Sequence[str]) -> tuple[int, list[Box]]:
    """Choose the size of the type and the columns for a bar a label; no columns where they do not fit."""
    for size in range(TEXT_PT, LEAST_LABEL_PT - 1, -1):
        n_rows = max(1, int(area.height / (size + 2)))
        columns = area.columns([1] * -(-len(labels) // n_rows), 12)
        widest = max(text_width(label, size) for label in set(labels))
        if columns[0].width >= widest + 6 + LEAST_BAR_PT + _number_pt(size):
            return size, columns
    return LEAST_LABEL_PT, []


def _number_pt(size: float) -> float:
    return text_width("0.00", size) + 4


def next_token_bars(values: FloatArray, tokens: Sequence[str], least: float, most: int) -> list[TokenBar]:
    """Choose at most ``most`` bars: the most probable tokens of the last step in order, then the sum of all others.

    Parameters
    ----------
    values : probabilities (step, token).
    least : tokens below this probability belong to the others, except the five most probable.

    Examples
    --------
    >>> bars = next_token_bars(np.array([[0.25, 0.6, 0.1, 0.04, 0.01]]), list("abcde"), least=0.1, most=4)
    >>> [(bar.label, round(bar.value, 2)) for bar in bars]
    [('b', 0.6), ('a', 0.25), ('c', 0.1), ('2 others', 0.05)]
    """
    order = np.argsort(-values[-1], kind="stable")
    n_top = max(int((values[-1] >= least).sum()), FEWEST_BARS)
    if n_top < len(tokens) or len(tokens) > most:
        n_top = min(n_top, most - 1)
    top, rest = order[:n_top], order[n_top:]
    bars = [
        TokenBar(label_name(tokens[i], picture_language()), float(values[-1, i]), tuple(values[:-1, i])) for i in top
    ]
    if len(rest):
        sums = values[:, rest].sum(axis=1)
        name = others_name(len(rest))
        bars.append(TokenBar(name, float(sums[-1]), (), is_rest=True))
    return bars


def draw_context_loss(loss: xr.DataArray, **options: Unpack[SlideOptions]) -> Figure:
    """Draw the loss by position in the context: a line per snapshot, the last one with its value at both ends.

    Parameters
    ----------
    loss : nats per token, (step, position); the position is the number of tokens before the predicted one.
    """
    slide = blank_slide(**options)
    theme = slide.theme
    lines = loss.transpose("step", "position").values.astype(float)
    names, positions = step_names(loss["step"]), loss["position"].values.astype(float)
    room = max(text_width(line, bold=True) for name in names for line in name.split("\n")) + 36
    slide.text(slide.body.left, slide.body.top - 16, say("nats per token"), color=theme.muted)
    box = slide.body.inset(left=60, right=room, top=LINE_PT + 10, bottom=30)
    axes = slide.axes(box)
    quiet_axes(axes, theme, bins=5)
    ends = draw_fan(axes, positions, lines, names, theme)
    low, high = float(np.nanmin(lines)), float(np.nanmax(lines))
    axes.set_ylim(max(0.0, low - 0.12 * (high - low)), high + 0.05 * (high - low) + 1e-6)
    axes.set_xticks([positions[0], positions[-1]] if len(positions) > 1 else [positions[0]])
    middle, name = box.left + box.width / 2, say("position in the context" if box.width > 280 else "position")
    slide.text(middle, box.bottom - 8, name, color=theme.muted, ha="center", va="top")
    _name_start(slide, axes, box, positions[0], lines[-1, 0])
    last = ends[-1]
    axes.plot(positions[:1], lines[-1, :1], "o", color=last.color, markersize=9, zorder=5, clip_on=False)
    ends[-1] = LineEnd(last.value, f"{last.text}\n{digits(f'{last.value:z.2f}')}", last.color, bold=True)
    name_ends(slide, axes, box, ends)
    return slide.figure


def _name_start(slide: Slide, axes: Axes, box: Box, x: float, value: float) -> None:
    """Write the first value of the last line beside the axis, in place of ticks that would overlap it."""
    low, high = axes.get_ylim()
    ticks = [tick for tick in (*axes.get_yticks(), value) if low <= tick <= high]
    places = {tick: float(axes.transData.transform((x, tick))[1]) for tick in ticks}
    least = box.bottom + 9
    axes.set_yticks([t for t, place in places.items() if abs(place - places[value]) > LINE_PT and place > least])
    slide.text(box.left - 10, places[value], digits(f"{value:z.2f}"), bold=True, ha="right", va="center")


def draw_lens(lens: xr.Dataset, prompt_tokens: list[str], **options: Unpack[SlideOptions]) -> Figure:
    """Draw the logit lens at the last step: the most probable next token after each layer, and its probability.

    Parameters
    ----------
    lens : ``top`` (step, layer, position), the most probable next token as text, and ``top_probability`` of the same shape; layer 0
        stands for the embeddings.
    prompt_tokens : one per position; the columns. Where not all fit, the last are drawn.
    **options : title, subtitle, takeaway, theme and inches, as in `viz.drawing.slide.blank_slide`.
    """
    slide = blank_slide(**options)
    theme = slide.theme
    last = lens.isel(step=-1) if "step" in lens.dims else lens
    tops, probabilities = (last[name].transpose("layer", "position").values for name in ("top", "top_probability"))
    names = [
        say("embeddings") if layer == 0 else say("after layer {layer}", layer=int(layer) - 1)
        for layer in last["layer"].values
    ]
    left = max(text_width(name) for name in (*names, say("has read")))
    area = slide.body.inset(left=left + 14, right=66, bottom=LINE_PT + 8, top=LINE_PT)
    shown_rows = evenly(len(names), max(2, int(area.height / 24)))
    cells = [[short_label(str(top)) for top in row] for row in tops[shown_rows]]
    columns = [short_label(token) for token in prompt_tokens]
    n = _fitting_columns(columns, cells, area.width)
    cells, columns = [row[-n:] for row in cells], columns[-n:]
    probabilities = probabilities[shown_rows][:, -n:].astype(float)
    slide.text(slide.body.left, area.top + 8, say("likeliest next token, by layer"), color=theme.muted)
    slide.text(slide.body.right, area.top + 8, say("probability"), color=theme.muted, ha="right")
    _draw_cells(slide, area, cells, probabilities)
    cell_width, cell_height = area.width / n, area.height / len(cells)
    for i, row in enumerate(shown_rows):
        y = area.bottom + (i + 0.5) * cell_height
        slide.text(area.left - 12, y, names[row], color=theme.muted, ha="right", va="center")
    for i, token in enumerate(columns):
        slide.text(area.left + (i + 0.5) * cell_width, area.bottom - 22, token, bold=True, ha="center")
    slide.text(area.left - 12, area.bottom - 22, say("has read"), color=theme.text, ha="right")
    bar = Box(area.right + 16, area.bottom, 12, area.height)
    color_bar(slide, bar, (heat_map(theme), Normalize(0, 1)), (0, 0.5, 1), "{:g}")
    return slide.figure


def write_prompt(slide: Slide, prompt: str) -> Box:
    """Write a prompt at the top of the body, shortened at its start; return the box below."""
    start, end = say("after “"), "”"
    room = slide.body.width - text_width(start + end) - 2
    kept = prompt.rstrip()
    shown = shorten(display(kept, keep=" ") + display(prompt[len(kept) :]), room, keep="end")
    slide.text(slide.body.left, slide.body.top - 16, f"{start}{shown}{end}")
    return slide.body.inset(top=LINE_PT + 14)


def _draw_bars(slide: Slide, area: Box, bars: Sequence[TokenBar], colors: Sequence[str], least: float) -> None:
    theme = slide.theme
    labels = [shorten(bar.label, 0.3 * area.width) for bar in bars]
    names = max(text_width(label) for label in labels)
    values = [digits(f"{bar.value:z.2f}" if bar.value >= least else f"<{least:g}") for bar in bars]
    numbers = max(text_width(value, bold=True) for value in values)
    box = area.inset(left=names + 14 + numbers + 14)
    pitch = min(box.height / len(bars), 52)
    scale = box.width / _longest(bars)
    for i, (bar, label, value) in enumerate(zip(bars, labels, values, strict=True)):
        y = area.top - (i + 0.5) * pitch
        is_muted = bar.is_rest or bar.value < least
        color = theme.muted if is_muted else theme.text
        slide.text(area.left + names, y, label, color=color, ha="right", va="center_baseline")
        slide.text(box.left - 14, y, value, color=color, bold=not is_muted, ha="right", va="center_baseline")
        bar_box = Box(box.left, y - 0.36 * pitch, min(bar.value * scale, box.width), 0.72 * pitch)
        slide.rectangle(bar_box, color=theme.disc if bar.is_rest else role_color(theme, "probability"), linewidth=0)
        if bar.value * scale > 1.001 * box.width:
            _break_bar(slide, box.right - 0.12 * box.width, y, 0.36 * pitch)
        for earlier, mark_color in zip(bar.earlier, colors, strict=False):
            x = box.left + earlier * scale
            slide.line([x, x], [y - 0.43 * pitch, y + 0.43 * pitch], mark_color, linewidth=2.5, solid_capstyle="butt")


def _longest(bars: Sequence[TokenBar]) -> float:
    """Choose the value of a bar of full length: the largest, except the sum of the others where it dwarfs every token."""
    tokens = max(value for bar in bars if not bar.is_rest for value in (bar.value, *bar.earlier))
    return max(tokens, *(bar.value for bar in bars if bar.value <= MOST_OF_REST * tokens))


def _break_bar(slide: Slide, x: float, y: float, half_height: float) -> None:
    """Cut a bar with two slanted lines, to show that it is longer than drawn."""
    for shift in (0.0, 11.0):
        ends = [x + shift - 5, x + shift + 5], [y - half_height - 3, y + half_height + 3]
        slide.line(*ends, slide.theme.background, linewidth=4, solid_capstyle="butt")


def _write_mark_key(slide: Slide, steps: Sequence[str], colors: Sequence[str]) -> None:
    x, y = slide.body.left, slide.body.bottom + 4
    slide.line([x, x + 22], [y + 6.5] * 2, role_color(slide.theme, "probability"), linewidth=15, solid_capstyle="butt")
    slide.text(x + 31, y, steps[-1])
    x += 31 + text_width(steps[-1]) + 34
    for step, color in zip(steps, colors, strict=False):
        slide.line([x, x], [y - 4, y + 17], color, linewidth=2.5, solid_capstyle="butt")
        slide.text(x + 11, y, step)
        x += 11 + text_width(step) + 34


def _fitting_columns(columns: list[str], cells: list[list[str]], width: float) -> int:
    """Count the columns, from the last, that fit with all text in them."""
    for n in range(min(MOST_COLUMNS, len(columns)), 1, -1):
        texts = [*columns[-n:], *(text for row in cells for text in row[-n:])]
        if max(text_width(text, bold=True) for text in texts) + 8 <= width / n:
            return n
    return 1


def _draw_cells(slide: Slide, area: Box, cells: list[list[str]], probabilities: FloatArray) -> None:
    colormap = heat_map(slide.theme)
    axes = slide.axes(area)
    axes.set_axis_off()
    n_rows, n = probabilities.shape
    x, y, edges = np.arange(n + 1), np.arange(n_rows + 1), slide.theme.background
    axes.pcolormesh(x, y, probabilities, cmap=colormap, vmin=0, vmax=1, edgecolors=edges, linewidth=1.5)
    for i, row in enumerate(cells):
        for j, text in enumerate(row):
            left, bottom = area.left + (j + 0.5) * area.width / n, area.bottom + (i + 0.5) * area.height / n_rows
            color = text_on(to_hex(colormap(float(probabilities[i, j]))))
            slide.text(left, bottom, text, color=color, ha="center", va="center")
