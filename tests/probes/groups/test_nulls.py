"""Null groups follow their rule: all of them where there are few, otherwise equally likely draws."""

from __future__ import annotations

from itertools import combinations, product
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from data.errors import InputError
from probes.groups import nulls


def rows(null: nulls.Null) -> list[tuple[int, ...]]:
    return [tuple(row) for row in null.groups.tolist()]


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_all_random_groups_are_the_combinations(data: st.DataObject) -> None:
    n = data.draw(st.integers(3, 9))
    members = data.draw(st.lists(st.integers(0, n - 1), min_size=2, max_size=n - 1, unique=True))
    null = nulls.random_groups(members, n)
    assert rows(null) == list(combinations(range(n), len(members)))
    assert null.exact
    assert null.n_groups == comb(n, len(members))
    assert null.members == tuple(sorted(members))


def test_neighbouring_groups_are_the_runs_or_the_pattern_wherever_it_fits() -> None:
    runs = nulls.neighbouring_groups([13, 12, 14], 32)
    assert rows(runs) == [(i, i + 1, i + 2) for i in range(30)]
    assert runs.members == (12, 13, 14)
    assert runs.exact
    with_gaps = nulls.neighbouring_groups([3, 9, 20], 32)
    assert rows(with_gaps) == [(i, i + 6, i + 17) for i in range(15)]
    assert with_gaps.members == (3, 9, 20)


def test_all_matched_groups_take_as_many_from_each_bin() -> None:
    counts = [5, 900, 4, 800, 6, 700, 1, 950]  # frequent: 1 3 5 7, rare: 0 2 4 6
    null = nulls.matched_groups([1, 3, 6], counts, bin_size=4)
    by_hand = {tuple(sorted((*two, one))) for two, one in product(combinations([1, 3, 5, 7], 2), [0, 2, 4, 6])}
    assert set(rows(null)) == by_hand
    assert len(rows(null)) == len(by_hand) == null.n_groups
    assert null.members == (1, 3, 6)


@given(st.lists(st.integers(0, 20), min_size=1, max_size=60), st.integers(2, 7), st.randoms())
@settings(max_examples=60, deadline=None)
def test_bins_follow_the_counts_and_nothing_else(counts: list[int], bin_size: int, random: object) -> None:
    bins = nulls.frequency_bins(counts, bin_size)
    values = np.array(counts)
    order = np.argsort(-values)
    assert (np.diff(bins[order]) >= 0).all()
    assert all(len(set(bins[values == value])) == 1 for value in set(counts))
    sizes = np.bincount(bins)
    assert len(sizes) == 1 or (sizes >= bin_size).all()
    shuffled = np.random.default_rng(0).permutation(len(counts))
    np.testing.assert_array_equal(nulls.frequency_bins(values[shuffled], bin_size), bins[shuffled])


def test_too_many_groups_are_drawn_each_as_likely_as_any_other() -> None:
    drawn = nulls._draw(np.random.default_rng(3), 6, 3, 20_000)
    assert (np.diff(np.sort(drawn, axis=1), axis=1) > 0).all()
    seen = np.bincount([sum(1 << int(i) for i in row) for row in drawn], minlength=64)
    of_three = [sum(1 << i for i in three) for three in combinations(range(6), 3)]
    assert seen[of_three].sum() == 20_000
    assert chisquare(seen[of_three]).pvalue > 0.01


def test_drawn_groups_hold_the_observed_one_and_keep_to_the_rule() -> None:
    members = [7, 30, 31, 70, 71]
    null = nulls.random_groups(members, 115, seed=4, draws=500)
    assert (null.exact, null.n_groups, len(null.groups)) == (False, 500, 501)
    assert null.members == tuple(members)
    assert (np.diff(null.groups, axis=1) > 0).all()
    counts = np.arange(115)[::-1]
    matched = nulls.matched_groups(members, counts, bin_size=20, seed=4, draws=500)
    bins = nulls.frequency_bins(counts, 20)
    assert (np.sort(bins[matched.groups], axis=1) == np.sort(bins[members])).all()
    assert len(np.unique(matched.groups)) > 50


def test_the_seed_decides_what_is_drawn() -> None:
    one, same, other = (nulls.random_groups(range(9), 60, seed=seed, draws=50).groups for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([3], "a group of 1 has no pairs"),
        ([], "a group of 0 has no pairs"),
        (range(5), "the group is all 5 items"),
        ([1, 5], "there is no item 5: the 5 items are 0 to 4"),
        ([-1, 2], "there is no item -1"),
        ([1, 2, 1], "names item 1 twice"),
        ([0.5, 1], "whole numbers"),
    ],
)
def test_members_that_are_no_group_are_refused(members: list[int], message: str) -> None:
    for make in (nulls.random_groups, nulls.neighbouring_groups):
        with pytest.raises(InputError, match=message):
            make(members, 5)
    with pytest.raises(InputError, match=message):
        nulls.matched_groups(members, [5, 4, 3, 2, 1], bin_size=2)


def test_a_null_without_another_group_is_refused() -> None:
    with pytest.raises(InputError, match="fits nowhere else"):
        nulls.neighbouring_groups([0, 2, 4], 5)
    with pytest.raises(InputError, match="widen the bins"):
        nulls.matched_groups([0, 1], [9, 8, 2, 1], bin_size=2)
    with pytest.raises(InputError, match="finite and 0 or more"):
        nulls.matched_groups([0, 1], [9, -1, 2, 1])
    with pytest.raises(InputError, match="bin_size of 2 or more"):
        nulls.matched_groups([0, 1], [9, 8, 2, 1], bin_size=1)
    with pytest.raises(InputError, match="a seed is 0 or more"):
        nulls.random_groups([0, 1], 5, seed=-1)
