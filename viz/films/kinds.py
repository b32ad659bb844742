"""What ``python -m viz.video`` can film: each kind read from a run, with its picture and its words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import xarray as xr

from data.errors import InputError
from data.progress import Progress
from data.runs import Run
from viz.drawing.canvas import Frame, Size
from viz.drawing.curve_panel import Curve
from viz.drawing.legend import Caption
from viz.drawing.theme import Theme

INTERPOLATED = "Each snapshot is shown exactly; between snapshots the numbers are interpolated."


class Picture(Protocol):
    """What can be drawn at any time of a film, counted in snapshots."""

    def frames(self, times: Iterable[float]) -> Iterator[Frame]: ...


@dataclass(frozen=True)
class Film:
    """A picture, the arrays it shows, and what is said of them.

    ``shown`` has the dimension ``step`` and the coordinate ``sha256``.
    """

    picture: Picture
    shown: xr.DataArray | xr.Dataset
    alt_text: str
    keyframes: str = "step"
    """The coordinate of ``shown`` that the film runs through."""


@dataclass(frozen=True)
class FilmOptions:
    """What is to be filmed, as far as the kind of film takes it into account."""

    size: Size
    theme: Theme
    highlight: tuple[str, ...] = ()
    method: str = "tsne"
    perplexity: float | None = None
    seed: int = 0
    prompt: str | None = None
    layer: int | None = None
    head: int | None = None
    step: int | None = None
    text: Path | None = None
    metric: Literal["euclidean", "cosine"] = "euclidean"
    trust: bool = True
    control: Literal["shuffled", "init"] | None = None
    runs: tuple[Run, ...] = ()


def embedding_film(run: Run, what: str, wish: FilmOptions, progress: Progress) -> Film:
    """Film the table of positions or tokens, laid out in two dimensions: alone, beside its control, or beside other runs' tables."""
    from viz.films.table_films import film_of_control, film_of_one, film_of_runs

    table: Literal["tokens", "positions"] = "tokens" if what == "tokens" else "positions"
    make = film_of_runs if wish.runs else film_of_control if wish.control else film_of_one
    return make(run, table, wish, progress)


def attention_film(run: Run, what: str, wish: FilmOptions, progress: Progress) -> Film:
    """Film the attention maps of a prompt: layers by heads, or those of one layer or head."""
    from probes.models.attention import attention_maps, check_head, spread
    from viz.drawing.slide import quoted
    from viz.films.heatmap_film import Grid, HeatFilm

    maps = attention_maps(run, wish.prompt, progress=progress)
    check_head(maps, wish.layer, wish.head)
    chosen = {name: [at] for name, at in (("layer", wish.layer), ("head", wish.head)) if at is not None}
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
        *_loss(run),
        Curve("spread of attention (1: even)", even["step"].values, even.values.astype(float), limits=(0.0, 1.0)),
    ]
    prompt = quoted(maps.attrs["prompt"], 560)
    caption = Caption(f"Attention of {which}" if which else "Attention", f"{run.name} reads {prompt}", INTERPOLATED)
    picture = HeatFilm(maps.values, maps["step"].values, grid, curves, caption, wish.size, wish.theme)
    first, last = int(maps["step"][0]), int(maps["step"][-1])
    alt = (
        f"Attention maps of run {run.name} reading {prompt}, {which or 'all layers and heads'}, at {maps.sizes['step']} snapshots from "
        f"step {first:,} to step {last:,}. The mean spread (entropy over its maximum) goes from {float(even[0]):.2f} "
        f"to {float(even[-1]):.2f}."
    )
    return Film(picture, maps, alt)


def score_film(run: Run, what: str, wish: FilmOptions, progress: Progress) -> Film:
    """Film the scores of all heads."""
    from probes.models.heads import head_scores
    from viz.figures.head_score_figure import leading_head
    from viz.films.head_score_film import ScoreFilm

    scores = head_scores(run, seed=wish.seed, text=wish.text, progress=progress)
    shape = f"{scores.sizes['layer']} layers of {scores.sizes['head']} heads"
    caption = Caption(
        "What each attention head does",
        f"{run.name}: {shape}, measured on validation text and on random sequences with a repeat",
        "Named is the head that leads at the end (in entropy: the lowest). " + INTERPOLATED,
    )
    picture = ScoreFilm(scores, _loss(run), caption, wish.size, wish.theme)
    told = []
    for name in ("previous_token", "induction"):
        layer, head = leading_head(scores[name])
        told.append(
            f"{scores[name].attrs['long_name']}: layer {layer} head {head}, {float(scores[name][-1, layer, head]):.2f}"
        )
    alt = f"Scores of the attention heads of run {run.name} ({shape}) over training. Leading at the end: {'; '.join(told)}."
    return Film(picture, scores, alt)


