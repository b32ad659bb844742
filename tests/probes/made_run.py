"""A run on disk with made weights, so large that every part of the model shows: what a probe reads, an oracle can compute."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from data.corpora.catalog import load_corpus
from data.runs import Run, create_run, write_snapshot
from data.tokens.tokenizers import CharTokenizer
from tests.conftest import made_text
from tests.trainer.test_model import made_model
from trainer.config import ModelConfig
from trainer.model import GPT

SYMBOLS = "".join(sorted(set(made_text())))
STEPS = (0, 10, 20)


def shape(**changes: int) -> ModelConfig:
    """Return the shape of the made model, with some fields replaced."""
    fields = {"vocab_size": len(SYMBOLS), "block_size": 12, "n_layer": 3, "n_head": 4, "n_embd": 32}
    return ModelConfig(**{**fields, **changes})


def model_of_step(step: int, config: ModelConfig) -> GPT:
    """Return the model of a step: made weights, a little smaller at each step; in float32."""
    model = made_model(config, torch.float32)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1 - step / 100)
    return model


def weights(model: GPT) -> dict[str, Any]:
    """Return the tensors of a snapshot of a model."""
    return {name: parameter.detach().numpy().copy() for name, parameter in model.named_parameters()}


def made_run(folder: Path, config: ModelConfig | None = None, **info: Any) -> Run:
    """Write a run with its text and three snapshots; ``info`` replaces entries of its run.json."""
    config = config or shape()
    text = folder / "made.txt"
    text.write_text(made_text(3000), encoding="utf-8")
    described = {
        "created": "2026-01-01T00:00:00+00:00",
        "model": {name: value for name, value in vars(config).items() if name != "dropout"},
        "training": {"corpus": str(text)},
        "corpus": {"name": "made", "sha256": load_corpus(text).sha256},
        "tokenizer": CharTokenizer(SYMBOLS).to_json(),
        "tensors": {"token_table": "wte.weight", "position_table": "wpe.weight"},
    }
    run = create_run("made", {name: value for name, value in (described | info).items() if value is not None}, folder)
    for step in STEPS:
        write_snapshot(run, step, weights(model_of_step(step, config)))
    return run


def random_attention(*shape: int, seed: int = 0) -> torch.Tensor:
    """Return attention matrices (..., query, key) drawn at random: causal, and every row sums to 1."""
    scores = torch.from_numpy(np.random.default_rng(seed).normal(scale=2, size=shape).astype(np.float32))
    n = shape[-1]
    return scores.masked_fill(torch.ones(n, n, dtype=torch.bool).triu(1), -torch.inf).softmax(-1)
