"""The attention page shows what probes measure, reads the prompt it is given, and says what cannot be shown."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from dashboards.compute import queries
from dashboards.compute.computation import Computation
from dashboards.forms.example_prompts import example_prompts
from dashboards.player import Events
from dashboards.state.language import Translation
from data.files.atomic_files import append_line
from data.runs import Run, create_run, write_snapshot
from probes.groups.symbols import display
from probes.models.attention import attention_maps
from probes.models.heads import head_scores
from probes.models.observation import observe
from tests.dashboards.stages import Stage, open_screen, run_until
from trainer.config import described_model
from trainer.loading import load_model
from viz.player.attention_panels import HeadRanking, HeadTimeline, HeatMaps
from viz.player.panels import Bars, Samples

say = Translation("en")


def shown_maps(stage: Stage) -> HeatMaps:
    panel = stage.panel("maps")
    assert isinstance(panel, HeatMaps)
    return panel


def test_a_map_holds_the_weights_that_the_probe_measures_up_to_the_diagonal(run: Run, stage: Stage) -> None:
    at = open_screen("attention", run=run.name, prompt="bagulha")
    assert not at.exception
    maps = attention_maps(run, "bagulha")
    panel = shown_maps(stage)
    assert list(panel.tokens) == list("bagulha")
    assert list(stage.scenes[-1].steps) == maps["step"].values.tolist()
    expected = maps.values[..., *np.tril_indices(7)]
    np.testing.assert_allclose(panel.values / 65535, expected, atol=1 / 65535)
    # Cells come row by row: the first is the first token's attention to itself, the next two are the second token's row.
    assert panel.values[-1, 0, 0, 0] == 65535
    assert int(panel.values[-1, 1, 1, 1]) + int(panel.values[-1, 1, 1, 2]) == pytest.approx(65535, abs=1)


def test_an_empty_prompt_is_the_opening_of_the_last_sample(run: Run, stage: Stage) -> None:
    at = open_screen("attention", run=run.name)
    assert not at.exception
    assert "".join(shown_maps(stage).tokens).replace("␣", " ") == at.text_area[0].placeholder.replace("\n", "⏎")


def test_unknown_symbols_are_named_and_left_out(run: Run, stage: Stage) -> None:
    at = open_screen("attention", run=run.name, prompt="ba漢*co")
    assert not at.exception
    assert list(shown_maps(stage).tokens) == list("baco")
    assert any("漢" in caption.value and "vocabulary" in caption.value for caption in at.caption)


def test_a_prompt_of_unknown_symbols_alone_gives_way_to_the_usual_one(run: Run, stage: Stage) -> None:
    open_screen("attention", run=run.name)
    usual = shown_maps(stage).tokens
    at = open_screen("attention", run=run.name, prompt="漢字")
    assert not at.exception
    assert shown_maps(stage).tokens == usual
    assert any("漢" in caption.value for caption in at.caption)
    bars = stage.panel("next")
    assert isinstance(bars, Bars)
    for panel in (shown_maps(stage), bars):
        assert "漢字" in panel.note, "the picture itself says whose attention it is"
        assert "".join(usual).replace("␣", " ")[:20] in panel.note


def test_a_prompt_that_can_be_read_has_no_note(run: Run, stage: Stage) -> None:
    open_screen("attention", run=run.name, prompt="ba漢")
    bars = stage.panel("next")
    assert isinstance(bars, Bars)
    assert shown_maps(stage).note == bars.note == ""


def test_examples_fill_the_prompt(run: Run, stage: Stage) -> None:
    at = open_screen("attention", run=run.name)
    examples = example_prompts(run)
    assert {"sample", "twice", "random"} <= set(examples)
    at.button_group(key="example_prompt").set_value("twice").run()
    assert not at.exception
    assert at.text_area[0].value == examples["twice"]
    assert at.query_params["prompt"] in (examples["twice"], [examples["twice"]])
    tokens = shown_maps(stage).tokens
    half = len(tokens) // 2
    assert list(tokens[:half]) == list(tokens[half : 2 * half])


def test_a_prompt_longer_than_the_context_is_read_as_far_as_the_model_sees(run: Run, stage: Stage) -> None:
    context = described_model(run).block_size
    at = open_screen("attention", run=run.name, prompt="ba" * context)
    assert not at.exception
    assert len(shown_maps(stage).tokens) == context
    assert any(f"first {context} of {2 * context}" in caption.value for caption in at.caption)


def test_maps_that_would_be_too_large_are_of_the_first_tokens_and_exact(
    run: Run, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape, n_steps = described_model(run), len(run.manifest())
    monkeypatch.setattr(queries, "MOST_CELLS", n_steps * shape.n_layer * shape.n_head * 5 * 5 // 2 + 1)
    at = open_screen("attention", run=run.name, prompt="bagulhamo")
    panel = shown_maps(stage)
    assert len(panel.tokens) == 5
    assert any("5 of 9" in caption.value for caption in at.caption)
    whole = attention_maps(run, "bagulhamo").values[..., :5, :5]
    np.testing.assert_allclose(panel.values / 65535, whole[..., *np.tril_indices(5)], atol=2 / 65535)
    assert panel.large is None
    open_screen("attention", run=run.name, prompt="bagulhamo", layer=1, head=0)
    large = shown_maps(stage).large
    assert large is not None
    assert "".join(large.tokens) == "bagulhamo"
    one = attention_maps(run, "bagulhamo").values[:, 1:2, 0:1]
    np.testing.assert_allclose(large.values / 65535, one[..., *np.tril_indices(9)], atol=1 / 65535)


def test_the_timeline_shows_the_chosen_score_of_every_head(run: Run, stage: Stage) -> None:
    at = open_screen("attention", run=run.name, score="sink")
    run_until(at, lambda: isinstance(stage.panel("scores"), HeadTimeline))
    assert not at.exception
    panel, expected = stage.panel("scores"), head_scores(run)["sink"]
    assert isinstance(panel, HeadTimeline)
    np.testing.assert_allclose(panel.values, expected.values.reshape(len(expected), -1), rtol=1e-5)
    assert list(panel.heads or ()) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert panel.uniform == pytest.approx(expected.attrs["uniform"])


def test_heads_are_ranked_by_the_score_of_the_timeline(run: Run, stage: Stage) -> None:
    at = open_screen("attention", run=run.name, score="sink", layer=1, head=0)
    run_until(at, lambda: isinstance(stage.panel("ranking"), HeadRanking))
    assert not at.exception
    ranking, timeline = stage.panel("ranking"), stage.panel("scores")
    assert isinstance(ranking, HeadRanking)
    assert isinstance(timeline, HeadTimeline)
    np.testing.assert_array_equal(ranking.values, timeline.values)
    assert ranking.high == timeline.high
    assert ranking.rows[2] == "layer 1, head 0"
    assert ranking.chosen == (1, 0)


def test_words_and_the_chosen_word_are_in_the_address(run: Run, stage: Stage) -> None:
    at = open_screen("attention", run=run.name, layer=0, head=1, picture="words", query=3)
    assert not at.exception
    assert (shown_maps(stage).picture, shown_maps(stage).query) == ("words", 3)
    stage.events = Events(picture="words", query=5)
    at.run()
    assert (at.query_params["picture"], at.query_params["query"]) == ("words", "5")
    stage.events = Events(picture="map", query=-1)
    at.run()
    assert "picture" not in at.query_params
    assert "query" not in at.query_params


def test_the_maps_are_there_before_the_scores(run: Run, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    go_on = threading.Event()
    real = queries.head_scores
    monkeypatch.setattr(queries, "head_scores", lambda *a, **k: (go_on.wait(60), real(*a, **k))[1])
    at = open_screen("attention", run=run.name)
    assert isinstance(stage.panel("scores"), Samples)
    assert shown_maps(stage).tokens
    go_on.set()
    run_until(at, lambda: isinstance(stage.panel("scores"), HeadTimeline))


def test_bars_hold_the_leaders_of_every_snapshot_in_their_order(run: Run, stage: Stage) -> None:
    open_screen("attention", run=run.name, prompt="ba")
    bars = stage.panel("next")
    assert isinstance(bars, Bars)
    ids = torch.from_numpy(run.tokenizer.encode("ba"))[None]
    for place, step in enumerate(stage.scenes[-1].steps):
        with torch.no_grad():
            expected = observe(load_model(run, step), ids).logits[0, -1].softmax(-1)
        assert bars.n_tokens == len(expected)
        order = expected.argsort(descending=True)[: bars.values.shape[1]]
        np.testing.assert_allclose(bars.values[place], expected[order].numpy(), rtol=1e-5)
        labels = [display(run.tokenizer.labels[i]) for i in order]
        assert [bars.labels[i] for i in bars.tokens[place]] == labels


def test_a_clicked_head_is_in_the_address_and_all_heads_take_it_out(run: Run, stage: Stage) -> None:
    at = open_screen("attention", run=run.name)
    stage.events = Events(head=[1, 0])
    at.run()
    assert (at.query_params["layer"], at.query_params["head"]) == ("1", "0")
    at.run()
    assert shown_maps(stage).chosen == (1, 0)
    stage.events = Events(head=[])
    at.run()
    assert "layer" not in at.query_params
    assert "head" not in at.query_params


def test_a_link_opens_its_head_and_score_and_step(run: Run, stage: Stage) -> None:
    at = open_screen("attention", run=run.name, layer=0, head=1, score="entropy", step=60, prompt="ba")
    assert not at.exception
    assert shown_maps(stage).chosen == (0, 1)
    assert stage.scenes[-1].step == 60
    assert at.selectbox(key="score_choice").value == "entropy"


@pytest.mark.parametrize("wrong", [{"layer": 9, "head": 0}, {"layer": 0, "head": 2}, {"layer": "x", "head": 0}])
def test_a_head_that_is_not_there_is_reported_and_all_are_shown(
    run: Run, stage: Stage, wrong: dict[str, object]
) -> None:
    at = open_screen("attention", run=run.name, **wrong)
    assert not at.exception
    assert shown_maps(stage).chosen is None
    assert len(at.toast) == 1
    assert str(wrong["layer"]) in at.toast[0].value


def test_a_score_that_is_not_there_is_the_usual_one(run: Run, stage: Stage) -> None:
    at = open_screen("attention", run=run.name, score="beauty")
    assert not at.exception
    assert at.selectbox(key="score_choice").value == "previous_token"


def test_vectors_without_a_model_are_reported_in_one_line(runs: Path, stage: Stage) -> None:
    info = {"tokenizer": {"kind": "words", "words": ["a", "b", "c"]}, "tensors": {"token_table": "t"}, "parameters": 6}
    made = create_run("vectors", {**info, "created": "2030"}, runs)
    write_snapshot(made, 0, {"t": np.eye(3, 2, dtype=np.float32)})
    at = open_screen("attention", run="vectors")
    assert not at.exception
    assert not stage.scenes
    assert len(at.info) == 1
    assert "no model" in at.info[0].value


def test_a_text_that_is_gone_leaves_maps_and_says_why_there_are_no_scores(
    run: Run, stage: Stage, text_file: Path
) -> None:
    import json

    info = dict(Run(run.path).info)
    info["corpus"]["sha256"], info["created"] = "0" * 64, "another"
    (run.path / "run.json").write_text(json.dumps(info))
    at = open_screen("attention", run=run.name)
    assert not at.exception
    scores = stage.panel("scores")
    assert isinstance(scores, Samples)
    assert "cannot be had" in scores.empty
    assert "--text" not in scores.empty
    assert shown_maps(stage).tokens


def test_a_damaged_snapshot_is_named_and_the_others_are_shown(run: Run, stage: Stage) -> None:
    broken = run.snapshots()[2]
    broken.path.write_bytes(b"\0" * broken.bytes)
    at = open_screen("attention", run=run.name, prompt="ba")
    assert not at.exception
    assert any(f"step {broken.step}" in warning.value for warning in at.warning)
    assert broken.step not in stage.scenes[-1].steps
    assert len(stage.scenes[-1].steps) == len(run.manifest()) - 1


def test_a_run_that_grew_is_measured_at_its_new_snapshots_alone(
    run: Run, stage: Stage, monkeypatch: pytest.MonkeyPatch, computation: Computation
) -> None:
    records = run.manifest()
    manifest = run.path / "manifest.jsonl"
    manifest.write_text("")
    for record in records[:-2]:
        append_line(manifest, record)
    before = queries.attention(computation, run, "ba").value
    for record in records[-2:]:
        append_line(manifest, record)
    measured: list[int] = []
    real = queries._packed_maps
    monkeypatch.setattr(
        queries, "_packed_maps", lambda part, *more: (measured.append(len(part.manifest())), real(part, *more))[1]
    )
    after = queries.attention(computation, run, "ba").value
    assert measured == [2]
    assert after.steps == (*before.steps, records[-2]["step"], records[-1]["step"])
    np.testing.assert_allclose(
        after.weights / 65535, attention_maps(run, "ba").values[..., *np.tril_indices(2)], atol=1 / 65535
    )


def test_a_run_written_again_under_the_same_name_is_measured_again(
    run: Run, runs: Path, computation: Computation
) -> None:
    first = queries.attention(computation, run, "ba").value
    info, snapshots = run.info, [(one.step, one.tensors()) for one in run.snapshots()[:3]]
    shutil.rmtree(run.path)
    fresh = create_run(run.name, {**info, "created": "later"}, runs)
    for step, tensors in snapshots:
        write_snapshot(fresh, step, {name: values * 0 for name, values in tensors.items()})
    again = queries.attention(computation, fresh, "ba").value
    assert len(again.steps) == 3 < len(first.steps)
    assert again.weights[0, 0, 0].tolist() == [65535, 32768, 32768]  # weights of zero attend evenly
