"""What was found is the title of films and figures, with the same words in alt text, page and sidecar; titles are never cut."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.text import Text

from data.runs import Run
from viz.drawing.canvas import Size
from viz.drawing.film_frame import FilmFrame
from viz.drawing.text import Caption
from viz.drawing.theme import THEMES
from viz.figures.figure import make_figure
from viz.films.film import make_film
from viz.films.side_by_side import single_panel
from viz.grouped_table import caption
from viz.request import FigureRequest, FilmRequest

TITLES = [
    "Positions 0 to 31 line up",
    "Digits gather (closer than every one of 9,999 random groups)",
    "Vowels, consonants and white-space characters are closer than equally frequent groups, perhaps not than random ones",
]


def words_of(film: object) -> list[str]:
    return [text.get_text() for text in film.picture.film_frame.canvas.figure.texts]  # type: ignore[attr-defined]


def test_film_figure_alt_text_page_and_sidecar_have_one_title(run: Run, tmp_path: Path) -> None:
    request = FilmRequest(highlight=("3,4,5",), method="pca", size="640x360")
    film = make_film(run, request)
    panel = single_panel(run, request, lambda *_: None)
    title = panel.findings.title
    assert set(title.split()) <= set(" ".join(words_of(film)).split())  # it may take two lines
    assert film.alt_text.startswith(f"{title}. The position embeddings of run tiny")
    assert film.make_page is not None
    assert f"<h1>{title}</h1>" in film.make_page()
    figure = make_figure(run, FigureRequest(("positions",), highlight=("3,4,5",), method="pca"))
    assert figure.title == title
    assert figure.alt_text.startswith(title)
    figure.save(tmp_path / "map.png")
    findings = json.loads((tmp_path / "map.png.json").read_text())["projection"]["findings"]
    assert findings == film.shown.attrs["findings"] == panel.findings.to_record()
    assert all(one["p"].startswith("p ") for one in findings)


@pytest.mark.parametrize("kept", [None, (0.8, 0.8), (0.8, 0.9)])
def test_a_film_says_where_pca_keeps_more(run: Run, kept: tuple[float, float] | None) -> None:
    panel = single_panel(run, FilmRequest(method="pca"), lambda *_: None)
    attrs = {} if kept is None else dict(zip(("kept", "kept_by_pca"), kept, strict=True))
    footnote = caption(run, panel.table, panel.projection.assign_attrs(attrs)).footnote
    assert ("PCA keeps more neighbourhoods here (90 in 100, this 80): pass method=pca." in footnote) == (
        kept == (0.8, 0.9)
    )


def test_a_control_says_what_was_found_in_it_and_several_runs_are_counted(run: Run) -> None:
    film = make_film(run, FilmRequest(control="shuffled", method="pca", size="640x360"))
    assert any(text.startswith("control (shuffled): ") for text in words_of(film))
    path = run.path.with_name("second")
    shutil.copytree(run.path, path)
    (path / "run.json").write_text(json.dumps(run.info | {"name": "second"}))
    copy = Run(path)
    films = make_film([run, copy], FilmRequest(method="pca", size="640x360"))
    assert any(text.endswith("2 runs") for text in words_of(films))


@pytest.mark.parametrize("size", ["1920x1080", "640x360", "1080x1080", "1080x1920", "360x640"])
@pytest.mark.parametrize("title", TITLES)
def test_a_title_of_any_length_stands_whole_within_its_room(title: str, size: str) -> None:
    frame = FilmFrame(np.array([0, 10]), [], Caption(title, "subtitle", ""), Size.parse(size), THEMES["light"])
    canvas = frame.canvas
    renderer = canvas.figure.canvas.get_renderer()  # type: ignore[attr-defined]
    shown = [text for text in canvas.figure.texts if text.get_text() and text.get_fontweight() == "bold"]
    parts = [text for text in shown if text.get_text() in title]
    assert " ".join(text.get_text() for text in sorted(parts, key=lambda text: -text.get_position()[1])) == title
    boxes = [text.get_window_extent(renderer) for text in parts]
    assert max(box.x1 for box in boxes) <= frame.layout.readout.left
    assert max(box.y1 for box in boxes) <= canvas.size.height
    below: Text | None = next((text for text in canvas.figure.texts if text.get_text() == "subtitle"), None)
    assert (below is None) == canvas.size.is_small
    if below is not None:
        assert min(box.y0 for box in boxes) >= below.get_window_extent(renderer).y1 - 0.25 * boxes[0].height


def test_a_title_does_not_depend_on_the_picture(run: Run) -> None:
    request = FilmRequest(method="pca", size="640x360")
    titles = {make_film(run, replace(request, theme=theme)).alt_text.split(". ")[0] for theme in ("light", "dark")}
    assert len(titles) == 1
