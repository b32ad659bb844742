"""The first layout is the best of those that are tried, by the neighbourhoods that it keeps."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from sklearn.manifold import trustworthiness

from viz.projection.first_layout import N_STARTS, candidate_perplexities, choose_first_layout, neighbourhoods_kept
from viz.projection.projector import default_perplexity, project
from viz.projection.tsne import first_fit


def curve(items: int = 32, dims: int = 16, seed: int = 0) -> np.ndarray:
    """Points along a smooth curve in many dimensions, with noise."""
    random = np.random.default_rng(seed)
    t = np.linspace(0, 3, items)[:, None]
    return np.sin(t * random.uniform(0.3, 2, dims) + random.uniform(0, 6, dims)) + 0.1 * random.normal(
        size=(items, dims)
    )


def test_what_is_kept_is_the_mean_of_scikit_learns_trustworthiness_and_continuity() -> None:
    vectors = curve()
    points = vectors[:, :2]
    expected = (trustworthiness(vectors, points, n_neighbors=7) + trustworthiness(points, vectors, n_neighbors=7)) / 2
    assert neighbourhoods_kept(vectors, points, 7) == pytest.approx(expected)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_no_layout_that_was_tried_keeps_more(seed: int) -> None:
    vectors = curve(seed=seed)
    best = choose_first_layout(vectors, usual=default_perplexity(32), neighbours=10, seed=seed)
    assert best.kept == pytest.approx(neighbourhoods_kept(vectors, best.fit.points, 10))
    for perplexity in best.tried:
        for start in range(N_STARTS):
            fit = first_fit(vectors, perplexity=perplexity, seed=seed, start=start)
            assert neighbourhoods_kept(vectors, fit.points, 10) <= best.kept + 1e-6
    usual = first_fit(vectors, perplexity=default_perplexity(32), seed=seed)
    assert best.kept > neighbourhoods_kept(vectors, usual.points, 10) - 0.01


@pytest.mark.parametrize("items", [8, 9, 12, 32, 115, 150])
def test_candidates_are_perplexities_that_fit(items: int) -> None:
    tried = candidate_perplexities(items, default_perplexity(items))
    assert tried == tuple(sorted(set(tried)))
    assert 1 <= tried[0] <= tried[-1] < (items - 1) / 3


@pytest.mark.slow
def test_a_projection_says_what_was_tried_and_whether_pca_keeps_more() -> None:
    vectors = np.stack([curve(seed=0), curve(seed=0)])
    trajectory = xr.DataArray(
        vectors, dims=("step", "position", "dim"), coords={"step": [0, 10], "position": range(32)}
    )
    made = project(trajectory)
    assert made.attrs["perplexity"] in made.attrs["tried_perplexities"]
    assert made.attrs["kept"] == pytest.approx(neighbourhoods_kept(vectors[-1], made["layout"].values[-1], 10))
    centred = vectors[-1] - vectors.mean(axis=(0, 1))
    axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
    assert made.attrs["kept_by_pca"] == pytest.approx(neighbourhoods_kept(vectors[-1], centred @ axes.T, 10))
    chosen = project(trajectory, perplexity=6.0)
    assert chosen.attrs["perplexity"] == 6
    assert "tried_perplexities" not in chosen.attrs
    xr.testing.assert_identical(project(trajectory), made)
