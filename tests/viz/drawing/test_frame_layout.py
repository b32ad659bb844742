"""Panels, text and bands of a film stand apart from each other in every shape of picture, and are of one size."""

from __future__ import annotations

from itertools import combinations

import pytest

from viz.drawing.canvas import Size
from viz.drawing.film_frame import FrameLayout, FrameParts
from viz.drawing.layout import Box

SIZES = ["1920x1080", "1080x1080", "1080x1920", "640x360"]


def apart(one: Box, other: Box) -> bool:
    return (
        one.right <= other.left + 1e-6
        or other.right <= one.left + 1e-6
        or one.top <= other.bottom + 1e-6
        or other.top <= one.bottom + 1e-6
    )


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("panels", [1, 2, 3, 4])
@pytest.mark.parametrize("n_curves", [0, 1, 2])
def test_nothing_overlaps_and_nothing_leaves_the_picture(size: str, panels: int, n_curves: int) -> None:
    frame = Size.parse(size)
    unit = frame.unit
    parts = FrameParts(panels, panels > 1, 80 * unit, 100 * unit, 35 * unit)
    made = FrameLayout.of(frame, n_curves, parts)
    boxes = [*made.curves, made.readout]
    for cell in made.cells:
        boxes += [cell.panel, cell.text, cell.bands]
    assert all(apart(one, other) for one, other in combinations(boxes, 2))
    for box in boxes:
        assert box.width > 0.05 * frame.width
        assert box.height > 0.02 * frame.height
        assert min(box.left, box.bottom) >= 0
        assert box.right <= frame.width
        assert box.top <= frame.height
    assert len(made.cells) == panels
    assert len({(round(cell.panel.width, 6), round(cell.panel.height, 6)) for cell in made.cells}) == 1
    assert made.legend.top > max(cell.panel.top for cell in made.cells)


@pytest.mark.parametrize("size", SIZES)
def test_text_and_bands_stand_below_their_panel_and_are_as_wide(size: str) -> None:
    frame = Size.parse(size)
    for cell in FrameLayout.of(frame, 2, FrameParts(4, True, 40 * frame.unit, 100 * frame.unit)).cells:
        assert cell.panel.left == cell.text.left == cell.bands.left
        assert cell.panel.width == cell.text.width == cell.bands.width
        assert cell.name[1] > cell.panel.top > cell.panel.bottom > cell.text.bottom > cell.bands.bottom


@pytest.mark.parametrize(("shape", "rows"), [(4.0, 2), (0.6, 1)])
def test_an_upright_picture_stacks_what_is_wide_and_not_what_is_narrow(shape: float, rows: int) -> None:
    cells = FrameLayout.of(Size(1080, 1920), 2, FrameParts(2, True, 50, 100, shape=shape)).cells
    assert len({round(cell.panel.bottom, 3) for cell in cells}) == rows


def test_a_short_last_row_is_centred() -> None:
    first, second, last = (
        cell.panel for cell in FrameLayout.of(Size(1080, 1920), 2, FrameParts(3, True, 50, 100)).cells
    )
    assert first.bottom == second.bottom > last.bottom
    assert last.left + last.width / 2 == pytest.approx((first.left + second.right) / 2)


def test_a_picture_without_parts_is_as_it_was() -> None:
    """Films of maps and scores fill the panel themselves."""
    for size, panel in (
        (Size(1920, 1080), (0.025, 0.065, 0.63, 0.77)),
        (Size(1080, 1080), (0.03, 0.275, 0.94, 0.575)),
    ):
        box = FrameLayout.of(size, 2).panel
        across, down = (box.left, box.width), (box.bottom, box.height)
        assert [value / size.width for value in across] == pytest.approx(panel[::2])
        assert [value / size.height for value in down] == pytest.approx(panel[1::2])
