"""Figures of what a model does: its attention, its predictions, how it decodes, and what it knows."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from data.arrays import FloatArray
from data.errors import InputError
from data.language import digits, say
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
    title = say("Attention, layers by heads")
    figure = draw_grid(maps, title=title, subtitle=_reading(run, maps, request), **request.look)
    n_layers, n_heads = maps.sizes["layer"], maps.sizes["head"]
    what = say("Attention maps of all {layers} layers and {heads} heads.", layers=n_layers, heads=n_heads)
    alt = f"{what} {_reading_alt(run, maps)}"
    return Figure(run, request, figure, title, alt, maps)


def make_attention_layer(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw the heads of one layer (the last, if none is chosen) side by side."""
    maps = _attention(run, request, progress)
    layer = maps.sizes["layer"] - 1 if request.layer is None else request.layer
    title = say("Attention of layer {layer}", layer=layer)
    title += say(" (the last)") if layer == maps.sizes["layer"] - 1 else ""
    figure = draw_layer(maps.isel(layer=layer), title=title, subtitle=_reading(run, maps, request), **request.look)
    what = say("Attention maps of the {heads} heads of layer {layer}.", heads=maps.sizes["head"], layer=layer)
    alt = f"{what} {_reading_alt(run, maps)}"
    return Figure(run, request, figure, title, alt, maps)


