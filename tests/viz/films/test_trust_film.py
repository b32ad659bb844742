"""A film shows its fidelity: a line or bands, holes in doubted points, comparisons that change with the snapshot."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_rgb

from probes.groups.comparison import GroupComparison
from probes.groups.naming import Group
from tests.viz.films.test_timeline import made_projection
from viz.drawing.bands import BandPanel, FidelityLine, bands_of
from viz.drawing.canvas import Canvas, Size
from viz.drawing.curve_panel import Curve, FilmClock
from viz.drawing.layout import Box
from viz.drawing.legend import DOUBT, LegendEntry, legend_entries, legend_rows, other_color
from viz.drawing.scatter import HOLE, OPEN, Discs, shades
from viz.drawing.text import Caption
from viz.drawing.theme import THEMES, heat_map
from viz.films.embedding_film import EmbeddingFilm, ProjectionView

SIZE = Size(1920, 1080)
BOX = Box(192, 432, 1152, 108)


def judged(n_steps: int = 6, n_items: int = 12) -> xr.Dataset:
    """Make a projection with known measures, in which item 3 has no neighbours of the space until the third snapshot."""
    made = made_projection(n_steps, n_items)
    motion = np.linspace(-0.2, 0.6, n_steps)
    motion[0] = np.nan
    kept = np.full((n_steps, n_items), 1.0)
    kept[: n_steps // 2, 3] = 0.3
    return made.assign(
        recall=("step", np.linspace(0.1, 0.9, n_steps)),
        trustworthiness=("step", np.full(n_steps, 0.8)),
        motion_agreement=("step", motion),
        item_recall=(("step", "position"), kept),
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
@pytest.mark.parametrize("color", ["other", *range(7)])
def test_a_doubted_disc_keeps_its_colour_and_its_label_can_be_read(theme: str, color: str | int) -> None:
    look = THEMES[theme]
    name = other_color(look) if color == "other" else look.palette[int(color)]
    shade = shades(name, look)
    panel, full = np.array(to_rgb(look.panel)), np.array(to_rgb(name))
    np.testing.assert_allclose(shade[:, 0, :3], np.tile(full, (len(shade), 1)))
    np.testing.assert_allclose(shade[0, 1, :3], full)
    np.testing.assert_allclose(shade[-1, 1, :3], OPEN * panel + (1 - OPEN) * full)
    assert (shade[..., 3] == 1).all()
    linear = np.where(shade <= 0.04045, shade / 12.92, ((shade + 0.055) / 1.055) ** 2.4)[..., :3]
    luminance = linear @ [0.2126, 0.7152, 0.0722] + 0.05  # WCAG 2
    contrast = np.maximum(luminance[:, 1] / luminance[:, 2], luminance[:, 2] / luminance[:, 1])
    assert contrast.min() >= 4.5


def test_a_hole_opens_and_closes_gradually_between_snapshots_and_the_rest_of_the_disc_stays() -> None:
    made = film(ProjectionView(judged(), [Group("3", (3,))]))
    discs: Discs = made.panels[0]._discs
    place = 3 * list(discs.order).index(3)
    full, panel = np.array(to_rgb(THEMES["light"].palette[0])), np.array(to_rgb(THEMES["light"].panel))
    for time, doubt in ((0.0, 1.0), (2.0, 1.0), (2.5, 0.5), (3.0, 0.0), (5.0, 0.0)):
        list(made.frames([time]))
        faces = discs.artist.get_facecolor()
        np.testing.assert_allclose(faces[place, :3], full)
        np.testing.assert_allclose(faces[place + 1, :3], OPEN * doubt * panel + (1 - OPEN * doubt) * full, atol=0.01)


def test_a_point_whose_motion_is_not_real_is_not_marked() -> None:
    restless = judged().assign(
        drawn_motion=(("step", "position"), np.full((6, 12), 0.02)), motion_floor=("position", np.full(12, 0.02))
    )
    list((made := film(ProjectionView(restless))).frames([5.0]))
    faces = made.panels[0]._discs.artist.get_facecolor()
    np.testing.assert_array_equal(faces[::3], faces[1::3])


def test_without_trust_no_point_has_a_hole() -> None:
    frames = [
        next(film(ProjectionView(projection), trust=trust).frames([0.0]))[..., :3].copy()
        for projection, trust in ((judged(), False), (judged().drop_vars("item_recall"), True), (judged(), True))
    ]
    panel = np.s_[220:850, :1200]
    assert (frames[0][panel] == frames[1][panel]).all()
    assert (frames[0][panel] != frames[2][panel]).any()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_many_doubted_points_without_labels_can_be_seen(theme: str) -> None:
    projection = judged(2, 700)
    projection["item_recall"][:] = 0.0
    made = film(ProjectionView(projection), theme=theme)
    frame = next(made.frames([0.0])).astype(float)
    left, top, width, height = made.film_frame.panel_px()
    panel = 255 * np.array(to_rgb(THEMES[theme].panel))
    away = np.abs(frame[top : top + height, left : left + width, :3] - panel).max(axis=-1)
    assert (away > 20).mean() > 0.02


def test_the_line_of_fidelity_has_the_numbers_of_the_snapshot_and_loses_words_before_numbers() -> None:
    projection, canvas = (
        judged().assign(distance_correlation=("step", np.linspace(-0.1, 0.4, 6))),
        Canvas(SIZE, THEMES["light"]),
    )
    clock = FilmClock(projection["step"].values)
    wide = FidelityLine(canvas, Box(48, 60, 1210, 40), projection, clock, 1.0)
    assert [text.get_text() for text in wide.show(100)] == ["26%", "0.00 of 1"]  # type: ignore[attr-defined]
    assert [text.get_text() for text in wide.show(500)] == ["90%", "0.40 of 1"]  # type: ignore[attr-defined]
    words = " ".join(text.get_text() for text in canvas.figure.texts)
    assert "How far to believe it" in words
    assert "30% by chance" in words
    for width, n_numbers in ((700.0, 2), (400.0, 1), (50.0, 0)):
        narrow = FidelityLine(Canvas(SIZE, THEMES["light"]), Box(0, 0, width, 40), projection, clock, 1.0)
        assert len(narrow.show(0)) == n_numbers


def test_bands_are_shown_instead_of_the_line_where_they_are_asked_for() -> None:
    view, curve = ProjectionView(judged()), Curve("loss", judged()["step"].values, np.ones(6))
    made = [
        EmbeddingFilm([view], [curve], Caption("T", "s", "f"), SIZE, THEMES["light"], bands=bands)
        for bands in (False, True)
    ]
    kinds = [{type(part) for part in one.film_frame._animated} for one in made]
    assert FidelityLine in kinds[0] - kinds[1]
    assert BandPanel in kinds[1] - kinds[0]
    assert made[0].film_frame.layout.panel.height > made[1].film_frame.layout.panel.height


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
    entries = [LegendEntry(f"group number {i}", ("#000000",)) for i in range(6)]
    doubt = LegendEntry(DOUBT, ("#000000",), is_open=True)
    assert legend_rows([], 1000, 20) == 0
    assert legend_rows([doubt], 1000, 20) == 1
    assert legend_rows([*entries, doubt], 10_000, 20) == 1
    assert legend_rows(entries, 500, 20) == 3


def test_the_legend_has_every_colour_of_the_picture_and_no_mark_that_does_not_occur() -> None:
    theme, group = THEMES["light"], Group("one", (0, 1))
    some = legend_entries(theme, [group], labels=list("abc"), others="other tokens")
    assert [entry.colors for entry in some] == [(theme.palette[0],), (other_color(theme),)]
    assert len(legend_entries(theme, [group], labels=["a", "b"], others="other tokens")) == 1
    ordered = legend_entries(theme, [group], labels=["0", "1", "2"], ordered=True, doubt=DOUBT)
    assert [entry.name for entry in ordered] == ["one", "others, 0 to 2", DOUBT]
    assert 0.5 < HOLE < 0.9  # the ring and the label both need room
