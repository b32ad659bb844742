"""Figures of what a model does: its attention, its predictions, how it decodes, and what it knows."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from data.arrays import FloatArray
from data.errors import InputError
from data.progress import Progress
from data.runs import Run
from probes.models.attention import attention_maps, check_head, spread
from probes.models.decoding import decoding_trace, recorded_trace, temperature_distributions
from probes.models.heads import head_scores
from probes.models.logits import logit_lens, loss_by_position, next_token_distribution
from probes.models.zero_shot import zero_shot
from probes.registry import parse_layers
from viz.drawing.slide import SIZES
from viz.drawing.text import level_text, quoted
from viz.explanations import EXPLANATIONS, explained
from viz.figures.attention_figure import draw_grid, draw_head, draw_layer
from viz.figures.curve_figure import draw_zero_shot
from viz.figures.decoding_figure import draw_temperatures, draw_trace
from viz.figures.figure import Figure
from viz.figures.head_score_figure import draw_scores, leading_head
from viz.figures.next_token_figure import LEAST_PRINTED, draw_all_tokens, draw_context_loss, draw_lens, draw_next_token
from viz.grouped_table import loss_curve
from viz.request import FigureRequest

STILL_TEMPERATURES = (0.0, 0.5, 0.8, 1.0, 2.0)
MOSTLY, LEAST_TOKENS = 0.5, 4
"""A head's map is explained if it puts more than this share of attention in one place; of so few tokens, nothing is said."""


