"""The poster of a training: six snapshots at one scale, chosen by how far the points move, with the loss at these steps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from PIL import Image

from data.runs import Run
from tests.viz.figures.stills import made, made_loss, poster_of
from viz.drawing.slide import SIZES
from viz.drawing.text import Caption
from viz.drawing.theme import THEMES
from viz.figures.figure import make_figure
from viz.figures.map_figure import draw_maps
from viz.figures.poster_figure import PANELS, draw_poster, key_snapshots
from viz.grouped_table import GroupedTable
from viz.registry import FIGURES
from viz.request import FigureRequest

WORDS = {"title": "A title", "subtitle": "made up", "theme": THEMES["light"]}


@given(st.lists(st.floats(0, 10), min_size=1, max_size=60), st.integers(2, 8))
def test_the_chosen_snapshots_rise_from_the_first_to_the_last(ways: list[float], most: int) -> None:
    layouts = np.cumsum([0.0, *ways])[:, None, None] * np.ones((1, 3, 2))
    chosen = key_snapshots(layouts, most)
    assert chosen[0] == 0
    assert chosen[-1] == len(layouts) - 1
    assert len(chosen) == min(most, len(layouts))
    assert (np.diff(chosen) > 0).all()


def test_between_chosen_snapshots_the_points_move_about_equally_far() -> None:
    """Half of the film is rest; all panels but the first show the other half."""
    places = np.concatenate([np.zeros(50), np.linspace(0, 1, 51)])
    chosen = key_snapshots(places[:, None, None] * np.ones((1, 4, 2)), PANELS)
    np.testing.assert_allclose(np.diff(places[chosen]), 1 / (PANELS - 1), atol=0.021)


def test_all_panels_have_the_same_limits_and_the_loss_is_marked_at_their_steps() -> None:
    figure = poster_of(30, 12, made_loss(30))(inches=SIZES["a3"], **WORDS)
    maps = [axes for axes in figure.axes if any(isinstance(one, PathCollection) for one in axes.collections)]
    assert len(maps) == PANELS
    assert len({(axes.get_xlim(), axes.get_ylim()) for axes in maps}) == 1
    trails = [one for axes in maps for one in axes.collections if isinstance(one, LineCollection)]
    assert len(trails) == PANELS - 1
    (loss,) = (axes for axes in figure.axes if axes not in maps)
    (marked,) = (line.get_xdata() for line in loss.lines if line.get_marker() == "o")
    shown = {text.get_text() for text in figure.texts if text.get_text().startswith("step ")}
    assert shown == {f"step {int(step):,}" for step in np.asarray(marked)}


def test_maps_side_by_side_say_by_how_much_one_is_enlarged() -> None:
    random = np.random.default_rng(0).normal(size=(12, 2))
    layout = xr.Dataset(
        {
            "layout": (("step", "position", "axis"), np.stack([random, 3 * random])),
            "trustworthiness": ("step", [0.7, 0.9]),
        },
        {"step": [0, 100]},
    )
    subject = GroupedTable("positions", made("step position dim", 2, 12, 2), (), ())
    for inches in (SIZES["16:9"], SIZES["square"]):
        figure = draw_maps(subject, layout, Caption("A title", "made up", ""), THEMES["light"], inches)
        lines = [text.get_text() for text in figure.texts if "enlarged" in text.get_text()]
        assert [line.split("   ")[-1] for line in lines] == ["enlarged 3 times"]
        left, right = (np.ptp(axes.get_xlim()) for axes in figure.axes)
        assert right / left == pytest.approx(3, rel=0.01)


@pytest.mark.parametrize("draw", [draw_maps, draw_poster])
def test_no_disc_hides_another_in_any_panel(draw: Callable[..., Figure]) -> None:
    """Six items lie at one place, at every step."""
    layouts = np.random.default_rng(1).normal(size=(8, 24, 2))
    layouts[:, :6] = layouts[:, :1]
    layout = xr.Dataset(
        {"layout": (("step", "position", "axis"), layouts), "trustworthiness": ("step", np.full(8, 0.7))},
        {"step": 100 * np.arange(8)},
    )
    figure = draw(GroupedTable("positions", made("step position dim", 8, 24, 2), (), ()), layout, Caption("T", "s", ""))
    panels = [(axes, one) for axes in figure.axes for one in axes.collections if isinstance(one, PathCollection)]
    assert len(panels) == (PANELS if draw is draw_poster else 2)
    for axes, discs in panels:
        places = np.unique(np.asarray(discs.get_offsets()), axis=0)
        assert len(places) == 24
        points = axes.transData.transform(places) * 72 / figure.dpi
        away = np.hypot(*(points[:, None] - points).transpose(2, 0, 1))
        np.fill_diagonal(away, np.inf)
        assert away.min() > 0.9 * discs.get_paths()[0].get_extents().width


@pytest.mark.slow
@pytest.mark.parametrize("name", ["poster", "token-poster"])
def test_a_poster_of_a_run_is_as_large_as_its_paper(name: str, run: Run, tmp_path: Path) -> None:
    label = "3,4" if name == "poster" else "a,e"
    figure = make_figure(run, FigureRequest(only=(name,), highlight=(label,), size="a3", method="pca"))
    figure.save(tmp_path / "poster.png")
    with Image.open(tmp_path / "poster.png") as picture:
        assert picture.width / picture.height == pytest.approx(420 / 297, abs=0.001)


def test_posters_are_drawn_only_where_they_are_asked_for() -> None:
    assert set(FIGURES) - set(FigureRequest().names) == {"poster", "token-poster"}
    FigureRequest(only=("poster",), highlight=("3",)).validate()
