"""The comparison of a group in words is the probe's, for every step; a control is compared with the same nulls."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import xarray as xr

from data.runs import Run
from probes.groups.cohesion import compare, group_cohesion
from probes.groups.comparison import Findings, compare_groups, find, members_apart
from probes.groups.naming import Group, classes
from probes.groups.nulls import neighbouring_groups, random_groups
from probes.groups.wording import comparison_sentence, p_value_text
from probes.tables.embeddings import position_embeddings, token_embeddings


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_the_words_are_the_probes_at_every_step_with_both_p_values(run: Run, metric: str) -> None:
    (comparison,) = compare_groups(run, position_embeddings(run), ["3,4,5"], metric=metric)
    compared = group_cohesion(run, "positions", "3,4,5", metric=metric)
    assert list(comparison.sentences) == list(comparison.p_values) == [int(step) for step in compared["step"]]
    for step, text in comparison.sentences.items():
        assert text.split("; without")[0] == comparison_sentence(compared, step)
        random, neighbouring = (p_value_text(p) for p in compared["p_corrected"].sel(step=step).values)
        assert comparison.p_values[step] == f"p {random} and {neighbouring}, corrected over steps"


def test_a_control_is_compared_with_the_same_nulls(run: Run) -> None:
    table = position_embeddings(run)
    reversed_table = table.copy(data=table.values[:, ::-1])
    (other,) = compare_groups(run, reversed_table, [Group("3, 4, 5", (3, 4, 5))], warn=False)
    nulls = random_groups([3, 4, 5], 16), neighbouring_groups([3, 4, 5], 16)
    last = int(table["step"][-1])
    texts = [comparison_sentence(compare(reversed_table, null), last) for null in nulls]
    assert other.sentences[last].split(";")[0] == texts[0]
    second = other.sentences[last].split("; ")[1]
    assert second.split()[0] == texts[1].removeprefix("3 4 5: ").split()[0]  # the count


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


def planted(n_apart: int, seed: int = 0) -> tuple[xr.DataArray, list[int]]:
    """Make a table with a group of 12, a little closer than others, of which some stand far away; return it with the group."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(200, 8))
    values[:12] *= 0.8
    values[:n_apart] = 12 * random.normal(size=(n_apart, 8))
    coords = {"step": [0], "position": [f"i{i}" for i in range(200)]}
    return xr.DataArray(values[None], dims=("step", "position", "dim"), coords=coords), list(range(12))


@pytest.mark.parametrize("n_apart", [1, 2, 3])
def test_the_few_members_that_spoil_a_group_are_named(n_apart: int) -> None:
    table, group = planted(n_apart)
    assert sorted(members_apart(table, group)) == list(range(n_apart))


@pytest.mark.parametrize("n_apart", [0, 4, 6])
def test_no_member_is_named_where_none_or_too_many_stand_apart(n_apart: int) -> None:
    table, group = planted(n_apart)
    assert members_apart(table, group) == []
    assert members_apart(table, group[:2]) == []


def test_members_left_out_are_named_as_chosen_after_looking_and_never_in_the_title(run: Run) -> None:
    table, group = planted(2)
    found = find(run, table, [Group("dozen", tuple(group))])
    sentence = found.last_sentences[1]
    assert "without i" in sentence
    assert "(left out after looking): closer than" in sentence
    assert found.title == "No structure beyond chance in the order of positions and dozen"


def test_positions_of_noise_are_claimed_to_have_no_order_and_a_line_lines_up(run: Run) -> None:
    noise = np.random.default_rng(0).normal(size=(3, 24, 10))
    line = np.linspace(0, 9, 24)[:, None] + 0.01 * noise
    titles = []
    for values in (noise, line):
        coords = {"step": [0, 1, 2], "position": range(24)}
        titles.append(find(run, xr.DataArray(values, dims=("step", "position", "dim"), coords=coords), []).title)
    assert titles == ["No structure beyond chance in the order of positions", "Positions 0 to 23 line up"]


def test_without_a_highlight_the_classes_of_tokens_are_tested_and_nothing_is_claimed_of_none(run: Run) -> None:
    table = token_embeddings(run)
    labels = [str(label) for label in table["token"].values]
    found = find(run, table, [], classes(labels))
    assert len(found.claims) >= 2
    assert found.comparisons == ()
    assert find(run, table, []).title == Findings().title == ""
