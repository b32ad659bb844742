"""Distances and ranks; SciPy is the oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist
from scipy.stats import rankdata, spearmanr

from viz.fidelity.ranking import Distances, rank_correlation, rank_rows


def scale(distances: np.ndarray) -> np.ndarray:
    return distances / distances.max()


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("dims", [3, 64])
@pytest.mark.parametrize("far", [0, 1e4])
def test_distances_are_exact_however_near_two_items_are_and_far_off_they_lie(
    metric: str, dims: int, far: float
) -> None:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(60, dims)) * 10.0 ** random.integers(-4, 3, size=(60, 1))
    vectors[30:] = vectors[:30] + 1e-6 * random.normal(size=(30, dims))  # near duplicates
    vectors += far
    vectors[40] = vectors[10]
    rows = np.array([3, 10, 40, 59])
    distances = Distances(vectors, metric).of(rows)
    directions = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    expected = cdist(directions, directions, "sqeuclidean") if metric == "cosine" else cdist(vectors, vectors)
    np.testing.assert_allclose(scale(distances), scale(expected[rows]), rtol=1e-6, atol=1e-14)
    assert distances[1, 40] == distances[2, 10] == 0


@settings(max_examples=60, deadline=None)
@given(arrays(float, (3, 9), elements=st.integers(0, 5).map(float) | st.floats(0, 9)))
def test_ranks_are_scipys_ranks(distances: np.ndarray) -> None:
    distances = distances.round(6)
    ranked = rank_rows(distances.copy())
    np.testing.assert_array_equal(ranked.best, rankdata(distances, "min", axis=1))
    np.testing.assert_array_equal(ranked.worst, rankdata(distances, "max", axis=1))
    np.testing.assert_allclose(ranked.shares(4).sum(axis=1), 4)


def test_an_item_stands_last_in_its_own_list_and_does_not_count() -> None:
    random = np.random.default_rng(0)
    true, shown = random.integers(0, 6, size=(2, 5, 9)).astype(float)
    own = np.array([0, 3, 3, 8, 1])
    one, other = rank_rows(true.copy(), own), rank_rows(shown.copy(), own)
    assert (one.best[np.arange(5), own] == 9).all()
    expected = [spearmanr(np.delete(true[i], own[i]), np.delete(shown[i], own[i])).statistic for i in range(5)]
    np.testing.assert_allclose(rank_correlation(one, other), expected, atol=1e-12)


def test_rounding_breaks_no_ties() -> None:
    assert rank_rows(np.array([[1.0, 1 + 1e-14, 1 + 1e-6, 0.0]])).best.tolist() == [[2, 2, 4, 1]]
