"""The generate page writes what the command would, side by side and in the reader's settings, and says what cannot be."""

from __future__ import annotations

import re
import shutil
from html import unescape
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from streamlit.testing.v1 import AppTest

from dashboards.compute import generation_stream
from dashboards.compute.computation import Computation
from dashboards.compute.generation_stream import GenerationStream, GenerationTask, open_streams
from dashboards.player import Events
from data.runs import Run, create_run
from data.tokens.tokenizers import tokenizer_from_json
from probes.models.decoding import apply_decoding
from probes.models.logits import next_token_distribution
from tests.dashboards.stages import Stage, open_screen
from trainer.generation.filters import Decoding
from trainer.generation.generation_request import GenerationRequest
from trainer.generation.sampling import generate_samples
from trainer.loading import load_model
from viz.player.panels import Bars

CARD = re.compile(
    r'<div class="written( now)?" data-step="(\d+)".*?<b>(.*?)</b>(.*?)</pre>.*?<div class="end">(.*?)</div>', re.DOTALL
)


def cards(at: AppTest) -> dict[int, tuple[str, str, bool, str]]:
    """Return prompt, text, whether it is the slider's, and what is said at its end, of each card by its step."""
    found = {}
    for element in at.get("html"):
        for now, step, prompt, text, end in CARD.findall(element.proto.body):
            found[int(step)] = (unescape(prompt), unescape(text), bool(now), unescape(end))
    return found


def expected(run: Run, step: int, prompt: str, decoding: Decoding, request: GenerationRequest) -> str:
    tokenizer = tokenizer_from_json(run.info["tokenizer"])
    return generate_samples(load_model(run, step), tokenizer, prompt, decoding, request)[0].text


def bars(stage: Stage, id: str) -> Bars:
    panel = stage.panel(id)
    assert isinstance(panel, Bars)
    return panel


def shown_rows(panel: Bars) -> list[list[str]]:
    """List the names of the rows of every step, the most probable first."""
    return [[panel.names[i] for i in row] for row in panel.tokens]


def check_rows(panel: Bars, distribution: xr.DataArray) -> None:
    """Check that the rows of every step fall, and that each has the probability of its token."""
    assert (np.diff(panel.values, axis=1) <= 0).all()
    for place, names in enumerate(shown_rows(panel)):
        for rank, token in enumerate(names):
            if token in distribution["token"].values:
                expected = float(distribution.isel(step=place).sel(token=token))
                assert panel.values[place, rank] == pytest.approx(expected, abs=1e-6)


