"""Save what all processes of torchrun compute together: gradients, an evaluation, steps of SOAP. The test compares it with one process."""

from __future__ import annotations

import sys

import numpy as np
import torch

from data.corpora.catalog import load_corpus
from trainer.config import TrainConfig, preset, replace
from trainer.optimizers.soap import SOAP
from trainer.parallel import processes
from trainer.parallel.data_parallel import like, whole
from trainer.parallel.torchrun import joined
from trainer.session import build

STEP = 3

CASES: dict[str, dict[str, object]] = {
    "best": {},
    "reference": {"recipe": "reference"},
    "uneven": {"batch_size": 7, "accumulate": 3},
    "recomputed": {"checkpoint_activations": True, "accumulate": 2},
    "sharded": {"shard": True, "batch_size": 7, "accumulate": 3},
}


def config_of(case: str, corpus: str, **fields: object) -> TrainConfig:
    return replace(preset("tiny"), {"corpus": corpus, "threads": 1, **CASES[case], **fields}, "test")


def gradients(config: TrainConfig) -> dict[str, np.ndarray]:
    """Compute the gradients of a step by name, and its evaluation as ``evaluated``."""
    session = build(config, load_corpus(config.corpus))
    with torch.no_grad():  # away from the first weights, where the projections are zero
        for number, p in enumerate(session.model.parameters()):
            draw = torch.randn(p.shape, generator=torch.Generator().manual_seed(number))
            p.add_(like(p, 0.05 * draw))
    session.model.train()
    for loss in session.losses(STEP):
        loss.backward()
    found = {name: whole(p.grad).numpy() for name, p in session.model.named_parameters() if p.grad is not None}
    return found | {"evaluated": np.array(list(session.evaluate(session.steps).values()))}


def soap_steps(n_steps: int = 12) -> dict[str, np.ndarray]:
    """Take steps of SOAP on matrices of three shapes, one of them alone, with given gradients; return weights and state.

    Half-way the optimizer is replaced by one that loads its state.
    """
    draw = torch.Generator().manual_seed(1)
    matrices = [
        torch.nn.Parameter(torch.randn(shape, generator=draw)) for shape in [(12, 4)] * 3 + [(4, 4)] * 2 + [(3, 5)]
    ]
    groups = [{"params": matrices, "parts": [3, 3, 3, 1, 1, 1]}]
    optimizer = SOAP(groups, lr=0.1, weight_decay=0.1)
    for step in range(n_steps):
        for matrix in matrices:
            matrix.grad = torch.randn(matrix.shape, generator=draw)
        optimizer.step()
        if step == n_steps // 2:
            saved = optimizer.state_dict()
            optimizer = SOAP(groups, lr=0.1, weight_decay=0.1)
            optimizer.load_state_dict(saved)
    found = {str(number): matrix.detach().numpy() for number, matrix in enumerate(matrices)}
    state = optimizer.state_dict()["state"]
    return found | {f"{n}.{key}": np.asarray(value) for n, entries in state.items() for key, value in entries.items()}


def main(corpus: str, folder: str) -> None:
    with joined():
        steps = soap_steps()
        if processes.is_first():
            np.savez(f"{folder}/soap.npz", **steps)
        for case in CASES:
            found = gradients(config_of(case, corpus))
            if processes.is_first():
                np.savez(f"{folder}/{case}.npz", **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
