"""What a film says of its groups is what the probe says, for every step; a control is asked the same."""

from __future__ import annotations

import numpy as np
import pytest

from data.runs import Run
from probes.groups.cohesion import compare, group_cohesion, sentence
from probes.groups.naming import Group, highlight
from probes.groups.nulls import neighbouring_groups, random_groups
from probes.tables.embeddings import position_embeddings
from viz.drawing.canvas import Canvas, Size
from viz.drawing.sentences import LINE_PX, SentencePanel, height_of, lines_of
from viz.drawing.theme import THEMES
from viz.group_comparison import GroupComparison, compare_groups, compare_groups_in


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_the_words_are_the_probes_at_every_step_with_both_p_values(run: Run, metric: str) -> None:
    (claim,) = compare_groups(run, "positions", ["3,4,5"], metric)
    compared = group_cohesion(run, "positions", "3,4,5", metric=metric)
    assert list(claim.sentences) == list(claim.p_values) == [int(step) for step in compared["step"]]
    for step, said in claim.sentences.items():
        assert said == sentence(compared, step)
        random, neighbouring = compared["p_corrected"].sel(step=step).values
        first, second = claim.p_values[step].removeprefix("p ").removesuffix(", corrected over steps").split(" and ")
        assert float(first) == pytest.approx(random, abs=0.005)
        assert float(second) == pytest.approx(neighbouring, abs=0.005)


def test_a_control_is_compared_with_the_same_nulls(run: Run) -> None:
    """Asked of the run's own table, both ways of asking say the same."""
    table = position_embeddings(run)
    (own,) = compare_groups(run, "positions", ["3,4,5"])
    (asked,) = compare_groups_in(table, run, [highlight("3,4,5", list(table["position"].values))])
    assert asked == own
    reversed_table = table.copy(data=table.values[:, ::-1])
    (other,) = compare_groups_in(reversed_table, run, [Group("3, 4, 5", (3, 4, 5))])
    nulls = random_groups([3, 4, 5], 16), neighbouring_groups([3, 4, 5], 16)
    last = int(table["step"][-1])
    said = [sentence(compare(reversed_table, null), last) for null in nulls]
    assert other.sentences[last] == f"{said[0]}, {said[1].removeprefix('3 4 5: ')}"


def test_a_group_that_cannot_be_compared_is_left_out_with_a_warning(run: Run) -> None:
    with pytest.warns(UserWarning, match="highlight '3': no comparison is shown: a group of 1 has no pairs"):
        (left,) = compare_groups(run, "positions", ["3", "3,4,5"])
    assert left.group == 1  # and keeps its colour
    assert compare_groups_in(position_embeddings(run), run, [Group("3", (3,))]) == ()


def test_a_group_that_fits_nowhere_else_is_compared_with_random_ones(run: Run) -> None:
    with pytest.warns(UserWarning, match="compared with random groups only"):
        (claim,) = compare_groups(run, "positions", ["0,15"])
    assert " and " not in claim.p_values[0]
    assert "random" in claim.sentences[0] or "pairs" in claim.sentences[0]


def test_long_names_are_cut_and_lines_fit_their_room(run: Run) -> None:
    (claim,) = compare_groups(run, "positions", [",".join(str(i) for i in range(14))])
    assert claim.sentences[0].startswith("0 1 2 3 4 5 6 7 8 9 10 11…: ")
    for width in (300, 600, 1200):
        canvas = Canvas(Size(1920, 1080), THEMES["light"])
        height = height_of([claim], width, 1.0)
        words = SentencePanel(canvas, (0.1, 0.5, width / 1920, height / 1080), [claim], 1.0)
        canvas.keep_still()
        for step in claim.sentences:
            lines = lines_of(claim, step, width, 1.0)
            assert len(lines) * LINE_PX <= height
            assert " ".join(part for line in lines for part in line if part).split() == (
                f"{claim.sentences[step]} {claim.p_values[step]}".split()
            )
            canvas.keep_snapshot(words.show(step))
            frame = canvas.frame([])
            below, inked = round(0.5 * 1080), (np.asarray(frame)[..., :3] != 255).any(axis=-1)
            assert not inked[:, : round(0.1 * 1920) - 1].any()
            assert not inked[:, round(0.1 * 1920 + width) + 2 :].any()
            assert not inked[below + 1 :].any()


def test_one_step_needs_no_correction(run: Run) -> None:
    compared = GroupComparison(0, {0: "a: closer than 5% of random pairs"}, {0: "p .5"})
    assert lines_of(compared, 0, 1000, 1.0) == [("a: closer than 5% of random pairs", "p .5")]
