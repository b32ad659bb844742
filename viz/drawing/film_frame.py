"""The frame of a film: where its parts stand, the title, legend and curves around the picture, and the loop that draws the frames."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from numpy.typing import NDArray

from viz.drawing.canvas import AnimatedPanel, Canvas, Frame, Size
from viz.drawing.curve_panel import Curve, CurvePanel, FilmClock, StepReadout
from viz.drawing.layout import Box
from viz.drawing.text import Caption, text_width, wrap
from viz.drawing.theme import Theme

TITLE_PX, TITLE_LINE_PX, LEAST_TITLE = 42, 40, 0.65
"""Size of the title, its distance from the subtitle, and the factor to which it shrinks before it takes two lines."""
SUBTITLE_PX, LEAST_SUBTITLE = 28, 0.85
"""Size of the subtitle, and the factor to which it shrinks before it takes two lines."""
SECOND_LINE_PX = 11
"""How far title and subtitle move up for a second line of the subtitle."""
FOOTNOTE_PX, FOOTNOTE_LINE_PX = 24, 29
TICKS_PX = 38
"""Height of the ticks and labels below a curve."""
NAME_PX, TEXT_GAP_PX, BANDS_GAP_PX = 40, 10, 12
PANEL_GAP_PX = 28
CURVE_TITLE_PX = 52


@dataclass(frozen=True)
class FrameParts:
    """What a frame holds besides the title, the curves and the footnote; heights in pixels of the film.

    Parameters
    ----------
    panels : the number of pictures side by side.
    named : whether each has a name above it.
    text_px : room below each panel for text.
    bands_px : room below the text for fidelity bands.
    legend_px : room for further rows of the legend.
    shape : width over height of what is drawn in a panel; several panels are arranged so that it is largest.
    """

    panels: int = 1
    named: bool = False
    text_px: float = 0.0
    bands_px: float = 0.0
    legend_px: float = 0.0
    shape: float = 1.25

    def around_px(self, unit: float) -> float:
        """Add up the height of a cell that is not the panel's."""
        gaps = (TEXT_GAP_PX if self.text_px else 0) + (BANDS_GAP_PX if self.bands_px else 0)
        return self.text_px + self.bands_px + gaps * unit + (NAME_PX * unit if self.named else 0.0)


@dataclass(frozen=True)
class PanelCell:
    """A panel with what belongs to it: the middle of its name's line above it, the text and the bands below it."""

    name: tuple[float, float]
    panel: Box
    text: Box
    bands: Box


@dataclass(frozen=True)
class FrameLayout:
    """Where the parts of a frame stand, in pixels; the legend's first row is centred on the upper edge of its box."""

    cells: tuple[PanelCell, ...]
    readout: Box
    curves: tuple[Box, ...]
    legend: Box
    title: tuple[float, float]
    footnote: tuple[float, float]
    curves_below: bool = False

    @property
    def panel(self) -> Box:
        """The first panel."""
        return self.cells[0].panel

    @classmethod
    def of(cls, size: Size, n_curves: int, parts: FrameParts | None = None) -> FrameLayout:
        """Arrange the parts: curves at the right of a single panel in a wide frame, else below."""
        parts = parts or FrameParts()
        if size.is_wide and parts.panels == 1:
            return cls._beside(size, n_curves, parts)
        return cls._below(size, n_curves, parts)

    @classmethod
    def _beside(cls, size: Size, n: int, parts: FrameParts) -> FrameLayout:
        frame = Box(0.0, 0.0, size.width, size.height)
        left, width, gap = 0.695, 0.275, 0.095
        bottom, foot = (0.11, 0.15) if size.is_small else (0.065, 0.098)
        height = (0.765 - foot - gap * n) / max(n, 1)
        return cls(
            cells=_cells(frame.part(0.025, bottom, 0.63, 0.835 - bottom), size, parts),
            readout=frame.part(left, 0.80, width, 0.105),
            curves=tuple(frame.part(left, foot + (n - 1 - i) * (height + gap), width, height) for i in range(n)),
            legend=frame.part(0.028, 0.862, 0.63, 0),
            title=(0.025 * size.width, 0.945 * size.height),
            footnote=(0.025 * size.width, 0.022 * size.height),
        )

    @classmethod
    def _below(cls, size: Size, n: int, parts: FrameParts) -> FrameLayout:
        frame, wide = Box(0.0, 0.0, size.width, size.height), size.is_wide
        margin = 0.025 if wide else 0.03
        first, gap, high = (0.045, 0.035, 0.115) if wide else (0.07, 0.06, 0.12)
        width = (0.89 - gap * n) / max(n, 1) if not wide else (1 - first - 0.025 - 1.7 * gap * (n - 1)) / max(n, 1)
        foot = (0.085 if wide else 0.075) + (0.033 if wide else 0.023) * (parts.panels > 1)  # more small print
        top, legend = (0.835, 0.862) if wide else (0.85, 0.868) if parts == FrameParts() else (0.838, 0.856)
        bottom = 0.275
        if parts != FrameParts():  # the room above the curves is needed
            bottom = foot + (high + (CURVE_TITLE_PX * size.unit / size.height) if n else 0.0)
        legend_width = 0.8 if wide else (0.6 if parts == FrameParts() else 0.93)
        return cls(
            cells=_cells(frame.part(margin, bottom, 1 - 2 * margin, top - bottom), size, parts),
            readout=frame.part(*((0.80, 0.876, 0.175, 0.09) if wide else (0.70, 0.882, 0.27, 0.085))),
            curves=tuple(frame.part(first + i * (width + 1.7 * gap), foot, width, high) for i in range(n)),
            legend=frame.part(margin + 0.004, legend, legend_width, 0),
            title=(margin * size.width, (0.945 if wide else 0.955) * size.height),
            footnote=(margin * size.width, (0.022 if wide else 0.018) * size.height),
            curves_below=True,
        )


