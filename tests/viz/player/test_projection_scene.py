"""Scenes of projections: which panels they have, and that they say what the projection holds."""

from __future__ import annotations

import json

import numpy as np
import pytest

from data.errors import InputError
from probes.groups.comparison import GroupComparison
from probes.groups.naming import Group
from tests.viz.player.scenes import LABELS, STEPS, losses, projection
from viz.drawing.legend import other_color
from viz.drawing.theme import THEMES
from viz.fidelity.trust import doubted
from viz.films.embedding_film import ProjectionView
from viz.player.loss_panel import loss_panel
from viz.player.panels import Curves, Numbers, Scatter
from viz.player.projection_scene import (
    fidelity_panel,
    scatter_panel,
    scene_of_views,
)
from viz.player.words import catalogue, section

LIGHT = THEMES["light"]
VOWELS = Group("vowels", (0, 1, 2, 3, 4))


def test_a_scene_has_points_losses_fidelity_and_comparisons() -> None:
    sentences = dict.fromkeys(STEPS, "vowels: closer than 99% of random quintuples")
    compared = GroupComparison(0, sentences, dict.fromkeys(STEPS, "p .01"))
    view = ProjectionView(projection(), [VOWELS], comparisons=[compared])
    scene = scene_of_views([view], theme=LIGHT, losses={"": losses()})
    assert [panel.id for panel in scene.panels] == ["points", "loss", "fidelity", "comparisons"]
    assert all(f"{panel.area}" in scene.grid for panel in scene.panels)
    assert (list(scene.steps), scene.step) == ([*STEPS], STEPS[-1])
    assert scene.loss == ([0, 1, 10], [4.0, 3.0, 2.0])  # the last one is not finite
    comparisons = scene.panels[-1]
    assert isinstance(comparisons, Numbers)
    assert comparisons.lines[0].name == "vowels"
    assert comparisons.lines[0].texts[0] == "closer than 99% of random quintuples"
    json.dumps(scene.to_json(), allow_nan=False)


def test_without_losses_and_comparisons_their_panels_are_left_out() -> None:
    scene = scene_of_views([ProjectionView(projection())], theme=LIGHT)
    assert [panel.id for panel in scene.panels] == ["points", "fidelity"]
    assert scene.loss is None


def test_views_side_by_side_have_a_panel_each() -> None:
    views = [ProjectionView(projection(), name=name) for name in ("one", "two", "three")]
    scene = scene_of_views(views, theme=LIGHT, losses={"first": losses(), "second": losses(), "third": []}, trust=False)
    points = [panel for panel in scene.panels if isinstance(panel, Scatter)]
    assert [panel.title for panel in points] == ["one", "two", "three"]
    assert {panel.trust for panel in points} == {None}
    assert len({panel.id for panel in scene.panels}) == len(scene.panels)
    curves = next(panel for panel in scene.panels if isinstance(panel, Curves))
    assert [series.name for series in curves.series] == ["first", "second"]


def test_highlighted_groups_take_the_place_of_the_classes() -> None:
    classes = [Group("consonants", (5,))]
    plain, highlighted = (scatter_panel(projection(), groups, classes, theme=LIGHT) for groups in ([], [VOWELS]))
    assert [group.name for group in plain.classes] == ["consonants"]
    assert plain.colors[5] == LIGHT.palette[0]
    assert [group.name for group in highlighted.groups] == ["vowels"]
    assert (highlighted.classes, highlighted.colors[5]) == ([], other_color(LIGHT))


def test_positions_have_a_thread_and_a_colour_scale() -> None:
    panel = scatter_panel(projection("position"), theme=LIGHT)
    assert panel.thread
    assert len(set(panel.colors)) == len(LABELS)
    assert not scatter_panel(projection(), theme=LIGHT).thread


def test_labels_are_written_as_in_the_films() -> None:
    panel = scatter_panel(projection(), theme=LIGHT)
    assert (panel.labels[5], panel.names[5], panel.labels[6]) == ("⏎", "newline", "<b>")


def test_measures_are_formatted_in_the_language_and_gaps_are_dashes() -> None:
    english, portuguese = (fidelity_panel(projection(), language=language) for language in ("en", "pt"))
    assert [line.texts[1] for line in english.lines] == ["0.20", "0.50"]
    assert [line.texts[1] for line in portuguese.lines] == ["0,20", "0,50"]
    assert english.lines[1].texts[0] == "–"
    assert english.lines[1].shares is not None
    assert np.isfinite(english.lines[1].shares).all()


def test_a_projection_without_trust_says_that_it_was_not_measured() -> None:
    lines = fidelity_panel(projection().drop_vars("trust")).lines
    assert lines[-1].name == section("projection")["no_fidelity"]


def test_losses_are_those_that_were_recorded() -> None:
    panel = loss_panel([{"step": 0, "val_loss": 4.0}], theme=LIGHT)
    assert isinstance(panel, Curves)
    assert [series.name for series in panel.series] == ["validation, sample"]
    assert loss_panel([], theme=LIGHT).series == []


def test_a_scene_needs_a_view_and_a_known_language() -> None:
    with pytest.raises(InputError, match="needs a projection"):
        scene_of_views([], theme=LIGHT)
    with pytest.raises(InputError, match="unknown `language` 'fr': there is en, pt"):
        scene_of_views([ProjectionView(projection())], theme=LIGHT, language="fr")


def test_every_text_is_there_in_both_languages() -> None:
    for texts in catalogue().values():
        assert all(set(one) == {"en", "pt"} and all(one.values()) for one in texts.values())


def test_the_player_marks_the_same_items_as_the_film() -> None:
    projected = projection()
    marks = doubted(projected)
    assert marks is not None
    assert 0 < marks.mean() < 1
    np.testing.assert_array_equal(scatter_panel(projected, theme=LIGHT).trust, np.where(marks, 0, 255))
    assert scatter_panel(projected.drop_vars("item_recall"), theme=LIGHT).trust is None
    assert scatter_panel(projected, theme=LIGHT, trust=False).trust is None
