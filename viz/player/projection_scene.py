"""Panels and scenes of projections: the points of a layout, the losses of the run, fidelity, and comparisons of groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from data.errors import InputError
from data.language import LOCALES, format_number
from probes.groups.naming import Group
from viz.drawing.legend import item_colors
from viz.drawing.text import label_name
from viz.drawing.theme import Theme, group_color, run_color
from viz.explanations import explanations
from viz.fidelity.trust import doubted
from viz.fonts import letter
from viz.player.loss_panel import loss_panel, loss_series, validation_loss
from viz.player.panels import ColoredGroup, Number, Numbers, Panel, Scatter
from viz.player.scene import Scene
from viz.player.serialization import quantize_shares
from viz.player.words import section, unknown_step

if TYPE_CHECKING:
    from probes.groups.comparison import GroupComparison
    from viz.films.embedding_film import ProjectionView

MEASURES = {
    "trustworthiness": "trustworthiness",
    "continuity": "continuity",
    "recall": "neighbours-kept",
    "distance_correlation": "order-of-distances",
    "motion_agreement": "motion",
    "explained_variance": "variance-shown",
}
"""The measures of fidelity, by name, with the keys of their explanations."""
ABOUT_METHODS = {"tsne": "t-sne", "umap": "umap", "pca": "pca"}
BESIDE_WIDTH = "minmax(260px, 26%)"  # of the panels beside the points
HEIGHT_PX = 440
COMPARISON_HEIGHT_PX = 110
"""Height of the sentence on a group in that width; the page scrolls where the window is lower."""


def scatter_panel(
    projection: xr.Dataset,
    groups: Sequence[Group] = (),
    classes: Sequence[Group] = (),
    *,
    theme: Theme,
    title: str = "",
    id: str = "points",
    area: str = "points",
    language: str = "en",
    class_names: Mapping[str, str] | None = None,
    neighbours: Any = None,
    steps: Sequence[int] | None = None,
    trust: bool = True,
    is_page: bool = False,
) -> Scatter:
    """Build the scatter plot of a projection.

    Parameters
    ----------
    projection : ``layout`` (step, token or position, axis), and ``item_recall`` (step, item) if it was measured.
    groups : highlighted groups, each in a colour of its own.
    classes : groups that give the colours where none is highlighted. Positions have a colour scale instead.
    title, id, area, neighbours, steps : see `viz.player.panels.Scatter`.
    language : ``en`` or ``pt``.
    class_names : names of the classes in the language; their own names by default.
    trust : whether items whose neighbours are doubtful are marked.
    is_page : whether it is on a page of its own, on which nothing answers to the selection of points.
    """
    layout = projection["layout"]
    labels = [str(label) for label in layout[layout.dims[1]].values]
    written, names = _written(tuple(labels), language)
    ordered = layout.dims[1] == "position"
    shown = tuple(groups) or (() if ordered else tuple(classes))
    marks = doubted(projection) if trust else None
    words = section("scatter", language)
    if is_page:
        words |= {"keys": section("projection", language)["keys"], "click": ""}
    return Scatter(
        id,
        area,
        title,
        layout=layout.values.astype(np.float32),
        labels=written,
        names=names,
        colors=item_colors(len(labels), shown, theme, ordered=ordered),
        trust=None if marks is None else quantize_shares(1.0 - marks),
        groups=_colored(groups, theme),
        classes=[] if groups else _colored(shown, theme, class_names),
        neighbours=neighbours,
        thread=ordered,
        words=words,
        steps=steps,
        about=_about(projection),
    )


def _about(projection: xr.Dataset) -> tuple[str, ...]:
    """List the explanations of a projection: of embeddings, of its method, and of doubtful points."""
    method = ABOUT_METHODS.get(projection.attrs.get("method", ""))
    return ("embeddings", *([method] if method else []), "doubt")


@lru_cache(maxsize=4)
def _written(labels: tuple[str, ...], language: str) -> tuple[Sequence[str], Sequence[str]]:
    """Write the labels of items for the plot and for sentences; for tens of thousands it takes a second, at every run of a page."""
    return letter(labels, labels), letter(labels, labels, partial(label_name, language=language))


def _colored(groups: Sequence[Group], theme: Theme, names: Mapping[str, str] | None = None) -> list[ColoredGroup]:
    return [
        ColoredGroup((names or {}).get(group.name, group.name), group_color(theme, i), [int(m) for m in group.members])
        for i, group in enumerate(groups)
    ]


def fidelity_panel(projection: xr.Dataset, *, area: str = "fidelity", language: str = "en") -> Numbers:
    """Build the table of a projection's measures at each step, or a note that they have not been measured."""
    words, steps = section("projection", language), [int(step) for step in projection["step"].values]
    lines = []
    for name, key in MEASURES.items():
        if name in projection:
            values = [float(value) for value in projection[name].values]
            texts = [format_number(value, 2, language) if np.isfinite(value) else "–" for value in values]
            shares = [value if np.isfinite(value) else 0.0 for value in values]
            lines.append(Number(words[name], steps, texts, explanations(language)[key].what, "", shares))
    if "trust" not in projection:
        lines.append(Number(words["no_fidelity"], steps, [""] * len(steps), words["no_fidelity_help"]))
    return Numbers("fidelity", area, words["fidelity"], lines=lines, about=_measured(projection))


