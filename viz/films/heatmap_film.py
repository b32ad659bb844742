"""Films of heat maps: attention to a prompt, layers by heads or one head, and the similarity of positions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.text import Text
from numpy.typing import NDArray

from data.progress import Progress
from data.runs import Run
from viz.drawing.canvas import Frame, Size
from viz.drawing.curve_panel import Curve
from viz.drawing.film_frame import FilmFrame
from viz.drawing.heatmap import Scale, Tile
from viz.drawing.layout import Box
from viz.drawing.text import Caption, quoted, short_label, text_width
from viz.drawing.theme import Theme, text_on
from viz.films.film import INTERPOLATED, Film
from viz.films.timeline import interpolate
from viz.grouped_table import loss_curves
from viz.request import FilmRequest

Maps = NDArray[np.floating]
"""Square maps over snapshots, in the rows and columns of a grid, (step, grid row, grid column, row, column)."""

MOST_PRINTED = 12
"""The most rows of a map whose numbers are printed in its cells."""
LABEL_PX = 21


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
        self.film_frame = FilmFrame(steps, curves, caption, size, theme)
        self.film_frame.canvas.panel(self.film_frame.layout.panel, 14 * size.unit)
        self.is_single = maps.shape[1:3] == (1, 1)
        self.tiles = self._place_one() if self.is_single else self._place_many()
        self._numbers = self._add_numbers() if self.is_single and len(grid.items) <= MOST_PRINTED else []
        self._add_key()

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
        values = self.at(float(round(time)))[0, 0]
        grounds = self.scale.colors(self.at(time)[0, 0])
        for (i, j), text in self._numbers:
            text.set_text(_number(values[i, j]))
            text.set_color(text_on("#{:02X}{:02X}{:02X}".format(*grounds[i, j, :3])))
        return [text for _, text in self._numbers]

    def _place_many(self) -> NDArray[np.object_]:
        """Place the maps in a grid, with the names of its rows and columns at the edge."""
        n_rows, n_columns, n = *self.maps.shape[1:3], self.maps.shape[-1]
        unit = self.film_frame.unit
        left, top, width, height = self.film_frame.panel_px()
        size = LABEL_PX * unit
        margin = round(max(text_width(name, size, ink=True) for name in self.grid.rows) + 46 * unit)
        head = round(56 * unit)
        gap = max(2, round(min(14, 120 / max(n_rows, n_columns)) * unit))
        room = int(min((width - margin - gap) // n_columns, (height - head - gap) // n_rows))
        left += (width - margin - n_columns * room) // 2
        tiles = np.empty((n_rows, n_columns), dtype=object)
        for row, column in np.ndindex(n_rows, n_columns):
            tiles[row, column] = Tile.fit(left + margin + column * room, top + head + row * room, room - gap, n)
        for row, name in enumerate(self.grid.rows):
            self._write(name, left + margin - 16 * unit, top + head + (row + 0.5) * room - gap / 2, ha="right")
        shortened = room < text_width(self.grid.columns[-1], size, ink=True) + 8 * unit
        for column, name in enumerate(self.grid.columns):
            shown = name.split()[-1] if shortened else name
            self._write(shown, left + margin + (column + 0.5) * room - gap / 2, top + head - 24 * unit, ha="center")
        return tiles

    def _place_one(self) -> NDArray[np.object_]:
        """Place one map as large as fits, with its items on both axes."""
        unit, n = self.film_frame.unit, self.maps.shape[-1]
        left, top, width, height = self.film_frame.panel_px()
        names = [short_label(name) for name in self.grid.items]
        cell = (height - 70 * unit) / n
        size = float(np.clip(0.72 * cell, 12 * unit, 26 * unit))
        longest = max(text_width(name, size, ink=True) for name in names)
        upright = longest <= 2 * size
        every = max(1, int(np.ceil(1.15 * size / cell)), int(np.ceil((longest + 8 * unit) / cell)) if upright else 1)
        margin = round(longest + 26 * unit)
        head = round((size if upright else longest) + 26 * unit)
        room = int(min(width - margin - 20 * unit, height - head - 14 * unit))
        tile = Tile.fit(left + margin + (width - margin - room) // 2, top + head, room, n)
        for i in range(0, n, every):
            along = (i + 0.5) * tile.cell_px
            self._write(names[i], tile.left - 10 * unit, tile.top + along, ha="right", size=size)
            rotation = 0 if upright else 90
            style: dict[str, Any] = {"ha": "center", "va": "bottom", "size": size, "rotation": rotation}
            self._write(names[i], tile.left + along, tile.top - 10 * unit, **style)
        return np.array([[tile]], dtype=object)

    def _add_numbers(self) -> list[tuple[tuple[int, int], Text]]:
        tile: Tile = self.tiles[0, 0]
        n, numbers = len(self.grid.items), []
        for i, j in np.ndindex(n, n):
            if self.grid.diverging or j <= i:
                x, y = tile.left + (j + 0.5) * tile.cell_px, tile.top + (i + 0.5) * tile.cell_px
                text = self._write("", x, y, ha="center", size=min(0.34 * tile.cell_px, 30 * self.film_frame.unit))
                text.set_animated(True)
                numbers.append(((i, j), text))
        return numbers

    def _write(self, text: str, x: float, y: float, **style: Any) -> Text:
        """Write a text at a place in pixels, measured from the upper left corner of the frame."""
        defaults: dict[str, Any] = {"va": "center", "size": LABEL_PX * self.film_frame.unit}
        return self.film_frame.canvas.text(x, y, text, from_top=True, **(defaults | style))

    def _add_key(self) -> None:
        """Draw the colour scale, in a row above the panel."""
        canvas, unit, legend = self.film_frame.canvas, self.film_frame.unit, self.film_frame.layout.legend
        size = LABEL_PX * unit
        canvas.text(legend.left, legend.top + 8 * unit, self.grid.key, size=size, va="center_baseline")
        start = legend.left + text_width(self.grid.key, size, ink=True) + 40 * unit
        bar = canvas.axes(Box(start, legend.top + 6 * unit, 260 * unit, 18 * unit))
        values = np.linspace(0, 1, 512)
        shown = 2 * values - 1 if self.scale.diverging else values**2
        bar.imshow(self.scale.colors(shown)[None], aspect="auto", extent=(0, 1, 0, 1))
        bar.set_yticks([])
        bar.set_xticks(list(self.scale.ticks()), list(self.scale.ticks().values()))
        bar.tick_params(length=0, labelsize=0.9 * size, colors=canvas.theme.muted, pad=5 * unit)
        bar.spines[:].set_color(canvas.theme.line)


def _number(value: float) -> str:
    return f"{value:.2f}".removeprefix("0") if 0 <= value < 0.995 else f"{value:.0f}" if value > 0 else f"{value:.1f}"


def make_attention_film(run: Run, request: FilmRequest, progress: Progress) -> Film:
    """Film the attention maps of a prompt: layers by heads, or those of one layer or head."""
    from probes.models.attention import attention_maps, check_head, spread

    maps = attention_maps(run, request.prompt, progress=progress)
    check_head(maps, request.layer, request.head)
    chosen = {name: [at] for name, at in (("layer", request.layer), ("head", request.head)) if at is not None}
    maps = maps.sel(chosen)
    which = ", ".join(f"{name} {at[0]}" for name, at in chosen.items())
    grid = Grid(
        [f"layer {i}" for i in maps["layer"].values],
        [f"head {i}" for i in maps["head"].values],
        [str(token) for token in maps["query_token"].values],
        "attention weight   (each row looks at the columns)",
    )
    even = spread(maps).mean(("layer", "head"))
    shares = Curve("spread of attention (1: even)", even["step"].values, even.values.astype(float), limits=(0.0, 1.0))
    curves = [*loss_curves(run), shares]
    prompt = quoted(maps.attrs["prompt"], 560)
    caption = Caption(f"Attention of {which}" if which else "Attention", f"{run.name} reads {prompt}", INTERPOLATED)
    picture = HeatmapFilm(maps.values, maps["step"], grid, curves=curves, caption=caption, **request.look)
    alt = (
        f"Attention maps of run {run.name} reading {prompt}, {which or 'all layers and heads'}, "
        f"{run.over_steps(maps['step'].values.tolist())}. The mean spread (entropy over its maximum) goes from {float(even[0]):.2f} "
        f"to {float(even[-1]):.2f}."
    )
    return Film(run, request, picture, maps, alt)


def make_position_similarity_film(run: Run, request: FilmRequest, progress: Progress) -> Film:
    """Film how like each other the rows of the position table are."""
    from probes.tables.positions import position_similarity, position_structure

    similarity, structure = position_similarity(run), position_structure(run)
    toeplitz = structure["toeplitz_fraction"].values.astype(float)
    explained = Curve("explained by distance alone", similarity["step"].values, toeplitz, limits=(0.0, 1.0))
    caption = Caption(
        "Similarity of positions",
        f"{run.name}: cosine of the rows of the centred position table, every position against every other",
        INTERPOLATED,
    )
    items = [str(i) for i in similarity["position"].values]
    maps, steps = similarity.values[:, None, None], similarity["step"]
    grid, curves = Grid([""], [""], items, "cosine", diverging=True), [*loss_curves(run), explained]
    picture = HeatmapFilm(maps, steps, grid, curves=curves, caption=caption, **request.look)
    alt = (
        f"Cosine similarity of the {len(items)} positions of run {run.name} over {similarity.sizes['step']} snapshots. The share of its "
        f"variance that distance alone explains goes from {toeplitz[0]:.2f} to {toeplitz[-1]:.2f}."
    )
    return Film(run, request, picture, similarity, alt)
