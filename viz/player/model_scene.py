"""The panel of a prompt on its way through a model, from the probes that follow a position."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from probes.groups.naming import format_label
from viz.drawing.text import label_name
from viz.drawing.theme import Theme, diverging_map, role_color
from viz.fonts import label, lettering
from viz.player.model_panel import ModelFlow, Word

MOST_BINS = 64
"""A strip on a page has about this many pixels."""
STRIPS = {
    "token": "token_vector",
    "position": "position_vector",
    "attention": "attention_output",
    "mlp": "mlp_output",
    "residual": "residual",
}


def flow_panel(
    trace: xr.Dataset,
    lens: xr.Dataset,
    labels: Sequence[str],
    *,
    ids: Sequence[int],
    theme: Theme,
    words: Mapping[str, str],
    language: str = "en",
    links: Mapping[str, str] | None = None,
    chosen: tuple[int, int] | None = None,
) -> ModelFlow:
    """Build the panel of a prompt on its way through a model.

    Parameters
    ----------
    trace, lens : of `~probes.models.forward_trace.trace_with_lens`.
    labels : the token of each row of the token table.
    ids : tokens of the prompt.
    theme : colours.
    words : texts of the panel, the section ``model_flow`` of the player's.
    language : of the names of tokens without ink.
    links, chosen : as in `ModelFlow`.
    """
    occurring = sorted({*(int(i) for i in np.unique(lens["leader"].values)), *ids})
    with lettering(labels):
        vocabulary = {
            i: Word(label(labels[i]), label_name(labels[i], language), format_label(i, labels)) for i in occurring
        }
    return ModelFlow(
        "flow",
        "flow",
        "",
        tokens=[vocabulary[i] for i in ids],
        ids=ids,
        place=int(trace.attrs["place"]),
        vocabulary=vocabulary,
        trace={str(name): compact(trace[name].values) for name in trace if "dim" not in trace[name].dims},
        lens={str(name): compact(lens[name].values) for name in lens if "dim" not in lens[name].dims},
        strips=strips_of(trace, lens),
        facts=facts_of(trace, labels),
        ramp=[_hex(color) for color in diverging_map(theme)(np.linspace(0, 1, 255))],
        color=role_color(theme, "probability"),
        words=words,
        links=links or {},
        chosen=chosen,
    )


def facts_of(trace: xr.Dataset, labels: Sequence[str]) -> dict[str, float]:
    """Collect the sizes of the model that sentences name, and where its norms are."""
    return {
        "n_dims": trace.sizes["dim"],
        "n_vocabulary": len(labels),
        "head_size": trace.sizes["dim"] // trace.sizes["head"],
        "post": int(trace.attrs["norm"] == "post"),
        "foreign": int(trace.attrs["foreign"]),
    }


def strips_of(trace: xr.Dataset, lens: xr.Dataset) -> dict[str, NDArray[np.float32]]:
    """Collect the vectors that are drawn, by name."""
    found = {name: binned(trace[variable].values) for name, variable in STRIPS.items() if variable in trace}
    is_sum = "token_vector" in trace
    first = trace["token_vector"].values + trace["position_vector"].values if is_sum else trace["input"].values
    found["input"] = binned(first)
    if "normalized" in lens:
        found["final"] = binned(lens["normalized"].isel(layer=-1).values)
    return found


def binned(vectors: NDArray[Any], most: int = MOST_BINS) -> NDArray[np.float32]:
    """Average neighbouring dimensions, (..., dim) to (..., bin), so that at most ``most`` bins are left, all but the last of one size.

    Examples
    --------
    >>> binned(np.array([[1.0, 3.0, 5.0]]), most=2).tolist()
    [[2.0, 5.0]]
    """
    size = -(-vectors.shape[-1] // most)
    starts = np.arange(0, vectors.shape[-1], size)
    counts = np.diff(np.append(starts, vectors.shape[-1]))
    means: NDArray[np.float32] = (np.add.reduceat(vectors, starts, axis=-1) / counts).astype(np.float32)
    return means


def compact(values: NDArray[Any]) -> NDArray[Any]:
    """Store whole numbers as uint16 where they fit, else as uint32, the types that the browser reads."""
    if values.dtype.kind not in "iu":
        return values
    return values.astype(np.uint16 if values.size == 0 or values.max() < 2**16 else np.uint32)


def _hex(color: Sequence[float]) -> str:
    red, green, blue = (round(255 * part) for part in color[:3])
    return f"#{red:02x}{green:02x}{blue:02x}"
