"""Films of heat maps: attention to a prompt, layers by heads or one head, and the similarity of positions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.text import Text
from numpy.typing import NDArray

from data.language import digits, say
from data.progress import Progress
from data.runs import Run
from viz.drawing.canvas import Frame, Size
from viz.drawing.curve_panel import Curve
from viz.drawing.film_frame import FilmFrame
from viz.drawing.heatmap import Scale, Tile
from viz.drawing.layout import Box
from viz.drawing.text import Caption, quoted, short_label, text_width
from viz.drawing.theme import Theme, text_on
from viz.explanations import EXPLANATIONS
from viz.figures.attention_figure import TokenLabels, lacking_names
from viz.films.film import INTERPOLATED, Film
from viz.films.timeline import interpolate
from viz.grouped_table import loss_curves
from viz.request import FilmRequest

Maps = NDArray[np.floating]
"""Square maps over snapshots, in the rows and columns of a grid, (step, grid row, grid column, row, column)."""

MOST_PRINTED_LARGE = 12
"""The most rows of a map whose numbers are printed with much room around them."""
KEY_PX = 260
"""Width of the colour scale."""
LABEL_PX = 21
LEAST_LABEL_PX, LEAST_NUMBER_PX, LEAST_PX = 13, 15, 9
"""The smallest type of labels and numbers: for 1920x1080, and in the pixels of any film."""
MOST_LABEL_ROWS = 2


@dataclass(frozen=True)
class Grid:
    """The names of the rows and columns of a film's maps.

    Parameters
    ----------
    rows, columns : of the grid (``"layer 0"``, ``"head 0"``); a grid of one map needs none.
    items : of a map (tokens, positions); written where there is one map.
    key : the meaning of the colours.
    diverging : whether the values run from -1 to 1 rather than from 0 to 1.
    """

    rows: Sequence[str]
    columns: Sequence[str]
    items: Sequence[str]
    key: str
    diverging: bool = False


@dataclass(frozen=True)
class TileLayout:
    """How several maps stand in the panel, in pixels: ``room`` is a map with the ``gap`` after it, ``head`` what stands above a row."""

    labels: TokenLabels
    columns: int
    room: int
    gap: int
    margin: int
    head: int
    number_px: float
    is_wrapped: bool
    """Whether each map has its own name and labels on top; else the first row has them."""

    @property
    def rank(self) -> tuple[float, ...]:
        """What makes a layout good, the most important first: both large maps and large type count."""
        return self.labels.rows > 0, self.number_px > 0, self.room**2 * self.labels.size


class HeatmapFilm:
    """A film of heat maps; between snapshots the values are interpolated linearly.

    Parameters
    ----------
    maps : (step, grid row, grid column, row, column).
    steps : the training steps of the snapshots, (step,).
    """

    def __init__(
        self,
        maps: Maps,
        steps: xr.DataArray | NDArray[np.int64],
        grid: Grid,
        *,
        curves: Sequence[Curve],
        caption: Caption,
        size: Size,
        theme: Theme,
    ):
        self.maps = maps
        self.grid = grid
        self.scale = Scale(theme, grid.diverging)
        self.film_frame = FilmFrame(steps, curves, replace(caption, footnote=""), size, theme)
        self.film_frame.canvas.panel(self.film_frame.layout.panel, 14 * size.unit)
        self.is_single = maps.shape[1:3] == (1, 1)
        self._labelled_every = 1
        self.tiles = self._place_one() if self.is_single else self._place_many()
        self._numbers = self._add_numbers()
        self._add_key()
        self.film_frame.write_footnote(" ".join(filter(None, (caption.footnote, self.note))))

    @property
    def note(self) -> str:
        """What the picture lacks, since it could not be read; empty if nothing."""
        every, n = self._labelled_every, len(self.grid.items)
        if self.grid.diverging:  # its items are numbers, of which some do
            return ""
        lacking = lacking_names(every, len(self._numbers))
        advice = say("a shorter prompt or a larger film" if self.is_single else "one head")
        some = say("Of {n:,} tokens one in {every} is labelled. ", n=n, every=every) if every > 1 else ""
        more = {"n": n, "what": lacking, "advice": advice}
        return some + (say("{n:,} tokens: no room for {what}; {advice} has more.", **more) if lacking else "")

    def frames(self, times: Iterable[float]) -> Iterator[Frame]:
        """Draw the frame at each time, counted in snapshots; each is a view of (height, width, 4), valid until the next one."""
        return self.film_frame.frames(times, self._moving, self._paint)

    def at(self, time: float) -> Maps:
        """Interpolate the maps at a time, (grid row, grid column, row, column)."""
        return interpolate(self.maps, time)

    def _paint(self, time: float, frame: Frame) -> None:
        maps = self.at(time)
        for (row, column), tile in np.ndenumerate(self.tiles):
            tile.paint(frame, maps[row, column], self.scale)

    def _moving(self, time: float) -> list[Artist]:
        if not self._numbers:
            return []
        values, grounds = self.at(float(round(time))), self.scale.colors(self.at(time))
        for place, text in self._numbers:
            text.set_text(_number(values[place]))
            text.set_color(text_on("#{:02X}{:02X}{:02X}".format(*grounds[place][:3])))
        return [text for _, text in self._numbers]

    def _place_many(self) -> NDArray[np.object_]:
        """Place the maps in a grid with the names of its rows and columns at the edge; those of one row or column fill the panel."""
        chosen = max(self._layouts(), key=lambda layout: layout.rank)
        unit, (left, top, width, _) = self.film_frame.unit, self.film_frame.panel_px()
        left += chosen.margin + (width - chosen.margin - chosen.columns * chosen.room) // 2
        tiles = np.empty(self.maps.shape[1:3], dtype=object)
        for place, (row, column) in enumerate(np.ndindex(*self.maps.shape[1:3])):
            down, across = divmod(place, chosen.columns)
            y = top + chosen.head * (down + 1 if chosen.is_wrapped else 1) + down * chosen.room
            side = chosen.room - chosen.gap
            tiles[row, column] = tile = Tile.fit(left + across * chosen.room, y, side, self.maps.shape[-1])
            is_top = chosen.is_wrapped or down == 0
            self._write_labels(tile, chosen.labels, at_left=across == 0, on_top=is_top)
            if is_top:
                name = self.grid.rows[row] if self.maps.shape[2] == 1 else self.grid.columns[column]
                is_wide = chosen.room < text_width(name, LABEL_PX * unit, ink=True) + 8 * unit
                shown = name.split()[-1] if is_wide else name
                x = left + (across + 0.5) * chosen.room - chosen.gap / 2
                self._write(shown, x, y - chosen.labels.top - 24 * unit, ha="center")
            if across == 0 and not chosen.is_wrapped:
                x = left - 16 * unit - chosen.labels.left
                self._write(self.grid.rows[row], x, y + chosen.room / 2 - chosen.gap / 2, ha="right")
        self._labelled_every = min(chosen.labels.rows, 1)
        return tiles

    def _layouts(self) -> Iterator[TileLayout]:
        """List the layouts of several maps."""
        unit, (_, _, width, height) = self.film_frame.unit, self.film_frame.panel_px()
        n_rows, n_columns, n = *self.maps.shape[1:3], self.maps.shape[-1]
        n_maps, is_wrapped = n_rows * n_columns, 1 in (n_rows, n_columns)
        gap = max(2, round(min(14, 120 / max(n_rows, n_columns)) * unit))
        named = max(text_width(name, LABEL_PX * unit, ink=True) for name in self.grid.rows) + 46 * unit
        choices = range(1, n_maps + 1) if is_wrapped else (n_columns,)
        for labels, columns in product(self._label_choices(), choices):
            margin = round((20 * unit if is_wrapped else named) + labels.left)
            head, down = round(56 * unit + labels.top), -(-n_maps // columns)
            heads = head * down if is_wrapped else head
            room = int(min((width - margin - gap) // columns, (height - heads - gap) // down))
            side = Tile.fit(0, 0, room - gap, n).side_px if room > gap else 0
            if side and labels.fit(side):
                number_px = self._number_px(side / n)
                yield TileLayout(labels, columns, room, gap, margin, head, number_px, is_wrapped)

    def _label_choices(self) -> Iterator[TokenLabels]:
        """List the ways to write the items beside a map, and last the one without labels."""
        unit, texts = self.film_frame.unit, tuple(short_label(name) for name in self.grid.items)
        least = max(LEAST_LABEL_PX * unit, LEAST_PX)
        for size in np.linspace(LABEL_PX * unit, least, 5) if LABEL_PX * unit > least else (least,):
            for rows, is_upright in product(range(1, MOST_LABEL_ROWS + 1), (True, False)):
                yield TokenLabels(texts, float(size), rows, is_upright)
        yield TokenLabels(texts, least, 0)

    def _place_one(self) -> NDArray[np.object_]:
        """Place one map as large as fits, with its items on both axes."""
        unit, n = self.film_frame.unit, self.maps.shape[-1]
        left, top, width, height = self.film_frame.panel_px()
        names = [short_label(name) for name in self.grid.items]
        cell = (height - 70 * unit) / n
        size = float(np.clip(0.72 * cell, max(12 * unit, LEAST_PX), max(26 * unit, LEAST_PX)))
        longest = max(text_width(name, size, ink=True) for name in names)
        upright = longest <= 2 * size
        every = max(1, int(np.ceil(1.15 * size / cell)), int(np.ceil((longest + 8 * unit) / cell)) if upright else 1)
        labels = TokenLabels(tuple(names), size, 2 if every == 2 and not self.grid.diverging else 1, upright)
        self._labelled_every = every if labels.rows == 1 else 1
        further = labels.rows - 1
        margin = round(longest + 26 * unit + further * labels.pitch)
        head = round((size if upright else longest) + 26 * unit + further * labels.top / 2)
        room = int(min(width - margin - 20 * unit, height - head - 14 * unit))
        tile = Tile.fit(left + margin + (width - margin - room) // 2, top + head, room, n)
        self._write_labels(tile, labels)
        return np.array([[tile]], dtype=object)

    def _write_labels(self, tile: Tile, labels: TokenLabels, *, at_left: bool = True, on_top: bool = True) -> None:
        """Write items along a map: each in the next row of labels, or one in some where not all are labelled."""
        start, rotation = 10 * self.film_frame.unit, 0 if labels.is_upright else 90
        for i in range(0, len(labels.texts) if labels.rows else 0, self._labelled_every):
            name, along, row = labels.texts[i], (i + 0.5) * tile.cell_px, i % labels.rows
            if at_left:
                x = tile.left - start - row * labels.pitch
                self._write(name, x, tile.top + along, ha="right", size=labels.size)
            if on_top:
                y = tile.top - start - row * (labels.size + 6 if labels.is_upright else labels.pitch)
                style: dict[str, Any] = {"ha": "center", "va": "bottom", "rotation": rotation}
                self._write(name, tile.left + along, y, size=labels.size, **style)

    def _number_px(self, cell: float) -> float:
        """Choose the type of the numbers in cells of this side; 0 where they cannot be read."""
        unit, n = self.film_frame.unit, len(self.grid.items)
        is_few = self.is_single and n <= MOST_PRINTED_LARGE
        if self.grid.diverging:  # a minus sign takes room
            return min(0.34 * cell, 30 * unit) if is_few else 0.0
        least = max(LEAST_NUMBER_PX * unit, LEAST_PX)
        size = 0.34 * cell if is_few and 0.34 * cell >= least else 0.5 * cell
        return min(size, 30 * unit) if size >= least else 0.0

    def _add_numbers(self) -> list[tuple[tuple[int, ...], Text]]:
        """Add a text for every cell, by its place (grid row, grid column, row, column)."""
        n, numbers = len(self.grid.items), []
        for at, tile in np.ndenumerate(self.tiles):
            size = self._number_px(tile.cell_px)
            for i, j in np.ndindex(n, n) if size else ():
                if self.grid.diverging or j <= i:
                    x, y = tile.left + (j + 0.5) * tile.cell_px, tile.top + (i + 0.5) * tile.cell_px
                    text = self._write("", x, y, ha="center", size=size)
                    text.set_animated(True)
                    numbers.append(((*at, i, j), text))
        return numbers

    def _write(self, text: str, x: float, y: float, **style: Any) -> Text:
        """Write a text at a place in pixels, measured from the upper left corner of the frame."""
        defaults: dict[str, Any] = {"va": "center", "size": LABEL_PX * self.film_frame.unit}
        return self.film_frame.canvas.text(x, y, text, from_top=True, **(defaults | style))

    def _add_key(self) -> None:
        """Draw the colour scale, in a row above the panel."""
        canvas, unit, legend = self.film_frame.canvas, self.film_frame.unit, self.film_frame.layout.legend
        size, width = LABEL_PX * unit, KEY_PX * unit
        room = min(legend.right, self.film_frame.layout.readout.left) - legend.left - width - 60 * unit
        whole = text_width(self.grid.key, size, ink=True) <= room
        key = self.grid.key if whole else self.grid.key.split(" (")[0].rstrip()
        canvas.text(legend.left, legend.top + 8 * unit, key, size=size, va="center_baseline")
        start = legend.left + text_width(key, size, ink=True) + 40 * unit
        bar = canvas.axes(Box(start, legend.top + 6 * unit, width, 18 * unit))
        values = np.linspace(0, 1, 512)
        shown = 2 * values - 1 if self.scale.diverging else values**2
        bar.imshow(self.scale.colors(shown)[None], aspect="auto", extent=(0, 1, 0, 1))
        bar.set_yticks([])
        bar.set_xticks(list(self.scale.ticks()), list(self.scale.ticks().values()))
        bar.tick_params(length=0, labelsize=0.9 * size, colors=canvas.theme.muted, pad=5 * unit)
        bar.spines[:].set_color(canvas.theme.line)


def _number(value: float) -> str:
    if 0 <= value < 0.995:
        return digits(f"{value:z.2f}").removeprefix("0")
    return digits(f"{value:z.0f}" if value > 0 else f"{value:z.1f}")


def make_attention_film(run: Run, request: FilmRequest, progress: Progress) -> Film:
    """Film the attention maps of a prompt: layers by heads, or those of one layer or head."""
    from probes.models.attention import attention_maps, check_head, spread

    maps = attention_maps(run, request.prompt, progress=progress)
    check_head(maps, request.layer, request.head)
    chosen = {name: [at] for name, at in (("layer", request.layer), ("head", request.head)) if at is not None}
    maps = maps.sel(chosen)
    templates = {"layer": "layer {layer}", "head": "head {head}"}
    which = ", ".join(say(templates[name], **{name: at[0]}) for name, at in chosen.items())
    grid = Grid(
        [say("layer {layer}", layer=int(i)) for i in maps["layer"].values],
        [say("head {head}", head=int(i)) for i in maps["head"].values],
        [str(token) for token in maps["query_token"].values],
        say("attention weight ({explanation})", explanation=say(EXPLANATIONS["attention map"])),
    )
    even = spread(maps).mean(("layer", "head"))
    title, spreads = say("spread of attention (1: even)"), even.values.astype(float)
    shares = Curve(title, even["step"].values, spreads, limits=(0.0, 1.0))
    curves = [*loss_curves(run), shares]
    prompt = quoted(maps.attrs["prompt"], 560)
    title = say("Attention of {which}", which=which) if which else say("Attention")
    caption = Caption(title, say("{run} reads {prompt}", run=run.name, prompt=prompt), say(INTERPOLATED))
    picture = HeatmapFilm(maps.values, maps["step"], grid, curves=curves, caption=caption, **request.look)
    alt = say(
        "Attention maps of run {run} reading {prompt}, {which}, {steps}. The mean spread (entropy over its maximum) goes from "
        "{first:z.2f} to {last:z.2f}.",
        run=run.name,
        prompt=prompt,
        which=which or say("all layers and heads"),
        steps=run.over_steps(maps["step"].values.tolist()),
        first=float(even[0]),
        last=float(even[-1]),
    )
    return Film(run, request, picture, maps, alt, caption.title)


def make_position_similarity_film(run: Run, request: FilmRequest, progress: Progress) -> Film:
    """Film how like each other the rows of the position table are."""
    from probes.tables.positions import position_similarity, position_structure

    similarity, structure = position_similarity(run), position_structure(run)
    toeplitz = structure["toeplitz_fraction"].values.astype(float)
    explained = Curve(say("explained by distance alone"), similarity["step"].values, toeplitz, limits=(0.0, 1.0))
    caption = Caption(
        say("Similarity of positions"),
        say(
            "{run}: cosine of the rows of the centred position table, every position against every other", run=run.name
        ),
        say(INTERPOLATED),
    )
    items = [str(i) for i in similarity["position"].values]
    maps, steps = similarity.values[:, None, None], similarity["step"]
    grid, curves = Grid([""], [""], items, say("cosine"), diverging=True), [*loss_curves(run), explained]
    picture = HeatmapFilm(maps, steps, grid, curves=curves, caption=caption, **request.look)
    alt = say(
        "Cosine similarity of the {n} positions of run {run} over {snapshots} snapshots. The share of its variance that distance alone "
        "explains goes from {first:z.2f} to {last:z.2f}.",
        n=len(items),
        run=run.name,
        snapshots=similarity.sizes["step"],
        first=float(toeplitz[0]),
        last=float(toeplitz[-1]),
    )
    return Film(run, request, picture, similarity, alt, caption.title)
