"""Motion of a film against motion of its vectors: SciPy, closed forms and made films are the oracles."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy.stats import ortho_group, spearmanr

from data.errors import InputError
from viz.fidelity.motion import (
    displacements,
    layout_width,
    motion_agreement,
    motion_floor,
    motion_over_steps,
    static_motion,
)
from viz.projection.pca import pooled_basis


def film(steps: int = 6, items: int = 30, still: tuple[int, ...] = ()) -> tuple[xr.DataArray, xr.DataArray]:
    """Return vectors that walk at random but for some still steps, and the layout of their first two dimensions."""
    ways = np.random.default_rng(0).normal(size=(steps, items, 5)) * np.linspace(1, 0.1, steps)[:, None, None]
    ways[list(still)] = 0
    at = {"step": 10 * np.arange(steps), "sha256": ("step", list("abcdefghij"[:steps])), "token": range(items)}
    trajectory = xr.DataArray(ways.cumsum(axis=0), dims=("step", "token", "dim"), coords=at)
    return trajectory, trajectory[:, :, :2].rename(dim="axis")


def test_motion_is_the_straight_way_between_steps() -> None:
    trajectory, _ = film()
    ways = displacements(trajectory)
    assert ways.shape == (5, 30)
    np.testing.assert_allclose(ways[2, 7], np.sqrt(sum((trajectory.values[3, 7] - trajectory.values[2, 7]) ** 2)))
    np.testing.assert_array_equal(ways, displacements(trajectory.values))


def test_the_width_of_a_circle_is_its_diameter_wherever_it_lies() -> None:
    angles = np.linspace(0, 2 * np.pi, 100, endpoint=False)
    circle = 3 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert layout_width(circle + 100) == pytest.approx(6)
    assert layout_width(np.stack([circle, circle - [5, 0]])) == pytest.approx(6)  # a drift widens no step


def test_agreement_equals_scipys_rank_correlation() -> None:
    random = np.random.default_rng(0)
    true, drawn = random.integers(0, 9, size=(5, 40)).astype(float), random.random((5, 40))
    steps, together = motion_agreement(true, drawn)
    assert steps == pytest.approx([spearmanr(a, b).statistic for a, b in zip(true, drawn, strict=True)])
    assert together == pytest.approx(spearmanr(true.ravel(), drawn.ravel()).statistic)


def test_agreement_needs_something_that_changes() -> None:
    true, drawn = np.zeros((2, 5)), np.random.default_rng(0).random((2, 5))
    steps, together = motion_agreement(true, drawn)
    assert np.isnan([*steps, together]).all()
    true[0] = 1.0  # all by as much
    assert motion_agreement(true, drawn)[0][0] == 0.0


def test_static_motion_is_what_is_drawn_where_nothing_changes() -> None:
    trajectory, layout = film(still=(2, 3))
    jittered = layout.copy()
    jittered[3, :, 0] += 0.5
    moved = motion_over_steps(trajectory, jittered)
    width = layout_width(jittered.values)
    assert np.isnan(moved["static_motion"]).values.tolist() == [True, True, False, False, True, True]
    assert moved["static_motion"].values[2:4] == pytest.approx([0, 0.5 / width])
    assert moved.attrs["static_motion"] == pytest.approx(0.25 / width)
    assert "static_motion" not in motion_over_steps(*film()).attrs
    assert np.isnan(static_motion(displacements(trajectory), displacements(layout))[0])


def test_over_steps_motion_stands_where_it_arrives_whatever_the_scale_and_the_way_up() -> None:
    trajectory, layout = film()
    moved = motion_over_steps(trajectory, layout)
    assert np.isnan(moved["drawn_motion"][0]).all()
    assert moved["true_motion"].sel(step=10).values == pytest.approx(displacements(trajectory)[0])
    assert moved["drawn_motion"].sel(step=50).values == pytest.approx(
        displacements(layout)[4] / layout_width(layout.values)
    )
    assert moved.attrs["motion_agreement"] > 0.6
    turned = layout.copy(data=7 * layout.values @ ortho_group.rvs(2, random_state=0) + 3)
    xr.testing.assert_allclose(motion_over_steps(trajectory, turned), moved)
    assert set(xr.merge([moved, layout.rename("layout")], compat="no_conflicts", join="exact").sizes) == {
        "step",
        "token",
        "axis",
    }
    collapsed = motion_over_steps(trajectory, layout * 0)
    assert (collapsed["drawn_motion"][1:] == 0).all()


def test_the_floor_is_the_motion_drawn_on_unchanged_data() -> None:
    trajectory, layout = film(steps=10)
    size = np.linspace(0, 0.2, 30) * layout_width(layout.values)
    angles = iter(np.random.default_rng(0).uniform(0, 7, 10))

    def again(vectors: np.ndarray, points: np.ndarray) -> np.ndarray:
        angle = next(angles)
        points += size[:, None] * [np.cos(angle), np.sin(angle)]  # in place: the film must not be touched
        return points

    floor = motion_floor(again, trajectory, layout.values, steps=4)
    assert floor.steps.tolist() == [0, 3, 6, 9]
    np.testing.assert_allclose(floor.median, np.linspace(0, 0.2, 30), atol=1e-12)
    np.testing.assert_allclose(floor.high, floor.median, atol=1e-12)
    np.testing.assert_array_equal(layout, film(steps=10)[1])


def test_principal_components_have_no_floor() -> None:
    trajectory, _ = film()
    basis = pooled_basis(trajectory.values)
    layouts = np.stack([basis.project(vectors) for vectors in trajectory.values])
    floor = motion_floor(lambda vectors, points: basis.project(vectors), trajectory, layouts, steps=99)
    assert len(floor.steps) == 6
    assert not floor.high.any()


def test_what_has_no_motion_is_refused() -> None:
    trajectory, layout = film()
    with pytest.raises(InputError, match="two steps or more; got 1"):
        displacements(trajectory[:1])
    with pytest.raises(InputError, match="not finite"):
        motion_over_steps(trajectory.where(trajectory.step < 30), layout)
    with pytest.raises(InputError, match="pass the layout that was made from it"):
        motion_over_steps(trajectory, layout[:, :9])
    with pytest.raises(InputError, match="`steps` must be at least 1; got 0"):
        motion_floor(lambda vectors, points: points, trajectory, layout.values, steps=0)
