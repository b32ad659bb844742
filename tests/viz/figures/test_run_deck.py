"""The deck of a run tells a story: the finding, the main film from its beginning, its control, then the figures; nothing old unmarked."""

from __future__ import annotations

import io
import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from data.notices import collect_notices
from data.runs import Run
from viz.drawing.canvas import Size
from viz.figures.deck import write_run_deck
from viz.figures.deck.saved_films import saved_films
from viz.figures.figure import Figure, make_figure
from viz.films.encode import encoder, write_film
from viz.request import FigureRequest, FilmRequest

pptx = pytest.importorskip("pptx", reason="python-pptx is not installed")

RED, BLUE = (213, 94, 0), (0, 114, 178)
HIGHLIGHTED = FilmRequest(highlight=("12,13",))


def put_film(run: Run, request: FilmRequest, title: str = "", until: int | None = None, **changes: Any) -> Path:
    """Write a film that begins red and ends blue, with a sidecar of the run's snapshots up to a step."""
    path = run.path / "films" / f"{request.file_name}.mp4"
    frames = np.full((15, 72, 128, 4), 255, np.uint8)
    frames[:-2, :, :, :3], frames[-2:, :, :, :3] = RED, BLUE
    with encoder(path, Size(128, 72), 10) as sink:
        list(write_film(list(frames), [sink]))
    shown = [{"step": one["step"], "sha256": one["sha256"]} for one in run.manifest()]
    record = {
        "alt_text": f"Alt text of {path.stem}.",
        "run": run.name,
        "command": "python -m viz.video",
        "title": title,
    }
    record |= {"options": request.to_record(), "snapshots": [s for s in shown if until is None or s["step"] <= until]}
    path.with_name(f"{path.name}.json").write_text(json.dumps(record | changes))
    return path


@pytest.fixture
def stills(run: Run, tmp_path: Path) -> list[tuple[Figure, Path]]:
    pages = []
    for name in ("position-table", "heads", "loss"):
        figure = make_figure(run, FigureRequest(only=(name,)))
        figure.save(tmp_path / f"{name}.png")
        pages.append((figure, tmp_path / f"{name}.png"))
    return pages


def slides_of(run: Run, stills: list[tuple[Figure, Path]], folder: Path, theme: str = "light") -> list[Any]:
    path = write_run_deck(run, stills, folder, FigureRequest(only=("loss",), theme=theme))  # type: ignore[arg-type]
    return list(pptx.Presentation(str(path)).slides)


def titles(slides: list[Any]) -> list[str]:
    return [slide.shapes.title.text_frame.text for slide in slides]


def movie(slide: Any) -> Any:
    [shape] = [shape for shape in slide.shapes if shape.shape_type == pptx.enum.shapes.MSO_SHAPE_TYPE.MEDIA]
    return shape


def test_a_deck_goes_from_the_finding_over_the_main_film_to_the_figures(
    run: Run, stills: list[tuple[Figure, Path]], tmp_path: Path
) -> None:
    put_film(run, FilmRequest(what="attention", prompt="ba"), "Attention")
    put_film(run, FilmRequest(what="tokens"), "Digits gather")
    put_film(run, replace(HIGHLIGHTED, control="shuffled"), "A control")
    put_film(run, HIGHLIGHTED, "Positions line up")
    assert titles(slides_of(run, stills, tmp_path)) == [
        "Positions line up",
        "Film: Positions line up",
        "Film: A control",
        "Film: Digits gather",
        "Film: Attention",
        stills[2][0].title,
        stills[1][0].title,
        stills[0][0].title,
    ]


def test_a_control_without_its_film_is_not_the_main_film(run: Run) -> None:
    put_film(run, FilmRequest(what="tokens"))
    put_film(run, FilmRequest(control="init"))
    assert [film.request.what for film in saved_films(run)] == ["tokens", "positions"]


