"""The group comparisons below a picture: a sentence and its p-values for each group, which change with the snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.text import Text

from probes.groups.wording import GroupComparison
from viz.drawing.canvas import AnimatedPanel, Canvas
from viz.drawing.layout import Box
from viz.drawing.text import text_width, wrap
from viz.drawing.theme import group_color
from viz.fonts import families

TEXT_PX, SMALL_PX, LINE_PX, DOT_PX = 20, 17, 27, 26
GAP_PX = 18
"""Between a sentence and its p-values in the same line."""

ComparisonLine = tuple[str, str]
"""A line of a sentence, and the p-values behind it; one of them may be empty."""


def lines_of(comparison: GroupComparison, step: int, width_px: float, unit: float) -> list[ComparisonLine]:
    """Wrap a comparison to a width; the p-values follow in the last line, or in lines of their own if they do not fit."""
    room = width_px - DOT_PX * unit
    lines = wrap(comparison.sentences[step], room, TEXT_PX * unit)
    small = comparison.p_values[step]
    used = text_width(lines[-1], TEXT_PX * unit) + GAP_PX * unit + text_width(small, SMALL_PX * unit)
    if used <= room:
        return [*((line, "") for line in lines[:-1]), (lines[-1], small)]
    return [*((line, "") for line in lines), *(("", line) for line in wrap(small, room, SMALL_PX * unit))]


def height_of(comparisons: Sequence[GroupComparison], width_px: float, unit: float) -> float:
    """Compute the height in pixels that comparisons need: for each, its most lines at any step."""
    most = (max(len(lines_of(one, step, width_px, unit)) for step in one.sentences) for one in comparisons)
    return sum(most) * LINE_PX * unit


class ComparisonPanel(AnimatedPanel):
    """Group comparisons in a box as high as `height_of` says; each keeps its place when another takes more or fewer lines."""

    def __init__(self, canvas: Canvas, box: Box, comparisons: Sequence[GroupComparison], unit: float):
        self.comparisons = comparisons
        self._canvas, self._unit, self._width_px = canvas, unit, box.width
        self._lines: list[list[tuple[Text, Text]]] = []
        y = box.top
        for comparison in comparisons:
            y = self._add(comparison, box.left, y)

    def show(self, step: int) -> list[Artist]:
        shown: list[Artist] = []
        for comparison, texts in zip(self.comparisons, self._lines, strict=True):
            lines = lines_of(comparison, step, self._width_px, self._unit)
            for (text, small), (line, behind) in zip(texts, lines, strict=False):
                text.set_text(line)
                text.set_fontfamily(families(line))
                small.set_text(behind)
                start = (text_width(line, TEXT_PX * self._unit) + GAP_PX * self._unit) if line else 0.0
                small.set_x(text.get_position()[0] + start / self._canvas.size.width)
                shown += [text, small]
        return shown

    def _add(self, comparison: GroupComparison, x: float, top: float) -> float:
        """Add the texts of a comparison below ``top``; return their lower edge."""
        canvas, unit, pitch = self._canvas, self._unit, LINE_PX * self._unit
        color = group_color(canvas.theme, comparison.group)
        canvas.text(x, top - pitch / 2, "●", color=color, size=1.2 * TEXT_PX * unit, va="center_baseline")
        n_lines = round(height_of([comparison], self._width_px, unit) / pitch)
        start, texts = x + DOT_PX * unit, []
        style: dict[str, Any] = {"va": "center_baseline", "animated": True}
        for line in range(n_lines):
            y = top - (line + 0.5) * pitch
            text = canvas.text(start, y, "", size=TEXT_PX * unit, **style)
            small = canvas.text(start, y, "", size=SMALL_PX * unit, color=canvas.theme.muted, **style)
            texts.append((text, small))
        self._lines.append(texts)
        return top - n_lines * pitch
