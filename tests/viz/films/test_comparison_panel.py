"""Group comparisons fit the room that is measured for them."""

from __future__ import annotations

import numpy as np

from data.runs import Run
from probes.groups.comparison import GroupComparison, compare_groups
from probes.tables.embeddings import position_embeddings
from viz.drawing.canvas import Canvas, Size
from viz.drawing.layout import Box
from viz.drawing.theme import THEMES
from viz.films.comparison_panel import LINE_PX, ComparisonPanel, height_of, lines_of


def test_long_names_are_cut_and_lines_fit_their_room(run: Run) -> None:
    (compared,) = compare_groups(run, position_embeddings(run), [",".join(str(i) for i in range(14))])
    assert compared.sentences[0].startswith("0 1 2 3 4 5 6 7 8 9 10 11…: ")
    for width in (300, 600, 1200):
        canvas = Canvas(Size(1920, 1080), THEMES["light"])
        height = height_of([compared], width, 1.0)
        panel = ComparisonPanel(canvas, Box(192, 540, width, height), [compared], 1.0)
        canvas.save_film_background()
        for step in compared.sentences:
            lines = lines_of(compared, step, width, 1.0)
            assert len(lines) * LINE_PX <= height
            assert " ".join(lines).split() == compared.sentences[step].split()
            canvas.save_snapshot_background(panel.show(step))
            frame = canvas.frame([])
            below, inked = round(0.5 * 1080), (np.asarray(frame)[..., :3] != 255).any(axis=-1)
            assert not inked[:, : round(0.1 * 1920) - 1].any()
            assert not inked[:, round(0.1 * 1920 + width) + 2 :].any()
            assert not inked[below + 1 :].any()


def test_p_values_are_not_in_the_picture() -> None:
    compared = GroupComparison(0, {0: "a: 5 in 100 random pairs are as close"}, {0: "p .5"})
    assert lines_of(compared, 0, 1000, 1.0) == ["a: 5 in 100 random pairs are as close"]