def _cells(area: Box, size: Size, parts: FrameParts) -> tuple[PanelCell, ...]:
    """Divide an area into equal cells, in as many rows as make the panels largest; a short last row is centred."""
    area = area.inset(top=parts.legend_px)
    gap, around = PANEL_GAP_PX * size.unit, parts.around_px(size.unit)

    def cell_size(rows: int) -> tuple[float, float]:
        columns = ceil(parts.panels / rows)
        return (area.width - gap * (columns - 1)) / columns, (area.height - gap * (rows - 1)) / rows

    def drawn_size(rows: int) -> float:
        width, height = cell_size(rows)
        return min(width / parts.shape, height - around)

    rows = max(range(1, parts.panels + 1), key=drawn_size)
    columns = ceil(parts.panels / rows)
    width, height = cell_size(rows)
    cells = []
    for number in range(parts.panels):
        row, column = divmod(number, columns)
        missing = columns - min(columns, parts.panels - row * columns)
        left = area.left + column * (width + gap) + missing * (width + gap) / 2
        top = area.bottom + area.height - row * (height + gap)
        cells.append(_cell(Box(left, top - height, width, height), size.unit, parts))
    return tuple(cells)


def _cell(cell: Box, unit: float, parts: FrameParts) -> PanelCell:
    name = NAME_PX * unit if parts.named else 0.0
    height = cell.height - parts.around_px(unit)
    panel = Box(cell.left, cell.top - name - height, cell.width, height)
    text_top = panel.bottom - (TEXT_GAP_PX * unit if parts.text_px else 0.0)
    text = Box(cell.left, text_top - parts.text_px, cell.width, parts.text_px)
    bands = Box(cell.left, cell.bottom, cell.width, parts.bands_px)
    return PanelCell((cell.left, cell.top - name * 0.45), panel, text, bands)


