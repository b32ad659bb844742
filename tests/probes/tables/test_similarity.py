"""Each measure of how alike two tables are equals another way of computing it, and permuted items are what chance gives."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray
from scipy.spatial.distance import pdist, squareform
from scipy.stats import ortho_group, spearmanr

from data.errors import InputError
from probes.tables.agreement import debiased_cka, nearest, neighbour_overlap
from probes.tables.similarity import (
    distance_matrix,
    gram_matrix,
    permuted_products,
    shared_tables,
    table_similarity,
)
from tests.probes.tables.made_tables import noise


def trajectory(values: NDArray[np.float64], steps: list[int] | None = None, labels: str = "") -> xr.DataArray:
    n_steps, n_items = values.shape[:2]
    tokens = list(labels) if labels else [f"t{i}" for i in range(n_items)]
    coords = {"step": steps or list(range(n_steps)), "token": tokens}
    return xr.DataArray(values, dims=("step", "token", "dim"), coords=coords)


def test_the_measures_are_those_of_other_libraries_and_formulas() -> None:
    one, other = noise(2, 30, 5), noise(2, 30, 8, seed=1)
    other[:, :, :5] += one
    found = table_similarity(trajectory(one), trajectory(other), draws=19)
    for step in range(2):
        expected = spearmanr(pdist(one[step]), pdist(other[step])).statistic
        assert float(found["distance_correlation"][step]) == pytest.approx(expected)
        assert float(found["cka"][step]) == pytest.approx(debiased_cka(one[step], other[step]))
    assert found["neighbour_overlap"].attrs == {"k": 7, "chance": 7 / 29}


def test_neighbours_by_cosine_are_those_of_the_geometry() -> None:
    one, other = noise(1, 40, 4), noise(1, 40, 4) + 0.5 * noise(1, 40, 4, seed=3)
    found = table_similarity(trajectory(one), trajectory(other), metric="cosine", draws=9)
    expected = neighbour_overlap(nearest(one[0], 9), nearest(other[0], 9))
    assert float(found["neighbour_overlap"][0]) == pytest.approx(expected)
    assert float(found["item_overlap"].mean()) == pytest.approx(expected)
    assert float(found["distance_correlation"][0]) == pytest.approx(
        spearmanr(pdist(one[0], "cosine"), pdist(other[0], "cosine")).statistic
    )


def test_an_items_correlation_is_that_of_its_distances_to_the_others() -> None:
    one, other = noise(1, 12, 3), noise(1, 12, 3) + noise(1, 12, 3, seed=5)
    found = table_similarity(trajectory(one), trajectory(other), draws=9)["item_correlation"].values[0]
    far = [squareform(pdist(table[0])) for table in (one, other)]
    for item in range(12):
        others = np.arange(12) != item
        assert found[item] == pytest.approx(spearmanr(far[0][item, others], far[1][item, others]).statistic)


def test_a_table_that_is_turned_moved_and_scaled_is_the_same_table() -> None:
    table = noise(1, 25, 6)
    turned = 3 * table @ ortho_group.rvs(6, random_state=2) - 4
    found = table_similarity(trajectory(table), trajectory(turned), draws=99)
    for name in ("distance_correlation", "cka", "neighbour_overlap"):
        assert float(found[name][0]) == pytest.approx(1)
        assert float(found[f"{name}_p"][0]) == pytest.approx(1 / 100)
    assert (found["item_overlap"] == 1).all()


def test_unrelated_tables_lie_within_the_permutations() -> None:
    p = {"distance_correlation": [], "cka": [], "neighbour_overlap": []}
    for seed in range(40):
        found = table_similarity(
            trajectory(noise(1, 20, 4, seed=seed)), trajectory(noise(1, 20, 4, seed=1000 + seed)), draws=99
        )
        for name, values in p.items():
            values.append(float(found[f"{name}_p"][0]))
            assert float(found[f"{name}_low"][0]) < float(found[f"{name}_high"][0])
    for name, values in p.items():
        # At 5 in 100, two of 40 are expected; more than nine happen once in 10,000 times.
        assert sum(value <= 0.05 for value in values) <= 9, name
        assert np.mean(values) > 0.3


def test_p_values_are_corrected_for_the_steps() -> None:
    one, other = noise(1, 20, 4), noise(1, 20, 4) + 2.5 * noise(1, 20, 4, seed=9)
    alone = table_similarity(trajectory(one), trajectory(other), draws=199)
    more = [noise(5, 20, 4, seed=seed) for seed in (20, 30)]
    among = table_similarity(
        trajectory(np.concatenate([one, more[0]])), trajectory(np.concatenate([other, more[1]])), draws=199
    )
    assert float(among["cka_p"][0]) >= float(alone["cka_p"][0])
    np.testing.assert_allclose(among["cka_low"][0], alone["cka_low"][0])


def test_permuted_products_are_those_of_tables_whose_rows_are_permuted() -> None:
    one, other = noise(15, 3), noise(15, 4, seed=1)
    orders = np.random.default_rng(4).permuted(np.tile(np.arange(15), (6, 1)), axis=1)
    found = permuted_products([gram_matrix(one)], [gram_matrix(other)], orders)
    np.testing.assert_allclose(found[0], [debiased_cka(one, other[order]) for order in orders])


def test_tables_without_structure_give_numbers() -> None:
    flat = np.zeros((1, 8, 2))
    found = table_similarity(trajectory(flat), trajectory(noise(1, 8, 2)), draws=9)
    assert float(found["cka"][0]) == float(found["distance_correlation"][0]) == 0
    assert all(np.isfinite(values).all() for values in found.values())
    assert (distance_matrix(np.zeros((3, 2)), "cosine")[np.triu_indices(3, 1)] == 1).all()


def test_only_what_both_have_is_compared() -> None:
    one = trajectory(noise(3, 6, 2), [0, 10, 20], "abcdef")
    other = trajectory(noise(2, 6, 3, seed=1), [10, 30], "zfedcx")
    shared = shared_tables(one, other)
    assert list(shared.one["token"].values) == list(shared.other["token"].values) == list("cdef")
    assert list(shared.one["step"].values) == list(shared.other["step"].values) == [10]
    np.testing.assert_array_equal(shared.other.values[0], other.sel(step=10).values[[4, 3, 2, 1]])
    assert shared.left_out == 0


def test_of_many_items_some_are_drawn_and_keep_their_order() -> None:
    table = trajectory(noise(1, 50, 2))
    shared = shared_tables(table, table, most=20)
    assert shared.one.shape == (1, 20, 2)
    assert shared.left_out == 30
    places = [int(label[1:]) for label in shared.one["token"].values]
    assert places == sorted(places)
    xr.testing.assert_identical(shared.one, shared_tables(table, table, most=20).one)


def test_runs_that_share_too_little_cannot_be_compared() -> None:
    one, other = trajectory(noise(1, 5, 2), [0], "abcde"), trajectory(noise(1, 5, 2), [0], "abcxy")
    with pytest.raises(InputError, match="share 3 tokens"):
        shared_tables(one, other)
    with pytest.raises(InputError, match="no step in common"):
        shared_tables(one, trajectory(noise(1, 5, 2), [7], "abcde"))
