"""Save the gradients of a step and its evaluation, computed by all processes of torchrun; the test compares them with one process's."""

from __future__ import annotations

import sys

import numpy as np
import torch

from data.corpora.catalog import load_corpus
from trainer.config import TrainConfig, preset, replace
from trainer.parallel import processes
from trainer.parallel.data_parallel import whole
from trainer.parallel.launch import joined
from trainer.session import build

STEP = 3

CASES: dict[str, dict[str, object]] = {
    "best": {},
    "reference": {"recipe": "reference"},
    "uneven": {"batch_size": 7, "accumulate": 3},
    "recomputed": {"checkpoint_activations": True, "accumulate": 2},
    "sharded": {"recipe": "reference", "shard": True, "batch_size": 7, "accumulate": 3},
}


def config_of(case: str, corpus: str, **fields: object) -> TrainConfig:
    return replace(preset("tiny"), {"corpus": corpus, "threads": 1, **CASES[case], **fields}, "test")


def gradients(config: TrainConfig) -> dict[str, np.ndarray]:
    """Compute the gradients of a step by name, and its evaluation as ``evaluated``."""
    session = build(config, load_corpus(config.corpus))
    with torch.no_grad():  # away from the first weights, where the projections are zero
        for number, p in enumerate(session.model.parameters()):
            draw = torch.randn(p.shape, generator=torch.Generator().manual_seed(number))
            p.add_(like_parameter(p, 0.05 * draw))
    session.model.train()
    for loss in session.losses(STEP):
        loss.backward()
    found = {name: whole(p.grad).numpy() for name, p in session.model.named_parameters() if p.grad is not None}
    return found | {"evaluated": np.array(list(session.evaluate(session.steps).values()))}


def like_parameter(parameter: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    from trainer.parallel.data_parallel import like

    return like(parameter, value)


def main(corpus: str, folder: str) -> None:
    with joined():
        for case in CASES:
            found = gradients(config_of(case, corpus))
            if processes.is_first():
                np.savez(f"{folder}/{case}.npz", **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
