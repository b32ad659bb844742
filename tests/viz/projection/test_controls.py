"""A control has what costs nothing (its values, its spread, its motion) and lacks what training makes: who is near whom."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.spatial.distance import pdist
from scipy.stats import kstest, spearmanr

from data.errors import InputError
from viz.projection.controls import (
    CONTROL_DESCRIPTIONS,
    CONTROLS,
    control,
    redraw_values,
    relative_drift,
    shuffle_values,
)

STEPS, ITEMS, DIMS = 12, 80, 48


def made_trajectory() -> xr.DataArray:
    """Return tables that go from noise to a curve and come to rest, with one that does not change."""
    random = np.random.default_rng(3)
    noise = random.normal(0.1, 0.5, size=(ITEMS, DIMS))
    curve = np.cos(np.linspace(0, 3, ITEMS)[:, None] * np.linspace(0, 2, DIMS)) * 2
    share = np.append(np.linspace(0, 1, STEPS - 1) ** 0.5, 1.0)[:, None, None]
    values = (1 - share) * noise + share * curve
    return xr.DataArray(
        values.astype(np.float32),
        dims=("step", "token", "dim"),
        coords={
            "step": np.arange(STEPS) * 100,
            "token": [f"t{i}" for i in range(ITEMS)],
            "sha256": ("step", [f"hash {i}" for i in range(STEPS)]),
        },
        name="token_table",
    )


@given(
    arrays(np.float64, array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=6), elements=st.floats(-9, 9)),
    st.integers(0, 2**31),
)
def test_shuffling_keeps_the_values_of_every_dimension_at_every_step(values: np.ndarray, seed: int) -> None:
    np.testing.assert_array_equal(np.sort(shuffle_values(values, seed), axis=1), np.sort(values, axis=1))


def test_shuffling_deals_the_same_way_at_every_step_so_the_table_moves_as_much() -> None:
    values = made_trajectory().values.astype(float)
    dealt = shuffle_values(values, 1)
    np.testing.assert_array_equal(dealt[:3], shuffle_values(values[:3], 1))
    moved, as_dealt = np.diff(values, axis=0), np.diff(dealt, axis=0)
    np.testing.assert_array_equal(np.sort(moved, axis=1), np.sort(as_dealt, axis=1))
    np.testing.assert_allclose((moved**2).sum((1, 2)), (as_dealt**2).sum((1, 2)))
    np.testing.assert_allclose(relative_drift(values), relative_drift(dealt))


@pytest.mark.parametrize("name", list(CONTROLS))
def test_distances_have_nothing_to_do_with_those_of_the_run(name: str) -> None:
    """The distances of a control agree with the run's as little as any two noises do; the run's own ends agree far more."""
    trajectory = made_trajectory()
    made = control(trajectory, name, seed=2)
    last = [pdist(table[-1]) for table in (trajectory.values, made.values)]
    assert abs(spearmanr(*last).statistic) < 0.1
    assert spearmanr(last[0], pdist(trajectory.values[-4])).statistic > 0.5


def test_a_redrawn_table_has_the_first_tables_distribution_at_every_step() -> None:
    values = made_trajectory().values.astype(float)
    tables = redraw_values(values, 0)
    standard = (tables - values[0].mean(axis=0)) / values[0].std(axis=0)
    for table in standard:
        assert kstest(table.ravel(), "norm").pvalue > 1e-3
        assert np.abs(np.corrcoef(table.T) - np.eye(DIMS)).max() < 0.5


def test_a_redrawn_table_changes_as_much_as_the_run_does_and_rests_with_it() -> None:
    values = made_trajectory().values.astype(float)
    drift, of_control = relative_drift(values), relative_drift(redraw_values(values, 0))
    np.testing.assert_allclose(of_control, drift, rtol=0.06)
    assert drift[-1] == 0
    np.testing.assert_array_equal(redraw_values(values, 0)[-1], redraw_values(values, 0)[-2])


def test_drift_is_that_of_the_correlation_and_sees_no_shift() -> None:
    """For centred tables of one spread, the squared drift is 2 (1 - r)."""
    random = np.random.default_rng(0)
    one, other = random.normal(size=(2, 500, 3))
    other = 0.6 * one + 0.8 * other
    one, other = ((table - table.mean(0)) / table.std() for table in (one, other))
    expected = np.sqrt(2 * (1 - (one * other).sum() / np.sqrt((one**2).sum() * (other**2).sum())))
    np.testing.assert_allclose(relative_drift(np.stack([one, other])), expected, rtol=1e-3)
    np.testing.assert_allclose(relative_drift(np.stack([one, one + 5.0])), 0, atol=1e-12)
    assert relative_drift(np.zeros((3, 4, 2))).tolist() == [0, 0]


@pytest.mark.parametrize("name", list(CONTROLS))
def test_a_control_is_a_function_of_its_seed_and_is_never_taken_for_the_run(name: str) -> None:
    trajectory = made_trajectory()
    before = trajectory.copy(deep=True)
    made = control(trajectory, name, 4)
    xr.testing.assert_identical(trajectory, before)
    xr.testing.assert_identical(made, control(trajectory, name, 4))
    assert not (made.values == control(trajectory, name, 5).values).all()
    assert made.dtype == trajectory.dtype
    assert made.dims == trajectory.dims
    others = [control(trajectory, name, 5), *(control(trajectory, other, 4) for other in CONTROLS if other != name)]
    hashes = [tuple(some["sha256"].values) for some in (trajectory, made, *others)]
    assert len(set(hashes)) == len(hashes)
    assert name in CONTROL_DESCRIPTIONS


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(InputError, match="no control 'noise'; there is shuffled, init"):
        control(made_trajectory(), "noise")
    with pytest.raises(InputError, match="0 or more; got -1"):
        control(made_trajectory(), "init", -1)
