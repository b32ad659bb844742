"""Neighbours and affinities of many items against distances computed one by one and openTSNE's exact search."""

from __future__ import annotations

import numpy as np
import pytest
from openTSNE.affinity import PerplexityBasedNN
from scipy.spatial.distance import cdist

from viz.projection.affinities import SEARCHED_BY_OPENTSNE, joint_probabilities, nearest_neighbours

MANY = SEARCHED_BY_OPENTSNE + 100


@pytest.mark.parametrize("offset", [0.0, 1e5])
def test_neighbours_are_the_nearest_items_whatever_the_origin(offset: float) -> None:
    vectors = np.random.default_rng(0).normal(size=(MANY, 7)) + offset
    neighbours, distances = nearest_neighbours(vectors, 12)
    expected = cdist(vectors, vectors)
    np.fill_diagonal(expected, np.inf)
    np.testing.assert_allclose(distances, np.sort(expected, axis=1)[:, :12], rtol=1e-6)
    np.testing.assert_allclose(np.take_along_axis(expected, neighbours, axis=1), distances, rtol=1e-6)


def test_no_item_is_its_own_neighbour_even_if_others_equal_it() -> None:
    vectors = np.random.default_rng(0).normal(size=(MANY // 4, 5)).repeat(4, axis=0)
    neighbours, distances = nearest_neighbours(vectors, 6)
    assert not (neighbours == np.arange(len(vectors))[:, None]).any()
    np.testing.assert_allclose(distances[:, :3], 0, atol=1e-6)
    assert (distances[:, 3:] > 0.01).all()


def test_affinities_of_many_items_are_those_of_an_exact_search() -> None:
    vectors = np.random.default_rng(1).normal(size=(MANY, 6))
    pairs = joint_probabilities(vectors, 20.0, n_jobs=2)
    expected = PerplexityBasedNN(vectors, 20.0, method="exact").P
    assert pairs.dtype == np.float32
    assert float(pairs.sum(dtype=np.float64)) == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(pairs.toarray(), expected.toarray(), rtol=1e-4, atol=1e-9)


def test_a_perplexity_as_large_as_possible_takes_every_other_item() -> None:
    vectors = np.random.default_rng(2).normal(size=(MANY, 3))
    pairs = joint_probabilities(vectors, (MANY - 1) / 3 - 0.1)
    assert pairs.nnz > 0.98 * MANY * (MANY - 1)
    assert not pairs.diagonal().any()
