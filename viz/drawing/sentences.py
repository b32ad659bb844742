"""The sentences below a picture, one for each group that is spoken of; they change with the snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.text import Text

from probes.groups.comparison import GroupComparison
from viz.drawing.canvas import Canvas
from viz.drawing.legend import Rect
from viz.drawing.slide import text_points, wrap
from viz.drawing.theme import group_color

TEXT_PX, SMALL_PX, LINE_PX, DOT_PX = 20, 17, 27, 26
GAP_PX = 18
"""Between a sentence and what is written small behind it, where both fit into a line."""

SentenceLine = tuple[str, str]
"""A line of a sentence, and what stands small behind it; one of them may be empty."""


def lines_of(claim: GroupComparison, step: int, width_px: float, unit: float) -> list[SentenceLine]:
    """Break the words of a claim into lines of a width, p-values behind the last, or in a line of their own where they do not fit."""
    room = width_px - DOT_PX * unit
    lines = wrap(claim.sentences[step], room, TEXT_PX * unit)
    small = claim.p_values[step]
    used = text_points(lines[-1], TEXT_PX * unit) + GAP_PX * unit + text_points(small, SMALL_PX * unit)
    if used <= room:
        return [*((line, "") for line in lines[:-1]), (lines[-1], small)]
    return [*((line, "") for line in lines), *(("", line) for line in wrap(small, room, SMALL_PX * unit))]


def height_of(claims: Sequence[GroupComparison], width_px: float, unit: float) -> float:
    """Return the room that claims need at all steps, in pixels: that of the most lines each of them takes."""
    most = (max(len(lines_of(claim, step, width_px, unit)) for step in claim.sentences) for claim in claims)
    return sum(most) * LINE_PX * unit


class SentencePanel:
    """Claims in words, from the top of a rectangle down; nothing else moves when one takes a line more.

    Parameters
    ----------
    at : where they stand; as wide as was asked of `height_of`.
    """

    def __init__(self, canvas: Canvas, at: Rect, claims: Sequence[GroupComparison], unit: float):
        self.claims = claims
        self._unit, self._width_px = unit, at[2] * canvas.size.width
        self._lines: list[list[tuple[Text, Text]]] = []
        self._canvas = canvas
        y = at[1] + at[3]
        for claim in claims:
            y = self._add(claim, at[0], y)

    def show(self, step: int) -> list[Artist]:
        """Return what to draw once for the snapshot of ``step``."""
        shown: list[Artist] = []
        for claim, texts in zip(self.claims, self._lines, strict=True):
            lines = lines_of(claim, step, self._width_px, self._unit)
            for (text, small), (line, behind) in zip(texts, lines, strict=False):
                text.set_text(line)
                small.set_text(behind)
                start = (text_points(line, TEXT_PX * self._unit) + GAP_PX * self._unit) if line else 0.0
                small.set_x(text.get_position()[0] + start / self._canvas.size.width)
                shown += [text, small]
        return shown

    def move(self, time: float) -> list[Artist]:
        """Return nothing: words stand still from snapshot to snapshot."""
        return []

    def _add(self, claim: GroupComparison, x: float, top: float) -> float:
        """Make room for a claim below ``top``; return where it ends."""
        figure, theme, unit = self._canvas.figure, self._canvas.theme, self._unit
        pitch = LINE_PX * unit / self._canvas.size.height
        color = group_color(theme, claim.group)
        figure.text(x, top - pitch / 2, "●", color=color, fontsize=1.2 * TEXT_PX * unit, va="center_baseline")
        n_lines = round(height_of([claim], self._width_px, unit) / (LINE_PX * unit))
        start, texts = x + DOT_PX * unit / self._canvas.size.width, []
        for line in range(n_lines):
            y = top - (line + 0.5) * pitch
            style: dict[str, Any] = {"va": "center_baseline", "animated": True, "parse_math": False}
            text = figure.text(start, y, "", color=theme.text, fontsize=TEXT_PX * unit, **style)
            small = figure.text(start, y, "", color=theme.muted, fontsize=SMALL_PX * unit, **style)
            texts.append((text, small))
        self._lines.append(texts)
        return top - n_lines * pitch