def test_a_film_starts_by_itself_at_its_first_frame(
    run: Run, stills: list[tuple[Figure, Path]], tmp_path: Path
) -> None:
    path = put_film(run, HIGHLIGHTED)
    slide = slides_of(run, stills, tmp_path)[1]
    shape = movie(slide)
    with Image.open(io.BytesIO(shape.poster_frame.blob)) as poster:
        assert np.abs(np.subtract(poster.getpixel((64, 36)), RED)).max() <= 2
    space = {"p": "http://schemas.openxmlformats.org/presentationml/2006/main"}
    [effect] = slide._element.findall(".//p:cTn[@presetClass='mediacall']", space)
    assert effect.get("nodeType") == "afterEffect"  # not clickEffect
    [call] = effect.findall(".//p:cmd[@cmd='playFrom(0.0)']", space)
    assert call.find(".//p:cTn", space).get("dur") == "1500"
    targets = {target.get("spid") for target in slide._element.findall(".//p:timing//p:spTgt", space)}
    assert targets == {str(shape.shape_id)}
    assert shape._element.nvPicPr.cNvPr.get("descr") == f"Alt text of {path.stem}."
    assert "Made by python -m viz.video" in slide.notes_slide.notes_text_frame.text


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_deck_has_one_theme_and_says_how_to_make_the_other_films_anew(
    run: Run, stills: list[tuple[Figure, Path]], tmp_path: Path, theme: str
) -> None:
    other = "light" if theme == "dark" else "dark"
    left_out = put_film(run, replace(HIGHLIGHTED, theme=other))  # type: ignore[arg-type]
    with collect_notices() as notices:
        assert len(slides_of(run, stills, tmp_path, theme)) == 1 + len(stills)
    [notice] = notices
    assert left_out.name in notice
    command = shlex.split(notice.split("make anew with  ")[1])
    wanted = replace(HIGHLIGHTED, theme=theme, run=run.name)  # type: ignore[arg-type]
    assert command == ["python", "-m", "viz.video", *wanted.arguments()]


def test_a_film_that_there_is_in_both_themes_needs_no_notice(
    run: Run, stills: list[tuple[Figure, Path]], tmp_path: Path
) -> None:
    put_film(run, HIGHLIGHTED, "Light")
    put_film(run, replace(HIGHLIGHTED, theme="dark"), "Dark")
    with collect_notices() as notices:
        assert titles(slides_of(run, stills, tmp_path, "dark"))[:2] == ["Dark", "Film: Dark"]
    assert not notices


def test_a_film_of_runs_of_which_one_is_gone_stays(run: Run) -> None:
    put_film(run, FilmRequest(runs=f"{run.name},gone"))
    put_film(run, FilmRequest(what="attention"))
    assert [(film.request.what, film.age) for film in saved_films(run)] == [("attention", ""), ("positions", "")]


def test_a_film_older_than_the_run_is_marked_and_comes_after_the_others(
    run: Run, stills: list[tuple[Figure, Path]], tmp_path: Path
) -> None:
    old = put_film(run, HIGHLIGHTED, "Old", until=run.manifest()[1]["step"])
    put_film(run, FilmRequest(what="tokens"), "New")
    with collect_notices() as notices:
        slides = slides_of(run, stills, tmp_path)
    assert titles(slides)[:3] == ["New", "Film: New", "Film: Old"]
    first, last = (run.manifest()[i]["step"] for i in (1, -1))
    mark = f"film of step {first:,}; the run is at {last:,}"
    [box] = [shape for shape in slides[2].shapes if shape.has_text_frame and shape.text_frame.text == mark]
    assert movie(slides[2]).top + movie(slides[2]).height <= box.top
    [notice] = notices
    assert notice.startswith(f"{old.name}: {mark}; make it anew with  python -m viz.video")


def test_a_film_of_weights_that_the_run_no_longer_has_is_marked(run: Run) -> None:
    snapshots = [{"step": one["step"], "sha256": "0" * 64} for one in run.manifest()]
    put_film(run, HIGHLIGHTED, snapshots=snapshots)
    [film] = saved_films(run)
    assert film.age.endswith("of an earlier training; the run was trained anew")


def test_a_film_of_a_chosen_step_is_not_old(run: Run) -> None:
    first = run.manifest()[0]["step"]
    put_film(run, FilmRequest(what="temperature", prompt="ba", step=first), until=first)
    assert [film.age for film in saved_films(run)] == [""]


@pytest.mark.parametrize(
    "said", ["{", "[1]", '{"options": 3}', '{"options": {"what": "nothing"}}', '{"options": {}, "snapshots": 3}']
)
def test_a_film_with_a_damaged_sidecar_is_left_out_with_a_notice(run: Run, said: str) -> None:
    good, bad = put_film(run, HIGHLIGHTED), put_film(run, FilmRequest(what="tokens"))
    bad.with_name(f"{bad.name}.json").write_text(said)
    with collect_notices() as notices:
        assert [film.path for film in saved_films(run)] == [good]
    assert list(notices) == [f"{bad.name} is left out, since {bad.name}.json cannot be read: make the film again"]


def test_the_same_films_and_figures_give_the_same_bytes(
    run: Run, stills: list[tuple[Figure, Path]], tmp_path: Path
) -> None:
    put_film(run, HIGHLIGHTED, "Positions line up")
    request = FigureRequest(only=("loss",))
    first, second = (write_run_deck(run, stills, tmp_path / name, request).read_bytes() for name in "ab")
    assert first == second
