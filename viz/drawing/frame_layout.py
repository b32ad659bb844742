"""Where the parts of a film's picture stand: one or several panels, what goes with each, and the curves."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from viz.drawing.canvas import Size
from viz.drawing.legend import Rect

NAME_PX, WORDS_GAP_PX, STRIP_GAP_PX = 40, 10, 12
BETWEEN_PX = 28
"""From one panel to the next."""
CURVE_TITLE_PX = 52
FOOTNOTE_PX, FOOTNOTE_LINE_PX = 19, 24


@dataclass(frozen=True)
class FrameParts:
    """What a picture holds besides its words; heights in pixels of the film.

    Parameters
    ----------
    panels : how many pictures stand side by side.
    named : whether each has a name above it.
    words_px : room below each panel for sentences.
    strip_px : room below those for bands.
    legend_px : room for further rows of the legend.
    shape : width over height of what is drawn in a panel; several stand so that it is largest.
    """

    panels: int = 1
    named: bool = False
    words_px: float = 0.0
    strip_px: float = 0.0
    legend_px: float = 0.0
    shape: float = 1.25


@dataclass(frozen=True)
class PanelCell:
    """A panel and what goes with it: the middle of its name's line, the words and the strip below it."""

    name: tuple[float, float]
    panel: Rect
    words: Rect
    strip: Rect


@dataclass(frozen=True)
class FrameLayout:
    """Where the parts of the picture stand, as shares of the figure."""

    cells: tuple[PanelCell, ...]
    readout: Rect
    curves: tuple[Rect, ...]
    legend: tuple[float, float]
    legend_width: float
    title: tuple[float, float]
    footnote: tuple[float, float]
    curves_below: bool = False

    @property
    def panel(self) -> Rect:
        """The first panel."""
        return self.cells[0].panel

    @classmethod
    def of(cls, size: Size, n_curves: int, parts: FrameParts | None = None) -> FrameLayout:
        """Arrange the parts: curves at the right of a single panel in a wide picture, else below."""
        parts = parts or FrameParts()
        if size.is_wide and parts.panels == 1:
            return cls._beside(size, n_curves, parts)
        return cls._below(size, n_curves, parts)

    @classmethod
    def _beside(cls, size: Size, n: int, parts: FrameParts) -> FrameLayout:
        left, width, gap = 0.695, 0.275, 0.095
        height = (0.69 - gap * n) / max(n, 1)
        curves = tuple((left, 0.075 + (n - 1 - i) * (height + gap), width, height) for i in range(n))
        return cls(
            _cells((0.025, 0.065, 0.63, 0.77), size, parts),
            (left, 0.80, width, 0.105),
            curves,
            (0.028, 0.862),
            0.63,
            (0.025, 0.945),
            (0.025, 0.022),
        )

    @classmethod
    def _below(cls, size: Size, n: int, parts: FrameParts) -> FrameLayout:
        wide, unit = size.is_wide, size.unit
        margin = 0.025 if wide else 0.03
        first, gap, high = (0.045, 0.035, 0.115) if wide else (0.07, 0.06, 0.12)
        width = (0.89 - gap * n) / max(n, 1) if not wide else (1 - first - 0.025 - 1.7 * gap * (n - 1)) / max(n, 1)
        foot = 0.085 if wide else 0.075
        curves = tuple((first + i * (width + 1.7 * gap), foot, width, high) for i in range(n))
        top = 0.835 if wide else 0.85
        bottom = 0.275
        if parts != FrameParts():  # the room above the curves is needed
            bottom = foot + (high + (CURVE_TITLE_PX * unit / size.height) if n else 0.0)
        return cls(
            _cells((margin, bottom, 1 - 2 * margin, top - bottom), size, parts),
            (0.80, 0.876, 0.175, 0.09) if wide else (0.70, 0.882, 0.27, 0.085),
            curves,
            (margin + 0.004, 0.862 if wide else 0.868),
            0.8 if wide else (0.6 if parts == FrameParts() else 0.93),
            (margin, 0.945 if wide else 0.955),
            (margin, 0.022 if wide else 0.018),
            curves_below=True,
        )


def _cells(area: Rect, size: Size, parts: FrameParts) -> tuple[PanelCell, ...]:
    """Divide an area into equal cells, in the number of rows that leaves the panels most room; a short last row is centred."""
    left, bottom, width, height = (
        share * whole for share, whole in zip(area, (size.width, size.height) * 2, strict=True)
    )
    height -= parts.legend_px
    gap, extra = BETWEEN_PX * size.unit, _around(parts, size.unit)

    def room(rows: int) -> tuple[float, float]:
        columns = ceil(parts.panels / rows)
        return (width - gap * (columns - 1)) / columns, (height - gap * (rows - 1)) / rows

    def drawn(rows: int) -> float:
        across, down = room(rows)
        return min(across / parts.shape, down - extra)

    rows = max(range(1, parts.panels + 1), key=drawn)
    columns = ceil(parts.panels / rows)
    across, down = room(rows)
    cells = []
    for number in range(parts.panels):
        row, column = divmod(number, columns)
        missing = columns - min(columns, parts.panels - row * columns)
        x = left + column * (across + gap) + missing * (across + gap) / 2
        cells.append(_cell((x, bottom + height - row * (down + gap), across, down), size, parts))
    return tuple(cells)


def _around(parts: FrameParts, unit: float) -> float:
    """Return the room in a cell that is not the panel's."""
    gaps = (WORDS_GAP_PX if parts.words_px else 0) + (STRIP_GAP_PX if parts.strip_px else 0)
    return parts.words_px + parts.strip_px + gaps * unit + (NAME_PX * unit if parts.named else 0.0)


def _cell(at: Rect, size: Size, parts: FrameParts) -> PanelCell:
    """Divide a cell, given by left, *top*, width and height in pixels."""
    left, top, width, height = at
    unit = size.unit
    name = NAME_PX * unit if parts.named else 0.0
    panel_px = height - _around(parts, unit)
    panel = (left, top - name - panel_px, width, panel_px)
    words_top = panel[1] - (WORDS_GAP_PX * unit if parts.words_px else 0.0)
    words = (left, words_top - parts.words_px, width, parts.words_px)
    strip = (left, top - height, width, parts.strip_px)

    def share(rect: Rect) -> Rect:
        return rect[0] / size.width, rect[1] / size.height, rect[2] / size.width, rect[3] / size.height

    return PanelCell((left / size.width, (top - name * 0.45) / size.height), share(panel), share(words), share(strip))
