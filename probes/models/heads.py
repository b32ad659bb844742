"""Scores of attention heads from their attention weights, on text and on made sequences with a repeat.

``A[i, j]`` is the attention of query i to key j. All scores are means over sequences and queries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from data.arrays import TokenIds
from data.progress import Progress, announce, parts, stage
from data.runs import Run
from probes.models.attention import check_layers, head_coords
from probes.models.gathering import over_snapshots
from probes.models.observation import first_blocks, in_parts, observe, silenced
from probes.texts import repeated_sequences, validation_windows
from trainer.config import described_model
from trainer.loading import Model

LONGEST_SCORED = 128  # tokens; longer contexts are scored on their beginning
N_SEQUENCES = 64
BATCH = "batch of sequences"
SECONDS_PER_OPERATION = 2e-11
"""Of the matrix products, roughly, on two cores; the scoring itself takes a hundredth of their time."""


def previous_token(A: Tensor) -> Tensor:
    """Compute the mean attention to the previous token, (sequence, ..., query, key) to (sequence, ...).

    Examples
    --------
    >>> round(previous_token(uniform_attention(3)).item(), 4)  # the mean of 1/2 and 1/3
    0.4167
    """
    return A.diagonal(-1, -2, -1).mean(-1)


def sink(A: Tensor) -> Tensor:
    """Compute the mean attention to the first token, of all queries but the first.

    References
    ----------
    Xiao et al. 2023, "Efficient Streaming Language Models with Attention Sinks" (arXiv 2309.17453).
    """
    return A[..., 1:, 0].mean(-1)


def entropy(A: Tensor) -> Tensor:
    """Compute the mean entropy of the rows over the largest that the causal mask allows, log(i + 1) for query i.

    1 is even attention to all tokens, 0 attention to a single one. The first query, which has one key, is left out.
    """
    n_keys = torch.arange(2, A.shape[-2] + 1, device=A.device)
    return (torch.sum(torch.special.entr(A[..., 1:, :]), -1) / n_keys.log()).mean(-1)


def entropy_without_sink(A: Tensor) -> Tensor:
    """Compute `entropy` without the first key: how evenly a head attends to the other tokens.

    Rows that give the other tokens less than a millionth of their weight are left out; a head without any other rows counts as 0.
    """
    rest = A[..., 2:, 1:]
    mass = rest.sum(-1, keepdim=True)
    n_keys = torch.arange(2, A.shape[-2], device=A.device)
    share = torch.sum(torch.special.entr(rest / mass.clamp_min(1e-6)), -1) / n_keys.log()
    counts = (mass[..., 0] > 1e-6).float()
    return (share * counts).sum(-1) / counts.sum(-1).clamp_min(1)


def distance(A: Tensor) -> Tensor:
    """Compute the mean distance, in tokens, that a head attends back, of all queries but the first."""
    places = torch.arange(A.shape[-1], dtype=A.dtype, device=A.device)
    back = (places[:, None] - places).clamp_min(0)
    return (A * back).sum(-1)[..., 1:].mean(-1)


def duplicate_token(A: Tensor, period: Tensor) -> Tensor:
    """Compute the mean attention, within the repeat, to the earlier occurrence of the same token.

    ``A`` is (sequence, head, query, key), ``period`` (sequence,) the distance to the earlier occurrence in tokens.

    References
    ----------
    Wang et al. 2022, "Interpretability in the Wild" (arXiv 2211.00593), section 3.
    """
    return _at_offset(A, period, 0)


def induction(A: Tensor, period: Tensor) -> Tensor:
    """Compute the mean attention, within the repeat, to the token that *followed* the earlier occurrence (prefix matching).

    References
    ----------
    Olsson et al. 2022, "In-context Learning and Induction Heads" (arXiv 2209.11895), "prefix matching score".
    """
    return _at_offset(A, period, 1)


def uniform_attention(n: int) -> Tensor:
    """Make the attention of a head that attends evenly to all earlier tokens, (query, key)."""
    return torch.ones(n, n).tril() / torch.arange(1, n + 1)[:, None]


ON_TEXT: dict[str, Callable[[Tensor], Tensor]] = {
    score.__name__: score for score in (previous_token, sink, entropy, entropy_without_sink, distance)
}
ON_REPEATS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"duplicate_token": duplicate_token, "induction": induction}
LONG_NAMES = {
    "previous_token": "attention to the previous token",
    "duplicate_token": "attention to the same token earlier",
    "induction": "attention to what followed the same token",
    "sink": "attention to the first token",
    "entropy": "entropy of attention (1: even)",
    "entropy_without_sink": "entropy of attention, first token left out",
    "distance": "mean distance looked back (tokens)",
}


def head_scores(
    run: Run,
    *,
    layers: Sequence[int] | None = None,
    seed: int = 0,
    text: Path | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Score every head at every snapshot.

    Parameters
    ----------
    run : the run to measure.
    layers : the layers whose heads are scored, counted from 0; all if None. What lies behind the last of them is not computed.
    seed : seed of the windows of text and the made sequences; they are the same at every snapshot.
    text : a text file instead of the validation split of the run's own corpus.
    progress : called with the number of snapshots done so far.

    Returns
    -------
    Variables ``previous_token``, ``sink``, ``entropy``, ``entropy_without_sink``, ``distance`` (measured on text) and
    ``duplicate_token``, ``induction`` (on sequences whose end repeats what came before), each (step, layer, head), float32.
    The attribute ``uniform`` is the score of a head that attends evenly. Contexts beyond 128 tokens are scored on their first 128;
    one that is too short for a repeat, or a layer that the model does not have, is an `InputError`.
    """
    context, coords = _scored_context(run), head_coords(run)
    coords |= {"layer": check_layers(coords["layer"], layers)}
    _announce(run, coords["layer"], context)
    repeats = repeated_sequences(described_model(run).vocab_size, context, N_SEQUENCES, seed=seed)
    period = torch.from_numpy(repeats.period)
    windows = validation_windows(run, N_SEQUENCES, seed=seed, text=text)[:, :context]

    def measure(model: Model) -> dict[str, Tensor]:
        chosen = coords["layer"].tolist()
        with first_blocks(model, chosen[-1] + 1):
            with stage(0, 0.5):
                on_text = _mean_scores(model, chosen, windows, ON_TEXT)
            with stage(0.5, 1):
                return on_text | _mean_scores(model, chosen, repeats.ids, ON_REPEATS, period)

    scores = over_snapshots(run, measure, dict.fromkeys(LONG_NAMES, ("layer", "head")), coords, progress)
    even = uniform_attention(context)
    uniform = {name: float(score(even)) for name, score in ON_TEXT.items()}
    even = even.expand(len(period), 1, context, context)
    uniform |= {name: float(score(even, period).mean()) for name, score in ON_REPEATS.items()}
    for name, long_name in LONG_NAMES.items():
        scores[name].attrs.update(long_name=long_name, uniform=uniform[name])
    return scores


