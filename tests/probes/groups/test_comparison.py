"""The comparison of a group in words is the probe's, for every step; a control is compared with the same nulls."""

from __future__ import annotations

import warnings

import pytest

from data.runs import Run
from probes.groups.cohesion import compare, group_cohesion
from probes.groups.naming import Group
from probes.groups.nulls import neighbouring_groups, random_groups
from probes.groups.comparison import compare_groups
from probes.groups.wording import comparison_sentence, p_value_text
from probes.tables.embeddings import position_embeddings


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_the_words_are_the_probes_at_every_step_with_both_p_values(run: Run, metric: str) -> None:
    (comparison,) = compare_groups(run, position_embeddings(run), ["3,4,5"], metric=metric)
    compared = group_cohesion(run, "positions", "3,4,5", metric=metric)
    assert list(comparison.sentences) == list(comparison.p_values) == [int(step) for step in compared["step"]]
    for step, text in comparison.sentences.items():
        assert text == comparison_sentence(compared, step)
        random, neighbouring = (p_value_text(p) for p in compared["p_corrected"].sel(step=step).values)
        assert comparison.p_values[step] == f"p {random} and {neighbouring}, corrected over steps"


def test_a_control_is_compared_with_the_same_nulls(run: Run) -> None:
    table = position_embeddings(run)
    reversed_table = table.copy(data=table.values[:, ::-1])
    (other,) = compare_groups(run, reversed_table, [Group("3, 4, 5", (3, 4, 5))], warn=False)
    nulls = random_groups([3, 4, 5], 16), neighbouring_groups([3, 4, 5], 16)
    last = int(table["step"][-1])
    texts = [comparison_sentence(compare(reversed_table, null), last) for null in nulls]
    assert other.sentences[last] == f"{texts[0]}, {texts[1].removeprefix('3 4 5: ')}"


def test_a_group_that_cannot_be_compared_is_left_out_with_a_warning(run: Run) -> None:
    table = position_embeddings(run)
    with pytest.warns(UserWarning, match="highlight '3': no comparison is shown: a group of 1 has no pairs"):
        (comparison,) = compare_groups(run, table, [Group("3", (3,)), "3,4,5"])
    assert comparison.group == 1  # and keeps its colour
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert compare_groups(run, table, ["3"], warn=False) == ()


def test_a_group_that_fits_nowhere_else_is_compared_with_random_ones(run: Run) -> None:
    with pytest.warns(UserWarning, match="0, 15: compared with random groups only"):
        (comparison,) = compare_groups(run, position_embeddings(run), ["0,15"])
    assert " and " not in comparison.p_values[0]
    assert "random" in comparison.sentences[0] or "pairs" in comparison.sentences[0]


def test_one_step_needs_no_correction(run: Run) -> None:
    (comparison,) = compare_groups(run, position_embeddings(run).isel(step=[0]), ["3,4,5"])
    assert "corrected" not in comparison.p_values[0]
