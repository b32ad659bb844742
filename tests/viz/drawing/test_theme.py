"""Colours: one for each role, apart for colour-blind eyes too, and text that can be read on any of them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex

from probes.groups.naming import Group
from tests.viz.visible import deuteranopic, difference
from viz.drawing.canvas import Canvas, Size
from viz.drawing.curve_panel import Curve, CurvePanel, FilmClock
from viz.drawing.layout import Box
from viz.drawing.legend import item_colors
from viz.drawing.theme import THEMES, Theme, contrast, group_color, role_color, run_color, text_on
from viz.figures.curve_figure import draw_loss
from viz.player.loss_panel import loss_panel

STEPS = np.array([0, 10, 20])
LOSS = Curve("loss", STEPS, np.array([3.0, 2.0, 1.0]), "{:.2f}", "validation", np.array([2.9, 1.9, 0.9]), "training")


@pytest.fixture(params=THEMES.values(), ids=list(THEMES))
def theme(request: pytest.FixtureRequest) -> Theme:
    chosen: Theme = request.param
    return chosen


def test_the_loss_has_one_colour_in_films_figures_and_pages(theme: Theme) -> None:
    wanted = [role_color(theme, "validation"), role_color(theme, "training")]
    axes = draw_loss(LOSS, theme=theme).axes[0]
    assert sorted(to_hex(line.get_color()).upper() for line in axes.lines) == sorted(wanted)
    canvas = Canvas(Size(1920, 1080), theme)
    CurvePanel(canvas, Box(100, 100, 500, 200), LOSS, FilmClock(STEPS), 1.0)
    named = {line.get_label(): to_hex(line.get_color()).upper() for line in canvas.figure.axes[0].lines}
    assert [named["validation"], named["training"]] == wanted
    page = loss_panel([{"step": 0, "val_loss": 3.0, "train_loss": 2.9}], theme=theme)
    assert [series.color for series in page.series] == wanted
    assert run_color(theme, 0) == wanted[0]


def test_runs_that_are_compared_have_colours_and_names_of_their_own(theme: Theme) -> None:
    canvas, runs = Canvas(Size(1920, 1080), theme), (LOSS.values, LOSS.values + 1)
    both = Curve("loss", STEPS, LOSS.values, runs=runs, run_names=("first", "second"))
    CurvePanel(canvas, Box(100, 100, 500, 200), both, FilmClock(STEPS), 1.0)
    legend = canvas.figure.axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["first", "second"]
    assert len({line.get_color() for line in legend.get_lines()}) == 2


@pytest.mark.parametrize("color", [group_color, run_color])
def test_no_two_groups_or_runs_have_the_same_colour(color: Callable[[Theme, int], str], theme: Theme) -> None:
    assert len({color(theme, i).lower() for i in range(28)}) == 28


@pytest.mark.parametrize(("n_groups", "least"), [(7, 13), (9, 13), (14, 9)])
def test_colours_of_groups_stay_apart_for_deuteranopic_eyes(n_groups: int, least: float, theme: Theme) -> None:
    groups = [group_color(theme, i) for i in range(n_groups)]
    for one, other in combinations([*groups, theme.disc, theme.muted], 2):
        assert difference(one, other) > least, (one, other)
        assert difference(deuteranopic(one), deuteranopic(other)) > least, (one, other)


def test_no_two_of_the_groups_that_a_page_shows_have_one_hue(theme: Theme) -> None:
    """Vermilion and orange differ by 33 and were taken for one colour; with the classes of characters both stood in one legend."""
    for one, other in combinations(theme.palette[:5], 2):
        assert difference(one, other) > 36, (one, other)


def test_three_rounds_of_the_palette_stay_apart(theme: Theme) -> None:
    for one, other in combinations([group_color(theme, i) for i in range(21)], 2):
        assert difference(one, other) > 9, (one, other)


def test_eight_highlighted_groups_have_eight_colours_in_the_legend(theme: Theme) -> None:
    groups = [Group(f"group {i}", (i,)) for i in range(8)]
    assert len({color.lower() for color in item_colors(8, groups, theme)}) == 8


@given(st.tuples(*[st.floats(0, 1)] * 3))
def test_text_can_be_read_on_every_colour(color: tuple[float, float, float]) -> None:
    assert contrast(text_on(to_hex(color)), to_hex(color)) >= 4.5


def test_captions_and_text_can_be_read_on_both_grounds(theme: Theme) -> None:
    for ground in (theme.background, theme.panel):
        assert min(contrast(theme.text, ground), contrast(theme.muted, ground)) >= 4.5
    assert contrast(text_on(theme.disc), theme.disc) >= 4.5
