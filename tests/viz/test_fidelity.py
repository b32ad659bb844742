"""Trustworthiness: scikit-learn is the oracle."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.manifold import trustworthiness as sklearn_trustworthiness

from viz import fidelity
from viz.fidelity import row_blocks, trustworthiness


@pytest.mark.parametrize(("items", "neighbours"), [(8, 2), (32, 5), (32, 10), (115, 10), (300, 12)])
def test_it_equals_scikit_learns(items: int, neighbours: int) -> None:
    random = np.random.default_rng(items)
    vectors, points = random.normal(size=(items, 9)), random.normal(size=(items, 2))
    expected = sklearn_trustworthiness(vectors, points, n_neighbors=neighbours)
    assert trustworthiness(vectors, points, neighbours) == pytest.approx(expected, abs=1e-9)


def test_it_is_the_same_however_the_rows_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    vectors, points = random.normal(size=(50, 9)), random.normal(size=(50, 2))
    whole = trustworthiness(vectors, points, 7)
    monkeypatch.setattr(fidelity, "BLOCK_ENTRIES", 160)
    assert [(block.start, block.stop) for block in row_blocks(7)] == [(0, 7)]
    assert len(list(row_blocks(50))) == 17
    assert trustworthiness(vectors, points, 7) == pytest.approx(whole, abs=1e-12)


def test_a_picture_that_keeps_all_neighbours_is_trusted_wholly_and_a_shuffled_one_about_half() -> None:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(200, 2))
    assert trustworthiness(vectors, 3 * vectors + 1, 10) == 1.0
    assert 0.4 < trustworthiness(vectors, random.permutation(vectors), 10) < 0.6


def test_equal_distances_are_not_held_against_a_picture() -> None:
    """Among vectors that are all alike, any point may stand beside any other."""
    assert trustworthiness(np.ones((20, 3)), np.random.default_rng(0).normal(size=(20, 2)), 5) == 1.0
