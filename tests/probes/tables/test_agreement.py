"""Each measure of the agreement of two tables equals another way of computing it."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import ortho_group, spearmanr
from sklearn.neighbors import NearestNeighbors

from data.errors import InputError
from probes.tables.agreement import debiased_cka, nearest, neighbour_overlap, rank_correlation
from tests.probes.tables.made_tables import noise


def test_cka_equals_the_formula_written_out_with_gram_matrices() -> None:
    x, y = noise(15, 4) + 2, noise(15, 7, seed=1) @ np.diag(np.arange(7)) - 5

    def hsic(k: NDArray[np.float64], m: NDArray[np.float64]) -> float:
        n, one = 15, np.ones(15)
        k, m = k - np.diag(np.diag(k)), m - np.diag(np.diag(m))
        sums = (one @ k @ one) * (one @ m @ one) / ((n - 1) * (n - 2)) - 2 / (n - 2) * one @ k @ m @ one
        return float((np.trace(k @ m) + sums) / (n * (n - 3)))

    k, m = x @ x.T, y @ y.T
    assert debiased_cka(x, y) == pytest.approx(hsic(k, m) / np.sqrt(hsic(k, k) * hsic(m, m)), abs=1e-10)


def test_cka_sees_neither_rotation_nor_scale_nor_place_and_is_unbiased() -> None:
    x = noise(30, 8)
    turned = 3 * x @ ortho_group.rvs(8, random_state=1) + 2
    assert debiased_cka(x, turned) == pytest.approx(1)
    independent = [debiased_cka(noise(30, 50, seed=i), noise(30, 50, seed=1000 + i)) for i in range(200)]
    assert abs(np.mean(independent)) < 0.01  # the biased estimate is above 0.6 here
    assert min(independent) < 0


def test_neighbours_are_those_of_scikit_learn_however_the_rows_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    table = noise(60, 5)
    _, expected = NearestNeighbors(n_neighbors=8, metric="cosine").fit(table).kneighbors()
    np.testing.assert_array_equal(nearest(table, 7), expected[:, :7])
    monkeypatch.setattr("probes.tables.agreement.BLOCK_ENTRIES", 200)
    np.testing.assert_array_equal(nearest(table, 7), expected[:, :7])
    assert neighbour_overlap(nearest(table, 7), nearest(5 * table, 7)) == 1
    one, other = (nearest(noise(400, 9, seed=seed), 10) for seed in (0, 1))
    assert neighbour_overlap(one, other) == pytest.approx(10 / 399, abs=0.01)  # by chance


def test_rank_correlation_is_that_of_scipy_with_ties() -> None:
    one, two = np.array([1, 1, 5, 7, 7, 9.0]), np.array([3, 2, 2, 8, 1, 4.0])
    assert rank_correlation(one, two) == pytest.approx(spearmanr(one, two).statistic)
    assert rank_correlation(one, np.ones(6)) == 0


@pytest.mark.parametrize("table", [np.zeros((6, 3)), np.full((6, 3), 0.1), np.vstack([np.zeros((2, 3)), noise(4, 3)])])
def test_rows_without_a_direction_give_numbers(table: NDArray[np.float64]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(debiased_cka(table, noise(6, 3, seed=1)))
        assert nearest(table, 2).shape == (6, 2)


def test_cka_needs_four_items() -> None:
    with pytest.raises(InputError, match="4 items or more; got 3"):
        debiased_cka(noise(3, 2), noise(3, 2))
