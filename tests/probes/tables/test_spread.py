"""Each measure of the spread of a table equals another way of computing it."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import cosine
from scipy.stats import ortho_group
from sklearn.decomposition import PCA

from probes.tables.spread import effective_rank, iso_score, mean_cosine, singular_values, stable_rank
from tests.probes.tables.made_tables import noise


def test_mean_cosine_is_the_mean_over_all_pairs() -> None:
    table = noise(20, 5) + 0.5
    pairs = [1 - cosine(table[i], table[j]) for i in range(20) for j in range(i)]
    assert mean_cosine(table) == pytest.approx(np.mean(pairs), abs=1e-12)
    assert mean_cosine([[0, 0], [1, 0], [2, 0]]) == pytest.approx(1 / 3)  # the pairs with the zero row count 0


def test_isotropy_is_one_for_a_ball_and_zero_for_a_line_wherever_they_lie() -> None:
    assert iso_score(noise(20_000, 5) + 100) == pytest.approx(1, abs=0.01)
    assert iso_score(np.outer(np.arange(9), [1, 2, 3]) + 7) == pytest.approx(0, abs=1e-12)
    three_of_five = np.vstack([np.eye(5)[:3], -np.eye(5)[:3]])
    assert iso_score(three_of_five) == pytest.approx(2 / 4)


def test_isotropy_follows_the_steps_of_the_paper_and_is_a_participation_ratio() -> None:
    table = noise(40, 6) * [3, 2, 1, 1, 0.5, 0.1]
    variance = np.diag(np.cov(PCA().fit_transform(table), rowvar=False))
    defect = np.linalg.norm(np.sqrt(6) * variance / np.linalg.norm(variance) - 1) / np.sqrt(2 * (6 - np.sqrt(6)))
    by_steps = (6 * (6 - defect**2 * (6 - np.sqrt(6))) ** 2 / 36 - 1) / 5
    assert iso_score(table) == pytest.approx(by_steps, abs=1e-12)
    assert iso_score(table) == pytest.approx((variance.sum() ** 2 / (variance**2).sum() - 1) / 5, abs=1e-12)


def test_ranks_count_the_directions_that_are_used() -> None:
    three = ortho_group.rvs(6, random_state=0)[:, :3] * 5
    spectrum = singular_values(np.vstack([three, -three]))  # the mean row is 0 already
    np.testing.assert_allclose(spectrum, [np.sqrt(2) * 5] * 3)
    assert effective_rank(spectrum) == pytest.approx(3)
    assert stable_rank(spectrum) == pytest.approx(3)
    values = np.abs(noise(30))
    assert 1 < stable_rank(values) < effective_rank(values) < 30
    assert effective_rank(values) == pytest.approx(effective_rank(1000 * values))


@pytest.mark.parametrize("table", [np.zeros((6, 3)), np.full((6, 3), 0.1), np.vstack([np.zeros((2, 3)), noise(4, 3)])])
def test_rows_without_a_direction_give_numbers(table: NDArray[np.float64]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        spectrum = singular_values(table)
        sizes = [iso_score(table), effective_rank(spectrum), stable_rank(spectrum)]
        assert np.isfinite(mean_cosine(table))
    assert np.isfinite(sizes).all()
    assert [value > 0 for value in sizes] == [np.ptp(table) > 0] * 3