def test_first_middle_and_last_snapshot_write_what_the_command_would(run: Run, stage: Stage) -> None:
    at = open_screen("generate", run=run.name, prompt="bagu", tokens=30, seed=3)
    assert not at.exception
    steps = [snapshot.step for snapshot in run.snapshots()]
    found = cards(at)
    assert list(found) == [steps[0], steps[len(steps) // 2], steps[-1]]
    for step, (prompt, text, is_now, end) in found.items():
        assert prompt == "bagu"
        assert text == expected(run, step, "bagu", Decoding(), GenerationRequest(30, seed=3))
        assert is_now == (step == steps[-1])
        assert not end


def test_the_settings_of_a_link_decide_the_text_and_stay_in_the_address(run: Run, stage: Stage) -> None:
    asked = {"temperature": "0.5", "top_k": "4", "top_p": "0.9", "tokens": "20", "seed": "7", "beside": "0,8"}
    at = open_screen("generate", run=run.name, prompt="mo", step=20, **asked)
    assert not at.exception
    found = cards(at)
    assert list(found) == [0, 8, 20]
    decoding, request = Decoding(0.5, top_k=4, top_p=0.9), GenerationRequest(20, seed=7)
    for step in found:
        assert found[step][1] == expected(run, step, "mo", decoding, request)
    assert found[20][2]
    assert {
        name: at.query_params[name][0] if isinstance(at.query_params[name], list) else at.query_params[name]
        for name in asked
    } == asked


def test_the_slider_brings_its_own_snapshot_beside_the_others(run: Run, stage: Stage) -> None:
    at = open_screen("generate", run=run.name, tokens=10, beside="0,60")
    stage.events = Events(step=16)
    at.run()
    assert not at.exception
    found = cards(at)
    assert list(found) == [0, 16, 60]
    assert [step for step in found if found[step][2]] == [16]


def test_bars_show_the_probabilities_and_what_is_drawn_in_the_same_places(run: Run, stage: Stage) -> None:
    open_screen("generate", run=run.name, prompt="bagu", temperature="0.5", top_k="3", tokens=5)
    own, drawn = bars(stage, "next"), bars(stage, "drawn")
    assert shown_rows(own) == shown_rows(drawn)  # temperature and top-k do not change the order
    check_rows(drawn, apply_decoding(next_token_distribution(run, "bagu"), Decoding(0.5, top_k=3)))
    assert ((drawn.values > 0).sum(axis=1) <= 3).all()
    assert "0.50" in drawn.title
    assert "top-k 3" in drawn.title


def test_penalties_of_a_link_decide_the_text_and_the_bars(run: Run, stage: Stage) -> None:
    asked = {"repetition": "1.5", "ngram": "2", "typical_p": "0.9"}
    at = open_screen("generate", run=run.name, prompt="bagu", tokens=30, **asked)
    assert not at.exception
    decoding = Decoding(typical_p=0.9, repetition_penalty=1.5, no_repeat_ngram_size=2)
    for step, card in cards(at).items():
        assert card[1] == expected(run, step, "bagu", decoding, GenerationRequest(30))
    drawn = bars(stage, "drawn")
    check_rows(drawn, next_token_distribution(run, "bagu", decoding=decoding))
    assert "typical-p 0.90, Repetition penalty 1.50, n-gram 2" in drawn.title


def test_another_draw_is_another_seed_and_another_text(run: Run, stage: Stage) -> None:
    at = open_screen("generate", run=run.name, tokens=40, seed=5)
    before = cards(at)
    at.button(key="another").click().run()
    assert not at.exception
    after = cards(at)
    assert at.number_input(key="seed_choice").value == 6
    assert before.keys() == after.keys()
    assert before[60][1] != after[60][1]


def test_a_stop_sequence_ends_a_text_and_says_so(run: Run, stage: Stage) -> None:
    whole = expected(run, 60, "ba", Decoding(), GenerationRequest(60))
    stop = whole[10:12]
    at = open_screen("generate", run=run.name, prompt="ba", tokens=60, stop=stop)
    _, text, _, end = cards(at)[60]
    assert text == whole[: whole.index(stop)]
    assert end == "stopped here"


def test_a_prompt_beyond_the_context_is_reported_and_its_end_is_seen(run: Run, stage: Stage) -> None:
    prompt = "bagulha mo pe ra si tuva"
    at = open_screen("generate", run=run.name, prompt=prompt, tokens=10)
    assert not at.exception
    assert any("last 16 of these 24" in caption.value for caption in at.caption)
    assert cards(at)[60][1] == expected(run, 60, prompt, Decoding(), GenerationRequest(10))
    seen = next_token_distribution(run, prompt[-16:])
    assert float(bars(stage, "next").values[-1].max()) == pytest.approx(float(seen.values[-1].max()), rel=1e-5)


def test_unknown_symbols_are_named_and_markup_is_text(run: Run, stage: Stage, computation: Computation) -> None:
    at = open_screen("generate", run=run.name, prompt="ba漢<b>", tokens=10)
    assert not at.exception
    assert any("漢" in caption.value for caption in at.caption)
    assert all("<b></b>" not in element.proto.body for element in at.get("html"))
    hostile = GenerationStream(
        GenerationTask(run, 0, "", "<script>x</script>", Decoding(), GenerationRequest(1)),
        computation,
        text="<img onerror=x>",
        end="length",
    )
    from dashboards.page import Page
    from dashboards.screens.generate_page import _card
    from dashboards.state.language import Translation
    from viz.drawing.theme import THEMES

    card = _card(Page(run, Translation(), THEMES["light"], computation), hostile, {}, 0)
    assert "<script" not in card
    assert "<img" not in card


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"top_p": "0"}, "top_p=0"),
        ({"temperature": "-1"}, "temperature=-1"),
        ({"temperature": "nan"}, "temperature=nan"),
        ({"tokens": "0"}, "tokens=0"),
        ({"beside": "1,2,3,4,5,6,7"}, "beside=1,2,3"),
        ({"beside": "0,7"}, "no snapshot of step 7"),
        ({"top_k": "x"}, "top_k=x"),
    ],
)
def test_invalid_fields_of_a_link_are_reported_and_the_usual_shown(
    run: Run, stage: Stage, wrong: dict[str, str], told: str
) -> None:
    at = open_screen("generate", run=run.name, **({"tokens": 5} | wrong))
    assert not at.exception
    assert any(told in toast.value.replace("\\", "") for toast in at.toast), [toast.value for toast in at.toast]
    assert cards(at)


