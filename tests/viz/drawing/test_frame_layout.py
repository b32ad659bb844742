"""Panels, words and bands of a film stand apart from each other in every shape of picture, and are of one size."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from viz.drawing.canvas import Size
from viz.drawing.frame_layout import FrameLayout, FrameParts
from viz.drawing.legend import Rect

SIZES = ["1920x1080", "1080x1080", "1080x1920", "640x360"]


def apart(one: Rect, other: Rect) -> bool:
    return (
        one[0] + one[2] <= other[0] + 1e-9
        or other[0] + other[2] <= one[0] + 1e-9
        or one[1] + one[3] <= other[1] + 1e-9
        or other[1] + other[3] <= one[1] + 1e-9
    )


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("panels", [1, 2, 3, 4])
@pytest.mark.parametrize("n_curves", [0, 1, 2])
def test_nothing_overlaps_and_nothing_leaves_the_picture(size: str, panels: int, n_curves: int) -> None:
    frame = Size.parse(size)
    unit = frame.unit
    parts = FrameParts(panels, panels > 1, 80 * unit, 100 * unit, 35 * unit)
    made = FrameLayout.of(frame, n_curves, parts)
    rects = [*made.curves, made.readout]
    for cell in made.cells:
        rects += [cell.panel, cell.words, cell.strip]
    assert all(apart(one, other) for one, other in combinations(rects, 2))
    for left, bottom, width, height in rects:
        assert width > 0.05
        assert height > 0.02
        assert min(left, bottom) >= 0
        assert max(left + width, bottom + height) <= 1
    assert len(made.cells) == panels
    assert len({tuple(np.round(cell.panel[2:], 9)) for cell in made.cells}) == 1
    assert made.legend[1] > max(cell.panel[1] + cell.panel[3] for cell in made.cells)


@pytest.mark.parametrize("size", SIZES)
def test_words_and_bands_stand_below_their_panel_and_are_as_wide(size: str) -> None:
    frame = Size.parse(size)
    for cell in FrameLayout.of(frame, 2, FrameParts(4, True, 40 * frame.unit, 100 * frame.unit)).cells:
        assert cell.panel[0] == cell.words[0] == cell.strip[0]
        assert cell.panel[2] == cell.words[2] == cell.strip[2]
        assert cell.name[1] > cell.panel[1] + cell.panel[3] > cell.panel[1] > cell.words[1] > cell.strip[1]


@pytest.mark.parametrize(("shape", "rows"), [(4.0, 2), (0.6, 1)])
def test_an_upright_picture_stacks_what_is_wide_and_not_what_is_narrow(shape: float, rows: int) -> None:
    cells = FrameLayout.of(Size(1080, 1920), 2, FrameParts(2, True, 50, 100, shape=shape)).cells
    assert len({round(cell.panel[1], 6) for cell in cells}) == rows


def test_a_short_last_row_is_centred() -> None:
    first, second, last = (
        cell.panel for cell in FrameLayout.of(Size(1080, 1920), 2, FrameParts(3, True, 50, 100)).cells
    )
    assert first[1] == second[1] > last[1]
    assert last[0] + last[2] / 2 == pytest.approx((first[0] + second[0] + second[2]) / 2)


def test_a_picture_without_parts_is_as_it_was() -> None:
    """Films of maps and scores fill the panel themselves."""
    assert FrameLayout.of(Size(1920, 1080), 2).panel == pytest.approx((0.025, 0.065, 0.63, 0.77))
    assert FrameLayout.of(Size(1080, 1080), 2).panel == pytest.approx((0.03, 0.275, 0.94, 0.575))
