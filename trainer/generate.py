"""Decoding: from a model's bets on the next token to text."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from trainer.loading import Model


@torch.no_grad()
def generate(model: Model, prompt: Tensor, n_tokens: int, *, temperature: float = 0.8, seed: int = 0) -> Tensor:
    """Go on from a prompt, token by token.

    Parameters
    ----------
    prompt : token ids, shape (T,), T at least 1; only the last ``block_size`` of them are seen.
    n_tokens : how many tokens to add.
    temperature : the logits are divided by it before they become probabilities; 0 always takes the likeliest token.
    seed : decides the draws; the global random state is left alone.

    Returns
    -------
    The token ids of prompt and continuation, shape (T + n_tokens,).
    """
    was_training = model.training
    model.eval()
    generator = torch.Generator(device="cpu").manual_seed(seed)
    ids = prompt
    for _ in range(n_tokens):
        logits, _ = model(ids[None, -model.config.block_size :])
        ids = torch.cat([ids, _draw(logits[0, -1], temperature, generator).to(ids.device)])
    model.train(was_training)
    return ids


def _draw(logits: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
    if temperature == 0:
        return logits.argmax()[None]
    probabilities = F.softmax(logits.cpu().double() / temperature, dim=-1)
    return torch.multinomial(probabilities, 1, generator=generator)