def make_attention_grid(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw the attention of all heads of all layers to a prompt."""
    maps = _attention(run, request, progress)
    title = "Attention, layers by heads"
    figure = draw_grid(maps, title=title, subtitle=_reading(run, maps, request), **request.look)
    n_layers, n_heads = maps.sizes["layer"], maps.sizes["head"]
    alt = f"Attention maps of all {n_layers} layers and {n_heads} heads. {_reading_alt(run, maps)}"
    return Figure(run, request, figure, title, alt, maps)


def make_attention_layer(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw the heads of one layer (the last, if none is chosen) side by side."""
    maps = _attention(run, request, progress)
    layer = maps.sizes["layer"] - 1 if request.layer is None else request.layer
    title = f"Attention of layer {layer}" + (" (the last)" if layer == maps.sizes["layer"] - 1 else "")
    figure = draw_layer(maps.isel(layer=layer), title=title, subtitle=_reading(run, maps, request), **request.look)
    alt = f"Attention maps of the {maps.sizes['head']} heads of layer {layer}. {_reading_alt(run, maps)}"
    return Figure(run, request, figure, title, alt, maps)


def make_attention_head(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw one head large; without a choice, the most focused one."""
    maps = _attention(run, request, progress)
    among = maps.sel({name: [at] for name, at in (("layer", request.layer), ("head", request.head)) if at is not None})
    focused = spread(among)
    chosen = among.isel(focused.argmin(["layer", "head"]))
    title = f"Attention of layer {int(chosen['layer'])}, head {int(chosen['head'])}"
    pattern = _pattern(chosen.values)
    figure = draw_head(chosen, title=title, subtitle=_reading(run, maps, request), takeaway=pattern, **request.look)
    weights, tokens = chosen.values, [str(token) for token in maps["query_token"].values]
    first = min(1, len(weights) - 1)  # the first token sees only itself
    row, column = np.unravel_index(int(weights[first:].argmax()), weights[first:].shape)
    row += first
    alt = (
        f"Attention map of {title.removeprefix('Attention of ')}. {_reading_alt(run, maps)} The strongest weight beyond the first row is "
        f"{weights[row, column]:z.2f}, of {tokens[row]!r} at {row} to {tokens[column]!r} at {column}. {pattern}"
    ).strip()
    return Figure(run, request, figure, title, alt, maps)


def make_head_scores(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw what each head does over training, with the loss beside it."""
    layers = parse_layers(request.layers)
    scores = head_scores(run, layers=layers, seed=request.seed, text=request.text, progress=progress)
    title = "What each attention head does"
    shape = f"{scores.sizes['layer']} layers of {scores.sizes['head']} heads; dashed: a head that attends evenly"
    subtitle = f"{run.name}: {shape}{explained(request, 'induction', 'sink')}"
    leading = []
    for name, words in (("previous_token", "to the token before"), ("induction", "to what followed the same token")):
        layer, head = leading_head(scores[name])
        value, even = float(scores[name][-1, layer, head]), scores[name].attrs["uniform"]
        place = f"layer {scores['layer'].values[layer]} head {head}"
        leading.append(f"most attention {words}: {place}, {value:z.2f} (even: {level_text(even)})")
    takeaway = "; ".join(leading)
    takeaway = takeaway[0].upper() + takeaway[1:] + "."
    figure = draw_scores(scores, loss_curve(run), title=title, subtitle=subtitle, takeaway=takeaway, **request.look)
    alt = f"Scores of the attention heads of run {run.name} over its snapshots. {takeaway}"
    return Figure(run, request, figure, title, alt, scores)


def make_next_token(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw the distribution of the token after a prompt."""
    found = _until_step(run, next_token_distribution(run, request.prompt, progress=progress), request)
    prompt, last = str(found.attrs["prompt"]), found.isel(step=-1)
    best = last.isel(token=int(last.values.argmax()))
    title, subtitle = "What comes next?", f"{run.name} {run.at_step(int(last['step']))}"
    if request.all_tokens:
        subtitle += f": all {last.sizes['token']} tokens, values above {LEAST_PRINTED:g} printed"
        figure = draw_all_tokens(last, prompt, title=title, subtitle=subtitle, **request.look)
    else:
        figure = draw_next_token(found, prompt, title=title, subtitle=subtitle, **request.look)
    alt = (
        f"Probabilities of the next token after {quoted(prompt, 600)} in run {run.name} {run.at_step(int(last['step']))}; the likeliest is "
        f"{str(best['token'].values)!r} at {float(best):z.2f}."
    )
    return Figure(run, request, figure, title, alt, found)


def make_lens(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw what the model would say after each layer."""
    lens = _until_step(run, logit_lens(run, request.prompt, progress=progress), request)
    title, step = "What each layer would say", int(lens["step"][-1])
    subtitle = f"{run.name} {run.at_step(step)}: {EXPLANATIONS['logit lens']} (logit lens)"
    tokens = [str(token) for token in lens["prompt_token"].values]
    figure = draw_lens(lens, tokens, title=title, subtitle=subtitle, **request.look)
    likeliest = [str(token) for token in lens["top"].values[-1, :, -1]]
    alt = (
        f"Logit lens of run {run.name} {run.at_step(step)} reading {quoted(str(lens.attrs['prompt']), 600)}. After the last token the "
        f"embeddings and each layer in turn would say: {', '.join(map(repr, likeliest))}."
    )
    return Figure(run, request, figure, title, alt, lens)


def make_context(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw the loss by position in the context."""
    found = loss_by_position(run, seed=request.seed, text=request.text, progress=progress)
    title = "What the context is worth"
    first, last = float(found["loss"][-1, 0]), float(found["loss"][-1, -1])
    takeaway = f"At the end: {first:z.2f} nats after one token, {last:z.2f} after {found.sizes['position']}."
    subtitle = f"{run.name}: loss on validation text by position in the context, nats per token"
    figure = draw_context_loss(found["loss"], title=title, subtitle=subtitle, takeaway=takeaway, **request.look)
    alt = f"Loss of run {run.name} by position in the context, early to late snapshots. {takeaway}"
    return Figure(run, request, figure, title, alt, found)


def make_zero_shot(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw how often the model knows which of four lines comes next, without having been taught to choose."""
    found = zero_shot(run, seed=request.seed, text=request.text, progress=progress)
    title = "What it knows without being taught"
    asked = f"{found.attrs['questions']:,} questions"
    subtitle = f"{run.name}: which of four lines comes next? {asked}, one standard error shaded"
    by_probability, by_gain = (100 * float(found[name][-1]) for name in ("accuracy", "accuracy_by_gain"))
    takeaway = f"The likeliest line is right in {by_probability:z.0f}%, the one that the context makes likelier in {by_gain:z.0f}%."
    figure = draw_zero_shot(found, title=title, subtitle=subtitle, takeaway=takeaway, **request.look)
    alt = f"Share of questions that run {run.name} answers without being taught, over training; guessing gives 25%. {takeaway}"
    return Figure(run, request, figure, title, alt, found)


def make_trace(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw the leading candidates token by token: of a recorded trace, or of going on greedily from a prompt."""
    if request.trace is None:
        found = decoding_trace(run, request.prompt, step=request.step, progress=progress)
    else:
        found = recorded_trace(run, request.trace)
    chosen = found.attrs["decoding"]
    how = "always the likeliest" if chosen["temperature"] == 0 else f"drawn at temperature {chosen['temperature']:g}"
    usual = {"top_k": 0, "top_p": 1, "min_p": 0, "typical_p": 1, "repetition_penalty": 1, "no_repeat_ngram_size": 0}
    more = [f"{name.replace('_', '-')} {chosen[name]:g}" for name, off in usual.items() if chosen.get(name, off) != off]
    title, step = "Token by token", int(found["step"])
    subtitle = f"{run.name} {run.at_step(step)}; {', '.join([how, *more])}; framed is the token that was taken"
    text = "".join(str(token) for token in found["chosen"].values)
    alt = (
        f"Leading candidates of each token that run {run.name} {run.at_step(step)} wrote after {quoted(str(found.attrs['prompt']), 600)}: "
        f"{quoted(text, 600)} ({how})."
    )
    figure = draw_trace(found, title=title, subtitle=subtitle, **request.look)
    return Figure(run, request, figure, title, alt, found)


def make_temperature(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw the distribution of the token after a prompt at five temperatures."""
    found = temperature_distributions(
        run, request.prompt, step=request.step, temperatures=STILL_TEMPERATURES, progress=progress
    )
    title, step, prompt = "What temperature does", int(found["step"]), str(found.attrs["prompt"])
    subtitle = f"{run.name} {run.at_step(step)}: the next token at five temperatures, entropy in nats"
    figure = draw_temperatures(found, prompt, title=title, subtitle=subtitle, **request.look)
    entropies = ", ".join(f"{float(e):z.2f} at {float(e['temperature']):g}" for e in found["entropy"])
    alt = (
        f"Probabilities of the next token after {quoted(prompt, 600)} in run {run.name} {run.at_step(step)}, at five temperatures. "
        f"The entropy in nats is {entropies}."
    )
    return Figure(run, request, figure, title, alt, found)


def _attention(run: Run, request: FigureRequest, progress: Progress) -> xr.DataArray:
    """Measure the attention maps at the chosen step, (layer, head, query, key)."""
    maps = attention_maps(run, request.prompt, progress=progress)
    check_head(maps, request.layer, request.head)
    last: xr.DataArray = _until_step(run, maps, request).isel(step=-1)
    return last


def _reading(run: Run, maps: xr.DataArray, request: FigureRequest) -> str:
    prompt = quoted(maps.attrs["prompt"], 72 * SIZES[request.size][0] - 330)
    return f"{run.name} {run.at_step(int(maps['step']))} reads {prompt}. {EXPLANATIONS['attention map'].capitalize()}"


def _reading_alt(run: Run, maps: xr.DataArray) -> str:
    return f"Run {run.name} {run.at_step(int(maps['step']))}, reading {quoted(maps.attrs['prompt'], 600)}."


def _pattern(weights: FloatArray) -> str:
    """Write what to see in the map (query, key) of a head that mostly looks at the token before, or at the first; else nothing."""
    if len(weights) < LEAST_TOKENS:
        return ""
    before, first = float(weights.diagonal(-1).mean()), float(weights[2:, 0].mean())
    if max(before, first) <= MOSTLY:
        return ""
    if before >= first:
        return (
            f"The line below the diagonal: each token looks at the one before it, with {before:z.2f} of its attention."
        )
    return f"The first column: each token looks at the first, with {first:z.2f} of its attention (a sink)."


def _until_step(run: Run, measured: Any, request: FigureRequest) -> Any:
    """Select the steps up to the one chosen.

    Raises
    ------
    InputError
        If the run has no snapshot of that step, or a damaged one.
    """
    if request.step is None:
        return measured
    if request.step not in measured["step"].values:
        run.snapshot(request.step)  # raises where there is none; the message lists the steps
        raise InputError(f"the snapshot of step {request.step} of run {run.name!r} is damaged: choose another `step`")
    return measured.sel(step=slice(None, request.step))