def test_a_damaged_snapshot_is_reported_in_its_place_and_the_others_are_written(run: Run, stage: Stage) -> None:
    damaged = run.snapshot(8)
    damaged.path.write_bytes(damaged.path.read_bytes()[:-7] + b"damaged")
    at = open_screen("generate", run=run.name, tokens=10, beside="8,60")
    assert not at.exception
    found = cards(at)
    assert found[60][1] == expected(run, 60, found[60][0], Decoding(), GenerationRequest(10))
    assert not found[8][1]
    assert "damaged" in found[8][3]


def test_vectors_without_a_model_are_reported(runs: Path, run: Run, stage: Stage) -> None:
    info = {key: value for key, value in run.info.items() if key not in ("model", "name", "format")}
    vectors = create_run("vectors", info, runs)
    shutil.copytree(run.path / "snapshots", vectors.path / "snapshots", dirs_exist_ok=True)
    shutil.copy(run.path / "manifest.jsonl", vectors.path)
    at = open_screen("generate", run="vectors")
    assert not at.exception
    assert any("no model" in info.value for info in at.info)


def test_portuguese(run: Run, stage: Stage) -> None:
    at = open_screen("generate", run=run.name, lang="pt", tokens=5)
    assert not at.exception
    assert at.select_slider(key="temperature_choice").label == "Temperatura"
    assert bars(stage, "drawn").title.startswith("Sorteado de (temperatura 0,80")


def test_a_text_goes_on_where_it_was_and_another_task_drops_it(run: Run, computation: Computation) -> None:
    kept: dict[object, GenerationStream] = {}
    task = GenerationTask(run, 60, run.snapshot(60).sha256, "ba", Decoding(), GenerationRequest(50))
    (one,) = open_streams(kept, [task], computation)
    one.advance(0)
    begun = one.text
    assert begun
    assert not one.is_finished
    (same,) = open_streams(kept, [task], computation)
    assert same is one
    while not same.is_finished:
        same.advance(0.01)
    assert same.text.startswith(begun)
    assert same.text == expected(run, 60, "ba", Decoding(), GenerationRequest(50))
    other = GenerationTask(run, 60, task.sha256, "ba", Decoding(), GenerationRequest(50, seed=1))
    (unfinished,) = open_streams(kept, [other], computation)
    unfinished.advance(0)
    assert open_streams(kept, [task], computation) == [one]  # finished: it is still there
    assert other not in kept


def test_a_model_is_loaded_once_for_a_snapshot(
    run: Run, monkeypatch: pytest.MonkeyPatch, computation: Computation
) -> None:
    from trainer import loading

    loaded: list[int] = []
    real = loading.load_model
    monkeypatch.setattr(loading, "load_model", lambda run, step: (loaded.append(step), real(run, step))[1])
    for seed in range(3):
        one = GenerationStream(
            GenerationTask(run, 40, run.snapshot(40).sha256, "ba", Decoding(), GenerationRequest(5, seed=seed)),
            computation,
        )
        while not one.is_finished:
            one.advance(1)
    assert loaded == [40]


def test_models_that_fill_memory_write_one_after_the_other(
    run: Run, monkeypatch: pytest.MonkeyPatch, computation: Computation
) -> None:
    monkeypatch.setattr(generation_stream, "WORTH_THREADS", 1)
    tasks = [
        GenerationTask(run, step, run.snapshot(step).sha256, "ba", Decoding(), GenerationRequest(5)) for step in (0, 60)
    ]
    order = [one.task.step for one in generation_stream.advance_streams(open_streams({}, tasks, computation), 0.001)]
    assert order == sorted(order)
