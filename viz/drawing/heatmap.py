"""Heat maps painted pixel by pixel: each number becomes a square of whole pixels, so edges are sharp and a frame takes milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from data.language import digits
from viz.drawing.canvas import Frame
from viz.drawing.theme import N_COLORS, Theme, diverging_map, weight_map


@dataclass(frozen=True)
class Scale:
    """A colour scale from 0 to 1 by the square root, which shows small weights too; if ``diverging``, from -1 to 1."""

    theme: Theme
    diverging: bool = False

    def colors(self, values: NDArray[np.floating]) -> NDArray[np.uint8]:
        """Map each number to its colour, (..., 4)."""
        places = (values + 1) / 2 if self.diverging else np.sqrt(np.clip(values, 0, 1))
        index = np.clip(places * N_COLORS, 0, N_COLORS - 1).astype(np.intp)
        found: NDArray[np.uint8] = _table(self.theme, self.diverging)[index]
        return found

    def ticks(self) -> dict[float, str]:
        """List the ticks of the colour scale: the label at each place from 0 to 1."""
        if self.diverging:
            return {0.0: "−1", 0.5: "0", 1.0: "1"}
        return {float(np.sqrt(v)): digits(f"{v:g}") for v in (0, 0.1, 0.5, 1)}


@cache
def _table(theme: Theme, diverging: bool) -> NDArray[np.uint8]:
    """Tabulate the colours in order, (color, 4); zero has the colour of the panel."""
    colormap = diverging_map(theme) if diverging else weight_map(theme, theme.panel)
    rgb = colormap(np.linspace(0, 1, N_COLORS))[:, :3]
    table = np.full((N_COLORS, 4), 255, dtype=np.uint8)
    table[:, :3] = np.round(255 * rgb)
    table.flags.writeable = False
    return table


@dataclass(frozen=True)
class Tile:
    """The square of a frame that a heat map fills: its upper left corner and its side, in pixels, and its number of rows.

    Where there are more cells than pixels (``cell_px`` below 1), a pixel shows the mean of its cells.
    """

    left: int
    top: int
    side_px: int
    n_cells: int

    @classmethod
    def fit(cls, left: int, top: int, room_px: int, n_cells: int) -> Tile:
        """Fit the largest tile with whole pixels per cell into the middle of a square of ``room_px``."""
        side = room_px // n_cells * n_cells if n_cells <= room_px else room_px
        margin = (room_px - side) // 2
        return cls(left + margin, top + margin, side, n_cells)

    @property
    def cell_px(self) -> float:
        """The side of a cell in pixels."""
        return self.side_px / self.n_cells

    def paint(self, frame: Frame, values: NDArray[np.floating], scale: Scale) -> None:
        """Paint a square matrix (row, column) into a frame, row 0 on top."""
        if self.n_cells > self.side_px:
            edges = np.arange(self.side_px) * self.n_cells // self.side_px
            counts = np.diff(np.append(edges, self.n_cells))
            values = np.add.reduceat(np.add.reduceat(values, edges, 0), edges, 1) / np.outer(counts, counts)
        pixels = scale.colors(values)
        repeat = max(1, round(self.cell_px))
        if repeat > 1:
            pixels = pixels.repeat(repeat, axis=0).repeat(repeat, axis=1)
        frame[self.top : self.top + self.side_px, self.left : self.left + self.side_px] = pixels
