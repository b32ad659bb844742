"""Example prompts can be read by the run for which they are made, whatever its tokens are."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dashboards.forms.example_prompts import example_prompts
from data.runs import Run
from data.tokens.tokenizers import known_part
from probes.texts import repeated_tokens
from tests.probes.made_run import made_run
from trainer.config import described_model


def test_the_run_reads_all_of_each_example(run: Run) -> None:
    tokenizer, context = run.tokenizer, described_model(run).block_size
    found = example_prompts(run)
    assert found
    for name, text in found.items():
        assert known_part(tokenizer, text) == text, name
        assert 2 <= len(tokenizer.encode(text)) <= context, name


def test_random_tokens_come_twice_and_none_of_them_within_the_first_half(run: Run) -> None:
    ids = run.tokenizer.encode(repeated_tokens(run, 6))
    assert len(ids) == 12
    assert len(set(ids[:6].tolist())) == 6
    np.testing.assert_array_equal(ids[:6], ids[6:])
    assert repeated_tokens(run, 6) == repeated_tokens(run, 6)
    assert repeated_tokens(run, 10_000) == ""


def test_a_run_without_samples_has_examples(tmp_path: Path) -> None:
    made = made_run(tmp_path)
    assert "line" not in example_prompts(made)
    assert set(example_prompts(made)) >= {"sample"}
