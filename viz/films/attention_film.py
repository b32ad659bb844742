"""Films of attention: the maps of a prompt, layers by heads, or those of one layer or head."""

from __future__ import annotations

from data.progress import Progress
from data.runs import Run
from viz.drawing.curve_panel import Curve
from viz.drawing.text import Caption, quoted
from viz.films.film import INTERPOLATED, Film
from viz.films.heatmap_film import Grid, HeatmapFilm
from viz.grouped_table import loss_curves
from viz.request import FilmRequest


def make_attention_film(run: Run, request: FilmRequest, progress: Progress) -> Film:
    """Film the attention maps of a prompt: layers by heads, or those of one layer or head."""
    from probes.models.attention import attention_maps, check_head, spread

    maps = attention_maps(run, request.prompt, progress=progress)
    check_head(maps, request.layer, request.head)
    chosen = {name: [at] for name, at in (("layer", request.layer), ("head", request.head)) if at is not None}
    maps = maps.sel(chosen)
    which = ", ".join(f"{name} {at[0]}" for name, at in chosen.items())
    grid = Grid(
        [f"layer {i}" for i in maps["layer"].values],
        [f"head {i}" for i in maps["head"].values],
        [str(token) for token in maps["query_token"].values],
        "attention weight   (each row looks at the columns)",
    )
    even = spread(maps).mean(("layer", "head"))
    curves = [
        *loss_curves(run),
        Curve("spread of attention (1: even)", even["step"].values, even.values.astype(float), limits=(0.0, 1.0)),
    ]
    prompt = quoted(maps.attrs["prompt"], 560)
    caption = Caption(f"Attention of {which}" if which else "Attention", f"{run.name} reads {prompt}", INTERPOLATED)
    picture = HeatmapFilm(maps.values, maps["step"].values, grid, curves=curves, caption=caption, **request.look)
    first, last = int(maps["step"][0]), int(maps["step"][-1])
    alt = (
        f"Attention maps of run {run.name} reading {prompt}, {which or 'all layers and heads'}, at {maps.sizes['step']} snapshots from "
        f"step {first:,} to step {last:,}. The mean spread (entropy over its maximum) goes from {float(even[0]):.2f} "
        f"to {float(even[-1]):.2f}."
    )
    return Film(run, request, picture, maps, alt)
