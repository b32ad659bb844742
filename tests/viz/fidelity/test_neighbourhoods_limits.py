"""Ties, ranges, extremes and bad input of the measures of a layout."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import ortho_group

from data.errors import InputError
from viz.fidelity.neighbourhoods import ITEM_MEASURES, MEASURES, measure_fidelity


def test_no_measure_sees_the_order_of_the_items_the_scale_or_the_way_up_ties_included() -> None:
    """A lattice has many items at equal distances, and a turn of it disturbs them by rounding."""
    vectors = np.array([(x, y, x * y % 3) for x in range(6) for y in range(7)], dtype=float)
    points = np.delete(vectors, 2, axis=1)
    kept = measure_fidelity(vectors, points, 6)
    turned = points @ ortho_group.rvs(2, random_state=1)
    scaled = measure_fidelity(2e300 * vectors, 1e-300 * turned, 6)
    for name in MEASURES + tuple(f"item_{name}" for name in ITEM_MEASURES):
        np.testing.assert_allclose(getattr(scaled, name), getattr(kept, name), atol=1e-12, err_msg=name)
    order = np.random.default_rng(0).permutation(len(vectors))
    mixed = measure_fidelity(vectors[order], points[order] * [1, -1], 6)
    np.testing.assert_allclose(mixed.item_recall, kept.item_recall[order], atol=1e-12)
    assert [getattr(mixed, name) for name in MEASURES] == pytest.approx([getattr(kept, name) for name in MEASURES])


@pytest.mark.parametrize("shape", ["cloud", "lattice", "duplicates"])
def test_a_picture_that_keeps_all_is_perfect(shape: str) -> None:
    cloud = np.random.default_rng(0).normal(size=(60, 2))
    vectors = {"cloud": cloud, "lattice": cloud.round(), "duplicates": np.repeat(cloud[:20], 3, axis=0)}[shape]
    kept = measure_fidelity(vectors @ ortho_group.rvs(2, random_state=0), 3 * vectors + 1, 10)
    assert [getattr(kept, name) for name in MEASURES] == pytest.approx([1, 1, 1, 1, 0], abs=1e-12)


def test_where_all_is_alike_the_measures_are_defined() -> None:
    """Among vectors all alike any point may stand beside any other; in a picture of one point nothing is near or far."""
    spread, single = np.random.default_rng(0).normal(size=(20, 2)), np.ones((20, 3))
    kept = measure_fidelity(single, spread, 5)
    assert (kept.trustworthiness, kept.distance_correlation, kept.stress) == (1, 0, 1)
    assert kept.recall == pytest.approx(kept.chance)
    collapsed = measure_fidelity(spread, single, 5)
    assert (collapsed.continuity, collapsed.distance_correlation, collapsed.stress) == (1, 0, 1)
    assert (collapsed.recall, collapsed.trustworthiness) == pytest.approx((kept.chance, kept.continuity))
    assert kept.continuity == pytest.approx(1 - 14 * 15 / 2 * 5 / 19 * 2 / (5 * (40 - 15 - 1)))  # each place as likely
    both = measure_fidelity(single, 2 * single, 5)
    assert (both.trustworthiness, both.continuity, both.recall, both.stress) == (1, 1, 1, 0)


def test_rows_of_zeros_and_parallel_rows_have_cosines() -> None:
    directions = np.random.default_rng(0).normal(size=(30, 4))
    directions[:2] = 0
    stretched = directions * np.random.default_rng(1).uniform(0.1, 9, size=(30, 1))
    points = directions[:, :2]
    one, other = (measure_fidelity(vectors, points, 4, "cosine") for vectors in (directions, stretched))
    assert [getattr(one, name) for name in MEASURES] == pytest.approx([getattr(other, name) for name in MEASURES])
    pairs = np.concatenate([directions, 3 * directions])
    assert measure_fidelity(pairs, np.concatenate([points, points]), 1, "cosine").item_recall[2:30].min() == 1


numbers = st.integers(-3, 3).map(float) | st.floats(-1e300, 1e300)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(3, 14), st.sampled_from(["euclidean", "cosine"]))
def test_all_measures_keep_to_their_ranges(data: st.DataObject, items: int, metric: str) -> None:
    vectors, points = (data.draw(arrays(float, (items, n), elements=numbers)) for n in (3, 2))
    kept = measure_fidelity(vectors, points, data.draw(st.integers(1, (items - 1) // 2)), metric)
    for name in MEASURES:
        least = -1 if name == "distance_correlation" else 0
        for values in (getattr(kept, name), getattr(kept, f"item_{name}", 0)):
            assert np.all((least - 1e-12 <= np.asarray(values)) & (np.asarray(values) <= 1 + 1e-12)), name


@pytest.mark.parametrize(
    ("vectors", "points", "neighbours", "options", "message"),
    [
        (np.ones((8, 3)), np.ones((8, 2)), 4, {}, "got 4 for 8 items: pass neighbours from 1 to 3"),
        (np.ones((8, 3)), np.ones((8, 2)), 0, {}, "got 0 for 8 items"),
        (np.ones((2, 3)), np.ones((2, 2)), 1, {}, "got 1 for 2 items: at least 3 items"),
        (np.ones((8, 3)), np.ones((7, 2)), 2, {}, r"must have the same items; got \(8, 3\) and \(7, 2\)"),
        (np.ones((8, 3)), np.full((8, 2), np.nan), 2, {}, "points contain values that are not finite"),
        (
            np.ones((8, 3)),
            np.ones((8, 2)),
            2,
            {"metric": "cosin"},
            "unknown metric 'cosin': there is euclidean, cosine",
        ),
        (np.ones((8, 3)), np.ones((8, 2)), 2, {"rows": 0}, "`rows` must be at least 1; got 0"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    vectors: np.ndarray, points: np.ndarray, neighbours: int, options: dict, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        measure_fidelity(vectors, points, neighbours, **options)
