"""The film of how similar the rows of the position table are to each other."""

from __future__ import annotations

from data.progress import Progress
from data.runs import Run
from viz.drawing.curve_panel import Curve
from viz.drawing.text import Caption
from viz.films.film import INTERPOLATED, Film
from viz.films.heatmap_film import Grid, HeatmapFilm
from viz.grouped_table import loss_curves
from viz.request import FilmRequest


def make_position_similarity_film(run: Run, request: FilmRequest, progress: Progress) -> Film:
    """Film how like each other the rows of the position table are."""
    from probes.tables.positions import position_similarity, position_structure

    similarity, structure = position_similarity(run), position_structure(run)
    toeplitz = structure["toeplitz_fraction"].values.astype(float)
    curves = [
        *loss_curves(run),
        Curve("explained by distance alone", similarity["step"].values, toeplitz, limits=(0.0, 1.0)),
    ]
    caption = Caption(
        "Similarity of positions",
        f"{run.name}: cosine of the rows of the centred position table, every position against every other",
        INTERPOLATED,
    )
    items = [str(i) for i in similarity["position"].values]
    picture = HeatmapFilm(
        similarity.values[:, None, None],
        similarity["step"].values,
        Grid([""], [""], items, "cosine", diverging=True),
        curves=curves,
        caption=caption,
        **request.look,
    )
    alt = (
        f"Cosine similarity of the {len(items)} positions of run {run.name} over {similarity.sizes['step']} snapshots. The share of its "
        f"variance that distance alone explains goes from {toeplitz[0]:.2f} to {toeplitz[-1]:.2f}."
    )
    return Film(run, request, picture, similarity, alt)
