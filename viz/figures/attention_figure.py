"""Figures of attention maps: all layers by heads, the heads of one layer, one head.

Tokens stand along the maps, and weights in their cells, wherever they can be read; where they cannot, the picture says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Unpack

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm, to_hex
from matplotlib.figure import Figure
from numpy.typing import NDArray

from data.language import digits, say
from viz.drawing.layout import Box
from viz.drawing.slide import LINE_PT, Slide, SlideOptions, blank_slide, color_bar
from viz.drawing.text import TEXT_PT, short_label, text_width, wrap
from viz.drawing.theme import text_on, weight_map

NORM = PowerNorm(0.5, 0, 1)
"""Colours follow the square root of the weight, which shows small weights too."""
KEY_PT, KEY_HEIGHT_PT = 66, 230
NAME_PT = LINE_PT + 8
MOST_LABEL_ROWS = 2
MOST_CHARACTERS = (10, 6)
LEAST_LABEL_PT, LEAST_NUMBER_PT = 12, 11
"""The smallest type of tokens and of weights that can be read on a slide of 1920 x 1080 pixels."""
CELL_PER_NUMBER = 1.8
"""The side of a cell in sizes of the type of its weight: ``.12`` is 1.6 wide."""


@dataclass(frozen=True)
class TokenLabels:
    """How tokens are written along the left and the top of maps: in type of ``size``, one after the other in each of ``rows``."""

    texts: tuple[str, ...]
    size: float
    rows: int
    is_upright: bool = True
    """Whether the labels on top are written across rather than turned."""

    @cached_property
    def longest(self) -> float:
        return max(text_width(text, self.size) for text in set(self.texts))

    @property
    def pitch(self) -> float:
        """The distance from one row of labels at the left to the next."""
        return self.longest + 8

    @property
    def left(self) -> float:
        return self.rows * self.pitch + 4 if self.rows else 0.0

    @property
    def top(self) -> float:
        return self.rows * (self.size + 6) if self.is_upright else self.left + 6

    def fit(self, side: float) -> bool:
        """Check whether no two labels touch along a map of this side."""
        room = self.rows * side / len(self.texts)
        return not self.rows or (self.size + 3 <= room and (not self.is_upright or self.longest + 4 <= room))


@dataclass(frozen=True)
class MapLayout:
    """Where square maps stand: in rows and columns from a corner on, with labels at the left of each row or map, and room for names."""

    labels: TokenLabels
    n_columns: int
    side: float
    left: float
    top: float
    """The upper edge of the first map."""
    gap: tuple[float, float]
    """From one map to the next, across and down."""
    labels_every_row: bool = True
    """Whether tokens stand above every map rather than above the first row only."""
    is_named_above: bool = True

    @property
    def cell(self) -> float:
        return self.side / len(self.labels.texts)

    @property
    def number_pt(self) -> float:
        """The type of the weights; 0 where they cannot be read."""
        size = min(self.cell / CELL_PER_NUMBER, TEXT_PT)
        return size if size >= LEAST_NUMBER_PT else 0.0

    @property
    def rank(self) -> tuple[float, ...]:
        """What makes a layout good, the most important first."""
        labels = self.labels
        length = sum(map(len, labels.texts))
        readable = (labels.rows > 0, self.number_pt > 0, length, labels.size)
        return *readable, self.labels_every_row, self.is_named_above, self.side

    @property
    def note(self) -> str:
        """What the picture lacks; empty if nothing."""
        lacking = lacking_names(self.labels.rows, self.number_pt)
        return say("{n:,} tokens: no room for {what}", n=len(self.labels.texts), what=lacking) if lacking else ""

    def box(self, place: int) -> Box:
        """Locate the map at a place, counted row by row."""
        row, column = divmod(place, self.n_columns)
        left, top = self.left + column * (self.side + self.gap[0]), self.top - row * (self.side + self.gap[1])
        return Box(left, top - self.side, self.side, self.side)


def lacking_names(has_labels: float, has_weights: float) -> str:
    """Name what cannot be read in maps of this size; empty if nothing."""
    lacking = [name for name, has in ((say("labels"), has_labels), (say("weights"), has_weights)) if not has]
    return say("{first} and {second}", first=lacking[0], second=lacking[1]) if len(lacking) > 1 else "".join(lacking)


def draw_grid(maps: xr.DataArray, **options: Unpack[SlideOptions]) -> Figure:
    """Draw the attention maps of every head at one step, a row per layer and a column per head.

    Parameters
    ----------
    maps : attention weights, (layer, head, query, key), with the coordinate ``query_token``.
    """
    slide = blank_slide(**options)
    n_layers, n_heads = maps.sizes["layer"], maps.sizes["head"]
    names, tokens = [say("layer {layer}", layer=int(i)) for i in maps["layer"].values], _tokens(maps)
    names_pt = max(map(text_width, names)) + 14
    advice = say("one layer or one head has more room")
    made = _fit(slide, advice, lambda body: _grid(body, names_pt, (n_layers, n_heads), tokens))
    if made.side < TEXT_PT:  # the names of all rows would touch
        names = [name if i % 2 == 0 else "" for i, name in enumerate(names)]
    for i, j in np.ndindex(n_layers, n_heads):
        box = made.box(i * n_heads + j)
        _draw_map(slide, box, maps.isel(layer=i, head=j).values, made)
        _write_labels(slide, box, made, at_left=j == 0, on_top=i == 0)
        if j == 0:
            x, y = box.left - 12 - made.labels.left, box.bottom + made.side / 2
            slide.text(x, y, names[i], ha="right", va="center")
    first = made.box(0)
    row = Box(first.left, first.top + made.labels.top + 8, n_heads * (made.side + made.gap[0]), LINE_PT)
    _name_heads(slide, maps["head"].values.tolist(), row, made.side)
    _add_key(slide, row.right + 14, first.top, first.top - slide.body.bottom)
    return slide.figure


def draw_layer(maps: xr.DataArray, **options: Unpack[SlideOptions]) -> Figure:
    """Draw the attention maps of one layer's heads side by side, with tokens on the axes and weights in the cells where they fit.

    Parameters
    ----------
    maps : attention weights, (head, query, key), with the coordinate ``query_token``.
    """
    slide = blank_slide(**options)
    names, tokens = [say("head {head}", head=int(head)) for head in maps["head"].values], _tokens(maps)
    advice = say("the figure of one head, or the size large, has more room")
    made = _fit(slide, advice, lambda body: max(_panels(body, names, tokens), key=lambda layout: layout.rank))
    for place, name in enumerate(names):
        box = made.box(place)
        _draw_map(slide, box, maps.isel(head=place).values, made)
        _write_labels(
            slide,
            box,
            made,
            at_left=place % made.n_columns == 0,
            on_top=made.labels_every_row or place < made.n_columns,
        )
        if made.is_named_above:
            above = made.labels.top if made.labels_every_row or place < made.n_columns else 0.0
            slide.text(box.left, box.top + above + 10, name, bold=True)
        else:  # in the corner above the diagonal, which is empty
            slide.text(box.right - 4, box.top - 18, name, bold=True, ha="right")
    _add_key(slide, made.box(made.n_columns - 1).right + 18, made.top, made.top - slide.body.bottom)
    return slide.figure


def draw_head(maps: xr.DataArray, **options: Unpack[SlideOptions]) -> Figure:
    """Draw the attention map of one head with tokens on both axes and weights in the cells where they fit.

    Parameters
    ----------
    maps : attention weights, (query, key), with the coordinate ``query_token``.
    """
    slide = blank_slide(**options)
    tokens, advice = _tokens(maps), say("a shorter prompt, or the size large, has more room")
    made = _fit(slide, advice, lambda body: max(_panels(body, [], tokens), key=lambda layout: layout.rank))
    box = made.box(0)
    _draw_map(slide, box, maps.values, made)
    _write_labels(slide, box, made, at_left=True, on_top=True)
    _add_key(slide, box.right + 18, box.top, box.height)
    return slide.figure


def _tokens(maps: xr.DataArray) -> tuple[str, ...]:
    return tuple(map(str, maps["query_token"].values))


def _fit(slide: Slide, advice: str, arrange: Callable[[Box], MapLayout]) -> MapLayout:
    """Arrange maps in the body of a slide; what does not fit is named at its foot, with ``advice``."""
    made = arrange(slide.body)
    if not made.note:
        return made
    n_lines = len(wrap(f"{made.note}; {advice}", slide.body.width))
    foot, slide.body = slide.body, slide.body.inset(bottom=n_lines * LINE_PT + 10)
    made = arrange(slide.body)
    for i, line in enumerate(reversed(wrap(f"{made.note}; {advice}", foot.width))):
        slide.text(foot.left, foot.bottom + 4 + i * LINE_PT, line, color=slide.theme.muted)
    return made


def _label_choices(tokens: tuple[str, ...]) -> Iterator[TokenLabels]:
    """List the ways to write tokens, and last the one without labels; long tokens are cut, and cut once more."""
    lengths = dict.fromkeys(tuple(short_label(token, most) for token in tokens) for most in MOST_CHARACTERS)
    sizes, rows = range(TEXT_PT, LEAST_LABEL_PT - 1, -1), range(1, MOST_LABEL_ROWS + 1)
    for texts, size, n_rows, is_upright in product(lengths, sizes, rows, (True, False)):
        yield TokenLabels(texts, size, n_rows, is_upright)
    yield TokenLabels(next(iter(lengths)), LEAST_LABEL_PT, 0)


def _panels(body: Box, names: Sequence[str], tokens: tuple[str, ...]) -> Iterator[MapLayout]:
    """List the layouts of maps in as many columns as one likes, with these names; of a single map without a name if there are none."""
    n, widest, either = max(len(names), 1), max(map(text_width, names), default=0.0), (True, False)
    area = body.inset(right=KEY_PT)
    for labels, n_columns, on_every, is_named_above in product(_label_choices(tokens), range(1, n + 1), either, either):
        n_rows, name = -(-n // n_columns), NAME_PT if names and is_named_above else 0.0
        gap = (22.0, 14.0 + name + (labels.top if on_every else 0.0))
        across = (area.width - labels.left + gap[0]) / n_columns - gap[0]
        down = (area.height - labels.top - name + gap[1]) / n_rows - gap[1]
        side = min(across, down)
        cell = max(side, 1) / len(tokens)
        covered = np.ceil(LINE_PT / cell) * cell  # by the rows beside a name in the corner
        if side > 0 and labels.fit(side) and (name or not names or covered + widest + 10 <= side):
            left = area.left + labels.left + (across - side) * n_columns / 2
            top = area.top - labels.top - name - ((down - side) * n_rows / 3 if names else 0)
            yield MapLayout(labels, n_columns, side, left, top, gap, on_every, is_named_above)


def _grid(body: Box, names_pt: float, shape: tuple[int, int], tokens: tuple[str, ...]) -> MapLayout:
    """Choose the layout of maps with a row per layer and a column per head, whose labels stand at the edges of the grid."""
    (n_layers, n_heads), gap = shape, 10.0 if max(shape) <= 6 else 3.0
    made = []
    for labels in _label_choices(tokens):
        area = body.inset(right=KEY_PT, left=names_pt + labels.left, top=LINE_PT + labels.top)
        side = min((area.width + gap) / n_heads, (area.height + gap) / n_layers) - gap
        if side > 0 and labels.fit(side):
            left = area.left + max((area.width - n_heads * (side + gap) + gap) / 2, 0)
            made.append(MapLayout(labels, n_heads, side, left, area.top, (gap, gap)))
    return max(made, key=lambda layout: layout.rank)


def _draw_map(slide: Slide, box: Box, values: NDArray[np.floating], made: MapLayout) -> None:
    axes = slide.axes(box)
    past = np.ma.masked_array(values, np.triu(np.ones(values.shape, dtype=bool), 1))
    axes.imshow(past, cmap=weight_map(slide.theme), norm=NORM, interpolation="nearest", aspect="auto")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color(slide.theme.line)
    if made.number_pt:
        _print_values(axes, values, slide, made.number_pt)


def _print_values(axes: Axes, values: NDArray[np.floating], slide: Slide, size: float) -> None:
    for i, j in np.ndindex(values.shape):
        if j <= i:
            color = text_on(to_hex(weight_map(slide.theme)(NORM(values[i, j]))))
            number = digits(f"{values[i, j]:z.2f}").removeprefix("0") if values[i, j] < 0.995 else "1"
            axes.text(j, i, number, ha="center", va="center", fontsize=size, color=color)


def _write_labels(slide: Slide, box: Box, made: MapLayout, *, at_left: bool, on_top: bool) -> None:
    """Write the tokens along a map: the rows of labels are filled in turn, nearest first."""
    labels, size = made.labels, made.labels.size
    for i, token in enumerate(labels.texts if labels.rows else ()):
        along, row = (i + 0.5) * made.cell, i % labels.rows
        x, y = box.left + along, box.top + 8
        if at_left:
            left = box.left - 8 - row * labels.pitch
            slide.text(left, box.top - along, token, ha="right", va="center", size=size)
        if on_top and labels.is_upright:
            slide.text(x, y + row * (size + 6), token, ha="center", size=size)
        elif on_top:
            slide.text(x, y + row * labels.pitch, token, ha="center", va="bottom", rotation=90, size=size)


def _name_heads(slide: Slide, heads: Sequence[int], row: Box, side: float) -> None:
    """Write the heads' names in a row above their columns, of maps of this side; where they do not fit, numbers alone."""
    advance = row.width / len(heads)
    in_words = text_width(say("head {head}", head=heads[-1])) + 8 <= advance
    every = 1 if in_words else max(1, int(np.ceil((text_width(str(heads[-1])) + 8) / advance)))
    for j in range(0, len(heads), every):
        name = say("head {head}", head=heads[j]) if in_words else str(heads[j])
        slide.text(row.left + j * advance + side / 2, row.bottom, name, ha="center")
    if not in_words:
        slide.text(row.left - 12, row.bottom, say("head"), ha="right")


def _add_key(slide: Slide, left: float, top: float, room: float) -> None:
    height = min(room, KEY_HEIGHT_PT)
    box = Box(left, top - height, KEY_PT, height)
    color_bar(slide, box, (weight_map(slide.theme), NORM), (0, 0.1, 0.5, 1), "{:g}")
