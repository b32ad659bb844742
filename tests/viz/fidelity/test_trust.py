"""Trust: its range, its factors, motion that is too small to see, and which items are marked."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from viz.fidelity.trust import DOUBT_MARGIN, DOUBTED_BELOW, LEAST_TRUST, doubted, item_trust, neighbour_trust


def test_trust_is_whole_for_a_perfect_layout_and_least_where_no_neighbour_or_no_motion_is_real() -> None:
    random = np.random.default_rng(0)
    assert (item_trust(np.ones((3, 9)), 0.1, random.random((3, 9)), np.zeros(9)) == 1).all()
    assert (item_trust(np.zeros((3, 9)), 0.1) == LEAST_TRUST).all()
    assert item_trust(np.ones((1, 2)), 0.1, np.array([[0.1, np.nan]]), np.full(2, 0.1)).tolist() == [[LEAST_TRUST, 1]]
    unscored = item_trust(np.array([[0.2, np.nan, 0.6]]), 0.1)
    assert unscored[0, 1] == pytest.approx(item_trust(np.array([[0.4]]), 0.1)[0, 0])


def test_motion_too_small_to_see_is_not_doubted() -> None:
    drawn, floor = np.array([[1e-5, 1e-4, 1e-3]]), np.full(3, 1e-3)
    doubt = 1 - (item_trust(np.ones((1, 3)), 0.1, drawn, floor) - LEAST_TRUST) / (1 - LEAST_TRUST)
    assert doubt == pytest.approx(np.array([[0.002, 0.02, 0.2]]))


@settings(max_examples=60, deadline=None)
@given(
    arrays(float, (2, 4), elements=st.floats(0, 1)), st.floats(0, 0.9), arrays(float, (2, 4), elements=st.floats(0, 9))
)
def test_trust_keeps_to_its_range_and_grows_with_recall(recall: np.ndarray, chance: float, drawn: np.ndarray) -> None:
    floor = drawn[::-1].mean(axis=0)
    trusted = item_trust(recall, chance, drawn, floor)
    assert ((trusted >= LEAST_TRUST) & (trusted <= 1)).all()
    assert (item_trust(np.sqrt(recall), chance, drawn, floor) >= trusted).all()
    assert (item_trust(recall, chance) >= trusted).all()


def projection(recall: np.ndarray, **variables: np.ndarray) -> xr.Dataset:
    named = {name: (("step", "position"), values) for name, values in {"item_recall": recall, **variables}.items()}
    return xr.Dataset(named, attrs={"chance": 0.1})


@settings(max_examples=60, deadline=None)
@given(arrays(float, (6, 5), elements=st.floats(0, 1)), arrays(float, (6, 5), elements=st.floats(0, 9)))
def test_marks_follow_the_neighbourhoods_alone_and_change_only_where_these_change_much(
    recall: np.ndarray, drawn: np.ndarray
) -> None:
    marks, trust = doubted(projection(recall)), neighbour_trust(recall, 0.1)
    assert marks is not None
    np.testing.assert_array_equal(marks, doubted(projection(recall, drawn_motion=drawn, trust=drawn)))
    np.testing.assert_array_equal(marks[-1], trust[-1] < DOUBTED_BELOW)
    assert not (marks & (trust > DOUBTED_BELOW + DOUBT_MARGIN)).any()
    assert not (~marks & (trust < DOUBTED_BELOW - DOUBT_MARGIN)).any()
    near = np.abs(trust - DOUBTED_BELOW) < DOUBT_MARGIN
    steady = near[:-1] & near[1:]
    assert (marks[:-1] == marks[1:])[steady].all()


def test_nothing_is_marked_where_nothing_was_measured() -> None:
    assert doubted(xr.Dataset()) is None
