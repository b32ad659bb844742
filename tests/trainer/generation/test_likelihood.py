"""The loss of a text is that which Hugging Face's models return for their own labels."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import gptlab
from data.errors import InputError
from data.runs import Run
from trainer.generation.likelihood import text_loss
from trainer.pretrained.hf_export import export_model

transformers = pytest.importorskip("transformers", reason="the oracle is Hugging Face's: pip install '.[hf]'")


@pytest.mark.parametrize("step", [0, 60, None])
def test_the_loss_is_that_of_a_model_with_labels(step: int | None, run: Run, tmp_path: Path) -> None:
    export_model(run, tmp_path / "out", step=step)
    theirs = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "out").eval()
    for text in ("ba", "bagu mo", "ba" * 8):
        ids = torch.from_numpy(run.tokenizer.encode(text))[None]
        with torch.no_grad():
            expected = float(theirs(ids, labels=ids).loss)
        assert gptlab.text_loss(run, text, step=step) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("text", ["", "b", "ba" * 9])
def test_a_text_without_a_prediction_or_beyond_the_context_is_refused(text: str, run: Run) -> None:
    with pytest.raises(InputError, match=rf"must have from 2 to 16 tokens, .*; it has {len(text)}$"):
        text_loss(run, text)
