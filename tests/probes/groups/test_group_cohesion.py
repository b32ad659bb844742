"""A run's highlights are compared with the nulls that fit them, and the words for it say no more than was found."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

from data.errors import InputError
from data.runs import Run
from probes.groups.cohesion import group_cohesion, sentence


def result(
    share: float, n_groups: int, exact: bool, null: str = "random", members: tuple[int, ...] = (1, 2, 3)
) -> xr.Dataset:
    return xr.Dataset(
        {"percentile": ("step", [share])},
        coords={"step": [5], "null": null, "n_groups": n_groups, "exact": exact},
        attrs={"metric": "euclidean", "members": members, "highlight": "x"},
    )


@pytest.mark.parametrize(
    ("compared", "counted", "words"),
    [
        (result(0.99980, 4960, True), False, "closer than 99.9% of random triples"),
        (result(0.9, 4960, True), True, "closer than 90% of the 4,959 other triples"),
        (result(1, 4960, True), True, "closer than all 4,959 other triples"),
        (result(1, 9999, False), False, "closer than 99.9% of random triples"),
        (result(1, 99, False), True, "closer than 99% of 99 random triples"),
        (result(0.0004, 4960, True), False, "closer than under 0.1% of random triples"),
        (result(0.1897, 30, True, "neighbouring"), False, "closer than 19% of neighbouring triples"),
        (result(0.5, 9, True, "neighbouring", (1, 5)), False, "closer than 50% of pairs with the same gaps"),
        (result(0.5, 99, False, "matched", (1, 2, 5, 8)), False, "closer than 50% of groups of 4 matched on frequency"),
    ],
)
def test_the_words_never_round_up_to_all(compared: xr.Dataset, counted: bool, words: str) -> None:
    assert sentence(compared, counted=counted) == f"x: {words}"


def test_a_run_is_compared_with_both_nulls(run: Run) -> None:
    found = group_cohesion(run, "positions", "3,4,5")
    assert list(found["null"].values) == ["random", "neighbouring"]
    assert found["p_corrected"].dims == ("step", "null")
    assert found["band"].dims == ("step", "null", "quantile")
    assert found["cohesion"].dims == ("step",)
    assert list(found["sha256"].values) == [record["sha256"] for record in run.manifest()]
    assert "neighbouring triples" in sentence(found)
    tokens = group_cohesion(run, "tokens", "vowels", draws=99)
    assert list(tokens["null"].values) == ["random", "matched"]
    xr.testing.assert_identical(tokens, group_cohesion(run, "tokens", "vowels", draws=99))


def test_the_correction_is_for_the_steps_looked_at(run: Run) -> None:
    one = group_cohesion(run, "positions", "3,4,5", steps=(60, 60))
    np.testing.assert_array_equal(one["p_corrected"], one["p_value"])
    with pytest.raises(InputError, match="no snapshot from step 61 to 62"):
        group_cohesion(run, "positions", "3,4,5", steps=(61, 62))


def test_without_its_text_a_run_is_compared_with_random_groups_only(run: Run) -> None:
    info = json.loads((run.path / "run.json").read_text())
    info["training"]["corpus"] = info["corpus"]["name"] = "gone.txt"
    (run.path / "run.json").write_text(json.dumps(info))
    with pytest.warns(UserWarning, match="compared with random groups only"):
        found = group_cohesion(Run(run.path), "tokens", "digits", draws=99)
    assert list(found["null"].values) == ["random"]


def test_what_is_no_highlight_of_a_run_says_why(run: Run) -> None:
    with pytest.raises(InputError, match="choose positions or tokens"):
        group_cohesion(run, "heads", "1")
    with pytest.raises(InputError, match="a group of 1 has no pairs"):
        group_cohesion(run, "positions", "3")
    with pytest.raises(InputError, match="there is no position '99'"):
        group_cohesion(run, "positions", "3,99")
