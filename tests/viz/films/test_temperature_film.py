"""The temperature film: bars as long as the probabilities, in fixed places, and a readout of the temperature."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from data.runs import Run
from probes.models.decoding import temperature_distributions
from tests.commands import assert_mistake, command
from tests.viz.figures.stills import SYMBOLS, made_temperatures
from viz.drawing.canvas import Size
from viz.drawing.text import Caption
from viz.drawing.theme import theme
from viz.films.film import make_film
from viz.films.temperature_film import TemperatureFilm, leading_rows
from viz.request import FilmRequest

TENTHS = tuple(np.round(np.arange(1, 21) * 0.1, 1))
CAPTION = Caption("What temperature does", "made", "a footnote")


def bar_lengths(film: TemperatureFilm, time: float) -> list[float]:
    """Count the pixels of each bar's middle line that have its colour."""
    frame = next(iter(film.frames([time])))
    height = film.film_frame.canvas.size.height
    lengths = []
    for row, bar in enumerate(film._bars):
        y = height - 1 - round(float(film._axes.transData.transform((0, row))[1]))
        color = np.rint(255 * np.array(bar.get_facecolor()[:3])).astype(int)
        near = np.abs(frame[y, :, :3].astype(int) - color).max(axis=1) < 24
        left = round(film._axes.bbox.x0)
        right = round(film._axes.bbox.x1)
        lengths.append(float(near[left:right].sum()))
    return lengths


@pytest.mark.parametrize("size", [Size(1280, 720), Size(720, 1000)])
def test_bars_are_as_long_as_the_probabilities_and_keep_their_places(size: Size) -> None:
    found = made_temperatures(list("abcdefgh"), *TENTHS)
    film = TemperatureFilm(found, CAPTION, size, theme("dark"))
    assert film.names == list("abcdefgh")
    unit = film._axes.bbox.width / film.values.max()
    for place, time in ((0, 0.0), (9, 9.0), (19, 19.0)):
        expected = found["probability"].values[place] * unit
        np.testing.assert_allclose(bar_lengths(film, time), expected, atol=3)
    half_way = (found["probability"].values[4] + found["probability"].values[5]) / 2 * unit
    np.testing.assert_allclose(bar_lengths(film, 4.5), half_way, atol=3)


def test_the_readout_is_the_temperature_and_the_curve_its_entropy() -> None:
    found = made_temperatures(SYMBOLS, *TENTHS)
    film = TemperatureFilm(found, CAPTION, Size(1280, 720), theme("light"))
    list(film.frames([0.0, 7.0]))
    readout, entropies, _ = film.film_frame._animated
    assert readout._step.get_text() == "0.80"  # type: ignore[attr-defined]
    assert entropies._value.get_text() == f"{float(found['entropy'][7]):.2f}"  # type: ignore[attr-defined]
    ticks, labels = film.film_frame.clock.ticks(600, 20)
    assert labels[-1] == "temperature 2.00"
    assert [tick / 100 for tick in ticks] == [float(label.split()[-1]) for label in labels]


@pytest.mark.parametrize("time", [3.0, 3.2, 3.5, 9.9])
def test_readouts_curves_and_bars_show_the_same_moment(time: float) -> None:
    found = made_temperatures(SYMBOLS, *TENTHS)
    film = TemperatureFilm(found, CAPTION, Size(1280, 720), theme("light"))
    lengths = bar_lengths(film, time)
    readout, _, likeliest = film.film_frame._animated
    unit = film._axes.bbox.width / film.values.max()
    assert film._values[0].get_text() == likeliest._value.get_text()  # type: ignore[attr-defined]
    assert float(film._values[0].get_text()) == pytest.approx(lengths[0] / unit, abs=0.01)
    assert float(readout._step.get_text()) == pytest.approx(np.interp(time, range(20), TENTHS), abs=0.0051)  # type: ignore[attr-defined]


def test_what_does_not_fit_is_summed_in_the_last_bar() -> None:
    found = made_temperatures(SYMBOLS, 0.5, 1.0, 2.0)
    names, values = leading_rows(found, 6)
    assert names[-1] == f"{len(SYMBOLS) - 5} others"
    assert values.shape == (3, 6)
    np.testing.assert_allclose(values.sum(axis=1), 1)


def test_the_film_of_a_run_shows_its_last_snapshot_or_the_one_asked_for(run: Run) -> None:
    for step in (None, 8):
        film = make_film(run, FilmRequest(what="temperature", size="640x360", prompt="bagu", step=step))
        assert film.timeline.n_snapshots == 20
        xr.testing.assert_identical(film.shown, temperature_distributions(run, "bagu", step=step))
        assert f"at step {60 if step is None else step}" in film.alt_text
        assert "from 0.1 to 2" in film.alt_text


@pytest.mark.slow
def test_the_command_writes_film_and_sidecar(run: Run, tmp_path: Path) -> None:
    options = (
        "--what",
        "temperature",
        "--prompt",
        "bagu",
        "--step",
        "8",
        "--size",
        "640x360",
        "--fps",
        "5",
        "--format",
        "mp4",
    )
    result = command("viz.video", *options, "--out", str(tmp_path))
    assert result.returncode == 0, result.stderr
    (film,) = tmp_path.glob("*.mp4")
    assert film.stat().st_size > 1000
    assert film.with_name(film.name + ".json").exists()


@pytest.mark.slow
def test_a_step_belongs_to_temperature_and_must_be_there(runs: Path) -> None:
    misplaced = command("viz.video", "--what", "tokens", "--step", "8")
    assert_mistake(misplaced, "--step does not concern a film of tokens", "--what temperature")
    assert_mistake(command("viz.video", "--what", "temperature", "--step", "7"), "no snapshot of step 7")
