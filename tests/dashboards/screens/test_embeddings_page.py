"""What the page of embeddings puts under its slider, what it does with what the reader points at, and what it says where it cannot."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dashboards.compute import queries
from dashboards.compute.computation import Computation
from dashboards.player import Events
from data.runs import Run, create_run, write_snapshot
from data.tokens.tokenizers import WordList
from tests.dashboards.stages import Stage, open_screen, run_until
from viz.drawing.legend import other_color
from viz.drawing.theme import THEMES, group_color
from viz.player.panels import Comparisons, Curves, Neighbours, Numbers, Scatter


def points(stage: Stage) -> Scatter:
    found = stage.panel("points")
    assert isinstance(found, Scatter)
    return found


def vectors(folder: Path, labels: list[str], n_steps: int = 3, dims: int = 4, name: str = "words") -> Run:
    """Write a run that is a table of tokens alone, whose vectors spread out over the steps."""
    info = {
        "parameters": dims * len(labels),
        "tokenizer": WordList(tuple(labels)).to_json(),
        "tensors": {"token_table": "table"},
    }
    run = create_run(name, info, folder)
    table = np.random.default_rng(0).normal(size=(len(labels), dims)).astype(np.float32)
    for step in range(n_steps):
        write_snapshot(run, 10 * step, {"table": table * (step + 1)})
    return run


def comparisons_of(stage: Stage, at: AppTest) -> Comparisons:
    """Return what is said of the groups once all of them have been compared."""

    def panel() -> Comparisons:
        found = stage.panel("comparisons")
        assert isinstance(found, Comparisons)
        return found

    run_until(at, lambda: all(row.steps for row in panel().rows))
    return panel()


def test_groups_are_picked_out_in_their_colours_and_compared_with_chance(
    stage: Stage, run: Run, computation: Computation
) -> None:
    at = open_screen("embeddings", run="tiny", method="pca", group="vowels;digits")
    assert not at.exception
    assert not at.warning
    shown = points(stage)
    assert [group.name for group in shown.groups] == ["vowels", "digits"]
    theme = THEMES["light"]
    for place, group in enumerate(shown.groups):
        assert {shown.colors[member] for member in group.members} == {group_color(theme, place)}
    assert shown.classes == []
    assert other_color(theme) in shown.colors
    comparisons = comparisons_of(stage, at)
    assert list(comparisons.columns) == ["random", "of like frequency"]
    trajectory = queries.table(computation, run, "tokens").value
    for row, group in zip(comparisons.rows, shown.groups, strict=True):
        from probes.groups.cohesion import group_cohesion

        measured = group_cohesion(run, "tokens", group.name)
        assert list(row.steps) == trajectory["step"].values.tolist()
        for column, cells in enumerate(row.cells):
            for cell, share, p in zip(
                cells,
                measured["percentile"].isel({"null": column}).values,
                measured["p_corrected"].isel({"null": column}).values,
                strict=True,
            ):
                assert cell is not None
                assert cell.notable == (p < 0.05)
                assert float(cell.share.strip("<% ")) == pytest.approx(100 * share, abs=0.51)


def test_the_layout_that_is_sent_is_that_of_the_projection(stage: Stage, run: Run, computation: Computation) -> None:
    open_screen("embeddings", run="tiny", method="pca", axes=3)
    shown, sent = points(stage), points(stage).to_json()
    layout = queries.projection(
        computation, run, queries.table(computation, run, "tokens").value, "pca", n_axes=3
    ).value["layout"]
    np.testing.assert_allclose(shown.layout, layout.values, rtol=1e-6)
    assert sent["layout"]["type"] == "uint16"
    assert sent["layout"]["shape"] == list(layout.shape)
    json.dumps(sent)


def test_the_measures_of_fidelity_stand_beside_it_as_they_were_measured(
    stage: Stage, run: Run, computation: Computation
) -> None:
    open_screen("embeddings", run="tiny", method="pca")
    layout = queries.projection(computation, run, queries.table(computation, run, "tokens").value, "pca").value
    panel = stage.panel("fidelity")
    assert isinstance(panel, Numbers)
    by_name = {line.name: line for line in panel.lines}
    assert by_name["trustworthiness"].texts[-1] == f"{float(layout['trustworthiness'][-1]):.2f}"
    assert by_name["motion that is real"].texts[0] == "–"  # nothing moved to the first snapshot
    assert "not compared yet" not in by_name


def test_positions_have_a_thread_and_a_null_of_neighbours(stage: Stage, run: Run) -> None:
    at = open_screen("embeddings", run="tiny", what="positions", method="pca", group="12,13,14")
    shown, comparisons = points(stage), comparisons_of(stage, at)
    assert shown.thread
    assert [list(group.members) for group in shown.groups] == [[12, 13, 14]]
    assert list(comparisons.columns) == ["random", "neighbouring"]
    assert comparisons.rows[0].name == "12, 13, 14"


def test_a_group_too_large_to_compare_is_shown_and_reported(
    stage: Stage, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "MOST_COMPARED", 4)
    at = open_screen("embeddings", run="tiny", method="pca", group="a,b,c,d,e;a,b")
    assert "5 items are too many" in at.warning[0].value
    assert len(points(stage).groups) == 2
    (row,) = comparisons_of(stage, at).rows
    assert (row.name, row.color) == ("a, b", points(stage).groups[1].color)  # the colour it has in the picture


def test_what_names_nothing_is_reported_and_the_rest_of_the_group_is_shown(stage: Stage, run: Run) -> None:
    at = open_screen("embeddings", run="tiny", method="pca", group="a,nothing;vowels")
    assert "nothing" in at.warning[0].value
    assert [group.name for group in points(stage).groups] == ["a", "vowels"]


def test_more_groups_than_there_are_colours_are_left_out_and_reported(stage: Stage, run: Run) -> None:
    at = open_screen("embeddings", run="tiny", method="pca", group="a;b;c;d;e;f;g;i")
    assert len(points(stage).groups) == 6
    assert any("first 6 groups" in caption.value for caption in at.caption)


def test_a_lasso_becomes_a_group_in_the_sidebar_and_the_address(
    stage: Stage, run: Run, computation: Computation
) -> None:
    labels = [str(token) for token in queries.table(computation, run, "tokens").value["token"].values]
    lassoed = [labels.index("a"), labels.index(","), labels.index(" ")]
    at = open_screen("embeddings", run="tiny", method="pca", group="vowels")
    stage.once = [Events(selected=lassoed, panel="points")]
    at.run()
    assert not at.exception
    assert at.text_input[0].value == "vowels; a,comma,space"
    assert at.query_params["group"] == "vowels;a,comma,space"
    assert set(points(stage).groups[1].members) == set(lassoed)


def test_a_lasso_of_nothing_or_of_items_that_are_not_there_changes_nothing(stage: Stage, run: Run) -> None:
    at = open_screen("embeddings", run="tiny", method="pca")
    for selected in ([], [10**6, -4]):
        stage.once = [Events(selected=selected, panel="points")]
        at.run()
        assert not at.exception
        assert at.text_input[0].value == ""


def test_a_lasso_of_everything_is_shown_and_why_it_cannot_be_compared_is_reported(
    stage: Stage, run: Run, computation: Computation
) -> None:
    everything = list(range(queries.table(computation, run, "tokens").value.sizes["token"]))
    at = open_screen("embeddings", run="tiny", method="pca")
    stage.once = [Events(selected=everything, panel="points")]
    at.run()
    assert not at.exception
    assert sorted(points(stage).groups[0].members) == everything
    assert any("no other to compare with" in warning.value for warning in at.warning)


def test_a_lasso_of_more_than_can_be_named_is_refused_kindly(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPTLAB_RUNS", str(tmp_path))
    vectors(tmp_path, [f" word{i}" for i in range(400)])
    at = open_screen("embeddings", run="words", method="pca")
    stage.once = [Events(selected=list(range(399)), panel="points")]
    at.run()
    assert not at.exception
    assert "399" in at.toast[0].value
    assert at.text_input[0].value == ""


def test_an_item_that_was_clicked_has_its_neighbours_listed_at_every_step(
    stage: Stage, run: Run, computation: Computation
) -> None:
    table = queries.table(computation, run, "tokens").value
    labels = [str(token) for token in table["token"].values]
    item = labels.index("a")
    at = open_screen("embeddings", run="tiny", method="pca")
    stage.events = Events(item=item)
    at.run()
    assert at.query_params["item"] == "a"
    panel = stage.panel("neighbours")
    assert isinstance(panel, Neighbours)
    for at_step, vectors_then in enumerate(table.values.astype(np.float64)):
        far = np.linalg.norm(vectors_then - vectors_then[item], axis=1)
        far[item] = np.inf
        np.testing.assert_allclose(panel.distances[at_step], np.sort(far)[:10], rtol=1e-4)
        np.testing.assert_allclose(far[panel.items[at_step]], panel.distances[at_step], rtol=1e-4)
    assert {int(i) for i in panel.items.reshape(-1)} == set(panel.styles)
    stage.events = Events(item=-1)
    at.run()
    assert "item" not in at.query_params
    assert "neighbours" not in [panel.id for panel in stage.scenes[-1].panels]


def test_a_link_to_an_item_lists_its_neighbours_and_one_that_is_not_there_is_reported(stage: Stage, run: Run) -> None:
    open_screen("embeddings", run="tiny", method="pca", item="comma")
    assert isinstance(stage.panel("neighbours"), Neighbours)
    at = open_screen("embeddings", run="tiny", method="pca", item="zebra")
    assert "zebra" in at.warning[0].value
    assert points(stage)


def test_an_address_with_nine_axes_shows_two_and_says_so(stage: Stage, run: Run) -> None:
    at = open_screen("embeddings", run="tiny", method="pca", axes=9)
    assert points(stage).layout.shape[2] == 2
    assert "axes" in at.toast[0].value


def test_a_damaged_snapshot_is_named_and_left_out(stage: Stage, run: Run) -> None:
    run.snapshots()[2].path.write_bytes(b"damaged")
    step = run.snapshots()[2].step
    at = open_screen("embeddings", run="tiny", method="pca")
    assert not at.exception
    assert any(f"step {step}" in warning.value for warning in at.warning)
    assert step not in stage.scenes[-1].steps


def test_while_a_run_grows_pca_goes_on_alone_and_others_offer_to(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dashboards.state import run_list

    monkeypatch.setenv("GPTLAB_RUNS", str(tmp_path))
    monkeypatch.setattr(run_list, "is_live", lambda run: True)
    run = vectors(tmp_path, [f"w{i}" for i in range(12)])
    table = np.random.default_rng(5).normal(size=(12, 4)).astype(np.float32)
    grown = itertools.count(1)
    for method in ("pca", "tsne"):
        at = open_screen("embeddings", run="words", method=method)
        before = list(stage.scenes[-1].steps)
        step = 100 * next(grown)
        write_snapshot(run, step, {"table": table})
        at.run()
        if method == "pca":
            assert list(stage.scenes[-1].steps) == [*before, step]
            continue
        assert list(stage.scenes[-1].steps) == before
        at.button[0].click().run()
        assert list(stage.scenes[-1].steps) == [*before, step]


def test_sub_words_are_written_as_the_picture_shows_them(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPTLAB_RUNS", str(tmp_path))
    vectors(tmp_path, [" the", "the", "1,000", "a;b", "x|y", *(f" word{i}" for i in range(12))])
    at = open_screen("embeddings", run="words", method="pca")
    stage.once = [Events(selected=[0, 2, 3, 4], panel="points")]
    at.run()
    assert points(stage).labels[0] == "␣the"
    assert list(points(stage).groups[0].members) == [0, 2, 3, 4]
    link = at.query_params["group"]
    open_screen("embeddings", run="words", method="pca", group=link)
    assert list(points(stage).groups[0].members) == [0, 2, 3, 4]


def test_the_page_speaks_portuguese(stage: Stage, run: Run) -> None:
    open_screen("embeddings", run="tiny", method="pca", lang="pt")
    assert next(group.name for group in points(stage).classes) == "vogais"
    assert points(stage).words["find"] == "Buscar"
    curves = stage.panel("loss")
    assert isinstance(curves, Curves)
    assert curves.title.startswith("Perda")