def _announce(run: Run, layers: NDArray[np.integer], context: int) -> None:
    """Give a notice if scoring the heads of one snapshot will take minutes."""
    n = len(run.manifest())
    n_tokens, depth = 2 * N_SEQUENCES * context, (int(layers.max()) + 1) / described_model(run).n_layer
    seconds = SECONDS_PER_OPERATION * 2 * run.info.get("parameters", 0) * n_tokens * depth * n
    what = f"scoring the heads of {len(layers)} layers at {n} snapshot{'s' if n > 1 else ''}"
    announce(what, seconds, "`layers=0-2` scores those of some layers, the first ones in the shortest time")


def _scored_context(run: Run) -> int:
    return min(described_model(run).block_size, LONGEST_SCORED)


def copying(run: Run, *, seed: int = 0, progress: Progress | None = None) -> xr.Dataset:
    """Measure how well the model copies a repeat, and how much each head contributes.

    Parameters
    ----------
    run : the run to measure.
    seed : seed of the made sequences.
    progress : called with the number of snapshots done so far.

    Returns
    -------
    ``loss`` (step): mean loss in nats per token within the repeat; ``loss_before`` (step): that of the random tokens before
    it, which cannot be predicted; ``loss_without`` (step, layer, head): ``loss`` when the output of that head is replaced by zeros.
    A context that is too short for a repeat is an `InputError`.
    """
    repeats = repeated_sequences(described_model(run).vocab_size, _scored_context(run), N_SEQUENCES // 4, seed=seed)
    within = repeats.in_repeat[:, 1:]

    def measure(model: Model) -> dict[str, Any]:
        losses = _token_losses(model, repeats.ids)
        return {
            "loss": losses[within].mean(),
            "loss_before": losses[~within].mean(),
            "loss_without": _losses_without_each(model, repeats.ids, within),
        }

    dims = {"loss": (), "loss_before": (), "loss_without": ("layer", "head")}
    found = over_snapshots(run, measure, dims, head_coords(run), progress)
    for name in found:
        found[name].attrs["units"] = "nats per token"
    return found


def _mean_scores(
    model: Model, layers: list[int], ids: TokenIds, scores: Mapping[str, Callable[..., Tensor]], *arguments: Tensor
) -> dict[str, Tensor]:
    """Compute the mean of each score over sequences (sequence, query), (layer, head); each sequence has arguments of its own."""
    totals = {name: torch.zeros(len(layers), model.config.n_head) for name in scores}
    for part in parts(in_parts(model, ids), BATCH):
        own = [argument[part] for argument in arguments]
        attention = observe(model, torch.from_numpy(ids[part]), attention=True).attention
        for row, layer in enumerate(layers):
            for name, score in scores.items():
                totals[name][row] += score(attention[layer], *own).sum(0)
    return {name: total / len(ids) for name, total in totals.items()}


def _at_offset(A: Tensor, period: Tensor, ahead: int) -> Tensor:
    """Compute the mean attention of the queries in the repeat to the key ``period - ahead`` before them, (sequence, head)."""
    n = A.shape[-1]
    queries = torch.arange(n)
    keys = (queries - period[:, None] + ahead).clamp_min(0)  # (sequence, query)
    found = A.gather(-1, keys[:, None, :, None].expand(*A.shape[:-1], 1))[..., 0]  # (sequence, head, query)
    counts = (queries >= (n - period)[:, None]).to(A.dtype)[:, None]  # (sequence, 1, query)
    return (found * counts).sum(-1) / counts.sum(-1)


def _token_losses(model: Model, ids: TokenIds) -> np.ndarray:
    """Compute the loss of every token but the first, (sequence, query - 1)."""
    losses = []
    for part in in_parts(model, ids):
        shown = torch.from_numpy(ids[part])
        logits = observe(model, shown).logits[:, :-1]
        losses.append(F.cross_entropy(logits.transpose(1, 2), shown[:, 1:], reduction="none").numpy())
    return np.concatenate(losses)


def _losses_without_each(model: Model, ids: TokenIds, within: np.ndarray) -> np.ndarray:
    """Compute the mean loss within the repeat without each head, (layer, head)."""
    found = np.empty((model.config.n_layer, model.config.n_head))
    for layer, head in parts(list(np.ndindex(found.shape)), "head"):
        with silenced(model, layer, head):
            found[layer, head] = _token_losses(model, ids)[within].mean()
    return found
