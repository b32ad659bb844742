"""The chain of t-SNE layouts against openTSNE's own fits, and its gradient against finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from openTSNE import TSNE
from openTSNE.affinity import PerplexityBasedNN
from openTSNE.tsne import kl_divergence_bh
from sklearn.manifold import trustworthiness

from viz.projection import tsne
from viz.projection.exact_gradient import exact_gradient, kl_divergence
from viz.projection.tsne import chain

PERPLEXITY = 10.0


def growing_groups(n_steps: int = 6, n_items: int = 60, seed: int = 0) -> NDArray[np.float64]:
    """Return noise that becomes five groups, (step, item, dim)."""
    random = np.random.default_rng(seed)
    groups = 2 * random.normal(size=(5, 12))[np.arange(n_items) % 5]
    start = random.normal(size=(n_items, 12))
    share = np.linspace(0, 1, n_steps)[:, None, None]
    return (1 - share) * start + share * (groups + start)


def fresh_divergences(vectors: NDArray[np.float64], fits: int = 3) -> list[float]:
    affinities = PerplexityBasedNN(vectors, PERPLEXITY).P
    layouts = [TSNE(perplexity=PERPLEXITY, random_state=seed, initialization="random") for seed in range(fits)]
    return [kl_divergence(affinities, np.array(engine.fit(vectors))) for engine in layouts]


def test_the_exact_gradient_is_openTSNEs_without_approximation() -> None:  # noqa: N802
    random = np.random.default_rng(0)
    affinities = PerplexityBasedNN(random.normal(size=(50, 6)), PERPLEXITY).P
    points = 5 * random.normal(size=(50, 2))
    expected = kl_divergence_bh(points, affinities, 1, {"theta": 0.0}, should_eval_error=True)
    divergence, gradient = exact_gradient(points, affinities.toarray(), should_eval_error=True)
    assert divergence == pytest.approx(expected[0], rel=1e-9)
    np.testing.assert_allclose(gradient, expected[1], rtol=1e-9, atol=1e-12)


def test_the_exact_gradient_is_a_quarter_of_the_slope_of_the_divergence() -> None:
    random = np.random.default_rng(1)
    affinities = PerplexityBasedNN(random.normal(size=(20, 6)), 5.0).P
    points, direction = random.normal(size=(20, 2)), random.normal(size=(20, 2))
    _, gradient = exact_gradient(points, affinities.toarray())
    nudge = 1e-5 * direction
    slope = (kl_divergence(affinities, points + nudge) - kl_divergence(affinities, points - nudge)) / 2e-5
    assert slope == pytest.approx(4 * (gradient * direction).sum(), rel=1e-6)


def test_the_divergence_is_that_of_the_definition() -> None:
    random = np.random.default_rng(2)
    affinities = PerplexityBasedNN(random.normal(size=(30, 6)), 8.0).P
    points = random.normal(size=(30, 2))
    p = affinities.toarray()
    q = np.array([[1 / (1 + np.sum((a - b) ** 2)) for b in points] for a in points])
    np.fill_diagonal(q, 0)
    q /= q.sum()
    expected = sum(p[i, j] * np.log(p[i, j] / q[i, j]) for i, j in zip(*np.nonzero(p), strict=True))
    assert kl_divergence(affinities, points) == pytest.approx(expected, rel=1e-12)


def test_the_layout_a_film_ends_on_is_as_good_as_fresh_fits() -> None:
    vectors = growing_groups()
    last = next(chain(vectors[::-1], perplexity=PERPLEXITY))
    assert last.kl_divergence() <= 1.02 * min(fresh_divergences(vectors[-1]))
    fresh = np.array(TSNE(perplexity=PERPLEXITY, random_state=0).fit(vectors[-1]))
    assert (
        trustworthiness(vectors[-1], last.points, n_neighbors=10)
        >= trustworthiness(vectors[-1], fresh, n_neighbors=10) - 0.01
    )


def test_every_layout_is_about_as_good_as_fresh_fits() -> None:
    vectors = growing_groups()
    fits = list(chain(vectors[::-1], perplexity=PERPLEXITY))[::-1]
    ratios = [fit.kl_divergence() / np.median(fresh_divergences(v)) for fit, v in zip(fits, vectors, strict=True)]
    assert np.median(ratios) < 1.03
    assert max(ratios) < 1.15


@pytest.mark.slow
@pytest.mark.parametrize("exact_up_to", [0, 300])
def test_few_and_many_items_are_laid_out_equally_well(exact_up_to: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond `EXACT_UP_TO` items openTSNE approximates the gradient; the layouts are as good."""
    monkeypatch.setattr(tsne, "EXACT_UP_TO", exact_up_to)
    vectors = growing_groups(3)
    for fit, snapshot in zip(chain(vectors[::-1], perplexity=PERPLEXITY), vectors[::-1], strict=True):
        assert fit.kl_divergence() < 1.1 * np.median(fresh_divergences(snapshot))


def test_affinities_are_left_as_they_are() -> None:
    """Exaggeration multiplies openTSNE's affinities in place; what the divergence is measured with must not change."""
    vectors = growing_groups(2)
    for fit in chain(vectors[::-1], perplexity=PERPLEXITY):
        assert fit.affinities.sum() == pytest.approx(1.0, abs=1e-12)
        expected = PerplexityBasedNN(fit.vectors, PERPLEXITY, random_state=0).P
        assert abs(fit.affinities - expected).max() == 0


def test_points_whose_vectors_end_up_equal_part_where_they_differ() -> None:
    """The chain runs backwards, so points that start from one place must find their own ones."""
    random = np.random.default_rng(0)
    equal = np.repeat(random.normal(size=(10, 5)), 3, axis=0)
    different = 3 * random.normal(size=(30, 5))
    last, before = chain([equal, different], perplexity=5)
    assert before.kl_divergence() < 1.1 * next(chain([different], perplexity=5)).kl_divergence()
    distances = np.square(before.points[:, None] - before.points[None]).sum(axis=-1)
    assert np.sqrt(distances[~np.eye(30, dtype=bool)].min()) > 0.01 * np.ptp(last.points)


def test_vectors_that_are_all_equal_can_be_laid_out() -> None:
    assert np.isfinite(next(chain([np.ones((12, 4))], perplexity=3)).points).all()
