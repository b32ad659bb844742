"""The way of one position through the model: what each layer adds to its residual stream, and what the stream says by the logit lens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from data.errors import InputError
from data.progress import Progress
from data.runs import Run
from probes.models.block_passage import block_passages, leading_terms
from probes.models.gathering import over_snapshots
from probes.models.observation import Observation, observe
from probes.texts import encode_prompt
from trainer.config import described_model
from trainer.loading import Model
from trainer.model import GPT

N_LEADERS = 10

_LAYER = {"attention_norm", "mlp_norm", "residual_norm", "sum_norm", "before_share", "attention_share", "mlp_share"}
_INPUT = {"token_norm", "position_norm", "input_norm", "token_share", "position_share"}
_BLOCKS: dict[str, tuple[str, ...]] = {
    "token_vector": ("dim",),
    "position_vector": ("dim",),
    **dict.fromkeys(sorted(_INPUT), ()),
    **dict.fromkeys(("attention_output", "mlp_output", "residual"), ("layer", "dim")),
    **dict.fromkeys(sorted(_LAYER), ("layer",)),
    **dict.fromkeys(("head_norm", "head_share"), ("layer", "head")),
    **dict.fromkeys(("score", "attention", "key_share"), ("layer", "head", "key")),
    **dict.fromkeys(("score_dim", "query_value", "key_value"), ("layer", "head", "key", "component")),
    **dict.fromkeys(("unit", "activation", "unit_share"), ("layer", "component")),
}
# Of a model that was made elsewhere, whose blocks are not known.
_FOREIGN_BLOCKS: dict[str, tuple[str, ...]] = {
    "input": ("dim",),
    "input_norm": (),
    "residual": ("layer", "dim"),
    "residual_norm": ("layer",),
    "attention": ("layer", "head", "key"),
}
_LENS: dict[str, tuple[str, ...]] = {
    "leader": ("layer", "rank"),
    "probability": ("layer", "rank"),
    "logit": ("layer", "rank"),
    "log_total": ("layer",),
}
_TERMS: dict[str, tuple[str, ...]] = {
    "normalized": ("layer", "dim"),
    **dict.fromkeys(("term_dim", "stream_value", "row_value"), ("layer", "rank", "component")),
}


def forward_trace(
    run: Run, prompt: str | None = None, *, position: int | None = None, progress: Progress | None = None
) -> xr.Dataset:
    """Follow one position of a prompt through all layers: every addend of its residual stream, and how each comes about.

    Parameters
    ----------
    run : the run to measure.
    prompt : the text to read; the opening of the run's last sample if None.
    position : the position that is followed, from 0; the last of the prompt if None.
    progress : called with the number of snapshots done so far.

    Returns
    -------
    Variables over step and, by name:

    - ``token_vector``, ``position_vector`` (dim): the rows of the two tables whose sum is the input of the first layer.
    - ``attention_output``, ``mlp_output``, ``residual`` (layer, dim): what attention and MLP add, and the stream after the layer. Where the
      norm comes before (``norm`` in the attributes is pre), the stream before the layer and the two add up to that after it. In GPT-1
      (post) each of the two sums is normalised.
    - ``*_norm``: norms of these vectors. ``*_share``: lengths along the direction of a sum; those of all its addends add up to its norm.
      ``before_share``, ``attention_share`` and ``mlp_share`` (layer) add up to ``sum_norm``, the norm of the stream after the layer (in
      GPT-1, of the sum with the MLP's output before its norm; ``before_share`` then has attention in it, and ``attention_share`` is 0).
    - ``head_norm``, ``head_share`` (layer, head): of what each head adds. With a bias in the output projection there is one addend more.
    - ``score`` (layer, head, key): query times key over the root of the head's size; ``attention``: its softmax over the keys;
      ``key_share``: the part of each key in ``head_norm``.
    - ``score_dim``, ``query_value``, ``key_value`` (layer, head, key, component): the largest terms of the product of query and key.
    - ``unit``, ``activation``, ``unit_share`` (layer, component): the hidden units of the MLP with the largest parts in ``mlp_norm``.

    The coordinates ``key_token`` (key) and ``prompt_token`` (position) hold the tokens. Of a model that was made elsewhere, only
    ``input`` (dim), ``residual``, their norms, and ``attention`` are known.

    Raises
    ------
    InputError
        If the prompt is empty, too long or outside the vocabulary, it has no such position, or the run has no whole snapshot.

    References
    ----------
    Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits": the residual stream as a sum.
    """
    return _measured(run, prompt, position, progress, blocks=True, lens=False)[0]


def lens_terms(
    run: Run, prompt: str | None = None, *, position: int | None = None, progress: Progress | None = None
) -> xr.Dataset:
    """Compute the leading tokens by the logit lens after every layer, with their logits as sums of products.

    Parameters
    ----------
    run : the run to measure.
    prompt : the text to read; the opening of the run's last sample if None.
    position : the position that is followed, from 0; the last of the prompt if None.
    progress : called with the number of snapshots done so far.

    Returns
    -------
    Variables over step and (layer, rank), most probable first: ``leader``, the token's id; ``probability``; ``logit``. ``layer`` counts
    from 0, the embeddings, to n_layer. ``log_total`` (layer): the logarithm of the sum of the exponentials of all logits. For our GPT also
    ``normalized`` (layer, dim), the stream after the final norm, and the largest terms of its product with the token's row of the token
    table: ``term_dim``, ``stream_value``, ``row_value`` (layer, rank, component). Errors are those of `forward_trace`.

    References
    ----------
    nostalgebraist 2020, "interpreting GPT: the logit lens".
    """
    return _measured(run, prompt, position, progress, blocks=False, lens=True)[1]


def trace_with_lens(
    run: Run, prompt: str | None = None, *, position: int | None = None, progress: Progress | None = None
) -> tuple[xr.Dataset, xr.Dataset]:
    """Measure `forward_trace` and `lens_terms` together, so that every snapshot is read once."""
    return _measured(run, prompt, position, progress, blocks=True, lens=True)


@dataclass(frozen=True)
class _Question:
    """The ids of the prompt up to the position that is followed, (1, position), and what is measured."""

    ids: Tensor
    blocks: bool
    lens: bool

    def __call__(self, model: Model) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if isinstance(model, GPT) and self.blocks:
            found = block_passages(model, self.ids)
            first = found["token_vector"] + found["position_vector"]
            stream = torch.cat([first[None], found["residual"]])  # (layer + 1, dim)
        else:
            seen = observe(model, self.ids, attention=self.blocks, residual=True)
            stream = torch.cat([one[:, -1] for one in seen.residual])
            found = _foreign(seen, stream) if self.blocks else {}
        return found | (_lens(model, stream) if self.lens else {})


def _measured(
    run: Run, prompt: str | None, position: int | None, progress: Progress | None, *, blocks: bool, lens: bool
) -> tuple[xr.Dataset, xr.Dataset]:
    encoded, shape = encode_prompt(run, prompt), described_model(run)
    n_tokens = len(encoded.ids)
    place = n_tokens - 1 if position is None else position
    if not 0 <= place < n_tokens:
        raise InputError(
            f"there is no position {place}: the prompt has positions 0 to {n_tokens - 1}: pass `position=0`"
        )
    is_foreign = run.info["model"].get("kind") == "hf"
    block_dims = (_FOREIGN_BLOCKS if is_foreign else _BLOCKS) if blocks else {}
    lens_dims = (_LENS if is_foreign else _LENS | _TERMS) if lens else {}
    # The lens has a layer more, and perhaps other numbers of terms: its dimensions have other names until the two are apart.
    dims = block_dims | {name: tuple(f"lens_{dim}" for dim in own) for name, own in lens_dims.items()}
    question = _Question(torch.from_numpy(encoded.ids[: place + 1])[None], blocks, lens)
    found = over_snapshots(run, question, dims, {}, progress)
    found = found.assign_attrs(prompt=encoded.text, place=place, norm=shape.norm, foreign=int(is_foreign))
    tokens = np.array(encoded.tokens, dtype=object)
    prompt_coords = {"position": np.arange(n_tokens), "prompt_token": ("position", tokens)}
    trace, read = (found[list(own)].assign_coords(prompt_coords) for own in (block_dims, lens_dims))
    if blocks:
        trace = trace.assign_coords(key_token=("key", tokens[: place + 1]))
    names = {dim: str(dim).removeprefix("lens_") for dim in read.dims if str(dim).startswith("lens_")}
    return _counted(trace), _counted(read.rename(names))


def _counted(data: xr.Dataset) -> xr.Dataset:
    """Number the layers, heads, keys and ranks from 0."""
    counted = ("layer", "head", "key", "rank")
    return data.assign_coords({dim: np.arange(data.sizes[dim]) for dim in counted if dim in data.sizes})


def _foreign(seen: Observation, stream: Tensor) -> dict[str, Tensor]:
    weights = torch.cat(seen.attention)[:, :, -1]  # (layer, head, key)
    norms = stream.norm(dim=-1)
    return {
        "input": stream[0],
        "input_norm": norms[0],
        "residual": stream[1:],
        "residual_norm": norms[1:],
        "attention": weights,
    }


@torch.no_grad()
def _lens(model: Model, stream: Tensor) -> dict[str, Tensor]:
    logits = model.unembed(stream[:, None])[
        :, 0
    ]  # (layer, token); one position at a time, as models made elsewhere need it
    best = logits.topk(min(N_LEADERS, logits.shape[-1]), dim=-1)
    total = logits.logsumexp(-1)
    found = {
        "leader": best.indices,
        "probability": (best.values - total[:, None]).exp(),
        "logit": best.values,
        "log_total": total,
    }
    if isinstance(model, GPT):
        normalized = model.ln_f(stream)
        terms = leading_terms(normalized[:, None], model.wte.weight[best.indices])
        found |= dict(zip(("term_dim", "stream_value", "row_value"), terms, strict=True))
        found["normalized"] = normalized
    return found
