"""A film shows its fidelity: bands with a cursor, faint points of low trust, comparisons that change with the snapshot."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_rgb

from probes.groups.comparison import GroupComparison
from probes.groups.naming import Group
from tests.viz.films.test_timeline import made_projection
from viz.drawing.bands import BandPanel, bands_of
from viz.drawing.canvas import Canvas, Size
from viz.drawing.curve_panel import Curve, FilmClock
from viz.drawing.layout import Box
from viz.drawing.legend import legend_rows
from viz.drawing.scatter import FAINTEST, Discs, shades
from viz.drawing.text import Caption
from viz.drawing.theme import THEMES, heat_map
from viz.films.embedding_film import EmbeddingFilm, ProjectionView

SIZE = Size(1920, 1080)
BOX = Box(192, 432, 1152, 108)


def judged(n_steps: int = 6, n_items: int = 12) -> xr.Dataset:
    """Make a projection with known measures and trust."""
    made = made_projection(n_steps, n_items)
    motion = np.linspace(-0.2, 0.6, n_steps)
    motion[0] = np.nan
    trust = np.full((n_steps, n_items), 1.0)
    trust[:, 3] = np.linspace(0.25, 1, n_steps)
    return made.assign(
        recall=("step", np.linspace(0.1, 0.9, n_steps)),
        trustworthiness=("step", np.full(n_steps, 0.8)),
        motion_agreement=("step", motion),
        trust=(("step", "position"), trust),
    ).assign_attrs(chance=0.3)


def film(view: ProjectionView, *, trust: bool = True, theme: str = "light") -> EmbeddingFilm:
    steps = view.projection["step"].values
    curve = Curve("validation loss", steps, np.linspace(4, 2, len(steps)))
    return EmbeddingFilm([view], [curve], Caption("T", "s", "f"), SIZE, THEMES[theme], trust=trust)


def test_the_bands_are_the_measures_of_the_projection() -> None:
    rows = bands_of(judged())
    assert [row.name for row in rows] == ["neighbours kept", "trustworthiness", "true motion"]
    assert [row.chance for row in rows] == [0.3, None, None]
    assert bands_of(made_projection()) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_band_has_the_colours_of_its_numbers_and_the_ground_where_there_is_none(theme: str) -> None:
    projection, canvas = judged(), Canvas(SIZE, THEMES[theme])
    bands = BandPanel(canvas, BOX, bands_of(projection), FilmClock(projection["step"].values), 1.0)
    canvas.save_film_background()
    canvas.save_snapshot_background(bands.show(300))
    still = canvas.frame([]).copy()
    band = bands.band
    for row, values in enumerate(projection[name].values for name in ("recall", "trustworthiness", "motion_agreement")):
        y = round(SIZE.height - band.top + band.height * (row + 0.5) / 3)
        for i, value in enumerate(values):
            x = round(band.left + band.width * np.clip(i / 5, 0.01, 0.99))
            color = heat_map(canvas.theme)(value)[:3] if np.isfinite(value) else to_rgb(canvas.theme.panel)
            np.testing.assert_allclose(still[y, x, :3] / 255, color, atol=0.02)
    moved = (canvas.frame(bands.move(2.5)).astype(int) != still).any(axis=(0, 2)).nonzero()[0]
    assert np.abs(moved - (band.left + band.width / 2)).max() < 5


def test_the_value_beside_a_band_is_that_of_the_snapshot() -> None:
    projection, canvas = judged(), Canvas(SIZE, THEMES["light"])
    bands = BandPanel(canvas, BOX, bands_of(projection), FilmClock(projection["step"].values), 1.0)
    assert [text.get_text() for text in bands.show(0)] == ["0.10", "0.80", "–"]  # type: ignore[attr-defined]
    assert [text.get_text() for text in bands.show(100)] == ["0.26", "0.80", "−0.04"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("color", ["disc", 0, 1, 2, 3])
def test_shades_run_from_a_quarter_of_the_colour_to_all_of_it_and_labels_can_be_read(
    theme: str, color: str | int
) -> None:
    look = THEMES[theme]
    name = look.disc if color == "disc" else look.palette[int(color)]
    shade = shades(name, look)
    panel, bold = np.array(to_rgb(look.panel)), np.array(to_rgb(name))
    np.testing.assert_allclose(shade[-1, 0, :3], bold)
    np.testing.assert_allclose(shade[0, 0, :3], 0.25 * bold + 0.75 * panel)
    assert (shade[..., 3] == 1).all()
    linear = np.where(shade <= 0.04045, shade / 12.92, ((shade + 0.055) / 1.055) ** 2.4)[..., :3]
    luminance = linear @ [0.2126, 0.7152, 0.0722] + 0.05  # WCAG 2
    contrast = np.maximum(luminance[:, 0] / luminance[:, 1], luminance[:, 1] / luminance[:, 0])
    assert contrast.min() >= 2.0


def test_the_opacity_of_points_is_their_interpolated_trust() -> None:
    made = film(ProjectionView(judged(), [Group("3", (3,))]))
    discs: Discs = made.panels[0]._discs
    place = 2 * list(discs.order).index(3)
    bold, panel = np.array(to_rgb(THEMES["light"].palette[0])), np.array(to_rgb(THEMES["light"].panel))
    for time, trust in ((0.0, FAINTEST), (2.0, 0.55), (2.5, 0.625), (5.0, 1.0)):
        list(made.frames([time]))
        np.testing.assert_allclose(
            discs.artist.get_facecolor()[place, :3], trust * bold + (1 - trust) * panel, atol=0.006
        )


def test_without_trust_points_are_opaque() -> None:
    views = [
        (ProjectionView(judged(), [Group("3", (3,))]), False),
        (ProjectionView(made_projection(), [Group("3", (3,))]), True),
    ]
    frames = [next(film(view, trust=trust).frames([0.0])).copy() for view, trust in views]
    bold = (np.array(to_rgb(THEMES["light"].palette[0])) * 255).round()
    for view, trust in views:
        picture = film(view, trust=trust).panels[0]
        assert picture.trust is None
    assert all((np.abs(frame[200:850, :1200, :3] - bold).max(axis=-1) < 2).sum() > 50 for frame in frames)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_many_faint_points_without_labels_can_be_seen(theme: str) -> None:
    projection = judged(2, 700)
    projection["trust"][:] = FAINTEST
    made = film(ProjectionView(projection), theme=theme)
    frame = next(made.frames([0.0])).astype(float)
    left, top, width, height = made.film_frame.panel_px()
    panel = 255 * np.array(to_rgb(THEMES[theme].panel))
    away = np.abs(frame[top : top + height, left : left + width, :3] - panel).max(axis=-1)
    assert (away > 20).mean() > 0.02


def test_words_change_with_the_snapshot_and_nothing_else_of_the_picture_moves() -> None:
    steps = [int(step) for step in judged()["step"].values]
    sentences = {step: f"3 4: closer than {step // 10}% of random pairs" for step in steps}
    long = sentences | {500: sentences[500] + ", closer than 12% of neighbouring pairs" * 3}
    comparisons = [
        GroupComparison(0, sentences, dict.fromkeys(steps, "p .04")),
        GroupComparison(1, long, dict.fromkeys(steps, "p .9")),
    ]
    groups = [Group("3", (3,)), Group("4", (4,)), Group("5", (5,))]
    made = film(ProjectionView(judged(), groups, comparisons=comparisons))
    frames = [frame.copy() for frame in made.frames([0.0, 1.0, 5.0])]
    text, panel = made.film_frame.layout.cells[0].text, made.film_frame.layout.panel
    words = [frame[round(1080 - text.top) : round(1080 - text.bottom)] for frame in frames]
    assert (words[0] != words[1]).any()
    assert (words[1] != words[2]).any()
    assert panel.bottom >= text.top  # never over points
    assert all(
        (frame[round(1080 - panel.bottom) + 2 : round(1080 - text.top) - 1, :1200] == 255).all() for frame in frames
    )


def test_a_legend_takes_as_many_rows_as_it_needs() -> None:
    groups = [Group(f"group number {i}", (i,)) for i in range(6)]
    assert legend_rows([], 1000, 20) == 0
    assert legend_rows([], 1000, 20, trust=True) == 1
    assert legend_rows(groups, 10_000, 20, trust=True) == 1
    assert legend_rows(groups, 500, 20) == 3
