"""The order of positions: a curve in a space is unrolled, its correlation is Spearman's, and its null is that of random orders."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau, ortho_group, spearmanr
from sklearn.manifold import spectral_embedding

from data.runs import Run
from probes.tables.order import order_along_path, path_places, position_order, scale_neighbour


def over(*tables: np.ndarray) -> xr.DataArray:
    values = np.array(tables)
    coords = {"step": np.arange(len(values)), "position": np.arange(values.shape[1])}
    return xr.DataArray(values, dims=("step", "position", "dim"), coords=coords)


def curve(items: int, dims: int = 16, seed: int = 0, noise: float = 0.02) -> np.ndarray:
    """Make a bent curve, most of a circle that rises slowly, turned in a space of more dimensions."""
    random = np.random.default_rng(seed)
    angle = np.linspace(0, 1.6 * np.pi, items)
    bent = np.column_stack([np.cos(angle), np.sin(angle), 0.2 * angle])
    return bent @ ortho_group(dims, seed=seed).rvs()[:3] + noise * random.normal(size=(items, dims))


@settings(deadline=None, max_examples=30)
@given(st.integers(16, 64), st.integers(0, 10**6))
def test_positions_along_a_bent_curve_are_found_in_order(items: int, seed: int) -> None:
    found = order_along_path(over(curve(items, seed=seed)), draws=199)
    assert float(found["pairs_in_order"][0]) > 0.97
    assert float(found["p_value"][0]) == 1 / 200


def test_one_item_far_away_does_not_become_the_whole_path() -> None:
    table = curve(32)
    table[13] *= 8  # the first principal component is then the way to this item
    assert float(order_along_path(over(table), draws=99)["pairs_in_order"][0]) > 0.9


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_places_are_the_first_eigenmap_of_scikit_learn(metric: str) -> None:
    table = np.random.default_rng(1).normal(size=(20, 5))
    rows = table / np.linalg.norm(table, axis=1, keepdims=True) if metric == "cosine" else table
    distances = np.linalg.norm(rows[:, None] - rows[None], axis=-1)
    scale = np.sort(distances, axis=1)[:, scale_neighbour(20)]
    affinity = np.exp(-(distances**2) / (scale[:, None] * scale[None]))
    theirs = spectral_embedding(affinity, n_components=1, drop_first=True, eigen_solver="arpack", random_state=0)[:, 0]
    assert abs(np.corrcoef(path_places(table, metric), theirs)[0, 1]) == pytest.approx(1)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6))
def test_correlations_are_those_of_scipy_and_do_not_depend_on_the_direction(seed: int) -> None:
    table = np.random.default_rng(seed).normal(size=(12, 4))
    forth, back = (order_along_path(over(rows), draws=99) for rows in (table, table[::-1]))
    places = forth["place"].values[0]
    assert float(forth["order_correlation"][0]) == pytest.approx(spearmanr(np.arange(12), places)[0], abs=1e-9)
    assert float(forth["pairs_in_order"][0]) == pytest.approx(0.5 + kendalltau(np.arange(12), places)[0] / 2)
    np.testing.assert_allclose(forth["order_correlation"], back["order_correlation"], atol=1e-9)


def test_p_values_of_noise_are_even_and_corrected_ones_no_smaller() -> None:
    random = np.random.default_rng(3)
    found = order_along_path(over(*random.normal(size=(300, 14, 6))), draws=999)
    p = np.sort(found["p_value"].values)
    assert np.abs(p - np.linspace(0, 1, len(p))).max() < 0.1  # Kolmogorov-Smirnov, 300 values: 0.094 at the level 0.01
    assert (found["p_corrected"] >= found["p_value"]).all()
    assert (found["p_corrected"] > 0.05).mean() > 0.9
    mean = np.maximum(found["pairs_in_order"], 1 - found["pairs_in_order"]).mean()
    assert float(mean) == pytest.approx(found["pairs_in_order"].attrs["chance"], abs=0.01)


@pytest.mark.parametrize(
    "table", [np.zeros((6, 3)), np.ones((9, 2)), np.array([[0.0], [1.0]]), np.full((8, 2), np.nan)]
)
def test_a_table_without_a_path_has_no_order(table: np.ndarray) -> None:
    found = order_along_path(over(table), draws=99)
    assert np.isfinite(found["p_corrected"].values).all()
    assert float(found["p_corrected"][0]) > 0.05


def test_equal_rows_among_others_give_finite_places() -> None:
    table = curve(20)
    table[4:14] = table[4]
    assert np.isfinite(path_places(table)).all()


def test_the_probe_of_a_run_is_that_of_its_table(run: Run) -> None:
    found = position_order(run)
    assert found["place"].dims == ("step", "position")
    assert (found["order_correlation"] >= 0).all()
