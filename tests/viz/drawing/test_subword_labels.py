"""Sub-words in pictures: lozenges as wide as their labels, names that stand apart among dots, spaces that can be seen."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from probes.groups.naming import Group
from probes.groups.symbols import display
from viz.drawing.legend import item_colors
from viz.drawing.scatter import Discs, all_labelled, fixed_limits, half_width, landmarks
from viz.drawing.text import short_label
from viz.drawing.theme import THEMES
from viz.figures.next_token_figure import draw_next_token

WORDS = [f" {a}{b}{c}" for a in "bdfgl" for b in "aeiou" for c in ["", "n", "rte", "ndo"]]


def made_layouts(n_items: int, n_steps: int = 3) -> np.ndarray:
    return np.cumsum(np.random.default_rng(1).normal(size=(n_steps, n_items, 2)), axis=0)


def made_discs(
    labels: list[str], radius: float, named: list[int], on_top: list[int] | None = None
) -> tuple[Discs, Figure]:
    figure = Figure(figsize=(8, 6), dpi=72)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(-10, 10)
    axes.set_ylim(-10, 10)
    groups = [Group("on top", tuple(on_top))] if on_top else []
    theme = THEMES["light"]
    colors = item_colors(len(labels), groups, theme)
    return Discs(
        axes, labels, colors, radius_px=radius, theme=theme, on_top=on_top or (), named=named, name_px=12
    ), figure


@pytest.mark.parametrize("label", [" que", " extraordinariamente", "ção", "<0xC3>", "WWWWWWWW", "iiiiiiii"])
def test_a_label_lies_inside_what_carries_it(label: str) -> None:
    discs, _ = made_discs(["a"] * 700 + [label], 3, named=[700])
    outline, glyphs = (path.get_extents() for path in discs.artist.get_paths()[-3::2])
    assert outline.x0 < glyphs.x0 < glyphs.x1 < outline.x1
    assert outline.y0 < glyphs.y0 < glyphs.y1 < outline.y1
    assert outline.height == pytest.approx(24)
    assert outline.x0 == pytest.approx(-outline.x1)


def test_long_labels_are_cut_and_spaces_are_seen() -> None:
    assert short_label(" extraordinariamente") == "␣extraord…"
    assert short_label(" que") == display(" que") == "␣que"
    assert half_width(" extraordinariamente", 10) == half_width(" extraordin", 10)


def test_few_items_with_short_labels_are_all_labelled_and_others_are_not() -> None:
    assert all_labelled(list("abcdefgh"), 10)
    assert all_labelled([*"abcdefghijklmnopqrstuv", "<start>", "<0xC3>"], 10)
    assert not all_labelled(WORDS * 20, 10)
    assert not all_labelled([" extraordinary"] * 50, 10)
    assert not all_labelled(list("abcdefgh"), 4)


def test_names_stand_apart_at_the_last_step() -> None:
    layouts, size, name = made_layouts(len(WORDS)), (900.0, 600.0), 12.0
    named = landmarks(WORDS, layouts[-1], size, name)
    assert 5 < len(named) <= 28
    x, y = fixed_limits(layouts[-1], *size, margin_px=name)
    places = (layouts[-1] - [x[0], y[0]]) * size[0] / (x[1] - x[0])
    for place, i in enumerate(named):
        for j in named[:place]:
            across, up = np.abs(places[i] - places[j])
            assert up >= 2 * name or across >= half_width(WORDS[i], name) + half_width(WORDS[j], name)


def test_every_member_of_a_small_group_is_named_and_nothing_beside_the_groups() -> None:
    layouts = made_layouts(len(WORDS))
    assert landmarks(WORDS, layouts[-1], (900, 600), 12, groups=[(3, 1, 2)]) == [3, 1, 2]
    large = range(20, 90)
    named = landmarks(WORDS, layouts[-1], (900, 600), 12, groups=[(3, 1, 2), large])
    assert named[:3] == [3, 1, 2]
    assert {*named[3:]} <= {*large}
    assert len(named) > 6


def test_names_of_bytes_and_unused_tokens_are_no_landmarks() -> None:
    labels = ["<0xC3>", "[unused 1]", ".", "\n", "a", " palavra"]
    assert landmarks(labels, 100 * made_layouts(6)[-1], (900, 600), 2) == [5, 4]


def test_a_named_item_is_drawn_above_the_dots_and_moves_with_its_label() -> None:
    labels = [" the"] + ["."] * 700
    discs, figure = made_discs(labels, 3, named=[0], on_top=[0])
    places = np.zeros((701, 2))
    places[0] = [5, -5]
    discs.move(places)
    offsets = np.asarray(discs.artist.get_offsets())
    assert len(offsets) == 700 + 3
    assert offsets[-3:].tolist() == [[5, -5]] * 3
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    color = np.array([int(THEMES["light"].palette[0][i : i + 2], 16) for i in (1, 3, 5)])
    pixels = np.asarray(canvas.buffer_rgba())[..., :3].astype(int)
    middle = pixels[int(432 * 0.75) - 5 : int(432 * 0.75) + 5, int(576 * 0.75) - 14 : int(576 * 0.75) + 14]
    assert (np.abs(middle - color).max(axis=-1) < 12).mean() > 0.4


def test_holes_open_in_dots_and_behind_names() -> None:
    discs, _ = made_discs([" the"] + ["."] * 700, 3, named=[0], on_top=[0])
    full, edges = discs.artist.get_facecolor().copy(), discs.artist.get_edgecolor().copy()
    discs.show_doubt(np.ones(701))
    opened, rings = discs.artist.get_facecolor(), discs.artist.get_edgecolor()
    assert full.shape == opened.shape == (703, 4)
    np.testing.assert_array_equal(rings[0], full[0])  # the ring of a dot keeps its colour
    np.testing.assert_array_equal(edges[-3], rings[-3])
    np.testing.assert_array_equal(full[-3], opened[-3])
    assert not np.allclose(full[0], opened[0])
    assert not np.allclose(full[-2], opened[-2])


def test_the_first_group_lies_uppermost() -> None:
    discs, _ = made_discs(["a", "b", "c", "d"], 10, named=[], on_top=[2, 0])
    assert discs.order.tolist() == [1, 3, 0, 2]


def test_the_many_others_do_not_dwarf_the_likely_tokens() -> None:
    """The bar of the others is cut where it would leave no room for those of the tokens, and its number stays what it is."""
    values = np.full(2000, 0.9 / 1997)
    values[:3] = 0.06, 0.03, 0.01
    words = [f" w{i}" for i in range(2000)]
    distribution = xr.DataArray(values, dims="token", coords={"token": words, "step": 7})
    figure = draw_next_token(distribution, "so", title="What comes next?", subtitle="made")
    widths = [
        bar.get_width() for bar in figure.findobj(Rectangle) if bar.get_width() < 0.999 and bar.get_width() > 1e-6
    ]
    bars = sorted(widths)[-3:]
    assert bars[-1] == pytest.approx(bars[-2])
    assert bars[0] == pytest.approx(bars[-1] / 2)
    assert "0.90" in {text.get_text() for text in figure.findobj(Text)}
    even = xr.DataArray(np.array([0.5, 0.3, 0.2]), dims="token", coords={"token": ["a", "b", "c"], "step": 7})
    assert len(draw_next_token(even, "so", title="What comes next?", subtitle="made").lines) == 0
