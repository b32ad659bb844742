"""Predictions of the model: the next token, the logit lens after each layer, and the loss by position in the context."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor
from torch.nn import functional as F

from data.progress import Progress, parts
from data.runs import Run
from probes.models.gathering import over_snapshots
from probes.models.observation import in_parts, observe
from probes.tables.embeddings import token_labels
from probes.texts import encode_prompt, sliding_windows
from trainer.config import described_model
from trainer.generation.filters import Decoding, initial_counts, probabilities
from trainer.loading import Model

N_WINDOWS = 256
LEADING = 48
"""How many tokens lead a step: as many as a tall panel has rows."""


def next_token_distribution(
    run: Run, prompt: str | None = None, *, decoding: Decoding | None = None, progress: Progress | None = None
) -> xr.DataArray:
    """Compute the probability of every token to follow a prompt, at every snapshot.

    Parameters
    ----------
    run : the run to measure.
    prompt : the text to continue; the opening of the run's last sample if None.
    decoding : penalties, temperature and filters, for the probabilities with which the token is drawn; the model's own if None.
    progress : called with the number of snapshots done so far.

    Returns
    -------
    Trajectory with dimensions (step, token), float32; each step sums to 1. Errors are those of `~probes.texts.encode_prompt`.
    """
    encoded = encode_prompt(run, prompt)
    ids = torch.from_numpy(encoded.ids)[None]

    def measure(model: Model) -> dict[str, Tensor]:
        logits = observe(model, ids).logits[0, -1]
        if decoding is None:
            return {"probability": F.softmax(logits, dim=-1)}
        known = logits.float().numpy().copy()
        known[run.tokenizer.vocab_size :] = -np.inf  # unused rows of the token table are never sampled
        counts = initial_counts(encoded.ids, len(known), decoding)
        return {"probability": torch.from_numpy(probabilities(known, decoding, counts, encoded.ids)).float()}

    data = over_snapshots(run, measure, {"probability": ("token",)}, {"token": _labels(run)}, progress)
    return data["probability"].assign_attrs(run=run.name, prompt=encoded.text)


def leading_tokens(
    distribution: xr.DataArray, most: int = LEADING, *, before: xr.DataArray | None = None
) -> xr.Dataset:
    """Select the most probable tokens of every step.

    Parameters
    ----------
    distribution : probabilities (step, token).
    most : how many tokens to select at each step.
    before : the distribution before temperature and filters, which decides the order of tokens of equal probability, such as those that a
        filter excludes.

    Returns
    -------
    ``index`` (step, rank), places along the dimension ``token`` of the distribution, the most probable first, and their ``probability``
    (step, rank). The attribute ``n_tokens`` counts all tokens.

    Examples
    --------
    >>> found = leading_tokens(xr.DataArray([[0.7, 0.1, 0.2], [0.1, 0.6, 0.3]], dims=("step", "token")), most=2)
    >>> found["index"].values.tolist(), found["probability"].values.tolist()
    ([[0, 2], [1, 2]], [[0.7, 0.2], [0.6, 0.3]])
    """
    values = distribution.transpose("step", "token").values
    ties = np.zeros_like(values) if before is None else before.transpose("step", "token").values
    order = np.stack([np.lexsort((-tie, -row))[:most] for row, tie in zip(values, ties, strict=True)])
    dims = ("step", "rank")
    return xr.Dataset(
        {"index": (dims, order), "probability": (dims, np.take_along_axis(values, order, axis=1))},
        coords={"step": distribution["step"]} if "step" in distribution.coords else {},
        attrs={"n_tokens": values.shape[1]},
    )


def logit_lens(run: Run, prompt: str | None = None, *, progress: Progress | None = None) -> xr.Dataset:
    """Compute the predictions of the residual stream after every layer as if it were the last: unembed(final norm(h)).

    Parameters
    ----------
    run : the run to measure.
    prompt : the text to read; the opening of the run's last sample if None.
    progress : called with the number of snapshots done so far.

    Returns
    -------
    Variables over (step, layer, position): ``top``, the most probable next token, and ``top_probability``; ``entropy`` of the
    distribution, in nats; ``divergence``, the Kullback-Leibler divergence of the model's final prediction from it, in nats. Over (step,
    layer, token): ``probability``, the distribution after the last position. ``layer`` counts from 0, the embeddings, to n_layer; the
    coordinate ``prompt_token`` (position) holds the prompt. Errors are those of `~probes.texts.encode_prompt`.

    References
    ----------
    nostalgebraist 2020, "interpreting GPT: the logit lens"; Belrose et al. 2023 (arXiv 2303.08112), equation 3, on its bias
    in early layers.
    """
    encoded = encode_prompt(run, prompt)
    ids = torch.from_numpy(encoded.ids)[None]
    labels = _labels(run)

    coords = {
        "layer": np.arange(described_model(run).n_layer + 1),
        "position": np.arange(len(encoded.ids)),
        "prompt_token": ("position", np.array(encoded.tokens, dtype=object)),
        "token": labels,
    }
    at_position = dict.fromkeys(("top", "top_probability", "entropy", "divergence"), ("layer", "position"))
    dims = at_position | {"probability": ("layer", "token")}
    found = over_snapshots(run, lambda model: _lens(model, ids, labels), dims, coords, progress)
    return found.assign_attrs(prompt=encoded.text)


def _lens(model: Model, ids: Tensor, labels: np.ndarray) -> dict[str, Any]:
    streams = torch.cat(observe(model, ids, residual=True).residual)  # (layer, position, dim)
    with torch.no_grad():
        log_p = F.log_softmax(model.unembed(streams), dim=-1)  # (layer, position, token)
    p = log_p.exp()
    best = p.max(-1)
    return {
        "top": labels[best.indices.numpy()],
        "top_probability": best.values,
        "entropy": torch.special.entr(p).sum(-1),
        "divergence": (p[-1] * (log_p[-1] - log_p)).sum(-1).clamp_min(0),
        "probability": p[:, -1],
    }


def loss_by_position(
    run: Run, *, seed: int = 0, text: Path | None = None, progress: Progress | None = None
) -> xr.Dataset:
    """Measure the loss at each position of the context, which shows how much the model uses what it has read.

    Parameters
    ----------
    run : the run to measure.
    seed : seed of the windows of the validation text; they are the same at every snapshot.
    text : a text file instead of the validation split of the run's own corpus; an `InputError` if that cannot be had.
    progress : called with the number of snapshots done so far.

    Returns
    -------
    ``loss`` (step, position): mean loss in nats of the token that follows position + 1 tokens. ``in_context_score`` (step):
    the mean of the last eighth of the positions minus that of the second eighth; below 0 where context helps.

    References
    ----------
    Olsson et al. 2022, "In-context Learning and Induction Heads" (arXiv 2209.11895): loss of the 500th token minus that of the 50th.
    """
    windows = torch.from_numpy(sliding_windows(run, N_WINDOWS, seed=seed, text=text))

    def measure(model: Model) -> dict[str, Any]:
        total = torch.zeros(windows.shape[1] - 1)
        for part in parts(in_parts(model, windows.numpy()), "batch of windows"):
            shown = windows[part]
            logits = observe(model, shown[:, :-1]).logits
            total += F.cross_entropy(logits.transpose(1, 2), shown[:, 1:], reduction="none").sum(0)
        losses = (total / len(windows)).numpy()
        return {"loss": losses, "in_context_score": in_context_score(losses)}

    dims = {"loss": ("position",), "in_context_score": ()}
    found = over_snapshots(run, measure, dims, {"position": np.arange(windows.shape[1] - 1)}, progress)
    for name in found:
        found[name].attrs["units"] = "nats per token"
    return found


def in_context_score(loss: np.ndarray) -> np.ndarray:
    """Subtract the mean loss of the second eighth of the context from that of the last eighth, (..., position) to (...).

    Examples
    --------
    >>> in_context_score(np.array([[3.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 1.5]]))
    array([-0.5])
    """
    n = loss.shape[-1]
    part = max(1, n // 8)
    early = loss[..., min(part, n - 1) : min(part, n - 1) + part].mean(-1)
    return np.asarray(loss[..., -part:].mean(-1) - early)


def _labels(run: Run) -> np.ndarray:
    return token_labels(run, described_model(run).vocab_size)
