"""Attention maps of a prompt over training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from data.errors import InputError
from data.progress import Progress
from data.runs import Run
from probes.models.gathering import over_snapshots
from probes.models.observation import observe
from probes.texts import encode_prompt
from trainer.config import described_model
from trainer.loading import Model


def attention_maps(
    run: Run, prompt: str | None = None, *, head: tuple[int, int] | None = None, progress: Progress | None = None
) -> xr.DataArray:
    """Compute the attention of every token of a prompt to every earlier token, in every head at every snapshot.

    Parameters
    ----------
    run : the run to measure.
    prompt : the text to read; the opening of the run's last sample if None.
    head : layer and head to keep, for long prompts; all if None.
    progress : called with the number of snapshots done so far.

    Returns
    -------
    Trajectory with dimensions (step, layer, head, query, key), float32. ``query`` and ``key`` count from 0; the coordinates
    ``query_token`` and ``key_token`` hold the tokens. Rows sum to 1, and no query attends to a later key. An array
    of more than 16 MB lies in a temporary file and is read where it is used.

    Raises
    ------
    InputError
        If the prompt is empty, too long or outside the vocabulary, the model has no such head, or the run has no whole snapshot.

    References
    ----------
    Vaswani et al. 2017, "Attention Is All You Need", equation 1.
    """
    encoded = encode_prompt(run, prompt)
    ids = torch.from_numpy(encoded.ids)[None]
    tokens, places = np.array(encoded.tokens, dtype=object), np.arange(len(encoded.ids))
    coords: dict[str, Any] = {**head_coords(run), "query": places, "key": places}
    coords |= {"query_token": ("query", tokens), "key_token": ("key", tokens)}
    layers = heads = slice(None)
    if head is not None:
        check_head(xr.Dataset(coords=coords), *head)
        layers, heads = (slice(number, number + 1) for number in head)
        coords |= {"layer": coords["layer"][layers], "head": coords["head"][heads]}

    def measure(model: Model) -> dict[str, Tensor]:
        kept = observe(model, ids, attention=True).attention[layers]
        return {"attention": torch.cat([A[:, heads] for A in kept])}  # one sequence: (layer, head, query, key)

    data = over_snapshots(run, measure, {"attention": ("layer", "head", "query", "key")}, coords, progress)
    return data["attention"].assign_attrs(run=run.name, prompt=encoded.text, long_name="attention weight")


def head_coords(run: Run) -> dict[str, np.ndarray]:
    """Make the coordinates of a model's layers and heads, both counted from 0."""
    shape = described_model(run)
    return {"layer": np.arange(shape.n_layer), "head": np.arange(shape.n_head)}


def check_layers(known: np.ndarray, layers: Sequence[int] | None) -> np.ndarray:
    """Choose layers of a model by number, in ascending order; all if None, and an `InputError` if it has no such layer."""
    if layers is None:
        return known
    chosen = np.unique(np.array(layers, dtype=int))
    missing = [layer for layer in chosen if layer not in known]
    if missing or not len(chosen):
        wrong = f"there is no layer {missing[0]}" if missing else "no layer is chosen"
        raise InputError(f"{wrong}: this model has layers 0 to {known[-1]}; name some with `layers`")
    return chosen


def check_head(data: xr.DataArray | xr.Dataset, layer: int | None, head: int | None) -> None:
    """Refuse a layer or a head that the model does not have; None stands for all of them."""
    for name, number in (("layer", layer), ("head", head)):
        if number is not None and not 0 <= number < data.sizes[name]:
            raise InputError(f"there is no {name} {number}: this model has {name}s 0 to {data.sizes[name] - 1}")


def spread(maps: xr.DataArray) -> xr.DataArray:
    """Compute the `~probes.models.heads.entropy` of each head, (..., query, key) to (...); for a prompt of one token it is 1."""
    from probes.models.heads import entropy

    if maps.sizes["query"] < 2:
        return xr.ones_like(maps.isel(query=0, key=0, drop=True))
    values = np.array(maps.transpose(..., "query", "key").values)
    return maps.isel(query=0, key=0, drop=True).copy(data=entropy(torch.from_numpy(values)).numpy())
