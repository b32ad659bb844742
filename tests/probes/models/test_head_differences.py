"""Heads of two runs are compared by rank or by number, and only those that both have."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from data.errors import InputError
from probes.models.head_differences import head_difference, spread_of_head_scores


def scores(*shape: int, seed: int = 0, steps: list[int] | None = None) -> xr.DataArray:
    values = np.random.default_rng(seed).uniform(size=shape)
    coords = {"step": steps or list(range(shape[0])), "layer": range(shape[1]), "head": range(shape[2])}
    return xr.DataArray(values, coords, ("step", "layer", "head"))


def test_a_run_whose_heads_stand_in_another_order_does_not_differ_by_rank() -> None:
    one = scores(3, 2, 4)
    other = one.copy(data=one.values[:, :, [2, 0, 3, 1]])
    assert not head_difference(one, other).values.any()
    by_number = head_difference(one, other, pairing="number")
    np.testing.assert_array_equal(by_number, other.values - one.values)


def test_ranks_are_found_anew_at_every_step() -> None:
    one, other = scores(5, 1, 3), scores(5, 1, 3, seed=1)
    found = head_difference(one, other)
    for step in range(5):
        first, second = (sorted(each.values[step, 0], reverse=True) for each in (one, other))
        np.testing.assert_allclose(found.values[step, 0], np.array(second) - np.array(first))


def test_only_common_steps_layers_and_heads_are_compared() -> None:
    one, other = scores(3, 2, 2, steps=[0, 5, 10]), scores(3, 3, 4, seed=1, steps=[5, 10, 20])
    found = head_difference(one, other)
    assert found.sizes == {"step": 2, "layer": 2, "head": 2}
    assert list(found["step"].values) == [5, 10]
    highest = np.sort(other.values[0, 1])[::-1][:2] - np.sort(one.values[1, 1])[::-1]
    np.testing.assert_allclose(found.values[0, 1], highest)
    with pytest.raises(InputError, match="no step in common"):
        head_difference(one, scores(1, 2, 2, steps=[7]))


def test_the_spread_is_the_largest_of_all_pairs() -> None:
    runs = [scores(2, 2, 3, seed=seed) for seed in range(4)]
    ranked = np.array([-np.sort(-run.values, axis=2) for run in runs])
    expected = ranked.max(axis=0) - ranked.min(axis=0)
    np.testing.assert_allclose(spread_of_head_scores(runs).values, expected)
