"""Fidelity of layouts; the oracles are scikit-learn, SciPy, ZADU and plain loops."""

from __future__ import annotations

import doctest
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy.optimize import minimize_scalar
from scipy.spatial.distance import cdist, pdist
from scipy.stats import spearmanr
from sklearn.manifold import trustworthiness

from data.errors import InputError
from viz.fidelity import ranking
from viz.fidelity.neighbourhoods import (
    ITEM_MEASURES,
    MEASURES,
    Fidelity,
    fidelity_over_steps,
    measure_fidelity,
)
from viz.fidelity.ranking import row_blocks

SIZES = [(8, 2), (32, 5), (32, 10), (115, 10), (300, 12)]
ZADU = ("trustworthiness_continuity", "spearman_rho", "scale_normalized_stress")
WHOLE = ("rows", "pairs", "chance", *MEASURES)


def made(items: int, seed: int = 0, dims: int = 9) -> tuple[np.ndarray, np.ndarray]:
    """Make vectors and a layout that keeps part of their structure."""
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(items, dims)) * np.linspace(3, 0.5, dims) + 5
    return vectors, vectors[:, :2] + 0.3 * random.normal(size=(items, 2))


def assert_same(one: Fidelity, other: Fidelity, abs: float = 1e-9) -> None:
    for name in WHOLE + tuple(f"item_{name}" for name in ITEM_MEASURES):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=abs, rtol=0, err_msg=name)


@pytest.mark.parametrize(("items", "neighbours"), SIZES)
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("dims", [9, 40])
def test_trustworthiness_and_continuity_equal_scikit_learns(
    items: int, neighbours: int, metric: str, dims: int
) -> None:
    vectors, points = made(items, seed=items, dims=dims)
    kept = measure_fidelity(vectors, points, neighbours, metric)
    expected = trustworthiness(vectors, points, n_neighbors=neighbours, metric=metric)
    assert kept.trustworthiness == pytest.approx(expected, abs=1e-9)
    if metric == "euclidean":  # scikit-learn takes a metric for the space only
        expected = trustworthiness(points, vectors, n_neighbors=neighbours)
        assert kept.continuity == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("items", "neighbours"), SIZES)
def test_the_measures_equal_zadus(items: int, neighbours: int) -> None:
    zadu = {name: pytest.importorskip(f"zadu.measures.{name}") for name in ZADU}
    vectors, points = made(items, seed=items)
    kept = measure_fidelity(vectors, points, neighbours)
    whole, each = zadu["trustworthiness_continuity"].measure(vectors, points, k=neighbours, return_local=True)
    assert (kept.trustworthiness, kept.continuity) == pytest.approx((whole["trustworthiness"], whole["continuity"]))
    np.testing.assert_allclose(kept.item_trustworthiness, each["local_trustworthiness"], atol=1e-9)
    np.testing.assert_allclose(kept.item_continuity, each["local_continuity"], atol=1e-9)
    assert kept.distance_correlation == pytest.approx(zadu["spearman_rho"].measure(vectors, points)["spearman_rho"])
    stress = zadu["scale_normalized_stress"].measure(vectors, points)["scale_normalized_stress"]
    assert kept.stress == pytest.approx(stress, abs=1e-9)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("dims", [9, 40])
def test_recall_correlations_and_stress_equal_plain_loops(metric: str, dims: int) -> None:
    vectors, points = made(40, dims=dims)
    kept = measure_fidelity(vectors, points, 7, metric)
    true, shown = cdist(vectors, vectors, metric), cdist(points, points)
    for i in range(40):
        others = np.delete(np.arange(40), i)
        near = [set(others[np.argsort(distances[i, others])[:7]]) for distances in (true, shown)]
        assert kept.item_recall[i] == pytest.approx(len(near[0] & near[1]) / 7)
        assert kept.item_distance_correlation[i] == pytest.approx(
            spearmanr(true[i, others], shown[i, others]).statistic
        )
    assert kept.recall == pytest.approx(kept.item_recall.mean())
    true, shown = pdist(vectors, metric), pdist(points)
    assert kept.distance_correlation == pytest.approx(spearmanr(true, shown).statistic)
    best = minimize_scalar(lambda scale: np.square(true - scale * shown).sum() / np.square(true).sum(), tol=1e-12)
    assert kept.stress == pytest.approx(np.sqrt(best.fun), abs=1e-7)


