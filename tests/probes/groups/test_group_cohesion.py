"""A run's highlights are compared with random groups and with neighbouring or matched ones."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

from data.errors import InputError
from data.runs import Run
from probes.groups.cohesion import group_cohesion
from probes.groups.wording import comparison_sentence


def test_a_run_is_compared_with_both_nulls(run: Run) -> None:
    found = group_cohesion(run, "positions", "3,4,5")
    assert list(found["null"].values) == ["random", "neighbouring"]
    assert found["p_corrected"].dims == ("step", "null")
    assert found["band"].dims == ("step", "null", "quantile")
    assert found["cohesion"].dims == ("step",)
    assert list(found["sha256"].values) == [record["sha256"] for record in run.manifest()]
    assert "neighbouring ones" in comparison_sentence(found)
    tokens = group_cohesion(run, "tokens", "vowels", draws=99)
    assert list(tokens["null"].values) == ["random", "matched"]
    xr.testing.assert_identical(tokens, group_cohesion(run, "tokens", "vowels", draws=99))


def test_the_correction_is_for_the_steps_looked_at(run: Run) -> None:
    one = group_cohesion(run, "positions", "3,4,5", steps=(60, 60))
    np.testing.assert_array_equal(one["p_corrected"], one["p_value"])
    with pytest.raises(InputError, match="no snapshot from step 61 to 62"):
        group_cohesion(run, "positions", "3,4,5", steps=(61, 62))


def test_without_its_text_a_run_is_compared_with_random_groups_only(run: Run) -> None:
    info = dict(Run(run.path).info)
    info["training"]["corpus"] = info["corpus"]["name"] = "gone.txt"
    (run.path / "run.json").write_text(json.dumps(info))
    with pytest.warns(UserWarning, match="compared with random groups only"):
        found = group_cohesion(Run(run.path), "tokens", "digits", draws=99)
    assert list(found["null"].values) == ["random"]


def test_a_highlight_that_names_nothing_is_refused(run: Run) -> None:
    with pytest.raises(InputError, match="choose positions or tokens"):
        group_cohesion(run, "heads", "1")
    with pytest.raises(InputError, match="a group of 1 has no pairs"):
        group_cohesion(run, "positions", "3")
    with pytest.raises(InputError, match="there is no position '99'"):
        group_cohesion(run, "positions", "3,99")
