"""The page of the model at work sends what the probes measure, follows the position that is chosen, and says what cannot be shown."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from dashboards.compute import model_queries, queries
from dashboards.compute.computation import Computation
from dashboards.player import Events
from data.runs import Run
from probes.groups.naming import parse_label
from probes.models.attention import attention_maps
from probes.models.forward_trace import forward_trace
from probes.models.logits import next_token_distribution
from tests.dashboards.stages import Stage, open_screen
from tests.probes.made_run import made_run, shape
from tests.probes.models.test_hf_models import imported
from trainer.config import described_model
from viz.player.model_panel import ModelFlow
from viz.player.model_scene import binned

PROMPT = "bagulha"


def shown(stage: Stage) -> ModelFlow:
    panel = stage.panel("flow")
    assert isinstance(panel, ModelFlow)
    return panel


def test_the_page_sends_what_the_probes_measure_at_every_snapshot(run: Run, stage: Stage) -> None:
    at = open_screen("model", run=run.name, prompt=PROMPT)
    assert not at.exception
    panel = shown(stage)
    assert [word.label for word in panel.tokens] == list(PROMPT)
    assert list(panel.ids) == list(run.tokenizer.encode(PROMPT))
    assert panel.place == 6
    assert list(stage.scenes[-1].steps) == [snapshot.step for snapshot in run.snapshots()]
    maps = attention_maps(run, PROMPT).isel(query=-1)
    np.testing.assert_allclose(panel.trace["attention"], maps.values, atol=1e-6)
    trace = forward_trace(run, PROMPT)
    np.testing.assert_allclose(panel.strips["residual"], trace["residual"], rtol=1e-6)
    np.testing.assert_allclose(
        panel.strips["input"], trace["token_vector"] + trace["position_vector"], rtol=1e-5, atol=1e-7
    )
    leaders = np.sort(next_token_distribution(run, PROMPT).values, axis=-1)[:, ::-1][:, :10]
    np.testing.assert_allclose(panel.lens["probability"][:, -1], leaders, rtol=1e-4, atol=1e-7)
    assert {int(i) for i in np.unique(panel.lens["leader"])} | set(panel.ids) == set(panel.vocabulary)
    assert panel.facts["n_dims"] == 16
    assert panel.facts["n_vocabulary"] == run.tokenizer.vocab_size


def test_a_token_that_is_clicked_is_followed_and_in_the_address(run: Run, stage: Stage) -> None:
    at = open_screen("model", run=run.name, prompt=PROMPT)
    stage.events = Events(position=2)
    at.run()
    assert at.query_params["position"] == "2"
    assert shown(stage).place == 2
    assert shown(stage).trace["attention"].shape[-1] == 3
    assert len(shown(stage).tokens) == 7
    stage.events = Events(position=6)
    at.run()
    assert "position" not in at.query_params
    assert shown(stage).place == 6


def test_a_position_that_the_prompt_lacks_is_named_and_the_last_followed(run: Run, stage: Stage) -> None:
    at = open_screen("model", run=run.name, prompt=PROMPT, position=40)
    assert not at.exception
    assert "40" in at.toast[0].value
    assert "position" not in at.query_params
    assert shown(stage).place == 6


def test_a_head_of_the_address_is_shown_and_a_clicked_one_enters_it(run: Run, stage: Stage) -> None:
    at = open_screen("model", run=run.name, prompt=PROMPT, layer=1, head=0)
    assert shown(stage).chosen == (1, 0)
    stage.events = Events(head=[0, 1])
    at.run()
    assert (at.query_params["layer"], at.query_params["head"]) == ("0", "1")


def test_links_keep_run_language_and_prompt(run: Run, stage: Stage) -> None:
    open_screen("model", run=run.name, prompt="ba & c", lang="pt")
    for name, link in shown(stage).links.items():
        parts = urlsplit(link)
        assert parts.path == name
        assert parse_qs(parts.query) == {"lang": ["pt"], "run": [run.name], "prompt": ["ba & c"]}
    labels = list(run.tokenizer.labels)
    for token, word in shown(stage).vocabulary.items():
        assert parse_label(word.item, labels) == token  # what the embeddings page reads


def test_a_prompt_that_is_too_much_is_cut_and_the_page_says_so(
    run: Run, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert model_queries.most_words(run) >= described_model(run).block_size
    monkeypatch.setattr(model_queries, "MOST_WORDS", 4)
    at = open_screen("model", run=run.name, prompt=PROMPT)
    assert len(shown(stage).tokens) == 4
    assert any("first 4 of 7" in caption.value for caption in at.caption)


def test_the_numbers_of_all_snapshots_stay_within_the_budget(tmp_path: Path) -> None:
    for changes in ({}, {"n_layer": 1, "n_head": 1}, {"n_layer": 6, "n_head": 8, "n_embd": 64}):
        folder = tmp_path / str(len(changes))
        folder.mkdir()
        run = made_run(folder, shape(**changes))
        prompt = "não mo co ba"
        found = model_queries.trace(Computation(), run, prompt, None).value
        sent = sum(data[name][0].size for data in found for name in data)
        layers, heads = described_model(run).n_layer, described_model(run).n_head
        room = layers * heads * len(prompt) * model_queries.NUMBERS_PER_WEIGHT
        fixed = 64 * (3 * layers + 4) + 150 * (layers + 1) + layers * (heads * 2 + 20) + 64 * (layers + 1)
        assert sent <= room + fixed
        assert model_queries.most_words(run) <= model_queries.MOST_WORDS
    assert queries.MOST_CELLS == 8_000_000


@pytest.mark.parametrize("kind", ["one", "gpt1", "wide"])
def test_a_model_of_any_shape_is_shown(kind: str, run: Run, stage: Stage) -> None:
    config = {
        "one": shape(n_layer=1, n_head=1, n_embd=2),
        "gpt1": dataclasses.replace(shape(), norm="post", bias="all"),
        "wide": shape(n_layer=2, n_head=2, n_embd=150),
    }[kind]
    folder = run.path.parent
    made = made_run(folder, config)
    at = open_screen("model", run=made.name, prompt=PROMPT)
    assert not at.exception
    panel = shown(stage)
    assert panel.facts["post"] == (kind == "gpt1")
    assert panel.strips["attention"].shape[-1] == {"one": 2, "gpt1": 32, "wide": 50}[kind]


def test_of_a_model_made_elsewhere_the_page_shows_what_is_known(run: Run, stage: Stage, tmp_path: Path) -> None:
    foreign = imported(tmp_path, "llama", (0,))
    shutil.copytree(foreign.path, run.path.parent / "llama")
    at = open_screen("model", run="llama", prompt=PROMPT)
    assert not at.exception
    panel = shown(stage)
    assert panel.facts["foreign"] == 1
    assert set(panel.strips) == {"input", "residual"}
    assert set(panel.trace) == {"input_norm", "residual_norm", "attention"}


def test_wide_vectors_are_averaged_over_neighbours() -> None:
    vectors = np.arange(768, dtype=float)[None]
    assert binned(vectors).shape == (1, 64)
    np.testing.assert_allclose(binned(vectors)[0, :2], [5.5, 17.5])
    uneven = binned(np.ones((2, 3, 150)))
    assert uneven.shape == (2, 3, 50)
    np.testing.assert_array_equal(uneven, 1)
    np.testing.assert_array_equal(binned(np.arange(7.0), most=3), [1, 4, 6])
