"""The real GPT-1, where it is at hand: the figures that its users have published."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from data.runs import Run
from trainer.loading import load_model
from trainer.pretrained.importing import import_revisions

VARIABLE = "GPTLAB_OPENAI_GPT"
PROMPT = "Hello, my dog is cute and"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        VARIABLE not in os.environ,
        reason=f"{VARIABLE} names no folder with the files of openai-community/openai-gpt",
    ),
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("runs")
    return import_revisions([(0, Path(os.environ[VARIABLE]))], "gpt1", model="openai-gpt", folder=folder)


def test_the_number_of_parameters_is_that_of_gpt1(run: Run) -> None:
    assert run.info["parameters"] == 116_534_784


def test_ids_probability_and_loss_are_the_published_ones(run: Run) -> None:
    ids = run.tokenizer.encode(PROMPT)
    assert ids.tolist() == [3570, 240, 547, 2585, 544, 4957, 488]
    idx = torch.from_numpy(ids)[None]
    with torch.no_grad():
        model = load_model(run, 0)
        probabilities = model(idx)[0][0, -1].softmax(-1)
        loss = model(idx[:, :-1], idx[:, 1:])[1]
    assert probabilities.argmax() == 249
    assert run.tokenizer.decode([249]).strip() == "i"
    assert probabilities[249].item() == pytest.approx(0.1898, abs=5e-5)
    assert loss is not None
    assert loss.item() == pytest.approx(4.2607, abs=5e-5)
