"""What ``python -m viz.figures`` can draw: each figure read from a run, with its words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from data.errors import InputError, NotApplicableError
from data.progress import Progress
from data.runs import Run
from viz.drawing.slide import quoted
from viz.drawing.theme import Theme


@dataclass(frozen=True)
class FigureOptions:
    """How a figure is to be drawn, and what of; each takes what concerns it."""

    theme: Theme
    inches: tuple[float, float]
    highlight: tuple[str, ...] = ()
    method: str = "tsne"
    perplexity: float | None = None
    seed: int = 0
    step: int | None = None
    prompt: str | None = None
    layer: int | None = None
    head: int | None = None
    text: Path | None = None
    trace: str | None = None

    @property
    def look(self) -> dict[str, Any]:
        """The arguments that every drawing function takes."""
        return {"theme": self.theme, "inches": self.inches}

    @property
    def width_pt(self) -> float:
        return 72 * self.inches[0]


@dataclass(frozen=True)
class Drawing:
    """A finished figure with what its sidecar and the slide deck say of it."""

    figure: Figure
    title: str
    alt_text: str
    shown: xr.DataArray | xr.Dataset | None = None


def draw_losses(run: Run, wish: FigureOptions, progress: Progress) -> Drawing:
    """Draw training and validation loss over the steps."""
    from viz.drawing.lines import draw_loss
    from viz.grouped_table import loss_curve

    curve = loss_curve(run)
    if curve is None:
        raise NotApplicableError(f"run {run.name!r} has no losses to draw: it was made without evaluations")
    title, last = f"Loss of {run.name}", int(curve.steps[-1])
    alt = (
        f"Training and validation loss of run {run.name} over {last:,} steps. The validation loss falls from {curve.values[0]:.2f} to "
        f"{curve.values[-1]:.2f} nats per token."
    )
    return Drawing(draw_loss(curve, title, "nats per token", wish.theme, wish.inches), title, alt)


def draw_map(run: Run, wish: FigureOptions, progress: Progress, *, what: Literal["tokens", "positions"]) -> Drawing:
    """Draw the layout of a table at the first and the last snapshot, side by side."""
    from viz.figures.map_figure import draw_maps
    from viz.grouped_table import alt_text, caption, read_grouped_table
    from viz.projection.projection_cache import cached_projection

    subject = read_grouped_table(run, what, wish.highlight)
    projection = cached_projection(
        run, subject.trajectory, wish.method, seed=wish.seed, perplexity=wish.perplexity, progress=progress
    )
    words = caption(run, subject, projection)
    figure = draw_maps(subject, projection, words, wish.theme, wish.inches)
    return Drawing(figure, words.title, alt_text(run, subject, projection), projection)


def draw_attention(run: Run, wish: FigureOptions, progress: Progress) -> Drawing:
    """Draw the attention of all heads of all layers to a prompt."""
    from viz.figures.attention_figure import draw_grid

    maps = _attention(run, wish, progress)
    title = "Attention, layers by heads"
    figure = draw_grid(maps, title=title, subtitle=_reading(run, maps, wish), **wish.look)
    alt = f"Attention maps of all {maps.sizes['layer']} layers and {maps.sizes['head']} heads. {_said(run, maps)}"
    return Drawing(figure, title, alt, maps)


def draw_one_layer(run: Run, wish: FigureOptions, progress: Progress) -> Drawing:
    """Draw the heads of one layer (the last, if none is chosen) side by side."""
    from viz.figures.attention_figure import draw_layer

    maps = _attention(run, wish, progress)
    layer = maps.sizes["layer"] - 1 if wish.layer is None else wish.layer
    title = f"Attention of layer {layer}" + (" (the last)" if layer == maps.sizes["layer"] - 1 else "")
    figure = draw_layer(maps.isel(layer=layer), title=title, subtitle=_reading(run, maps, wish), **wish.look)
    alt = f"Attention maps of the {maps.sizes['head']} heads of layer {layer}. {_said(run, maps)}"
    return Drawing(figure, title, alt, maps)


def draw_one_head(run: Run, wish: FigureOptions, progress: Progress) -> Drawing:
    """Draw one head large; without a choice, the most focused one."""
    from probes.models.attention import spread
    from viz.figures.attention_figure import draw_head

    maps = _attention(run, wish, progress)
    among = maps.sel({name: [at] for name, at in (("layer", wish.layer), ("head", wish.head)) if at is not None})
    even = spread(among)
    place = dict(zip(("layer", "head"), np.unravel_index(int(even.values.argmin()), even.shape), strict=True))
    chosen = among.isel(place)
    title = f"Attention of layer {int(chosen['layer'])}, head {int(chosen['head'])}"
    figure = draw_head(chosen, title=title, subtitle=_reading(run, maps, wish), **wish.look)
    strongest = (
        np.unravel_index(int(chosen.values[1:].argmax()), chosen.values[1:].shape)
        if chosen.sizes["query"] > 1
        else (0, 0)
    )
    tokens = [str(token) for token in maps["query_token"].values]
    row = int(strongest[0]) + (chosen.sizes["query"] > 1)
    column = int(strongest[1])
    alt = (
        f"Attention map of {title.removeprefix('Attention of ')}. {_said(run, maps)} The strongest weight beyond the first row is "
        f"{float(chosen.values[row, column]):.2f}, of {tokens[row]!r} at {row} to {tokens[column]!r} at {column}."
    )
    return Drawing(figure, title, alt, maps)


def draw_head_scores(run: Run, wish: FigureOptions, progress: Progress) -> Drawing:
    """Draw what each head does over training, with the loss beside it."""
    from probes.models.heads import head_scores
    from viz.figures.head_score_figure import draw_scores, leading_head
    from viz.grouped_table import loss_curve

    scores = head_scores(run, seed=wish.seed, text=wish.text, progress=progress)
    title = "What each attention head does"
    subtitle = f"{run.name}: {scores.sizes['layer']} layers of {scores.sizes['head']} heads; dashed: a head that attends evenly"
    told = []
    for name, words in (("previous_token", "to the token before"), ("induction", "to what followed the same token")):
        layer, head = leading_head(scores[name])
        value, even = float(scores[name][-1, layer, head]), scores[name].attrs["uniform"]
        told.append(f"most attention {words}: layer {layer} head {head}, {value:.2f} (even: {even:.2f})")
    takeaway = "; ".join(told)
    takeaway = takeaway[0].upper() + takeaway[1:] + "."
    figure = draw_scores(scores, loss_curve(run), title=title, subtitle=subtitle, takeaway=takeaway, **wish.look)
    return Drawing(
        figure, title, f"Scores of the attention heads of run {run.name} over its snapshots. {takeaway}", scores
    )


def draw_spectrum(
    run: Run, wish: FigureOptions, progress: Progress, *, what: Literal["tokens", "positions"]
) -> Drawing:
    """Draw the singular values of a table over training, with its ranks."""
    from probes.tables.geometry import token_geometry
    from probes.tables.positions import position_structure
    from viz.figures.spectrum_figure import draw_spectra

    geometry = token_geometry(run) if what == "tokens" else position_structure(run)
    title = f"Spectrum of the {what[:-1]} table"
    rank = geometry["effective_rank"].values
    takeaway = f"Effective rank {rank[0]:.1f} at the first snapshot, {rank[-1]:.1f} at the last, of at most {geometry.sizes['component']}."
    subtitle = f"{run.name}: singular values of the centred table, and how many directions it uses"
    figure = draw_spectra(geometry, what, title=title, subtitle=subtitle, takeaway=takeaway, **wish.look)
    return Drawing(
        figure, title, f"Singular values of the {what[:-1]} table of run {run.name} over training. {takeaway}", geometry
    )


def draw_position_table(run: Run, wish: FigureOptions, progress: Progress) -> Drawing:
    """Draw the position table itself at several snapshots."""
    from probes.tables.embeddings import position_embeddings
    from viz.figures.table_figure import draw_table

    table = position_embeddings(run, progress=progress)
    title = "The position table through training"
    subtitle = f"{run.name}: {table.sizes['position']} positions by {table.sizes['dim']} dimensions"
    figure = draw_table(table, title=title, subtitle=subtitle, **wish.look)
    alt = f"Heat maps of the position table of run {run.name} ({subtitle.split(': ')[1]}) from its first to its last snapshot."
    return Drawing(figure, title, alt, table)


def draw_position_similarity(run: Run, wish: FigureOptions, progress: Progress) -> Drawing:
    """Draw how like each other the positions are, before, midway and after."""
    from probes.tables.positions import position_similarity, position_structure
    from viz.figures.table_figure import draw_similarity

    gram, toeplitz = position_similarity(run), position_structure(run)["toeplitz_fraction"].values
    title = "Similarity of positions"
    takeaway = f"Distance alone explains {toeplitz[0]:.0%} of it at the first snapshot, {toeplitz[-1]:.0%} at the last."
    subtitle = f"{run.name}: cosine of the rows of the centred position table"
    figure = draw_similarity(gram, title=title, subtitle=subtitle, takeaway=takeaway, **wish.look)
    return Drawing(figure, title, f"Cosine similarity of every pair of positions of run {run.name}. {takeaway}", gram)


def draw_next(run: Run, wish: FigureOptions, progress: Progress) -> Drawing:
    """Draw the distribution of the token after a prompt."""
    from probes.models.logits import next_token_distribution
    from viz.figures.next_token_figure import draw_next_token

    found = _until(run, next_token_distribution(run, wish.prompt, progress=progress), wish)
    prompt = str(found.attrs["prompt"])
    last = found.isel(step=-1)
    best = last.isel(token=int(last.values.argmax()))
    title = "What comes next?"
    figure = draw_next_token(
        found, prompt, title=title, subtitle=f"{run.name} at step {int(last['step']):,}", **wish.look
    )
    alt = (
        f"Probabilities of the next token after {quoted(prompt, 600)} in run {run.name} at step {int(last['step']):,}; the likeliest is "
        f"{str(best['token'].values)!r} at {float(best):.2f}."
    )
    return Drawing(figure, title, alt, found)


def draw_logit_lens(run: Run, wish: FigureOptions, progress: Progress) -> Drawing:
    """Draw what the model would say after each layer."""
    from probes.models.logits import logit_lens
    from viz.figures.next_token_figure import draw_lens

    lens = _until(run, logit_lens(run, wish.prompt, progress=progress), wish)
    title, step = "What each layer would say", int(lens["step"][-1])
    subtitle = f"{run.name} at step {step:,}: the likeliest next token if the layer were the last (logit lens)"
    figure = draw_lens(
        lens, [str(token) for token in lens["prompt_token"].values], title=title, subtitle=subtitle, **wish.look
    )
    said = [str(token) for token in lens["top"].values[-1, :, -1]]
    alt = (
        f"Logit lens of run {run.name} at step {step:,} reading {quoted(str(lens.attrs['prompt']), 600)}. After the last token the "
        f"embeddings and each layer in turn would say: {', '.join(map(repr, said))}."
    )
    return Drawing(figure, title, alt, lens)


def draw_context(run: Run, wish: FigureOptions, progress: Progress) -> Drawing:
    """Draw the loss by position in the context."""
    from probes.models.logits import loss_by_position
    from viz.figures.next_token_figure import draw_context_loss

    found = loss_by_position(run, seed=wish.seed, text=wish.text, progress=progress)
    title = "What the context is worth"
    first, last = float(found["loss"][-1, 0]), float(found["loss"][-1, -1])
    takeaway = f"At the end: {first:.2f} nats after one token, {last:.2f} after {found.sizes['position']}."
    subtitle = f"{run.name}: loss on validation text by position in the context, nats per token"
    figure = draw_context_loss(found["loss"], title=title, subtitle=subtitle, takeaway=takeaway, **wish.look)
    return Drawing(
        figure, title, f"Loss of run {run.name} by position in the context, early to late snapshots. {takeaway}", found
    )


def draw_next_line(run: Run, wish: FigureOptions, progress: Progress) -> Drawing:
    """Draw how often the model knows which of four lines comes next, without having been taught to choose."""
    from probes.models.zero_shot import zero_shot
    from viz.figures.zero_shot_figure import draw_zero_shot

    found = zero_shot(run, seed=wish.seed, text=wish.text, progress=progress)
    title = "What it knows without being taught"
    subtitle = (
        f"{run.name}: which of four lines comes next? {found.attrs['questions']:,} questions, one standard error shaded"
    )
    by_probability, by_gain = (100 * float(found[name][-1]) for name in ("accuracy", "accuracy_by_gain"))
    takeaway = f"The likeliest line is right in {by_probability:.0f}%, the one that the context makes likelier in {by_gain:.0f}%."
    figure = draw_zero_shot(found, title=title, subtitle=subtitle, takeaway=takeaway, **wish.look)
    alt = f"Share of questions that run {run.name} answers without being taught, over training; guessing gives 25%. {takeaway}"
    return Drawing(figure, title, alt, found)


STILL_TEMPERATURES = (0.0, 0.5, 0.8, 1.0, 2.0)


def draw_decoding(run: Run, wish: FigureOptions, progress: Progress) -> Drawing:
    """Draw the leading candidates token by token: of a recorded trace, or of going on greedily from a prompt."""
    from probes.models.decoding import decoding_trace, recorded_trace
    from viz.figures.decoding_figure import draw_trace

    if wish.trace is None:
        found = decoding_trace(run, wish.prompt, step=wish.step, progress=progress)
    elif wish.prompt is not None or wish.step is not None:
        raise InputError("a recorded trace has its own prompt and step: leave out --prompt and --step, or --trace")
    else:
        found = recorded_trace(run, wish.trace)
    chosen = found.attrs["decoding"]
    how = "always the likeliest" if chosen["temperature"] == 0 else f"drawn at temperature {chosen['temperature']:g}"
    more = [
        f"{name.replace('_', '-')} {chosen[name]:g}"
        for name, off in (("top_k", 0), ("top_p", 1), ("min_p", 0))
        if chosen[name] != off
    ]
    title, step = "Token by token", int(found["step"])
    subtitle = f"{run.name} at step {step:,}; {', '.join([how, *more])}; framed is the token that was taken"
    text = "".join(str(token) for token in found["chosen"].values)
    alt = (
        f"Leading candidates of each token that run {run.name} at step {step:,} wrote after {quoted(str(found.attrs['prompt']), 600)}: "
        f"{quoted(text, 600)} ({how})."
    )
    return Drawing(draw_trace(found, title=title, subtitle=subtitle, **wish.look), title, alt, found)


def draw_temperature(run: Run, wish: FigureOptions, progress: Progress) -> Drawing:
    """Draw the distribution of the token after a prompt at five temperatures."""
    from probes.models.decoding import temperature_distributions
    from viz.figures.decoding_figure import draw_temperatures

    found = temperature_distributions(
        run, wish.prompt, step=wish.step, temperatures=STILL_TEMPERATURES, progress=progress
    )
    title, step, prompt = "What temperature does", int(found["step"]), str(found.attrs["prompt"])
    subtitle = f"{run.name} at step {step:,}: the next token at five temperatures, entropy in nats"
    figure = draw_temperatures(found, prompt, title=title, subtitle=subtitle, **wish.look)
    entropies = ", ".join(f"{float(e):.2f} at {float(e['temperature']):g}" for e in found["entropy"])
    alt = (
        f"Probabilities of the next token after {quoted(prompt, 600)} in run {run.name} at step {step:,}, at five temperatures. "
        f"The entropy in nats is {entropies}."
    )
    return Drawing(figure, title, alt, found)


@dataclass(frozen=True)
class FigureKind:
    """A figure: what draws it, and which options concern it."""

    draw: Callable[[Run, FigureOptions, Progress], Drawing]
    takes: frozenset[str] = frozenset()


_MAP = frozenset({"highlight", "perplexity"})

FIGURES: dict[str, FigureKind] = {
    "loss": FigureKind(draw_losses),
    "tokens": FigureKind(lambda run, wish, progress: draw_map(run, wish, progress, what="tokens"), _MAP),
    "positions": FigureKind(lambda run, wish, progress: draw_map(run, wish, progress, what="positions"), _MAP),
    "attention": FigureKind(draw_attention, frozenset({"prompt", "step"})),
    "layer": FigureKind(draw_one_layer, frozenset({"prompt", "step", "layer"})),
    "head": FigureKind(draw_one_head, frozenset({"prompt", "step", "layer", "head"})),
    "scores": FigureKind(draw_head_scores, frozenset({"text"})),
    "next-token": FigureKind(draw_next, frozenset({"prompt", "step"})),
    "temperature": FigureKind(draw_temperature, frozenset({"prompt", "step"})),
    "trace": FigureKind(draw_decoding, frozenset({"prompt", "step", "trace"})),
    "lens": FigureKind(draw_logit_lens, frozenset({"prompt", "step"})),
    "context": FigureKind(draw_context, frozenset({"text"})),
    "zero-shot": FigureKind(draw_next_line, frozenset({"text"})),
    "token-spectrum": FigureKind(lambda run, wish, progress: draw_spectrum(run, wish, progress, what="tokens")),
    "position-spectrum": FigureKind(lambda run, wish, progress: draw_spectrum(run, wish, progress, what="positions")),
    "position-table": FigureKind(draw_position_table),
    "similarity": FigureKind(draw_position_similarity),
}


def _attention(run: Run, wish: FigureOptions, progress: Progress) -> xr.DataArray:
    """Return the attention maps of the chosen step, (layer, head, query, key)."""
    from probes.models.attention import attention_maps, check_head

    maps = attention_maps(run, wish.prompt, progress=progress)
    check_head(maps, wish.layer, wish.head)
    until: xr.DataArray = _until(run, maps, wish)
    return until.isel(step=-1)


def _until(run: Run, found: Any, wish: FigureOptions) -> Any:
    """Return what was measured up to the chosen step."""
    if wish.step is None:
        return found
    if wish.step not in found["step"].values:
        run.snapshot(wish.step)  # says which there are
        raise InputError(f"the snapshot of step {wish.step} of run {run.name!r} is damaged: choose another with --step")
    return found.sel(step=slice(None, wish.step))


def _reading(run: Run, maps: xr.DataArray, wish: FigureOptions) -> str:
    step = f"step {int(maps['step']):,}"
    return (
        f"{run.name} at {step} reads {quoted(maps.attrs['prompt'], wish.width_pt - 330)}; each row looks at the columns"
    )


def _said(run: Run, maps: xr.DataArray) -> str:
    return f"Run {run.name} at step {int(maps['step']):,}, reading {quoted(maps.attrs['prompt'], 600)}."