def similarity_film(run: Run, what: str, wish: FilmOptions, progress: Progress) -> Film:
    """Film how like each other the rows of the position table are."""
    from probes.tables.positions import position_similarity, position_structure
    from viz.films.heatmap_film import Grid, HeatFilm

    gram, structure = position_similarity(run), position_structure(run)
    toeplitz = structure["toeplitz_fraction"].values.astype(float)
    curves = [
        *_loss(run),
        Curve("explained by distance alone", gram["step"].values, toeplitz, limits=(0.0, 1.0)),
    ]
    caption = Caption(
        "Similarity of positions",
        f"{run.name}: cosine of the rows of the centred position table, every position against every other",
        INTERPOLATED,
    )
    items = [str(i) for i in gram["position"].values]
    picture = HeatFilm(
        gram.values[:, None, None],
        gram["step"].values,
        Grid([""], [""], items, "cosine", diverging=True),
        curves,
        caption,
        wish.size,
        wish.theme,
    )
    alt = (
        f"Cosine similarity of the {len(items)} positions of run {run.name} over {gram.sizes['step']} snapshots. The share of its variance "
        f"that distance alone explains goes from {toeplitz[0]:.2f} to {toeplitz[-1]:.2f}."
    )
    return Film(picture, gram, alt)


def temperature_film(run: Run, what: str, wish: FilmOptions, progress: Progress) -> Film:
    """Film the distribution of the token after a prompt from low temperature to high, at one snapshot."""
    from probes.models.decoding import temperature_distributions
    from viz.drawing.slide import quoted
    from viz.films.temperature_film import TemperatureFilm

    found = temperature_distributions(run, wish.prompt, step=wish.step, progress=progress)
    prompt, step = quoted(found.attrs["prompt"], 560), int(found["step"])
    caption = Caption(
        "What temperature does",
        f"{run.name} at step {step:,}, after {prompt}",
        "Logits are divided by the temperature before they become probabilities. Tenths are shown exactly; between them the numbers "
        "are interpolated.",
    )
    picture = TemperatureFilm(found, caption, wish.size, wish.theme)
    low, high = (found.isel(temperature=i) for i in (0, -1))
    alt = (
        f"Probabilities of the next token after {prompt} in run {run.name} at step {step:,}, at temperatures from "
        f"{float(low['temperature']):g} to {float(high['temperature']):g}. The likeliest token's share goes from "
        f"{float(low['probability'].max()):.2f} to {float(high['probability'].max()):.2f}, the entropy from {float(low['entropy']):.2f} to "
        f"{float(high['entropy']):.2f} nats."
    )
    return Film(picture, found, alt, keyframes="temperature")


@dataclass(frozen=True)
class FilmKind:
    """A kind of film: what makes it, and which options concern it."""

    make: Callable[[Run, str, FilmOptions, Progress], Film]
    takes: frozenset[str] = frozenset()


OF_TABLES = frozenset({"highlight", "perplexity", "metric", "no-trust", "control", "runs"})
FILMS: dict[str, FilmKind] = {
    "positions": FilmKind(embedding_film, OF_TABLES),
    "tokens": FilmKind(embedding_film, OF_TABLES),
    "attention": FilmKind(attention_film, frozenset({"prompt", "layer", "head"})),
    "scores": FilmKind(score_film, frozenset({"text"})),
    "gram": FilmKind(similarity_film),
    "temperature": FilmKind(temperature_film, frozenset({"prompt", "step"})),
}


def check_options(what: str, given: dict[str, Any]) -> None:
    """Refuse an option that does not concern this kind of film; ``given`` holds the values by name."""
    for name, value in given.items():
        if value not in (None, ()) and name not in FILMS[what].takes:
            kinds = " and ".join(f"--what {kind}" for kind, entry in FILMS.items() if name in entry.takes)
            raise InputError(f"--{name} does not concern a film of {what}: leave it out, or pass {kinds}")


def _loss(run: Run) -> list[Curve]:
    from viz.grouped_table import loss_curve

    loss = loss_curve(run)
    return [loss] if loss else []


def n_snapshots(film: Film) -> int:
    """Return how many snapshots, or other keyframes, a film shows."""
    return int(np.size(film.shown[film.keyframes].values))
