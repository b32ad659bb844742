"""Labelled discs stand apart at rest and near their places; the last layout fills its panel, and no earlier one leaves it."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.groups.naming import Group
from viz.drawing.canvas import Size
from viz.drawing.layout import fixed_limits, move_discs_apart, shrink_to_last
from viz.drawing.text import Caption
from viz.drawing.theme import THEMES
from viz.films.embedding_film import EmbeddingFilm, ProjectionView

ROOM = (1000.0, 600.0)


def gaps(places: np.ndarray, shapes: np.ndarray) -> np.ndarray:
    """Compute the distance of all pairs of lozenges, in sums of their radii; infinite of each to itself."""
    away = np.abs(places[:, None] - places)
    straight, radius = (shapes[:, None, i] + shapes[:, i] for i in (0, 1))
    found = np.hypot(np.maximum(away[..., 0] - straight, 0), away[..., 1]) / radius
    np.fill_diagonal(found, np.inf)
    return found


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 60), st.floats(0.0, 200.0), st.floats(0.0, 30.0))
def test_no_disc_hides_another_and_none_leaves_the_panel(seed: int, n: int, spread: float, longest: float) -> None:
    random = np.random.default_rng(seed)
    places = np.clip(random.normal(ROOM, spread, (n, 2)) / 2, 60, np.array(ROOM) - 60)
    shapes = np.stack([random.uniform(0, longest, n), np.full(n, 20.0)], axis=1)
    moved = move_discs_apart(places, shapes, ROOM)
    assert gaps(moved, shapes).min() > 0.9
    edge = np.stack([shapes.sum(axis=1), shapes[:, 1]], axis=1)
    assert (moved >= edge - 1e-6).all()
    assert (moved <= np.array(ROOM) - edge + 1e-6).all()
    np.testing.assert_array_equal(moved, move_discs_apart(places, shapes, ROOM))


def test_discs_that_stand_apart_stay_and_others_make_way_for_the_held() -> None:
    shapes = np.array([[0.0, 20.0]] * 3)
    places = np.array([[100.0, 100], [110, 100], [500, 500]])
    moved = move_discs_apart(places, shapes, ROOM, held=[0])
    away = np.hypot(*(moved - places).T)
    assert away[2] == 0
    assert away[0] < 0.3 * away[1]


@pytest.mark.parametrize("last", [0.1, 1.0, 5.0])
def test_the_last_layout_is_unchanged_and_earlier_ones_keep_inside_its_limits(last: float) -> None:
    layouts = np.random.default_rng(2).normal(size=(9, 30, 2)) * np.linspace(4, last, 9)[:, None, None]
    layouts[3, 0] = [30, -2]
    shown = shrink_to_last(layouts, *ROOM, 20)
    np.testing.assert_allclose(shown[-1], layouts[-1])
    (left, right), (low, high) = fixed_limits(layouts[-1], *ROOM, 20)
    unit = (right - left) / ROOM[0]
    assert (shown[..., 0] >= left + 19.9 * unit).all()
    assert (shown[..., 0] <= right - 19.9 * unit).all()
    assert (shown[..., 1] >= low + 19.9 * unit).all()
    assert (shown[..., 1] <= high - 19.9 * unit).all()
    for before, after in zip(layouts, shown, strict=True):  # one scale for both axes, never enlarged
        ratio = np.ptp(after, axis=0) / np.ptp(before, axis=0)
        assert ratio[0] == pytest.approx(ratio[1])
        assert ratio[0] <= 1 + 1e-9


def film(method: str, layouts: np.ndarray, groups: list[Group] | None = None) -> EmbeddingFilm:
    coords = {"step": 100 * np.arange(len(layouts)), "position": np.arange(layouts.shape[1])}
    made = xr.Dataset({"layout": (("step", "position", "axis"), layouts)}, coords, {"method": method})
    return EmbeddingFilm(
        [ProjectionView(made, groups or [])], [], Caption("T", "s", ""), Size(1920, 1080), THEMES["light"]
    )


def test_a_film_scales_early_layouts_of_methods_without_a_scale_and_never_those_of_pca() -> None:
    layouts = np.random.default_rng(3).normal(size=(6, 20, 2)) * np.linspace(9, 1, 6)[:, None, None]
    scaled, kept = film("tsne", layouts), film("pca", layouts)
    np.testing.assert_allclose(kept.panels[0].motion.layouts[0], layouts[0])
    extent = [np.ptp(one.panels[0].motion.layouts, axis=1) for one in (scaled, kept)]
    assert (extent[0][0] < 0.5 * extent[1][0]).all()
    inside = [
        np.ptp(one.panels[0].motion.layouts[-1], axis=0) / np.ptp(one.panels[0].axes.get_xlim())
        for one in (scaled, kept)
    ]
    assert inside[0].max() > 2 * inside[1].max()
    texts = [" ".join(text.get_text() for text in one.film_frame.canvas.figure.texts) for one in (scaled, kept)]
    assert "drawn smaller" in texts[0]
    assert "drawn smaller" not in texts[1]


def test_labels_stand_apart_in_the_last_frame_with_lines_to_places_that_are_far() -> None:
    layouts = np.random.default_rng(4).normal(size=(3, 30, 2))
    layouts[-1, :6] = [0.2, 0.1]
    panel = film("pca", layouts, [Group("one", (5,))]).panels[0]
    panel.moving(2.0)
    pixels = panel.axes.transData.transform(panel.motion.at(2.0))
    away = np.hypot(*(pixels[:, None] - pixels).transpose(2, 0, 1))
    np.fill_diagonal(away, np.inf)
    radius = panel._discs.artist.get_paths()[0].get_extents().width / 2
    assert away.min() > 1.8 * radius
    places, shown = (
        np.asarray(panel._leaders.artist.get_data()).T[::3],
        np.asarray(panel._leaders.artist.get_data()).T[1::3],
    )
    assert np.isclose(places, [0.2, 0.1]).all(axis=1).sum() >= 4
    assert (np.hypot(*(shown - places).T) > 0).all()
    panel.moving(1.0)
    assert not len(panel._leaders.artist.get_data()[0])


@pytest.mark.parametrize(
    ("n", "spread", "straight"), [(20, 0.0, 0.0), (60, 0.0, 0.0), (60, 1.0, 15.0), (60, 0.01, 30.0)]
)
def test_a_pile_of_discs_spreads_no_farther_than_they_need(n: int, spread: float, straight: float) -> None:
    random = np.random.default_rng(n)
    shapes = np.stack([random.uniform(0.0, straight, n), np.full(n, 20.0)], axis=1)
    places = np.array(ROOM) / 2 + random.normal(0.0, spread, (n, 2))
    moved = move_discs_apart(places, shapes, ROOM)
    assert gaps(moved, shapes).min() > 0.9
    area = (np.pi * 20.0**2 + 80.0 * shapes[:, 0]).sum()
    packed = np.sqrt(area / (0.8 * np.pi))  # the radius of as many, packed tightly
    assert np.hypot(*(moved - places).T).max() < 2 * packed
