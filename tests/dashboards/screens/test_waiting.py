"""What a panel of the attention page waits for stands in a line over it: how far it is, and how to cancel it or begin it again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from dashboards.compute import queries
from dashboards.player import Events
from data.runs import Run
from tests.dashboards.stages import Stage, open_screen, run_until
from viz.player.attention_panels import HeadRanking, HeadTimeline, HeatMaps
from viz.player.panels import Pending, Samples


class Gate:
    """A measure that begins at once and goes on when it may; meanwhile it reports that one snapshot is done."""

    def __init__(self, measure: Callable[..., Any]) -> None:
        self.is_open, self.measure = threading.Event(), measure

    def __call__(self, *asked: Any) -> Any:
        *arguments, progress = asked
        while progress is not None and not self.is_open.wait(0.01):
            progress(1)
        return self.measure(*arguments, None)


@pytest.fixture
def scores(monkeypatch: pytest.MonkeyPatch) -> Gate:
    found = Gate(queries.head_scores)
    monkeypatch.setattr(queries, "head_scores", found)
    return found


@pytest.fixture
def prompts(monkeypatch: pytest.MonkeyPatch) -> Gate:
    found = Gate(queries.attention)
    monkeypatch.setattr(queries, "attention", found)
    return found


def line(stage: Stage, panel: str) -> Pending | None:
    return stage.panel(panel).pending


def test_the_timeline_waits_for_the_scores_with_their_progress(stage: Stage, run: Run, scores: Gate) -> None:
    at = open_screen("attention", run="tiny")
    run_until(at, lambda: getattr(line(stage, "scores"), "done", 0) != 0)
    waiting = line(stage, "scores")
    assert waiting is not None
    n_steps = len(run.manifest())
    assert waiting.text == f"Scoring the heads at snapshot 1 of {n_steps}"
    assert waiting.done == 1 / n_steps
    assert isinstance(stage.panel("scores"), Samples)
    assert line(stage, "ranking") is None, "one line says it"
    scores.is_open.set()
    run_until(at, lambda: line(stage, "scores") is None)
    assert isinstance(stage.panel("scores"), HeadTimeline)
    assert isinstance(stage.panel("ranking"), HeadRanking)


def test_scores_that_were_cancelled_are_offered_and_can_be_begun_again(stage: Stage, run: Run, scores: Gate) -> None:
    at = open_screen("attention", run="tiny")
    stage.once = [Events(), Events(cancelled="scores")]
    at.run()
    offer = line(stage, "scores")
    assert offer is not None
    assert (offer.text, offer.done, offer.cancel, offer.start) == ("Cancelled.", None, "", "Compute it")
    at.run()
    assert line(stage, "scores") == offer, "a rerun does not begin it"
    scores.is_open.set()
    stage.once = [Events(), Events(started="scores")]
    at.run()
    run_until(at, lambda: line(stage, "scores") is None)
    assert isinstance(stage.panel("scores"), HeadTimeline)


def test_while_a_prompt_is_read_the_maps_of_the_one_before_stay(stage: Stage, run: Run, prompts: Gate) -> None:
    prompts.is_open.set()
    at = open_screen("attention", run="tiny", prompt="abab")
    before = stage.panel("maps")
    assert isinstance(before, HeatMaps)
    prompts.is_open.clear()
    at.text_area(key="prompt_text").set_value("baba").run()
    run_until(at, lambda: getattr(line(stage, "maps"), "done", 0) != 0)
    waiting = line(stage, "maps")
    assert waiting is not None
    assert waiting.text == f"Reading the prompt at snapshot 1 of {len(run.manifest())}"
    maps = stage.panel("maps")
    assert isinstance(maps, HeatMaps)
    assert maps.tokens == before.tokens
    prompts.is_open.set()
    run_until(at, lambda: line(stage, "maps") is None)
    maps = stage.panel("maps")
    assert isinstance(maps, HeatMaps)
    assert maps.tokens != before.tokens
