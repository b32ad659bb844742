"""Figures of a training's losses and of the tables of embeddings: maps, spectra, the table of positions and its similarities."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from data.errors import NotApplicableError
from data.language import say
from data.progress import Progress
from data.runs import Run
from probes.groups.comparison import find
from probes.tables.embeddings import read_table
from probes.tables.geometry import token_geometry
from probes.tables.positions import position_similarity, position_structure
from viz.explanations import explained
from viz.figures.curve_figure import draw_loss
from viz.figures.figure import Figure
from viz.figures.map_figure import draw_maps
from viz.figures.poster_figure import draw_poster
from viz.figures.spectrum_figure import draw_spectra
from viz.figures.table_figure import draw_similarity, draw_table
from viz.grouped_table import alt_text, caption, loss_curve, read_grouped_table, table_name
from viz.projection.projection_cache import cached_projection
from viz.request import FigureRequest


def make_loss(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw training and validation loss over the steps."""
    curve = loss_curve(run)
    if curve is None:
        raise NotApplicableError(f"run {run.name!r} has no losses to draw: it was made without evaluations")
    title = say("Loss of {run}", run=run.name)
    alt = say(
        "Training and validation loss of run {run} over {last:,} steps. The validation loss falls from {first:z.2f} to {value:z.2f} nats "
        "per token.",
        run=run.name,
        last=int(curve.steps[-1]),
        first=float(curve.values[0]),
        value=float(curve.values[-1]),
    )
    figure = draw_loss(curve, title=title, subtitle=say("nats per token"), **request.look)
    return Figure(run, request, figure, title, alt)


def make_map(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw the layout of a table at the first and the last snapshot, side by side, or as a poster at six snapshots."""
    limits: dict[str, Any] = {"items": request.items, "text": request.text if request.items else None}
    table = read_grouped_table(run, table_name(request.kind.name), request.highlight, **limits)
    settings: dict[str, Any] = {name: getattr(request, name) for name in ("seed", "perplexity", "device")}
    projection = cached_projection(run, table.trajectory, request.method, **settings, progress=progress)
    found = find(run, table.trajectory, table.groups, table.classes)
    words = caption(run, table, projection, found)
    if request.kind.name.endswith("poster"):
        figure = draw_poster(table, projection, words, loss_curve(run), **request.look)
    else:
        words = replace(words, subtitle=words.subtitle + explained(request, "trustworthiness"))
        words = words if request.is_wide else replace(words, takeaway="")
        figure = draw_maps(table, projection, words, **request.look)
    shown = projection.assign_attrs(findings=found.to_record())
    return Figure(run, request, figure, words.title, alt_text(run, table, projection, found), shown)


def make_spectrum(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw the singular values of a table over training, with its ranks."""
    what = table_name(request.kind.name.removesuffix("-spectrum") + "s")
    geometry = token_geometry(run) if what == "tokens" else position_structure(run)
    is_tokens = what == "tokens"
    title = say("Spectrum of the token table" if is_tokens else "Spectrum of the position table")
    rank = geometry["effective_rank"].values
    most = geometry.sizes["component"]
    takeaway = say(
        "Effective rank {first:z.1f} at the first snapshot, {last:z.1f} at the last, of at most {most}.",
        first=float(rank[0]),
        last=float(rank[-1]),
        most=most,
    )
    subtitle = say("{run}: singular values of the centred table", run=run.name)
    subtitle += explained(request, "effective rank", "stable rank")
    figure = draw_spectra(geometry, what, title=title, subtitle=subtitle, takeaway=takeaway, **request.look)
    tokens = "Singular values of the token table of run {run} over training."
    positions = "Singular values of the position table of run {run} over training."
    alt = f"{say(tokens if is_tokens else positions, run=run.name)} {takeaway}"
    return Figure(run, request, figure, title, alt, geometry)


def make_position_table(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw the position table itself at several snapshots."""
    table = read_table(run, "positions", progress=progress)
    title = say("The position table through training")
    sizes = {"positions": table.sizes["position"], "dims": table.sizes["dim"]}
    shape = say("{positions} positions by {dims} dimensions", **sizes)
    figure = draw_table(table, title=title, subtitle=f"{run.name}: {shape}", **request.look)
    alt = say(
        "Heat maps of the position table of run {run} ({shape}) from its first to its last snapshot.",
        run=run.name,
        shape=shape,
    )
    return Figure(run, request, figure, title, alt, table)


def make_position_similarity(run: Run, request: FigureRequest, progress: Progress) -> Figure:
    """Draw how like each other the positions are, before, midway and after."""
    similarity, toeplitz = position_similarity(run), position_structure(run)["toeplitz_fraction"].values
    title = say("Similarity of positions")
    takeaway = say(
        "Distance alone explains {first:z.0%} of it at the first snapshot, {last:z.0%} at the last.",
        first=float(toeplitz[0]),
        last=float(toeplitz[-1]),
    )
    subtitle = say("{run}: cosine of the rows of the centred position table", run=run.name)
    figure = draw_similarity(similarity, title=title, subtitle=subtitle, takeaway=takeaway, **request.look)
    alt = f"{say('Cosine similarity of every pair of positions of run {run}.', run=run.name)} {takeaway}"
    return Figure(run, request, figure, title, alt, similarity)
