"""Films of a table of embeddings with their words: alone, beside a control, or beside the tables of other runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from data.progress import Progress
from data.runs import Run
from probes.tables.embeddings import TableName
from viz.drawing.bands import bands_of
from viz.drawing.curve_panel import Curve
from viz.drawing.legend import Caption
from viz.drawing.theme import Theme
from viz.films.embedding_film import EmbeddingFilm, ProjectionView
from viz.films.kinds import Film, FilmOptions
from viz.films.side_by_side import SharedTables, TablePanel, panels_of_runs, panels_with_control, single_panel
from viz.grouped_table import alt_text, caption, loss_curve, trust_curve
from viz.projection.controls import CONTROL_DESCRIPTIONS


def film_of_one(run: Run, what: TableName, wish: FilmOptions, progress: Progress) -> Film:
    """Film one table."""
    twin = single_panel(run, what, wish, progress)
    words = caption(run, twin.subject, twin.projection)
    curves = [*_losses(run), trust_curve(twin.projection)]
    return Film(_picture([twin], curves, words, wish), twin.projection, _said(twin))


def film_of_control(run: Run, what: TableName, wish: FilmOptions, progress: Progress) -> Film:
    """Film a table beside a control of it."""
    twins = panels_with_control(run, what, wish, progress)
    trained, fake = twins
    name = str(wish.control)
    explained = CONTROL_DESCRIPTIONS[name].format(items=what)
    words = caption(run, trained.subject, trained.projection)
    footnote = f"Control: {explained}; laid out by the same method, seed and parameters. {words.footnote}"
    trust = replace(
        trust_curve(trained.projection),
        name="trained",
        second_values=fake.projection["trustworthiness"].values.astype(float),
        second_name="control",
        names_below=True,
        limits=trust_curve(_lower(twins).projection).limits,
    )
    picture = _picture(twins, [*_losses(run), trust], replace(words, footnote=footnote), wish)
    beside = f"Beside it a control: {explained}. {_measured(fake)} {_claimed(fake)}"
    shown = trained.projection.assign_attrs(control=name, control_explained=explained)
    return Film(picture, shown, f"{_said(trained)} {beside}".strip())


def film_of_runs(run: Run, what: TableName, wish: FilmOptions, progress: Progress) -> Film:
    """Film the tables of several runs beside each other, on what they share."""
    twins, shared = panels_of_runs(wish.runs, what, wish, progress)
    first, names = twins[0], ", ".join(twin.run.name for twin in twins)
    single = caption(run, first.subject, first.projection)
    widths = dict.fromkeys(str(twin.subject.trajectory.sizes["dim"]) for twin in twins)
    drawn = f"{' and '.join(widths)} {single.subtitle.split(', ')[-1].split(' ', 1)[1]}"
    words = Caption(
        f"{single.title} of {len(twins)} runs",
        f"{names}: {drawn}",
        f"{_left_out(shared, what)}Each run is laid out by itself, at its own scale, and turned onto the first. {single.footnote}",
    )
    hashes = {twin.run.name: _hashes(twin.run, first.projection["step"].values) for twin in twins}
    shown = first.projection.assign_attrs(runs=hashes)
    shown = shown.assign_coords(sha256=("step", hashes[first.run.name]))
    alt = " ".join([_said(first), *(f"Beside it run {t.run.name}. {_measured(t)} {_claimed(t)}" for t in twins[1:])])
    return Film(_picture(twins, _curves_of_runs(twins), words, wish), shown, alt.strip())


def _picture(twins: Sequence[TablePanel], curves: Sequence[Curve], words: Caption, wish: FilmOptions) -> EmbeddingFilm:
    views = [
        ProjectionView(
            twin.projection,
            twin.subject.groups,
            twin.subject.classes,
            twin.subject.is_ordered,
            twin.name,
            twin.comparisons,
        )
        for twin in twins
    ]
    bands = f" Bands: {_scale(wish.theme)}." if bands_of(twins[0].projection) else ""
    words = replace(words, footnote=words.footnote + bands)
    return EmbeddingFilm(views, curves, words, wish.size, wish.theme, faded=wish.trust)


def _scale(theme: Theme) -> str:
    return "pale 0, dark 1" if theme.name == "light" else "dark 0, bright 1"


def _left_out(shared: SharedTables, what: TableName) -> str:
    """Say how much of the runs is not in the picture."""
    items, steps = shared.items_left_out, shared.steps_left_out
    parts = [f"{items} {what if items > 1 else what[:-1]}"] if items else []
    parts += [f"{steps} step{'s' if steps > 1 else ''}"] if steps else []
    verb = "is" if items + steps == 1 else "are"
    return f"{' and '.join(parts)} that not all runs have {verb} left out. " if parts else ""


def _curves_of_runs(twins: Sequence[TablePanel]) -> list[Curve]:
    """Return the losses and the trustworthiness of all runs, at the steps of the film."""
    steps = twins[0].projection["step"].values
    losses = [curve for twin in twins if (curve := loss_curve(twin.run)) is not None]
    trust = [trust_curve(twin.projection) for twin in twins]
    lowest = trust_curve(_lower(twins).projection).limits
    curves = [replace(trust[0], runs=tuple(curve.values for curve in trust), limits=lowest)]
    if losses:
        values = tuple(np.interp(steps, curve.steps, curve.values) for curve in losses)
        curves.insert(0, Curve(losses[0].title, steps, values[0], runs=values))
    return curves


def _lower(twins: Sequence[TablePanel]) -> TablePanel:
    """Return the one whose trustworthiness falls lowest."""
    return min(twins, key=lambda twin: float(twin.projection["trustworthiness"].min()))


def _losses(run: Run) -> list[Curve]:
    loss = loss_curve(run)
    return [loss] if loss else []


def _hashes(run: Run, steps: np.ndarray) -> list[str]:
    by_step = {record["step"]: str(record["sha256"]) for record in run.manifest()}
    return [by_step[int(step)] for step in steps]


def _said(twin: TablePanel) -> str:
    text = f"{alt_text(twin.run, twin.subject, twin.projection)} {_measured(twin)} {_claimed(twin)}"
    return " ".join(text.split())


def _measured(twin: TablePanel) -> str:
    """Say the measures of the strip at the last snapshot."""
    rows = bands_of(twin.projection)
    told = [
        f"{row.name} {row.values[-1]:.2f}" + (f" (by chance {row.chance:.2f})" if row.chance is not None else "")
        for row in rows
        if np.isfinite(row.values[-1])
    ]
    return f"At the last snapshot: {', '.join(told)}." if told else ""


def _claimed(twin: TablePanel) -> str:
    """Say how the groups compare at the last snapshot that is shown."""
    last = int(twin.projection["step"].values[-1])
    return " ".join(f"{one.sentences[last]} ({one.p_values[last]})." for one in twin.comparisons)
