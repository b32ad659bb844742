"""The compare page puts runs under one slider, turns the others onto the first, and says what cannot be compared."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from dashboards import page
from dashboards.compute import queries
from dashboards.compute.computation import Computation
from dashboards.player import Events
from dashboards.screens.compare.grid import grid_of_runs, template
from data.files.atomic_files import append_line
from data.runs import Run, create_run, write_info, write_snapshot
from tests.dashboards.stages import Stage, open_screen, run_until
from viz.films.side_by_side import turned_onto
from viz.player.attention_panels import HeadTimeline, HeatMaps
from viz.player.comparison_panels import HeadGrid, Neighbourhoods, SharedLegend
from viz.player.panels import Curves, Samples, Scatter


@pytest.fixture
def second(run: Run, runs: Path) -> Run:
    """Another run: the weights of the first, its tables turned in their space, and without the last snapshot."""
    other = create_run("other", {**run.info, "created": "2020", "seed": 7, "name": "other"}, runs)
    for snapshot in run.snapshots()[:-1]:
        tensors = snapshot.tensors()
        write_snapshot(other, snapshot.step, {**tensors, **_turned_tables(run, tensors)})
    for name in ("metrics.jsonl", "samples.jsonl"):
        shutil.copy(run.path / name, other.path / name)
    return other


def panels(stage: Stage) -> tuple[object, object]:
    return stage.panel("run0"), stage.panel("run1")


def test_two_runs_stand_under_one_slider_that_stops_at_the_snapshots_of_both(
    run: Run, second: Run, stage: Stage
) -> None:
    extra = run.snapshots()[0].tensors()
    write_snapshot(second, 33, extra)
    at = open_screen("compare", run=run.name, **{"with": second.name}, method="pca")
    assert not at.exception
    left, right = panels(stage)
    assert isinstance(left, Scatter)
    assert isinstance(right, Scatter)
    mine = [record["step"] for record in run.manifest()]
    assert list(left.steps or ()) == mine
    assert list(right.steps or ()) == sorted([*mine[:-1], 33])
    assert list(stage.scenes[-1].steps) == sorted({*mine, 33})


def test_the_second_is_turned_onto_the_first_and_keeps_its_distances(
    run: Run, second: Run, stage: Stage, computation: Computation
) -> None:
    last = run.snapshots()[-1]
    write_snapshot(second, last.step, {**last.tensors(), **_turned_tables(run, last.tensors())})
    open_screen("compare", run=run.name, **{"with": second.name}, method="pca")
    left, right = panels(stage)
    assert isinstance(left, Scatter)
    assert isinstance(right, Scatter)
    assert "turned by all" in right.title
    # The same vectors in other coordinates: PCA finds the same picture up to mirror images, and turning takes those away.
    np.testing.assert_allclose(right.layout, left.layout, atol=1e-4)
    before = (
        queries.projection(computation, second, queries.table(computation, second, "tokens").value, "pca")
        .value["layout"]
        .values
    )
    np.testing.assert_allclose(_distances(right.layout[-1]), _distances(before[-1]), atol=1e-4)


def test_runs_of_different_vocabularies_are_turned_by_what_they_share(run: Run, second: Run, stage: Stage) -> None:
    symbols = run.info["tokenizer"]["symbols"]
    _rewrite(second, {"tokenizer": {"kind": "char", "symbols": "漢字" + symbols[2:]}})
    at = open_screen("compare", run=run.name, **{"with": second.name}, method="pca")
    assert not at.exception
    right = stage.panel("run1")
    assert f"by the {len(symbols) - 2} tokens it shares with tiny" in right.title


def test_runs_that_share_no_token_stand_as_they_are_and_say_so(
    run: Run, second: Run, stage: Stage, computation: Computation
) -> None:
    n = len(run.info["tokenizer"]["symbols"])
    _rewrite(second, {"tokenizer": {"kind": "char", "symbols": "".join(chr(0x4E00 + i) for i in range(n))}})
    at = open_screen("compare", run=run.name, **{"with": second.name}, method="pca")
    assert not at.exception
    right = stage.panel("run1")
    assert isinstance(right, Scatter)
    assert "shares 0 tokens with tiny" in right.title
    table = queries.table(computation, Run(second.path), "tokens").value
    layout = queries.projection(computation, Run(second.path), table, "pca").value["layout"].values
    np.testing.assert_array_equal(right.layout, layout.astype(np.float32))


def test_shared_items_decide_the_turn_and_the_others_follow() -> None:
    import xarray as xr

    rng = np.random.default_rng(3)
    points = rng.normal(size=(6, 2))
    angle = 0.7
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    reference = xr.Dataset(
        {"layout": (("step", "token", "axis"), points[None])}, {"step": [0], "token": list("abcdef")}
    )
    order = [5, 3, 1, 0]
    other = xr.Dataset(
        {"layout": (("step", "token", "axis"), np.vstack([points[order] @ turn, [[9.0, 9.0]]])[None])},
        {"step": [4], "token": ["f", "d", "b", "a", "z"]},
    )
    turned = turned_onto(other, reference)["layout"].values[0]
    centred = points[order] - points[order].mean(axis=0)
    np.testing.assert_allclose(turned[:4] - turned[:4].mean(axis=0), centred, atol=1e-9)
    assert np.linalg.norm(turned[4]) == pytest.approx(np.hypot(9, 9))


def test_losses_of_both_are_together_in_every_view(run: Run, second: Run, stage: Stage) -> None:
    for view in ("embeddings", "attention", "heads", "text", "differences"):
        at = open_screen("compare", run=run.name, **{"with": second.name}, view=view, method="pca")
        assert not at.exception
        loss = stage.panel("loss")
        assert isinstance(loss, Curves)
        assert [series.name for series in loss.series] == [run.name, second.name]
        assert len({series.color for series in loss.series}) == 2
        assert at.query_params.get("view", "embeddings") == view


def test_attention_of_one_prompt_in_both(run: Run, second: Run, stage: Stage) -> None:
    at = open_screen("compare", run=run.name, **{"with": second.name}, view="attention", prompt="bagu", layer=1, head=0)
    assert not at.exception
    left, right = panels(stage)
    assert isinstance(left, HeatMaps)
    assert isinstance(right, HeatMaps)
    assert list(left.tokens) == list(right.tokens) == list("bagu")
    assert left.chosen == right.chosen == (1, 0)
    assert len(right.values) == len(left.values) - 1
    stage.events = Events(head=[0, 1])
    at.run()
    assert (at.query_params["layer"], at.query_params["head"]) == ("0", "1")


def test_symbols_that_only_the_second_lacks_are_left_out_there_and_reported(
    run: Run, second: Run, stage: Stage
) -> None:
    symbols = run.info["tokenizer"]["symbols"]
    assert "b" in symbols
    _rewrite(second, {"tokenizer": {"kind": "char", "symbols": symbols.replace("b", "漢")}})
    at = open_screen("compare", run=run.name, **{"with": second.name}, view="attention", prompt="bagu")
    left, right = panels(stage)
    assert isinstance(left, HeatMaps)
    assert isinstance(right, HeatMaps)
    assert list(left.tokens) == list("bagu")
    assert list(right.tokens) == list("agu")
    assert any("“b”" in caption.value for caption in at.caption)


def test_scores_of_both_share_a_scale_of_colours(run: Run, second: Run, stage: Stage) -> None:
    at = open_screen("compare", run=run.name, **{"with": second.name}, view="heads", score="distance")
    run_until(at, lambda: all(isinstance(panel, HeadTimeline) for panel in panels(stage)))
    left, right = panels(stage)
    assert isinstance(left, HeadTimeline)
    assert isinstance(right, HeadTimeline)
    assert left.high == right.high == pytest.approx(max(left.values.max(), right.values.max(), 1.0))


def test_samples_of_both(run: Run, second: Run, stage: Stage) -> None:
    append_line(second.path / "samples.jsonl", {"step": 10**6, "text": "outro", "prompt": "", "temperature": 0.8})
    open_screen("compare", run=run.name, **{"with": second.name}, view="text")
    left, right = panels(stage)
    assert isinstance(left, Samples)
    assert isinstance(right, Samples)
    assert [one.text for one in left.texts] == [sample["text"] for sample in run.samples()]
    assert right.texts[-1].text == "outro"


def test_with_only_one_run_the_page_says_how_to_have_another(run: Run, stage: Stage) -> None:
    at = open_screen("compare", run=run.name)
    assert not at.exception
    assert not stage.scenes
    assert "only one run" in at.info[0].value
    assert "--seed 2" in at.code[0].value


def test_a_run_is_not_compared_with_itself(run: Run, second: Run, stage: Stage) -> None:
    at = open_screen("compare", run=run.name, **{"with": run.name}, method="pca")
    assert not at.exception
    assert "another" in at.warning[0].value
    assert stage.panel("run1").title.startswith("other")
    at.run()  # as when a layout has been computed
    assert "another" in at.warning[0].value
    at.sidebar.multiselect[0].set_value([]).run()
    assert not at.warning


@pytest.mark.parametrize("wrong", ["gone", "../tiny", "/etc"])
def test_a_run_that_is_not_there_is_reported_and_another_shown(run: Run, second: Run, stage: Stage, wrong: str) -> None:
    at = open_screen("compare", run=run.name, **{"with": wrong}, method="pca")
    assert not at.exception
    said = [one.value for one in (*at.warning, *at.toast)]
    assert len(said) == 1
    assert stage.panel("run1").title.startswith("other")


def test_a_run_deleted_while_the_page_is_open_gives_way(run: Run, second: Run, runs: Path, stage: Stage) -> None:
    shutil.copytree(second.path, runs / "third")
    _rewrite(Run(runs / "third"), {"created": "2019", "seed": 8})
    at = open_screen("compare", run=run.name, **{"with": "third"}, method="pca")
    assert stage.panel("run1").title.startswith("third")
    shutil.rmtree(runs / "third")
    at.run()
    assert not at.exception
    assert "third" in at.warning[0].value
    assert stage.panel("run1").title.startswith("other")


def test_choosing_the_second_run_as_the_first_lets_them_change_places(run: Run, second: Run, stage: Stage) -> None:
    at = open_screen("compare", run=run.name, **{"with": second.name}, method="pca")
    at.selectbox(key="run_choice").set_value(second.name).run()
    assert not at.exception
    assert not at.warning
    assert stage.panel("run0").title.startswith("other")
    assert stage.panel("run1").title.startswith("tiny")


def test_the_run_that_is_most_alike_is_compared_first(run: Run, second: Run, runs: Path, stage: Stage) -> None:
    info = {"tokenizer": {"kind": "words", "words": ["a", "b", "c"]}, "tensors": {"token_table": "t"}, "parameters": 6}
    made = create_run("vectors", {**info, "created": "2030"}, runs)
    write_snapshot(made, 0, {"t": np.eye(3, 2, dtype=np.float32)})
    at = open_screen("compare", run=run.name, method="pca")
    assert not at.exception
    assert at.query_params["with"] == second.name


def test_vectors_without_a_model_have_embeddings_and_no_attention(run: Run, runs: Path, stage: Stage) -> None:
    words = [*run.info["tokenizer"]["symbols"][:8], "other"]
    info = {"tokenizer": {"kind": "words", "words": words}, "tensors": {"token_table": "t"}, "parameters": 18}
    made = create_run("vectors", {**info, "created": "2030"}, runs)
    write_snapshot(made, 0, {"t": np.random.default_rng(1).normal(size=(9, 4)).astype(np.float32)})
    at = open_screen("compare", run=run.name, **{"with": "vectors"}, method="pca")
    assert not at.exception
    assert "8 tokens it shares" in stage.panel("run1").title
    at = open_screen("compare", run=run.name, **{"with": "vectors"}, view="attention")
    assert not at.exception
    assert isinstance(stage.panel("run0"), HeatMaps)
    without = stage.panel("run1")
    assert isinstance(without, Samples)
    assert "no model" in without.empty


def test_what_differs_between_the_runs_is_listed(run: Run, second: Run, stage: Stage) -> None:
    training = {**run.info["training"], "seed": 7}
    _rewrite(second, {"training": training})
    at = open_screen("compare", run=run.name, **{"with": second.name}, view="text")
    table = at.dataframe[0].value
    assert table.values.tolist() == [["seed", str(run.info["training"]["seed"]), "7"]]


@pytest.fixture
def third(run: Run, second: Run, runs: Path) -> Run:
    """A third run: like the second, from yet another seed."""
    shutil.copytree(second.path, runs / "third")
    other = Run(runs / "third")
    _rewrite(other, {"name": "third", "created": "2019", "training": {**run.info["training"], "seed": 9}})
    return Run(other.path)


def test_three_runs_stand_beside_each_other_with_one_legend(run: Run, second: Run, third: Run, stage: Stage) -> None:
    at = open_screen("compare", run=run.name, **{"with": "other,third"}, method="pca", group="vowels")
    assert not at.exception
    scene = stage.scenes[-1]
    assert [panel.id for panel in scene.panels] == ["legend", "run0", "run1", "run2", "loss"]
    scatters = [panel for panel in scene.panels if isinstance(panel, Scatter)]
    assert not any(panel.has_legend for panel in scatters)
    legend = stage.panel("legend")
    assert isinstance(legend, SharedLegend)
    assert [entry.name for entry in legend.entries if entry.mark == "line"] == ["tiny", "other", "third"]
    assert [entry.name for entry in legend.entries if entry.mark == "disc"] == ["vowels"]
    loss = stage.panel("loss")
    assert isinstance(loss, Curves)
    assert [series.color for series in loss.series] == [entry.color for entry in legend.entries[:3]]
    assert at.query_params["with"] == "other,third"


def test_a_group_has_one_colour_in_all_runs_also_where_one_lacks_another_group(
    run: Run, second: Run, stage: Stage
) -> None:
    symbols = run.info["tokenizer"]["symbols"]
    without = "".join(chr(0x4E00 + i) if symbol.isdigit() else symbol for i, symbol in enumerate(symbols))
    _rewrite(second, {"tokenizer": {"kind": "char", "symbols": without}})
    open_screen("compare", run=run.name, **{"with": second.name}, method="pca")
    left, right = panels(stage)
    assert isinstance(left, Scatter)
    assert isinstance(right, Scatter)
    colors = [{group.name: group.color for group in panel.classes} for panel in (left, right)]
    common = set(colors[0]) & set(colors[1])
    assert len(common) > 2
    assert {name: colors[0][name] for name in common} == {name: colors[1][name] for name in common}
    vowels = next(group for group in right.classes if group.name == "vowels")
    assert {right.colors[member] for member in vowels.members} == {vowels.color}


def test_of_several_runs_those_that_are_gone_are_named_and_the_others_shown(
    run: Run, second: Run, third: Run, stage: Stage
) -> None:
    at = open_screen("compare", run=run.name, **{"with": "gone,third,tiny"}, method="pca")
    assert not at.exception
    assert [warning.value for warning in at.warning] == [
        "There is no run gone in the runs folder; the others are compared."
    ]
    assert at.query_params["with"] == "third"
    assert at.multiselect[0].value == ["third"]
    at.multiselect[0].set_value([]).run()
    assert not at.exception
    assert "Choose in the sidebar" in at.info[0].value


def test_more_than_six_runs_are_refused(run: Run, second: Run, stage: Stage) -> None:
    at = open_screen("compare", run=run.name, **{"with": "a,b,c,d,e,f"}, method="pca")
    assert not at.exception
    assert "holds 6 things, and 5 are the most" in at.toast[0].value


@pytest.mark.parametrize(("n", "columns"), [(2, 2), (3, 3), (4, 2), (5, 3), (6, 3)])
def test_the_grid_follows_from_the_number_of_runs(n: int, columns: int) -> None:
    grid = grid_of_runs(n)
    assert len(grid.wide[0].areas) == columns
    assert [name for row in grid.wide for name in row.areas] == [*(f"run{i}" for i in range(n)), "loss"]
    assert all(len(row.areas) <= 2 for row in grid.narrow)
    for rows in (grid.wide, grid.narrow):
        lines = re.findall(r'"([^"]*)"', template(rows))
        assert {len(line.split()) for line in lines} == {6}
        assert "repeat" not in template(rows)


def test_heads_differ_by_what_one_has_more_than_the_other(run: Run, second: Run, stage: Stage) -> None:
    at = open_screen("compare", run=run.name, **{"with": second.name}, view="differences", score="sink")
    run_until(at, lambda: any(isinstance(panel, HeadGrid) for panel in stage.scenes[-1].panels))
    grid, timeline = stage.panel("grid"), stage.panel("timeline")
    assert isinstance(grid, HeadGrid)
    assert isinstance(timeline, HeadTimeline)
    assert grid.high == timeline.high == -timeline.low
    assert not grid.values.any() or grid.high >= np.abs(grid.values).max()
    np.testing.assert_array_equal(grid.values.reshape(len(grid.values), -1), timeline.values)
    assert list(grid.steps or ()) == [record["step"] for record in second.manifest()]


def test_what_seeds_do_is_known_from_runs_that_differ_in_nothing_else(
    run: Run, second: Run, third: Run, stage: Stage
) -> None:
    at = open_screen("compare", run=run.name, **{"with": "other,third"}, view="differences", score="sink")
    run_until(at, lambda: any(isinstance(panel, HeadGrid) for panel in stage.scenes[-1].panels))
    grid, legend = stage.panel("grid"), stage.panel("legend")
    assert isinstance(grid, HeadGrid)
    assert isinstance(legend, SharedLegend)
    # third differs from both in its seed alone, so that it shows what chance does between the first and the second.
    assert grid.spread is not None
    assert "tiny" in legend.note
    assert "third" in legend.note


def test_heads_that_one_run_lacks_are_left_out_and_named(run: Run, runs: Path, stage: Stage) -> None:
    other = create_run("other", {**run.info, "model": run.info["model"] | {"n_layer": 1}, "name": "other"}, runs)
    for snapshot in run.snapshots():
        tensors = snapshot.tensors()
        write_snapshot(other, snapshot.step, {name: tensors[name] for name in tensors if ".1." not in name})
    at = open_screen("compare", run=run.name, **{"with": other.name}, view="differences")
    run_until(at, lambda: any(isinstance(panel, HeadGrid) for panel in stage.scenes[-1].panels))
    grid, legend = stage.panel("grid"), stage.panel("legend")
    assert isinstance(grid, HeadGrid)
    assert isinstance(legend, SharedLegend)
    assert list(grid.rows) == ["layer 0"]
    assert "tiny has 2 layers of 2 heads; other has 1 layers" in legend.note


def test_the_shape_of_the_tables_of_all_runs_and_their_differences(
    run: Run, second: Run, third: Run, stage: Stage, computation: Computation
) -> None:
    address = {"with": "other,third", "view": "differences", "aspect": "geometry", "measure": "mean_norm"}
    at = open_screen("compare", run=run.name, **address)
    assert not at.exception
    values, difference = stage.panel("values"), stage.panel("difference")
    assert isinstance(values, Curves)
    assert isinstance(difference, Curves)
    assert [series.name for series in values.series] == ["tiny", "other", "third"]
    table = queries.table(computation, run, "tokens").value
    np.testing.assert_allclose(values.series[0].values, np.linalg.norm(table, axis=2).mean(axis=1), rtol=1e-6)
    shown = [series for series in difference.series if not series.dashed]
    assert [series.name for series in shown] == ["other", "third"]
    np.testing.assert_allclose(shown[0].values, 0, atol=1e-6)  # the second is the first, turned
    assert {key: at.query_params[key] for key in address} == address


def test_turned_tables_have_the_same_distances_and_neighbours(run: Run, second: Run, stage: Stage) -> None:
    address = {"with": second.name, "view": "differences", "aspect": "distances", "method": "pca"}
    at = open_screen("compare", run=run.name, **address)
    run_until(at, lambda: any(isinstance(panel, Neighbourhoods) for panel in stage.scenes[-1].panels))
    for measure in ("distance_correlation", "cka", "neighbour_overlap"):
        curves = stage.panel(measure)
        assert isinstance(curves, Curves)
        np.testing.assert_allclose(curves.series[0].values, 1, atol=1e-4)
        assert curves.series[-1].low is not None
        assert "beyond chance since step 0" in curves.title
    items = stage.panel("items")
    assert isinstance(items, Neighbourhoods)
    assert (items.overlaps == items.neighbours.shape[-1]).all()


def test_an_item_of_the_list_is_kept_in_the_address(run: Run, second: Run, stage: Stage) -> None:
    address = {"with": second.name, "view": "differences", "aspect": "distances", "method": "pca"}
    at = open_screen("compare", run=run.name, **address)
    run_until(at, lambda: any(isinstance(panel, Neighbourhoods) for panel in stage.scenes[-1].panels))
    symbols = run.info["tokenizer"]["symbols"]
    stage.events = Events(item=symbols.index("a"))
    at.run()
    at.run()
    assert at.query_params["item"] == "a"
    items = stage.panel("items")
    assert isinstance(items, Neighbourhoods)
    assert items.selected == symbols.index("a")


def test_distances_of_runs_without_a_common_token_are_not_compared(run: Run, second: Run, stage: Stage) -> None:
    n = len(run.info["tokenizer"]["symbols"])
    _rewrite(second, {"tokenizer": {"kind": "char", "symbols": "".join(chr(0x4E00 + i) for i in range(n))}})
    address = {"with": second.name, "view": "differences", "aspect": "distances", "method": "pca"}
    at = open_screen("compare", run=run.name, **address)
    assert not at.exception
    items = stage.panel("items")
    assert isinstance(items, Samples)
    assert "share too few items" in items.empty


def test_the_table_of_settings_has_numbers_of_the_language_and_no_none(
    run: Run, second: Run, third: Run, stage: Stage
) -> None:
    _rewrite(second, {"parameters": 12345, "training": {**run.info["training"], "learning_rate_scale": 0.5}})
    at = open_screen("compare", run=run.name, **{"with": "other,third"}, view="text", lang="pt")
    table = at.dataframe[0].value
    assert list(table.columns) == ["ajuste", "tiny", "other", "third"]
    rows = {row[0]: row[1:] for row in table.values.tolist()}
    assert rows["parâmetros"][1] == "12.345"
    assert rows["learning_rate_scale"][1] == "0,5"
    assert rows["seed"] == [*[str(run.info["training"]["seed"])] * 2, "9"]
    assert not any("None" in cell for row in rows.values() for cell in row)


def _turned_tables(run: Run, tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    width = run.info["model"]["n_embd"]
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(width, width)))
    return {table: (tensors[table] @ turn).astype(np.float32) for table in run.info["tensors"].values()}


def _rewrite(run: Run, changes: dict[str, object]) -> None:
    write_info(run, {**Run(run.path).info, **changes})
    page.shared_computation.clear()


def _distances(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points[:, None] - points[None], axis=-1)
