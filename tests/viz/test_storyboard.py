"""Every kind of film at rest, and every figure: no text covers another, is cut off, small or pale, and no two marks look alike."""

from __future__ import annotations

import numpy as np
import pytest

from data.runs import Run
from tests.viz.figures.stills import USUAL
from tests.viz.visible import LEAST_CONTRAST, deuteranopic, difference, drawn_figure, drawn_film, fastest_px, look_at
from viz.drawing.slide import SIZES, blank_slide
from viz.drawing.theme import THEMES, Theme
from viz.films.film import make_film
from viz.registry import FILMS
from viz.request import FilmRequest

LEAST_FILM_PX, LEAST_FIGURE_PX = 17, 18
PROMPTED = {"attention", "temperature"}


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("size", "theme"), [("1920x1080", "light"), ("1080x1920", "dark")])
@pytest.mark.parametrize("what", FILMS)
def test_the_last_frame_of_every_film_can_be_read(what: str, size: str, theme: str, run: Run) -> None:
    prompt = "To be" if what in PROMPTED else None
    film = make_film(run, FilmRequest(what=what, size=size, theme=theme, prompt=prompt))  # type: ignore[arg-type]
    pixels, texts = drawn_film(film, film.timeline.n_snapshots - 1.0)
    seen = look_at(texts, pixels)
    assert not seen.defects
    assert seen.least_px >= LEAST_FILM_PX


@pytest.mark.sampled(3)
@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
@pytest.mark.parametrize("name", USUAL)
def test_every_figure_can_be_read(name: str, theme: Theme) -> None:
    figure = USUAL[name](title="A title", subtitle="made up", theme=theme, inches=SIZES["16:9"])
    pixels, texts = drawn_figure(figure)
    seen = look_at(texts, pixels)
    assert not seen.defects
    assert seen.least_px >= LEAST_FIGURE_PX


def test_the_checks_find_what_is_wrong() -> None:
    slide = blank_slide("Title", "subtitle", THEMES["light"], SIZES["square"])
    assert not look_at(*reversed(drawn_figure(slide.figure))).defects
    slide.text(100, 100, "covered")
    slide.text(110, 105, "covering")
    slide.text(100, 200, "pale", color="#BBBBBB", size=11)
    slide.text(530, 300, "cut")
    for y, color in ((350, "#EB7527"), (380, "#EE7A30")):
        slide.dot(100, y, color)
        slide.text(112, y - 6, f"{color}")
    pixels, texts = drawn_figure(slide.figure)
    seen = look_at(texts, pixels)
    assert seen.overlaps == ("'covered' and 'covering' overlap",)
    assert seen.cut_off == ("'cut' is cut off",)
    assert seen.alike == ("the marks of '#EB7527' and '#EE7A30' look alike",)
    assert seen.least_px == 11
    assert seen.least_contrast < LEAST_CONTRAST


def test_deuteranopic_eyes_confuse_red_and_green_but_not_blue_and_yellow() -> None:
    assert difference(deuteranopic("#C04000"), deuteranopic("#808000")) < 0.5 * difference("#C04000", "#808000")
    assert difference(deuteranopic("#0000FF"), deuteranopic("#FFFF00")) > 100
    assert np.allclose(deuteranopic("#777777"), 0x77 / 255, atol=0.01)


def test_the_fastest_point_is_measured_in_pixels_of_the_frame(run: Run) -> None:
    """Halving the size halves the way; twice the time between snapshots nearly halves it."""
    fast, small, slow = (
        fastest_px(make_film(run, FilmRequest(what="positions", method="pca", size=size, seconds_per_snapshot=seconds)))
        for size, seconds in (("1920x1080", 0.5), ("960x540", 0.5), ("1920x1080", 1.0))
    )
    assert small == pytest.approx(fast / 2, rel=0.05)
    assert 0.4 * fast < slow < 0.7 * fast