def test_a_shuffled_picture_is_at_chance() -> None:
    vectors = np.random.default_rng(0).normal(size=(400, 2))
    kept = measure_fidelity(vectors, np.random.default_rng(1).permutation(vectors), 10)
    assert kept.chance == pytest.approx(10 / 399)
    assert kept.recall == pytest.approx(kept.chance, abs=0.01)
    assert (kept.trustworthiness, kept.continuity) == pytest.approx((0.5, 0.5), abs=0.02)
    assert abs(kept.distance_correlation) < 0.05
    assert kept.stress > 0.4


def test_it_is_the_same_however_the_rows_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, points = made(50)
    whole, some = measure_fidelity(vectors, points, 7), measure_fidelity(vectors, points, 7, rows=20)
    monkeypatch.setattr(ranking, "BLOCK_ENTRIES", 160)
    assert [(block.start, block.stop) for block in row_blocks(7)] == [(0, 7)]
    assert len(list(row_blocks(50))) == 17
    assert_same(measure_fidelity(vectors, points, 7), whole)
    assert_same(measure_fidelity(vectors, points, 7, rows=20), some)


def test_a_sample_of_rows_has_the_scores_that_these_items_have_among_all(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, points = made(400)
    whole, some = measure_fidelity(vectors, points, 7), measure_fidelity(vectors, points, 7, rows=150, seed=1)
    assert len(some.rows) == 150
    for name in ITEM_MEASURES:
        values = getattr(some, f"item_{name}")
        assert set(np.nonzero(np.isfinite(values))[0]) == set(some.rows)
        np.testing.assert_allclose(values[some.rows], getattr(whole, f"item_{name}")[some.rows])
    for name in MEASURES:
        assert getattr(some, name) == pytest.approx(getattr(whole, name), abs=0.02)
    monkeypatch.setattr(ranking, "MOST_PAIRS", 20_000)
    sampled = measure_fidelity(vectors, points, 7)
    assert sampled.pairs == 20_000
    assert sampled.distance_correlation == pytest.approx(whole.distance_correlation, abs=0.02)


def test_over_steps_every_step_is_scored_alone_and_labelled() -> None:
    vectors, points = zip(*(made(12, seed) for seed in range(3)), strict=True)
    at = {"step": [0, 5, 10], "sha256": ("step", ["a", "b", "c"]), "token": list("abcdefghijkl")}
    trajectory = xr.DataArray(np.stack(vectors), dims=("step", "token", "dim"), coords=at)
    layout = xr.DataArray(np.stack(points), dims=("step", "token", "axis"), coords={**at, "axis": ["x", "y"]})
    done: list[int] = []
    scores = fidelity_over_steps(trajectory, layout, 3, progress=done.append)
    assert done == [1, 2, 3]
    assert set(scores.coords) == {"step", "token", "sha256"}
    assert scores.attrs["chance"] == pytest.approx(3 / 11)
    alone = measure_fidelity(vectors[1], points[1], 3)
    assert [float(scores[name].sel(step=5)) for name in MEASURES] == [getattr(alone, name) for name in MEASURES]
    assert scores["item_continuity"].sel(step=5).values.tolist() == alone.item_continuity.tolist()
    with pytest.raises(InputError, match=r"got \{'step': 2, .* pass the layout that was made from it"):
        fidelity_over_steps(trajectory, layout[:2], 3)
    with pytest.raises(InputError, match=r"^step 10: vectors contain values that are not finite"):
        fidelity_over_steps(trajectory.where(trajectory.step < 10), layout, 3)


def test_the_examples_of_the_documentation_run() -> None:
    page = Path(__file__).parents[3] / "docs" / "fidelity.md"
    failed, tried = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert (failed, tried > 10) == (0, True)
