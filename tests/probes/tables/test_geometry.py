"""Each measure of the token table agrees with another way of computing it, and means what it says on tables made for it."""

from __future__ import annotations

import warnings
from collections import Counter

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray
from scipy.spatial.distance import cosine
from scipy.stats import ortho_group, spearmanr
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from data.errors import InputError
from data.runs import Run
from probes.tables import agreement, geometry, spread
from probes.tables.embeddings import token_embeddings


def noise(*shape: int, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=shape)


def test_mean_cosine_is_the_mean_over_all_pairs() -> None:
    table = noise(20, 5) + 0.5
    pairs = [1 - cosine(table[i], table[j]) for i in range(20) for j in range(i)]
    assert spread.mean_cosine(table) == pytest.approx(np.mean(pairs), abs=1e-12)
    assert spread.mean_cosine([[0, 0], [1, 0], [2, 0]]) == pytest.approx(1 / 3)  # the pairs with the zero row count 0


def test_isotropy_is_one_for_a_ball_and_zero_for_a_line_wherever_they_lie() -> None:
    assert spread.iso_score(noise(20_000, 5) + 100) == pytest.approx(1, abs=0.01)
    assert spread.iso_score(np.outer(np.arange(9), [1, 2, 3]) + 7) == pytest.approx(0, abs=1e-12)
    three_of_five = np.vstack([np.eye(5)[:3], -np.eye(5)[:3]])
    assert spread.iso_score(three_of_five) == pytest.approx(2 / 4)


def test_isotropy_follows_the_steps_of_the_paper_and_is_a_participation_ratio() -> None:
    table = noise(40, 6) * [3, 2, 1, 1, 0.5, 0.1]
    variance = np.diag(np.cov(PCA().fit_transform(table), rowvar=False))
    defect = np.linalg.norm(np.sqrt(6) * variance / np.linalg.norm(variance) - 1) / np.sqrt(2 * (6 - np.sqrt(6)))
    by_steps = (6 * (6 - defect**2 * (6 - np.sqrt(6))) ** 2 / 36 - 1) / 5
    assert spread.iso_score(table) == pytest.approx(by_steps, abs=1e-12)
    assert spread.iso_score(table) == pytest.approx((variance.sum() ** 2 / (variance**2).sum() - 1) / 5, abs=1e-12)


def test_ranks_count_the_directions_that_are_used() -> None:
    three = ortho_group.rvs(6, random_state=0)[:, :3] * 5
    spectrum = spread.singular_values(np.vstack([three, -three]))  # the mean row is 0 already
    np.testing.assert_allclose(spectrum, [np.sqrt(2) * 5] * 3)
    assert spread.effective_rank(spectrum) == pytest.approx(3)
    assert spread.stable_rank(spectrum) == pytest.approx(3)
    values = np.abs(noise(30))
    assert 1 < spread.stable_rank(values) < spread.effective_rank(values) < 30
    assert spread.effective_rank(values) == pytest.approx(spread.effective_rank(1000 * values))


def test_cka_equals_the_formula_written_out_with_gram_matrices() -> None:
    x, y = noise(15, 4) + 2, noise(15, 7, seed=1) @ np.diag(np.arange(7)) - 5

    def hsic(k: NDArray[np.float64], m: NDArray[np.float64]) -> float:
        n, one = 15, np.ones(15)
        k, m = k - np.diag(np.diag(k)), m - np.diag(np.diag(m))
        sums = (one @ k @ one) * (one @ m @ one) / ((n - 1) * (n - 2)) - 2 / (n - 2) * one @ k @ m @ one
        return float((np.trace(k @ m) + sums) / (n * (n - 3)))

    k, m = x @ x.T, y @ y.T
    assert agreement.debiased_cka(x, y) == pytest.approx(hsic(k, m) / np.sqrt(hsic(k, k) * hsic(m, m)), abs=1e-10)


def test_cka_sees_neither_rotation_nor_scale_nor_place_and_is_unbiased() -> None:
    x = noise(30, 8)
    turned = 3 * x @ ortho_group.rvs(8, random_state=1) + 2
    assert agreement.debiased_cka(x, turned) == pytest.approx(1)
    independent = [agreement.debiased_cka(noise(30, 50, seed=i), noise(30, 50, seed=1000 + i)) for i in range(200)]
    assert abs(np.mean(independent)) < 0.01  # the biased estimate is above 0.6 here
    assert min(independent) < 0


def test_neighbours_are_those_of_scikit_learn_however_the_rows_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    table = noise(60, 5)
    _, expected = NearestNeighbors(n_neighbors=8, metric="cosine").fit(table).kneighbors()
    np.testing.assert_array_equal(agreement.nearest(table, 7), expected[:, :7])
    monkeypatch.setattr(agreement, "BLOCK_ENTRIES", 200)
    np.testing.assert_array_equal(agreement.nearest(table, 7), expected[:, :7])
    assert agreement.neighbour_overlap(agreement.nearest(table, 7), agreement.nearest(5 * table, 7)) == 1
    one, other = (agreement.nearest(noise(400, 9, seed=seed), 10) for seed in (0, 1))
    assert agreement.neighbour_overlap(one, other) == pytest.approx(10 / 399, abs=0.01)  # by chance


