"""How well a model predicts a text."""

from __future__ import annotations

import torch

from data.errors import InputError
from data.runs import Run
from trainer.generation.text_generation import choose_step
from trainer.loading import load_model
from trainer.machine import find_device


def text_loss(run: Run, text: str, *, step: int | None = None, device: str = "cpu") -> float:
    """Compute the loss of a text in nats per token: the mean over all tokens but the first, which nothing predicts.

    It is the ``loss`` that a model of Hugging Face returns for ``model(ids, labels=ids)``; its exponential is the perplexity.

    Parameters
    ----------
    run : the run whose model reads the text.
    text : of two tokens at least, and no more than the context of the model.
    step : of the snapshot; the last if None.
    device : cpu, cuda, mps, or auto.

    Raises
    ------
    InputError
        If the text has too few or too many tokens, or symbols outside the vocabulary, or there is no such snapshot.
    """
    ids = run.tokenizer.encode(text)
    model = load_model(run, choose_step(run, step)).to(find_device(device))
    n_seen = model.config.block_size
    if not 2 <= len(ids) <= n_seen:
        raise InputError(
            f"the text must have from 2 to {n_seen:,} tokens, the context of the model; it has {len(ids):,}"
        )
    idx = torch.from_numpy(ids)[None].to(find_device(device))
    with torch.no_grad():
        loss = model(idx[:, :-1], idx[:, 1:])[1]
    return float(loss)