def _measured(projection: xr.Dataset) -> tuple[str, ...]:
    """List the explanations of the measures that a projection has."""
    return tuple(key for name, key in MEASURES.items() if name in projection)


def comparison_panel(comparisons: Sequence[GroupComparison], *, theme: Theme, language: str = "en") -> Numbers:
    """Build the sentences about the order of positions and about groups, a line each."""
    lines = []
    for one in comparisons:
        parts = {step: sentence.partition(": ") for step, sentence in one.sentences.items()}
        name = next(iter(parts.values()))[0]
        color = theme.muted if one.group is None else group_color(theme, one.group)
        texts = [text for _, _, text in parts.values()]
        lines.append(Number(name, [int(step) for step in parts], texts, color=color))
    return Numbers(
        "comparisons",
        "comparisons",
        section("projection", language)["comparisons"],
        lines=lines,
        about=("group-comparison",),
    )


def scene_of_views(
    views: Sequence[ProjectionView],
    *,
    theme: Theme,
    losses: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    trust: bool = True,
    language: str = "en",
) -> Scene:
    """Build the scene of one or several projections side by side; fidelity and comparisons are those of the first.

    Parameters
    ----------
    views : the projections of a film, of the same steps, in two or three dimensions.
    losses : records of the losses by the name of the run; of several runs, the validation losses are shown together.
    theme, trust, language : see `scatter_panel`.

    Raises
    ------
    InputError
        Unknown language, or no view.

    Examples
    --------
    >>> from viz.drawing.theme import THEMES
    >>> from viz.films.embedding_film import ProjectionView
    >>> points = np.random.default_rng(0).normal(size=(2, 6, 2))
    >>> layout = xr.DataArray(points, dims=("step", "position", "axis"), coords={"step": [0, 100], "position": range(6)})
    >>> scene = scene_of_views([ProjectionView(xr.Dataset({"layout": layout}))], theme=THEMES["light"])
    >>> [panel.id for panel in scene.panels], scene.step
    (['points', 'fidelity'], 100)
    """
    if language not in LOCALES:
        raise InputError(f"unknown `language` {language!r}: there is {', '.join(LOCALES)}")
    if not views:
        raise InputError("a scene needs a projection; got none")
    steps = [int(step) for step in views[0].projection["step"].values]
    until_last = {
        name: [record for record in metrics if record["step"] <= steps[-1]] for name, metrics in (losses or {}).items()
    }
    measured = {name: metrics for name, metrics in until_last.items() if metrics}
    points = _points(views, theme, language, trust=trust)
    beside = _beside(views[0], theme, measured, language)
    areas = " ".join(panel.area for panel in points)
    rows = [f'"{areas} {panel.area}" {"minmax(150px, 1fr)" if panel.id == "loss" else "auto"}' for panel in beside]
    columns = " ".join(["minmax(0, 1fr)"] * len(views) + [BESIDE_WIDTH])
    return Scene(
        steps=steps,
        step=steps[-1],
        theme=theme,
        panels=[*points, *beside],
        grid=f"{' '.join(rows)} / {columns}",
        words=section("slider", language),
        language=LOCALES[language],
        loss=validation_loss(next(iter(measured.values()), ())),
        unknown_step=unknown_step(views[0].projection["step"].attrs.get("unknown", ""), language),
        min_height_px=HEIGHT_PX + COMPARISON_HEIGHT_PX * len(views[0].comparisons),
    )


def _points(views: Sequence[ProjectionView], theme: Theme, language: str, *, trust: bool) -> list[Panel]:
    style: dict[str, Any] = {"theme": theme, "language": language, "trust": trust, "is_page": True}
    areas = [f"points{i}" if i else "points" for i in range(len(views))]
    return [
        scatter_panel(view.projection, view.groups, view.classes, title=view.name, id=area, area=area, **style)
        for view, area in zip(views, areas, strict=True)
    ]


def _beside(
    view: ProjectionView, theme: Theme, losses: Mapping[str, Sequence[Mapping[str, Any]]], language: str
) -> list[Panel]:
    """Build the panels beside the points, from top to bottom."""
    panels: list[Panel] = [fidelity_panel(view.projection, language=language)]
    if losses:
        curves = loss_panel(next(iter(losses.values())), theme=theme, language=language)
        if len(losses) > 1:
            series = [loss_series(name, run_color(theme, i), losses[name]) for i, name in enumerate(losses)]
            curves = replace(curves, series=series)
        panels.insert(0, curves)
    if view.comparisons:
        panels.append(comparison_panel(view.comparisons, theme=theme, language=language))
    return panels
