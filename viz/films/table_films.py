"""Films of a table of embeddings: of one run, beside a control, or of several runs side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from data.language import digits, say
from data.progress import Progress
from data.runs import Run
from probes.groups.wording import title_of_runs
from viz.drawing.bands import bands_of
from viz.drawing.curve_panel import Curve
from viz.drawing.text import Caption, level_text
from viz.films.embedding_film import EmbeddingFilm, ProjectionView
from viz.films.film import Film
from viz.films.side_by_side import SharedTables, TablePanel, panels_of_runs, panels_with_control, single_panel
from viz.grouped_table import alt_text, caption, in_sentences, loss_curve, loss_curves, trust_curve
from viz.projection.controls import CONTROL_DESCRIPTIONS
from viz.request import FilmRequest


def make_table_film(run: Run, request: FilmRequest, progress: Progress, *, others: Sequence[Run] = ()) -> Film:
    """Film the table of positions or tokens, laid out in two dimensions: of one run, beside its control, or of several runs."""
    if others:
        return _film_of_runs([run, *others], request, progress)
    return (_film_with_control if request.control else _film_of_one)(run, request, progress)


def _film_of_one(run: Run, request: FilmRequest, progress: Progress) -> Film:
    panel = single_panel(run, request, progress)
    words = caption(run, panel.table, panel.projection, panel.findings)
    curves = [*loss_curves(run), trust_curve(panel.projection)]
    picture, page = _picture([panel], curves, words, request), _page_maker([panel], words, request)
    shown = panel.projection.assign_attrs(findings=panel.findings.to_record())
    return Film(run, request, picture, shown, _alt_text(panel), words.title, make_page=page)


def _film_with_control(run: Run, request: FilmRequest, progress: Progress) -> Film:
    panels = panels_with_control(run, request, progress)
    trained, beside = panels
    name = str(request.control)
    explained = say(CONTROL_DESCRIPTIONS[name].format(items=request.what))
    words = caption(run, trained.table, trained.projection, trained.findings)
    how = say("Control: {explained}; laid out by the same method, seed and parameters.", explained=explained)
    footnote = f"{how} {words.footnote}"
    trust = replace(
        trust_curve(trained.projection),
        name=say("trained"),
        second_values=beside.projection["trustworthiness"].values.astype(float),
        second_name=say("control"),
        names_below=True,
        limits=trust_curve(_least_trustworthy(panels).projection).limits,
    )
    picture = _picture(panels, [*loss_curves(run), trust], replace(words, footnote=footnote), request)
    beside_it = say("Beside it a control: {explained}.", explained=explained)
    alt = f"{_alt_text(trained)} {beside_it} {_measures(beside)} {in_sentences(beside.findings)}"
    shown = trained.projection.assign_attrs(
        control=name,
        control_explained=explained,
        findings=trained.findings.to_record(),
        control_findings=beside.findings.to_record(),
    )
    return Film(run, request, picture, shown, alt.strip(), words.title, make_page=_page_maker(panels, words, request))


def _film_of_runs(runs: Sequence[Run], request: FilmRequest, progress: Progress) -> Film:
    panels, shared = panels_of_runs(runs, request, progress)
    first, names = panels[0], ", ".join(run.name for run in runs)
    single = caption(first.run, first.table, first.projection)
    found = title_of_runs([panel.findings.claims for panel in panels]) if first.findings.claims else ""
    widths = dict.fromkeys(str(panel.table.trajectory.sizes["dim"]) for panel in panels)
    drawn = f"{_listed(list(widths))} {single.subtitle.split(', ')[-1].split(' ', 1)[1]}"
    alone = say("Each run is laid out by itself, at its own scale, and turned onto the first.")
    words = Caption(
        found or say("{what} of {n} runs", what=single.title, n=len(panels)),
        say("{what} of {runs}: {drawn}", what=single.title, runs=names, drawn=drawn),
        f"{_left_out(shared, request.what)}{alone} {single.footnote}",
    )
    hashes = {panel.run.name: _hashes(panel.run, first.projection["step"].values) for panel in panels}
    found_in = {panel.run.name: panel.findings.to_record() for panel in panels}
    shown = first.projection.assign_attrs(runs=hashes, findings=found_in)
    shown = shown.assign_coords(sha256=("step", hashes[first.run.name]))
    beside = [
        f"{say('Beside it run {run}.', run=panel.run.name)} {_measures(panel)} {in_sentences(panel.findings)}"
        for panel in panels[1:]
    ]
    alt = " ".join([_alt_text(first), *beside]).strip()
    picture, page = _picture(panels, _curves_of_runs(panels), words, request), _page_maker(panels, words, request)
    return Film(first.run, request, picture, shown, alt, words.title, make_page=page)


def _picture(
    panels: Sequence[TablePanel], curves: Sequence[Curve], words: Caption, request: FilmRequest
) -> EmbeddingFilm:
    if request.bands and bands_of(panels[0].projection):
        scale = say("pale 0, dark 1" if request.theme == "light" else "dark 0, bright 1")
        words = replace(words, footnote=f"{words.footnote} {say('Bands: {scale}.', scale=scale)}")
    fidelity = {"trust": request.trust, "bands": request.bands}
    return EmbeddingFilm(_views(panels), curves, caption=words, **request.look | fidelity)


def _views(panels: Sequence[TablePanel]) -> list[ProjectionView]:
    views = []
    for panel in panels:
        table, about = panel.table, (panel.name, panel.comparisons)
        views.append(ProjectionView(panel.projection, table.groups, table.classes, table.is_ordered, *about))
    return views


def _page_maker(panels: Sequence[TablePanel], words: Caption, request: FilmRequest) -> Callable[[], str]:
    """Make the function that builds the HTML page of the film, with its points under a slider."""

    def page() -> str:
        from viz.drawing.theme import theme
        from viz.player import html
        from viz.player.projection_scene import scene_of_views

        losses = {panel.run.name: panel.run.metrics() for panel in panels}
        scene = scene_of_views(
            _views(panels), theme=theme(request.theme), losses=losses, trust=request.trust, language=request.language
        )
        return html.page(scene, title=words.title, description=f"{words.subtitle}. {words.footnote}")

    return page


def _left_out(shared: SharedTables, what: str) -> str:
    """Write how many items and steps are not in the picture."""
    items, steps = shared.items_left_out, shared.steps_left_out
    one, many = ("{n} token", "{n} tokens") if what == "tokens" else ("{n} position", "{n} positions")
    parts = [say(one if items == 1 else many, n=items)] if items else []
    parts += [say("{n} step" if steps == 1 else "{n} steps", n=steps)] if steps else []
    if not parts:
        return ""
    verb = "is" if items + steps == 1 else "are"
    templates = {
        "is": "{parts} that not all runs have is left out. ",
        "are": "{parts} that not all runs have are left out. ",
    }
    return say(templates[verb], parts=_listed(parts))


def _listed(parts: Sequence[str]) -> str:
    return (
        parts[0]
        if len(parts) == 1
        else say("{all_but_last} and {last}", all_but_last=" and ".join(parts[:-1]), last=parts[-1])
    )


def _curves_of_runs(panels: Sequence[TablePanel]) -> list[Curve]:
    """List the losses and the trustworthiness of all runs, at the steps of the film."""
    steps = panels[0].projection["step"].values
    losses = {panel.run.name: curve for panel in panels if (curve := loss_curve(panel.run)) is not None}
    trust = [trust_curve(panel.projection) for panel in panels]
    lowest = trust_curve(_least_trustworthy(panels).projection).limits
    curves = [replace(trust[0], runs=tuple(curve.values for curve in trust), limits=lowest)]
    if losses:
        values = tuple(np.interp(steps, curve.steps, curve.values) for curve in losses.values())
        title = next(iter(losses.values())).title
        curves.insert(0, Curve(title, steps, values[0], runs=values, run_names=tuple(losses)))
    return curves


def _least_trustworthy(panels: Sequence[TablePanel]) -> TablePanel:
    """Find the panel whose trustworthiness falls lowest."""
    return min(panels, key=lambda panel: float(panel.projection["trustworthiness"].min()))


def _hashes(run: Run, steps: np.ndarray) -> list[str]:
    by_step = {record["step"]: str(record["sha256"]) for record in run.manifest()}
    return [by_step[int(step)] for step in steps]


def _alt_text(panel: TablePanel) -> str:
    return f"{alt_text(panel.run, panel.table, panel.projection, panel.findings)} {_measures(panel)}".strip()


def _measures(panel: TablePanel) -> str:
    """Write the measures of the fidelity bands at the last snapshot."""
    measures = [
        f"{row.name} {digits(f'{row.values[-1]:z.2f}')}"
        + (say(" (by chance {level})", level=level_text(row.chance)) if row.chance is not None else "")
        for row in bands_of(panel.projection)
        if np.isfinite(row.values[-1])
    ]
    return say("At the last snapshot: {measures}.", measures=", ".join(measures)) if measures else ""