def make_attention_head(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw one head large; without a choice, the most focused one."""
    maps = _attention(run, request, progress)
    among = maps.sel({name: [at] for name, at in (("layer", request.layer), ("head", request.head)) if at is not None})
    focused = spread(among)
    chosen = among.isel(focused.argmin(["layer", "head"]))
    which = say("layer {layer}, head {head}", layer=int(chosen["layer"]), head=int(chosen["head"]))
    title = say("Attention of {which}", which=which)
    pattern = _pattern(chosen.values)
    figure = draw_head(chosen, title=title, subtitle=_reading(run, maps, request), takeaway=pattern, **request.look)
    weights, tokens = chosen.values, [str(token) for token in maps["query_token"].values]
    first = min(1, len(weights) - 1)  # the first token sees only itself
    row, column = np.unravel_index(int(weights[first:].argmax()), weights[first:].shape)
    row += first
    strongest = say(
        "The strongest weight beyond the first row is {weight:z.2f}, of {query} at {row} to {key} at {column}.",
        weight=float(weights[row, column]),
        query=repr(tokens[row]),
        row=int(row),
        key=repr(tokens[column]),
        column=int(column),
    )
    what = say("Attention map of {which}.", which=which)
    alt = f"{what} {_reading_alt(run, maps)} {strongest} {pattern}".strip()
    return Figure(run, request, figure, title, alt, maps)


def make_head_scores(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw what each head does over training, with the loss beside it."""
    layers = parse_layers(request.layers)
    scores = head_scores(run, layers=layers, seed=request.seed, text=request.text, progress=progress)
    title = say("What each attention head does")
    sizes = {"layers": scores.sizes["layer"], "heads": scores.sizes["head"]}
    shape = say("{layers} layers of {heads} heads; dashed: a head that attends evenly", **sizes)
    subtitle = f"{run.name}: {shape}{explained(request, 'induction', 'sink')}"
    takeaway = _leading_heads(scores)
    figure = draw_scores(scores, loss_curve(run), title=title, subtitle=subtitle, takeaway=takeaway, **request.look)
    alt = f"{say('Scores of the attention heads of run {run} over its snapshots.', run=run.name)} {takeaway}"
    return Figure(run, request, figure, title, alt, scores)


def _leading_heads(scores: xr.Dataset) -> str:
    """Write which head looks most at the token before, and which at what followed the same token."""
    leading = []
    for name, template in (
        ("previous_token", "Most attention to the token before: {place}, {value:z.2f} (even: {even})"),
        ("induction", "most attention to what followed the same token: {place}, {value:z.2f} (even: {even})"),
    ):
        layer, head = leading_head(scores[name])
        value, even = float(scores[name][-1, layer, head]), scores[name].attrs["uniform"]
        place = say("layer {layer} head {head}", layer=int(scores["layer"].values[layer]), head=head)
        leading.append(say(template, place=place, value=value, even=level_text(even)))
    return f"{'; '.join(leading)}."


def make_next_token(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw the distribution of the token after a prompt."""
    found = _until_step(run, next_token_distribution(run, request.prompt, progress=progress), request)
    prompt, last = str(found.attrs["prompt"]), found.isel(step=-1)
    best = last.isel(token=int(last.values.argmax()))
    title, subtitle = say("What comes next?"), f"{run.name} {run.at_step(int(last['step']))}"
    if request.all_tokens:
        n, least = last.sizes["token"], LEAST_PRINTED
        subtitle += say(": all {n} tokens, values above {least:g} printed", n=n, least=least)
        figure = draw_all_tokens(last, prompt, title=title, subtitle=subtitle, **request.look)
    else:
        figure = draw_next_token(found, prompt, title=title, subtitle=subtitle, **request.look)
    alt = say(
        "Probabilities of the next token after {prompt} in run {run} {step}; the likeliest is {token} at {value:z.2f}.",
        prompt=quoted(prompt, 600),
        run=run.name,
        step=run.at_step(int(last["step"])),
        token=repr(str(best["token"].values)),
        value=float(best),
    )
    return Figure(run, request, figure, title, alt, found)


def make_lens(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw what the model would say after each layer."""
    lens = _until_step(run, logit_lens(run, request.prompt, progress=progress), request)
    title, step = say("What each layer would say"), int(lens["step"][-1])
    words = {"run": run.name, "step": run.at_step(step)}
    subtitle = say("{run} {step}: {explanation} (logit lens)", explanation=say(EXPLANATIONS["logit lens"]), **words)
    tokens = [str(token) for token in lens["prompt_token"].values]
    figure = draw_lens(lens, tokens, title=title, subtitle=subtitle, **request.look)
    likeliest = [str(token) for token in lens["top"].values[-1, :, -1]]
    alt = say(
        "Logit lens of run {run} {step} reading {prompt}. After the last token the embeddings and each layer in turn would say: {tokens}.",
        prompt=quoted(str(lens.attrs["prompt"]), 600),
        tokens=", ".join(map(repr, likeliest)),
        **words,
    )
    return Figure(run, request, figure, title, alt, lens)


def make_context(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw the loss by position in the context."""
    found = loss_by_position(run, seed=request.seed, text=request.text, progress=progress)
    title = say("What the context is worth")
    first, last = float(found["loss"][-1, 0]), float(found["loss"][-1, -1])
    ends = {"first": first, "last": last, "n": found.sizes["position"]}
    takeaway = say("At the end: {first:z.2f} nats after one token, {last:z.2f} after {n}.", **ends)
    subtitle = say("{run}: loss on validation text by position in the context, nats per token", run=run.name)
    figure = draw_context_loss(found["loss"], title=title, subtitle=subtitle, takeaway=takeaway, **request.look)
    alt = f"{say('Loss of run {run} by position in the context, early to late snapshots.', run=run.name)} {takeaway}"
    return Figure(run, request, figure, title, alt, found)


def make_zero_shot(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw how often the model knows which of four lines comes next, without having been taught to choose."""
    found = zero_shot(run, seed=request.seed, text=request.text, progress=progress)
    title = say("What it knows without being taught")
    subtitle = say(
        "{run}: which of four lines comes next? {n:,} questions, one standard error shaded",
        run=run.name,
        n=int(found.attrs["questions"]),
    )
    by_probability, by_gain = (100 * float(found[name][-1]) for name in ("accuracy", "accuracy_by_gain"))
    takeaway = say(
        "The likeliest line is right in {probable:z.0f}%, the one that the context makes likelier in {gained:z.0f}%.",
        probable=by_probability,
        gained=by_gain,
    )
    figure = draw_zero_shot(found, title=title, subtitle=subtitle, takeaway=takeaway, **request.look)
    what = say(
        "Share of questions that run {run} answers without being taught, over training; guessing gives 25%.",
        run=run.name,
    )
    alt = f"{what} {takeaway}"
    return Figure(run, request, figure, title, alt, found)


def make_trace(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw the leading candidates token by token: of a recorded trace, or of going on greedily from a prompt."""
    if request.trace is None:
        found = decoding_trace(run, request.prompt, step=request.step, progress=progress)
    else:
        found = recorded_trace(run, request.trace)
    chosen = found.attrs["decoding"]
    is_greedy, heat = chosen["temperature"] == 0, float(chosen["temperature"])
    how = say("always the likeliest") if is_greedy else say("drawn at temperature {value:g}", value=heat)
    usual = {"top_k": 0, "top_p": 1, "min_p": 0, "typical_p": 1, "repetition_penalty": 1, "no_repeat_ngram_size": 0}
    more = [
        f"{name.replace('_', '-')} {digits(f'{chosen[name]:g}')}"
        for name, off in usual.items()
        if chosen.get(name, off) != off
    ]
    title, step = say("Token by token"), int(found["step"])
    words = {"run": run.name, "step": run.at_step(step)}
    subtitle = say("{run} {step}; {how}; framed is the token that was taken", how=", ".join([how, *more]), **words)
    text = "".join(str(token) for token in found["chosen"].values)
    alt = say(
        "Leading candidates of each token that run {run} {step} wrote after {prompt}: {text} ({how}).",
        prompt=quoted(str(found.attrs["prompt"]), 600),
        text=quoted(text, 600),
        how=how,
        **words,
    )
    figure = draw_trace(found, title=title, subtitle=subtitle, **request.look)
    return Figure(run, request, figure, title, alt, found)


def make_temperature(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw the distribution of the token after a prompt at five temperatures."""
    found = temperature_distributions(
        run, request.prompt, step=request.step, temperatures=STILL_TEMPERATURES, progress=progress
    )
    title, step, prompt = say("What temperature does"), int(found["step"]), str(found.attrs["prompt"])
    words = {"run": run.name, "step": run.at_step(step)}
    subtitle = say("{run} {step}: the next token at five temperatures, entropy in nats", **words)
    figure = draw_temperatures(found, prompt, title=title, subtitle=subtitle, **request.look)
    template = "{entropy:z.2f} at {temperature:g}"
    entropies = [say(template, entropy=float(e), temperature=float(e["temperature"])) for e in found["entropy"]]
    alt = say(
        "Probabilities of the next token after {prompt} in run {run} {step}, at five temperatures. The entropy in nats is {entropies}.",
        prompt=quoted(prompt, 600),
        entropies=", ".join(entropies),
        **words,
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
    explanation = say(EXPLANATIONS["attention map"])
    words = {"run": run.name, "step": run.at_step(int(maps["step"])), "prompt": prompt}
    return say("{run} {step} reads {prompt}. {explanation}", explanation=explanation.capitalize(), **words)


def _reading_alt(run: Run, maps: xr.DataArray) -> str:
    words = {"step": run.at_step(int(maps["step"])), "prompt": quoted(maps.attrs["prompt"], 600)}
    return say("Run {run} {step}, reading {prompt}.", run=run.name, **words)


def _pattern(weights: FloatArray) -> str:
    """Write what to see in the map (query, key) of a head that mostly looks at the token before, or at the first; else nothing."""
    if len(weights) < LEAST_TOKENS:
        return ""
    before, first = float(weights.diagonal(-1).mean()), float(weights[2:, 0].mean())
    if max(before, first) <= MOSTLY:
        return ""
    if before >= first:
        return say(
            "The line below the diagonal: each token looks at the one before it, with {share:z.2f} of its attention.",
            share=before,
        )
    return say(
        "The first column: each token looks at the first, with {share:z.2f} of its attention (a sink).", share=first
    )


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