def test_rank_correlation_is_that_of_scipy_with_ties() -> None:
    one, two = np.array([1, 1, 5, 7, 7, 9.0]), np.array([3, 2, 2, 8, 1, 4.0])
    assert agreement.rank_correlation(one, two) == pytest.approx(spearmanr(one, two).statistic)
    assert agreement.rank_correlation(one, np.ones(6)) == 0


@pytest.mark.parametrize("table", [np.zeros((6, 3)), np.full((6, 3), 0.1), np.vstack([np.zeros((2, 3)), noise(4, 3)])])
def test_rows_without_a_direction_give_numbers(table: NDArray[np.float64]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        spectrum = spread.singular_values(table)
        sizes = [spread.iso_score(table), spread.effective_rank(spectrum), spread.stable_rank(spectrum)]
        values = [spread.mean_cosine(table), agreement.debiased_cka(table, noise(6, 3, seed=1)), *sizes]
        agreement.nearest(table, 2)
    assert np.isfinite(values).all()
    assert [value > 0 for value in sizes] == [np.ptp(table) > 0] * 3


def test_the_geometry_of_a_run(run: Run) -> None:
    tables = token_embeddings(run)
    tokens = list(tables["token"].values)
    counts = Counter({token: place % 7 for place, token in enumerate(tokens)})
    found = geometry.token_geometry(run, counts)
    xr.testing.assert_identical(found, geometry.token_geometry(run, [place % 7 for place in range(len(tokens))]))
    assert list(found["sha256"].values) == [record["sha256"] for record in run.manifest()]
    assert found["norm"].dims == found["drift"].dims == ("step", "token")
    assert found["singular_value"].dims == ("step", "component")
    assert found["component"].values[0] == 1
    for place, table in enumerate(tables.values.astype(np.float64)):
        at = found.isel(step=place)
        np.testing.assert_allclose(at["norm"], np.sqrt((table**2).sum(1)))
        np.testing.assert_allclose(at["drift"], np.sqrt(((table - tables.values[0]) ** 2).sum(1)), atol=1e-12)
        np.testing.assert_allclose((at["singular_value"] ** 2).sum(), table.var(0).sum() * len(table))
        kept = np.arange(len(tokens)) % 7 > 0
        expected = spearmanr(np.log(np.arange(len(tokens))[kept] % 7), at["norm"].values[kept]).statistic
        assert float(at["norm_frequency"]) == pytest.approx(expected)
    assert float(found["cka_with_last"][-1]) == pytest.approx(1)
    assert float(found["neighbours_as_last"][-1]) == 1
    assert found["neighbours_as_last"].attrs == {"k": 10, "chance": 10 / (len(tokens) - 1)}
    assert float(found["isotropy"][0]) == pytest.approx(
        found["isotropy"].attrs["white"], rel=0.1
    )  # drawn as white noise
    assert "norm_frequency" not in geometry.token_geometry(run)


def test_the_neighbours_of_a_token(run: Run) -> None:
    found = geometry.nearest_neighbours(run, "a", k=4)
    assert found["neighbour"].dims == ("step", "rank")
    assert list(found["rank"].values) == [1, 2, 3, 4]
    table = token_embeddings(run).sel(step=60).astype(np.float64)
    to_a = {str(t): 1 - cosine(table.sel(token="a"), table.sel(token=t)) for t in table["token"].values if t != "a"}
    best = sorted(to_a, key=lambda token: -to_a[token])[:4]
    assert list(found["neighbour"].sel(step=60).values) == best
    np.testing.assert_allclose(found["similarity"].sel(step=60), [to_a[token] for token in best])


def test_what_cannot_be_asked_is_named(run: Run) -> None:
    tokens = token_embeddings(run).sizes["token"]
    with pytest.raises(InputError, match=rf"has no token 'Ω'; it has '\\n', ' ', .* and {tokens - 8} more"):
        geometry.nearest_neighbours(run, "Ω")
    for k in (0, tokens):
        with pytest.raises(InputError, match=f"k must be from 1 to {tokens - 1}, .*; got {k}:"):
            geometry.nearest_neighbours(run, "a", k)
    for frequencies, message in [
        ({"a": 3, "Ω": 1}, "name 'Ω', which is no token"),
        ([1, 2], rf"each of {tokens} tokens; got an array of shape \(2,\)"),
        (np.full(tokens, -1), "counts of 0 or more"),
        ({"a": 3}, "two tokens at least"),
    ]:
        with pytest.raises(InputError, match=message):
            geometry.token_geometry(run, frequencies)
    with pytest.raises(InputError, match="4 items or more; got 3"):
        agreement.debiased_cka(noise(3, 2), noise(3, 2))
