"""The gradient by interpolation against sums over all pairs and openTSNE's gradient without approximation."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from openTSNE.tsne import kl_divergence_bh
from scipy import sparse

from viz.projection.affinities import joint_probabilities
from viz.projection.exact_gradient import kl_divergence
from viz.projection.interpolated_gradient import interpolated_gradient, repulsive_forces


def all_pairs(points: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    apart = points[:, None] - points
    similarity = 1 / (1 + np.square(apart).sum(axis=-1))
    return similarity.sum() - len(points), (apart * np.square(similarity)[..., None]).sum(axis=1)


def clusters(width: float, items: int = 900) -> NDArray[np.float64]:
    """Draw a layout of dense groups and scattered points, wider than it is high, far from the origin."""
    random = np.random.default_rng(0)
    centres = random.normal(size=(12, 2)) * [1, 0.4]
    points = centres[np.arange(items) % 12] + 0.1 * random.normal(size=(items, 2))
    points[: items // 4] = random.normal(size=(items // 4, 2))
    return width / 5 * np.add(points, [4, -1])


@pytest.mark.parametrize(("width", "error"), [(1e-3, 1e-3), (2, 1e-3), (15, 0.02), (60, 0.04), (250, 0.08)])
def test_repulsion_is_that_of_all_pairs(width: float, error: float) -> None:
    points = clusters(width)
    total, forces = all_pairs(points)
    found, approximate = repulsive_forces(points.astype(np.float32))
    assert found == pytest.approx(total, rel=error)
    assert np.linalg.norm(approximate - forces) < error * np.linalg.norm(forces) + 1e-5 * width * len(points)
    assert np.abs(approximate.sum(axis=0)).max() < 1e-3 * np.abs(approximate).sum()  # action equals reaction


def test_two_points_repel_each_other_along_their_line() -> None:
    total, forces = repulsive_forces(np.array([[0, 0], [3, 4]], dtype=np.float32))
    assert total == pytest.approx(2 / 26, rel=0.05)
    np.testing.assert_allclose(forces, np.array([[-3, -4], [3, 4]]) / 26**2, rtol=0.05)


@pytest.mark.parametrize("extent", [(0.0, 0.0), (0.0, 30.0), (1e-20, 0.0)])
def test_layouts_without_width_have_finite_forces(extent: tuple[float, float]) -> None:
    points = np.outer(np.linspace(0, 1, 50), extent).astype(np.float32)
    total, forces = repulsive_forces(points)
    expected = all_pairs(points.astype(np.float64))
    assert total == pytest.approx(expected[0], rel=0.01)
    np.testing.assert_allclose(forces, expected[1], atol=0.03 * np.abs(expected[1]).max() + 1e-4)


@pytest.mark.parametrize("exaggeration", [1, 12])
def test_gradient_and_divergence_are_openTSNEs_without_approximation(exaggeration: float) -> None:  # noqa: N802
    random = np.random.default_rng(3)
    affinities = exaggeration * joint_probabilities(random.normal(size=(700, 8)), 15.0).astype(np.float32)
    points = 8 * random.normal(size=(700, 2))
    exactly = kl_divergence_bh(points, affinities.astype(np.float64), 1, {"theta": 0.0}, should_eval_error=True)
    divergence, gradient = interpolated_gradient(points, affinities, should_eval_error=True, n_jobs=2)
    assert divergence == pytest.approx(exactly[0], rel=1e-3)
    assert np.linalg.norm(gradient - exactly[1]) < 0.03 * np.linalg.norm(exactly[1])
    if exaggeration == 1:
        assert divergence == pytest.approx(kl_divergence(affinities, points), rel=1e-3)
    silent, same = interpolated_gradient(points, affinities, n_jobs=2)
    assert silent == 0
    np.testing.assert_array_equal(same, gradient)


def test_more_threads_give_the_same_bytes() -> None:
    points = clusters(30)
    affinities = sparse.random_array((900, 900), density=0.05, rng=0, format="csr", dtype=np.float32)
    affinities.indices, affinities.indptr = affinities.indices.astype(np.int32), affinities.indptr.astype(np.int32)
    results = [interpolated_gradient(points, affinities, n_jobs=threads)[1].tobytes() for threads in (1, 2, 5)]
    assert len(set(results)) == 1


def test_layouts_that_grow_use_the_grid_of_their_size() -> None:
    """Spectra are kept from one call to the next, so calls of different sizes must not meet the wrong ones."""
    small, large = clusters(10), clusters(80)
    first = repulsive_forces(small.astype(np.float32))[1]
    repulsive_forces(large.astype(np.float32))
    np.testing.assert_array_equal(repulsive_forces(small.astype(np.float32))[1], first)
