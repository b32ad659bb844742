"""A film of a table is saved as a page whose points move under a slider, and is shown so in a notebook."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from data.runs import Run
from viz.films.film import Film, make_film
from viz.request import FilmRequest


@pytest.fixture
def film(run: Run) -> Film:
    return make_film(run, FilmRequest(what="tokens", method="pca", highlight=("vowels",), theme="dark"))


def scene_in(html: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="scene">(.*?)</script>', html, flags=re.DOTALL)
    assert found is not None
    scene: dict[str, object] = json.loads(found[1])
    return scene


def test_the_page_holds_what_the_film_shows(film: Film, tmp_path: Path) -> None:
    path = tmp_path / "film.html"
    film.save(path)
    html = path.read_text(encoding="utf-8")
    scene = scene_in(html)
    assert scene["steps"] == film.shown["step"].values.tolist()
    points = next(panel for panel in scene["panels"] if panel["id"] == "points")  # type: ignore[attr-defined]
    assert points["layout"]["shape"] == list(film.shown["layout"].shape)
    assert [group["name"] for group in points["groups"]] == ["vowels"]
    assert "color-scheme: dark" in html
    assert "<video" not in html
    assert (tmp_path / "film.html.json").is_file()


def test_without_trust_no_point_is_faded(run: Run) -> None:
    plain = make_film(run, FilmRequest(what="tokens", method="pca", trust=False))
    assert plain.make_page is not None
    points = next(panel for panel in scene_in(plain.make_page())["panels"] if panel["id"] == "points")  # type: ignore[attr-defined]
    assert points["trust"] is None
    assert np.isfinite(plain.shown["layout"]).all()


def test_a_notebook_shows_the_page_in_a_frame(film: Film) -> None:
    assert film._repr_html_().startswith("<iframe srcdoc=")
