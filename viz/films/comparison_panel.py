"""The sentences below a picture, which change with the snapshot: how positions line up, and how close together each group stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.text import Text

from probes.groups.comparison import GroupComparison
from viz.drawing.canvas import AnimatedPanel, Canvas
from viz.drawing.layout import Box
from viz.drawing.text import wrap
from viz.drawing.theme import group_color
from viz.fonts import families

TEXT_PX, LINE_PX, DOT_PX = 24, 32, 30


def lines_of(comparison: GroupComparison, step: int, width_px: float, unit: float) -> list[str]:
    """Wrap the sentence of a step to a width."""
    return wrap(comparison.sentences[step], width_px - DOT_PX * unit, TEXT_PX * unit)


def height_of(comparisons: Sequence[GroupComparison], width_px: float, unit: float) -> float:
    """Compute the height in pixels that comparisons need: for each, its most lines at any step."""
    most = (max(len(lines_of(one, step, width_px, unit)) for step in one.sentences) for one in comparisons)
    return sum(most) * LINE_PX * unit


class ComparisonPanel(AnimatedPanel):
    """Sentences in a box as high as `height_of` says; each keeps its place when another takes more or fewer lines."""

    def __init__(self, canvas: Canvas, box: Box, comparisons: Sequence[GroupComparison], unit: float):
        self.comparisons = comparisons
        self._canvas, self._unit, self._width_px = canvas, unit, box.width
        self._lines: list[list[Text]] = []
        y = box.top
        for comparison in comparisons:
            y = self._add(comparison, box.left, y)

    def show(self, step: int) -> list[Artist]:
        shown: list[Artist] = []
        for comparison, texts in zip(self.comparisons, self._lines, strict=True):
            lines = lines_of(comparison, step, self._width_px, self._unit)
            for text, line in zip(texts, lines, strict=False):
                text.set_text(line)
                text.set_fontfamily(families(line))
                shown.append(text)
        return shown

    def _add(self, comparison: GroupComparison, x: float, top: float) -> float:
        """Add the texts of a comparison below ``top``; return their lower edge."""
        canvas, unit, pitch = self._canvas, self._unit, LINE_PX * self._unit
        color = canvas.theme.muted if comparison.group is None else group_color(canvas.theme, comparison.group)
        canvas.text(x, top - pitch / 2, "●", color=color, size=1.2 * TEXT_PX * unit, va="center_baseline")
        n_lines = round(height_of([comparison], self._width_px, unit) / pitch)
        start, texts = x + DOT_PX * unit, []
        style: dict[str, Any] = {"va": "center_baseline", "animated": True}
        for line in range(n_lines):
            texts.append(canvas.text(start, top - (line + 0.5) * pitch, "", size=TEXT_PX * unit, **style))
        self._lines.append(texts)
        return top - n_lines * pitch
