"""Figures of attention to a prompt: all heads, the heads of one layer, one head."""

from __future__ import annotations

import numpy as np
import xarray as xr

from data.progress import Progress
from data.runs import Run
from viz.drawing.slide import SIZES
from viz.drawing.text import quoted
from viz.figures.figure import Figure
from viz.figures.makers.step_selection import until_step
from viz.request import FigureRequest


def make_attention_grid(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw the attention of all heads of all layers to a prompt."""
    from viz.figures.attention_figure import draw_grid

    maps = _attention(run, request, progress)
    title = "Attention, layers by heads"
    figure = draw_grid(maps, title=title, subtitle=_reading(run, maps, request), **request.look)
    alt = (
        f"Attention maps of all {maps.sizes['layer']} layers and {maps.sizes['head']} heads. {_reading_alt(run, maps)}"
    )
    return Figure(run, request, figure, title, alt, maps)


def make_attention_layer(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw the heads of one layer (the last, if none is chosen) side by side."""
    from viz.figures.attention_figure import draw_layer

    maps = _attention(run, request, progress)
    layer = maps.sizes["layer"] - 1 if request.layer is None else request.layer
    title = f"Attention of layer {layer}" + (" (the last)" if layer == maps.sizes["layer"] - 1 else "")
    figure = draw_layer(maps.isel(layer=layer), title=title, subtitle=_reading(run, maps, request), **request.look)
    alt = f"Attention maps of the {maps.sizes['head']} heads of layer {layer}. {_reading_alt(run, maps)}"
    return Figure(run, request, figure, title, alt, maps)


def make_attention_head(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw one head large; without a choice, the most focused one."""
    from probes.models.attention import spread
    from viz.figures.attention_figure import draw_head

    maps = _attention(run, request, progress)
    among = maps.sel({name: [at] for name, at in (("layer", request.layer), ("head", request.head)) if at is not None})
    even = spread(among)
    place = dict(zip(("layer", "head"), np.unravel_index(int(even.values.argmin()), even.shape), strict=True))
    chosen = among.isel(place)
    title = f"Attention of layer {int(chosen['layer'])}, head {int(chosen['head'])}"
    figure = draw_head(chosen, title=title, subtitle=_reading(run, maps, request), **request.look)
    strongest = (
        np.unravel_index(int(chosen.values[1:].argmax()), chosen.values[1:].shape)
        if chosen.sizes["query"] > 1
        else (0, 0)
    )
    tokens = [str(token) for token in maps["query_token"].values]
    row = int(strongest[0]) + (chosen.sizes["query"] > 1)
    column = int(strongest[1])
    alt = (
        f"Attention map of {title.removeprefix('Attention of ')}. {_reading_alt(run, maps)} The strongest weight beyond the first row is "
        f"{float(chosen.values[row, column]):.2f}, of {tokens[row]!r} at {row} to {tokens[column]!r} at {column}."
    )
    return Figure(run, request, figure, title, alt, maps)


def _attention(run: Run, request: FigureRequest, progress: Progress) -> xr.DataArray:
    """Measure the attention maps at the chosen step, (layer, head, query, key)."""
    from probes.models.attention import attention_maps, check_head

    maps = attention_maps(run, request.prompt, progress=progress)
    check_head(maps, request.layer, request.head)
    until: xr.DataArray = until_step(run, maps, request)
    return until.isel(step=-1)


def _reading(run: Run, maps: xr.DataArray, request: FigureRequest) -> str:
    prompt = quoted(maps.attrs["prompt"], 72 * SIZES[request.size][0] - 330)
    return f"{run.name} at step {int(maps['step']):,} reads {prompt}; each row looks at the columns"


def _reading_alt(run: Run, maps: xr.DataArray) -> str:
    return f"Run {run.name} at step {int(maps['step']):,}, reading {quoted(maps.attrs['prompt'], 600)}."
