"""Cohesion equals a loop over pairs, p-values are uniform without structure, and a planted group is found."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray
from scipy.spatial import distance
from scipy.stats import kstest, ortho_group, permutation_test

from data.errors import InputError
from probes.groups import pairs as module
from probes.groups.cohesion import cohesion, compare
from probes.groups.nulls import Null, matched_groups, neighbouring_groups, random_groups
from probes.groups.wording import comparison_sentence


def made(values: NDArray[np.float64]) -> xr.DataArray:
    return xr.DataArray(values, dims=("step", "item", "dim"), coords={"step": 10 * np.arange(len(values))})


def noise(*shape: int, seed: int = 0) -> xr.DataArray:
    return made(np.random.default_rng(seed).normal(size=shape))


def by_loops(table: NDArray[np.float64], members: tuple[int, ...], metric: str) -> float:
    far = getattr(distance, metric)
    within = [far(table[i], table[j]) for i, j in combinations(members, 2)]
    return float(np.mean(within) / np.mean([far(table[i], table[j]) for i, j in combinations(range(len(table)), 2)]))


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("entries", [1, 50, 2**22])
def test_cohesion_and_shares_are_those_of_loops_whatever_the_blocks(
    metric: str, entries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLOCK_ENTRIES", entries)
    trajectory, members = noise(3, 7, 4) + 0.5, (1, 4, 6)
    found = compare(trajectory, random_groups(members, 7), metric=metric)
    np.testing.assert_allclose(cohesion(trajectory, members, metric), found["cohesion"], atol=1e-14)
    for place, table in enumerate(trajectory.values):
        every = np.array([by_loops(table, group, metric) for group in combinations(range(7), 3)])
        own = by_loops(table, members, metric)
        at = found.isel(step=place)
        assert float(at["cohesion"]) == pytest.approx(own, abs=1e-12)
        assert float(at["p_value"]) == pytest.approx(np.mean(every <= own + 1e-12))
        assert float(at["percentile"]) == pytest.approx(np.sum(every > own + 1e-12) / 34)
        np.testing.assert_allclose(at["band"], np.quantile(every, [0.05, 0.5, 0.95]), atol=1e-12)


def test_the_p_value_is_that_of_scipys_permutation_test() -> None:
    trajectory = noise(1, 8, 3, seed=5)
    table = trajectory.values[0]

    def within(inside: NDArray[np.float64], outside: NDArray[np.float64]) -> float:
        return float(distance.pdist(table[inside.astype(int)]).mean())

    asked = ([2, 3, 7], [0, 1, 4, 5, 6])
    oracle = permutation_test(asked, within, vectorized=False, alternative="less", n_resamples=np.inf)
    assert float(compare(trajectory, random_groups(asked[0], 8))["p_value"][0]) == pytest.approx(oracle.pvalue)


def test_the_correction_is_single_step_max_t() -> None:
    trajectory, members = noise(4, 7, 3, seed=2), (0, 1, 2)
    groups = list(combinations(range(7), 3))
    every = np.array([[by_loops(table, group, "euclidean") for table in trajectory.values] for group in groups])
    t = (every.mean(axis=0) - every) / every.std(axis=0)
    by_hand = [(t.max(axis=1) >= t[0, step] - 1e-9).mean() for step in range(4)]
    found = compare(trajectory, random_groups(members, 7))
    np.testing.assert_allclose(found["p_corrected"], by_hand)
    assert (found["p_corrected"] >= found["p_value"]).all()


@pytest.mark.parametrize("kind", ["random", "drawn", "neighbouring", "matched"])
def test_without_structure_p_values_are_uniform(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if kind == "drawn":
        monkeypatch.setattr("probes.groups.nulls.MOST_GROUPS", 1)
    spread = np.repeat([0.3, 1.0, 3.0], 8)[:, None] if kind == "matched" else np.ones((24, 1))  # by frequency

    def null(random: np.random.Generator) -> Null:
        if kind == "neighbouring":
            return neighbouring_groups(range(start := int(random.integers(200)), start + 3), 202)
        if kind == "matched":
            return matched_groups([*random.choice(8, 3, replace=False), 9], np.repeat([900, 40, 2], 8), bin_size=8)
        return random_groups(
            random.choice(12, 3, replace=False).tolist(), 12, draws=199, seed=int(random.integers(9999))
        )

    size = {"neighbouring": 202, "matched": 24}.get(kind, 12)
    at_a_step, corrected = [], []
    for seed in range(500):
        random = np.random.default_rng([seed, 7])
        values = random.normal(size=(3, size, 4)) * (spread if kind == "matched" else 1)
        found = compare(made(values + 0.5 * values[:1]), null(random))  # steps that resemble each other
        at_a_step.append(float(found["p_value"][1]))
        corrected.append(float(found["p_corrected"].min()))  # the chance of any such step at all
    assert kstest(at_a_step, "uniform").pvalue > 0.01
    assert kstest(corrected, "uniform").pvalue > 0.01
    assert np.mean(np.array(corrected) <= 0.05) < 0.08


def test_a_group_of_frequent_items_is_remarkable_only_against_a_null_that_forgets_frequency() -> None:
    spread = np.repeat([0.1, 1.0], [12, 28])[:, None]
    trajectory, counts = noise(200, 40, 6) * spread, np.repeat([900, 4], [12, 28])
    assert (compare(trajectory, random_groups([0, 3, 5, 8], 40, draws=999))["p_value"] < 0.05).all()
    matched = compare(trajectory, matched_groups([0, 3, 5, 8], counts))["p_value"]
    assert kstest(matched, "uniform").pvalue > 0.01  # the steps are 200 independent tables


def test_a_planted_group_is_found_at_the_steps_where_it_is() -> None:
    trajectory = noise(6, 20, 8, seed=1)
    trajectory[3:, [2, 9, 17]] *= 0.2
    found = compare(trajectory, random_groups([2, 9, 17], 20))
    assert (found["p_corrected"][3:] < 0.01).all()
    assert (found["p_corrected"][:3] > 0.05).all()
    assert comparison_sentence(found, 50) == "2 9 17: no other triple is as close"


def test_on_a_smooth_curve_neighbours_are_close_and_among_neighbours_ordinary() -> None:
    t = np.arange(32) / 32
    curve = np.stack([np.sin(2 * t), np.cos(2 * t), t + 0.2 * t**2], axis=1)[None]
    found = [compare(made(curve), make([12, 13, 14], 32)) for make in (random_groups, neighbouring_groups)]
    assert float(found[0]["percentile"][0]) > 0.99
    assert 0.3 < float(found[1]["percentile"][0]) < 0.7
    assert 1 <= int(comparison_sentence(found[0], counted=True).split()[3]) < 50
    assert "of the 4,959 other triples" in comparison_sentence(found[0], counted=True)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_size_turn_and_order_of_members_do_not_matter(metric: str) -> None:
    trajectory = noise(2, 10, 5) + 1
    turned = 300 * trajectory.values @ ortho_group.rvs(5, random_state=0)
    one = compare(trajectory, random_groups([1, 7, 3], 10), metric=metric)
    two = compare(made(turned + (7 if metric == "euclidean" else 0)), random_groups([3, 1, 7], 10), metric=metric)
    xr.testing.assert_allclose(one, two, rtol=1e-9)


def test_ties_count_against_the_group() -> None:
    same = compare(made(np.ones((2, 6, 3))), random_groups([0, 1], 6))
    assert (same["cohesion"] == 1).all()
    assert (same["p_value"] == 1).all()
    assert (same["p_corrected"] == 1).all()
    assert (same["percentile"] == 0).all()
    assert comparison_sentence(same) == "0 1: all of the 14 other pairs are as close"
    square = made(np.array([[[0, 0], [0, 1], [1, 1], [1, 0]]], dtype=float))  # four sides of 1, two diagonals
    side = compare(square, random_groups([0, 1], 4))
    assert float(side["p_value"][0]) == pytest.approx(4 / 6)
    assert float(side["percentile"][0]) == pytest.approx(2 / 5)


def test_a_row_without_direction_has_cosine_0_with_all_others() -> None:
    table = made(np.array([[[0.0, 0], [1, 0], [2, 0], [0, 3]]]))
    assert float(cohesion(table, [1, 2], "cosine")[0]) == 0
    assert float(cohesion(table, [0, 1], "cosine")[0]) == pytest.approx(1 / (5 / 6))


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("entries", [1, 2**22])
def test_of_many_items_the_same_is_found_from_the_pairs_of_the_groups_alone(
    metric: str, entries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    trajectory = noise(2, 40, 5) + 3
    trajectory[:, [4, 9]] = 0  # no direction
    trajectory[0, 6] = trajectory[0, 7]
    null = random_groups((4, 6, 7, 20), 40, draws=60)
    found = []
    for many in (10**9, 0):
        monkeypatch.setattr(module, "MANY_ITEMS", many)
        monkeypatch.setattr(module, "BLOCK_ENTRIES", 2**22 if many else entries)
        found.append(compare(trajectory, null, metric=metric))
    xr.testing.assert_allclose(*found, rtol=1e-12)
    table = trajectory.values[1]
    if metric == "euclidean":
        assert float(found[1]["cohesion"][1]) == pytest.approx(by_loops(table, (4, 6, 7, 20), metric), rel=1e-12)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_bad_values_name_their_step(value: float) -> None:
    trajectory = noise(3, 5, 2)
    trajectory[1, 4, 0] = value
    with pytest.raises(InputError, match="the vectors of step 10 hold NaN or infinite values"):
        cohesion(trajectory, [0, 1])
    with pytest.raises(InputError, match="step 10"):
        compare(trajectory, random_groups([0, 1], 5))


def test_groups_that_cannot_be_compared_are_refused() -> None:
    trajectory = noise(2, 5, 2)
    with pytest.raises(InputError, match="no metric 'city'; there is euclidean, cosine"):
        cohesion(trajectory, [0, 1], "city")
    with pytest.raises(InputError, match="the group is all 5 items"):
        cohesion(trajectory, range(5))
    with pytest.raises(InputError, match="dimensions"):
        cohesion(trajectory[0], [0, 1])
    with pytest.raises(InputError, match="make it for this table"):
        compare(trajectory, random_groups([0, 1], 6))
    with pytest.raises(InputError, match="step 7 was not compared"):
        comparison_sentence(compare(trajectory, random_groups([0, 1], 5)), 7)
