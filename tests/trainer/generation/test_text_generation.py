"""`generate_text` returns what the command prints, and refuses what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from data.errors import InputError
from data.runs import Run
from trainer.generation import Decoding, GenerationRequest, generate_samples, generate_text
from trainer.loading import load_model


def test_the_texts_of_a_snapshot_follow_the_prompt(run: Run) -> None:
    n_threads = torch.get_num_threads()
    texts = generate_text(run, "ba", step=60, n_tokens=12, samples=2, seed=3, temperature=1.2, top_k=5)
    request = GenerationRequest(12, 2, seed=3)
    expected = generate_samples(load_model(run, 60), run.tokenizer, "ba", Decoding(1.2, top_k=5), request)
    assert texts == ["ba" + sample.text for sample in expected]
    assert torch.get_num_threads() == n_threads


def test_prompt_and_step_are_those_of_the_command_by_default(run: Run) -> None:
    prompt, last = str(run.samples()[-1]["prompt"]), run.snapshots()[-1].step
    assert generate_text(run, n_tokens=5) == generate_text(run, prompt, step=last, n_tokens=5)


def test_a_bias_by_token_is_added_to_its_logit(run: Run) -> None:
    assert generate_text(run, "ba", n_tokens=4, bias={"u": 1e6}) == ["bauuuu"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"prompt": ""}, "the prompt is empty: give at least one symbol with `prompt`"),
        ({"bias": {"ba": 1.0}}, "a bias belongs to one token, and 'ba' is 2: give each its own `bias`"),
        ({"temperature": -1}, "temperature must be 0"),
        ({"step": 7}, "has no snapshot of step 7"),
        ({"device": "abacus"}, "there is no device 'abacus'"),
    ],
)
def test_mistakes_are_refused_with_a_message(wrong: dict[str, Any], message: str, run: Run) -> None:
    with pytest.raises(InputError, match=message):
        generate_text(run, **{"prompt": "ba", **wrong})