class FilmFrame:
    """The canvas of a film with all that films share; the film itself draws into the panels of its `layout`.

    Parameters
    ----------
    steps : the training steps of the snapshots; as a coordinate, it says where a step is not known.
    curves : what is shown beside or below the picture.
    parts : what the frame holds; one panel by default.
    clock : counts the snapshots and writes their steps; training steps by default.
    """

    def __init__(
        self,
        steps: xr.DataArray | NDArray[np.int64],
        curves: Sequence[Curve],
        caption: Caption,
        size: Size,
        theme: Theme,
        *,
        parts: FrameParts | None = None,
        clock: FilmClock | None = None,
    ):
        self.canvas = Canvas(size, theme)
        self.clock = clock or FilmClock.of(steps)
        self.layout = FrameLayout.of(size, len(curves), parts)
        self.unit = size.unit
        box, below = self.layout.readout, self.layout.curves_below
        self._animated: list[AnimatedPanel] = [StepReadout(self.canvas, box, self.clock, self.unit, align_right=below)]
        for box, curve in zip(self.layout.curves, curves, strict=True):
            self.add(CurvePanel(self.canvas, box, curve, self.clock, self.unit))
        self._write_title(caption)
        self.write_footnote(caption.footnote)

    def add(self, panel: AnimatedPanel) -> None:
        """Add a part that is drawn in every frame."""
        self._animated.append(panel)

    def panel_px(self) -> tuple[int, int, int, int]:
        """Round the panel to pixels: left, top, width and height, measured from the upper left corner of the frame."""
        left, bottom, width, height = self.canvas.fractions(self.layout.panel)
        across, down = self.canvas.size.width, self.canvas.size.height
        return round(left * across), round((1 - bottom - height) * down), round(width * across), round(height * down)

    def frames(
        self,
        times: Iterable[float],
        moving: Callable[[float], list[Artist]],
        paint: Callable[[float, Frame], None] | None = None,
    ) -> Iterator[Frame]:
        """Draw the frame at each time, counted in snapshots; pixels and ``paint`` are those of `Canvas.frame`.

        ``moving`` updates the picture to a time and returns its artists, which must be animated.
        """
        self.canvas.save_film_background()
        shown_step = None
        for time in times:
            step = self.clock.step_at(time)
            if step != shown_step:
                shown_step = step
                self.canvas.save_snapshot_background([artist for part in self._animated for artist in part.show(step)])
            around = [artist for part in self._animated for artist in part.move(time)]
            yield self.canvas.frame([*around, *moving(time)], functools.partial(paint, time) if paint else None)

    def _write_title(self, caption: Caption) -> None:
        unit, muted = self.unit, self.canvas.theme.muted
        x, y = self.layout.title
        room = self.layout.readout.left - 0.035 * self.canvas.size.width - x
        whole = text_width(caption.subtitle, SUBTITLE_PX * unit)
        subtitle_px = SUBTITLE_PX * unit * (room / whole if LEAST_SUBTITLE * whole < room < whole else 1.0)
        subtitle = wrap(caption.subtitle, 1.005 * room, subtitle_px)
        y += SECOND_LINE_PX * unit * (len(subtitle) - 1)
        size, lines = _fit_title(caption.title, room, TITLE_PX * unit)
        y = min(y, self.canvas.size.height - 0.88 * size * (len(lines) - 1) - 0.9 * size)
        for place, line in enumerate(reversed(lines)):
            self.canvas.text(x, y + (place - 0.2 * (len(lines) - 1)) * 1.1 * size, line, size=size, bold=True)
        if self.canvas.size.is_small:
            return
        for place, line in enumerate(subtitle):
            line_y = y - (1 + 0.75 * place) * TITLE_LINE_PX * unit
            self.canvas.text(x, line_y, line, size=subtitle_px, color=muted)

    def write_footnote(self, text: str) -> None:
        """Write the small print at the foot of the frame, without its last sentences where there is no room for them."""
        x, y = self.layout.footnote
        size, pitch = FOOTNOTE_PX * self.unit, FOOTNOTE_LINE_PX * self.unit
        above = [box.bottom - TICKS_PX * self.unit for box in self.layout.curves]
        most = int(min([*above, *(cell.bands.bottom for cell in self.layout.cells)]) / pitch)
        width, sentences = self.canvas.size.width - 2 * x, text.split(". ")
        while sentences and len(wrap(". ".join(sentences), width, size)) > most:
            sentences.pop()
            sentences[-1:] = [sentence.removesuffix(".") + "." for sentence in sentences[-1:]]
        lines = wrap(". ".join(sentences), width, size)
        y = max(y - (len(lines) - 1) * pitch / 2, 0.4 * pitch)
        for place, line in enumerate(reversed(lines)):
            self.canvas.text(x, y + place * pitch, line, size=size, color=self.canvas.theme.muted)


def _fit_title(title: str, room: float, size: float) -> tuple[float, list[str]]:
    """Shrink a title until it fits in one line, or in two; returns its size and its lines."""
    whole = text_width(title, size, bold=True)
    if LEAST_TITLE * whole <= room:
        return size * min(1.0, room / whole), [title]
    lines = wrap(title, 1.01 * room, LEAST_TITLE * size, bold=True)
    while len(lines) > 2 and size > 1:
        size *= 0.95
        lines = wrap(title, 1.01 * room, LEAST_TITLE * size, bold=True)
    widest = max(text_width(line, LEAST_TITLE * size, bold=True) for line in lines)
    return LEAST_TITLE * size * min(1.0, room / widest), lines
