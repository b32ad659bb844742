"""In a notebook a run shows a card."""

from __future__ import annotations

import html
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from data.runs import Run, create_run
from data.runs.card import run_card


def text_of(card: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", card))


def test_the_card_of_a_trained_run_says_what_it_is_and_how_far_it_came(run: Run) -> None:
    card = run._repr_html_()
    ElementTree.fromstring(card)  # every element is closed
    text, last = text_of(card), run.metrics()[-1]
    assert run.name in text
    assert f"{run.info['parameters']:,}" in text
    assert "2 layers, 2 heads, 16 wide, 16 tokens of context" in text
    assert f"{last['train_loss']:.4f} train, {last['val_loss']:.4f} val" in text
    assert f"{len(run.snapshots())} (steps 0 to {run.snapshots()[-1].step})" in text
    assert card.count("<polyline") == 2
    assert "color:inherit" in card
    assert "currentColor" in card


def test_the_card_of_a_run_without_a_model_has_no_loss(tmp_path: Path) -> None:
    run = create_run("vectors", {"source": {"model": "glove.txt"}}, tmp_path)
    text = text_of(run._repr_html_())
    assert "glove.txt" in text
    assert re.search(r"snapshots\s+0\s", text)
    assert "loss" not in run._repr_html_()


def test_what_a_run_says_of_itself_is_escaped() -> None:
    card = run_card("<b>", {"corpus": {"name": "<script>", "characters": 3}, "training": {"preset": "'\"&"}}, [], [])
    assert "<script>" not in card
    assert "<b>" not in card
    assert "&lt;script&gt;" in card
    ElementTree.fromstring(card)


@pytest.mark.parametrize("losses", [[4.0], [4.0, 4.0], [4.0, float("nan"), 3.0], [float("nan")]])
def test_losses_that_are_few_or_alike_or_no_numbers_are_drawn_all_the_same(losses: list[float]) -> None:
    metrics = [{"step": 10 * i, "train_loss": loss, "val_loss": loss} for i, loss in enumerate(losses)]
    card = run_card("run", {}, metrics, [0])
    ElementTree.fromstring(card)
    assert "nan" not in card
    assert "1 (steps 0 to 0)" in card
