"""Films from Python: one call makes a film, which plays in a notebook and is saved in any format with its sidecar."""

from __future__ import annotations

import base64
import html
import json
import re
from pathlib import Path

import numpy as np
import pytest

import viz
from data.errors import InputError
from data.runs import Run
from probes.groups.naming import Group
from viz.request import FilmRequest
from viz.video import main

QUICK = {"size": "640x360", "fps": 5, "hold": 0.2, "seconds_per_snapshot": 0.2, "method": "pca"}


def test_a_film_from_python_is_the_one_of_the_command(run: Run, tmp_path: Path) -> None:
    film = viz.film(run, "tokens", highlight=["vowels"], **QUICK)
    film.save(tmp_path / "film.gif")
    main(FilmRequest("tokens", highlight=("vowels",), out=tmp_path, format="gif", run=run.name, **QUICK))  # type: ignore[arg-type]
    (other,) = tmp_path.glob("tokens-pca-vowels-*.gif")
    assert other.read_bytes() == (tmp_path / "film.gif").read_bytes()
    ours, theirs = (
        json.loads(path.with_name(f"{path.name}.json").read_text()) for path in (tmp_path / "film.gif", other)
    )
    for record in (ours, theirs):
        for name in ("out", "format"):
            record["options"].pop(name)
        record.pop("file")
    assert ours == theirs


def test_a_run_is_given_by_name_or_as_the_newest(run: Run) -> None:
    for one in (run, run.name, None):
        film = viz.film(one, "position-similarity", size="640x360")
        assert film.run.name == run.name
        assert film.timeline.n_snapshots == len(run.manifest())


def test_a_page_holds_the_film_and_its_words(run: Run, tmp_path: Path) -> None:
    film = viz.film(run, "position-similarity", **QUICK)
    film.save(tmp_path / "film.html", tmp_path / "film.mp4")
    page = (tmp_path / "film.html").read_text()
    (video,) = re.findall(r'src="data:video/mp4;base64,([^"]+)"', page)
    assert base64.b64decode(video) == (tmp_path / "film.mp4").read_bytes()
    assert html.escape(film.alt_text, quote=True) in page
    assert "http" not in page
    assert json.loads((tmp_path / "film.html.json").read_text())["alt_text"] == film.alt_text
    assert f"base64,{video}" in film._repr_html_()


def test_an_unknown_suffix_is_refused_and_leaves_nothing(run: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.mp4 or \.gif"):
        viz.film(run, **QUICK).save(tmp_path / "film.avi")
    assert not list(tmp_path.glob("*film*"))


def test_groups_are_highlighted_as_they_are(run: Run) -> None:
    mine = Group("my three", (3, 4, 5))
    film = viz.film(run, highlight=[mine, "7,8"], **QUICK)
    assert "my three in a colour of its own" in film.alt_text
    np.testing.assert_array_equal(film.shown["step"].values, [record["step"] for record in run.manifest()])


def test_fields_are_checked_before_a_run_is_read() -> None:
    with pytest.raises(InputError, match="`prompt` does not concern a film of tokens"):
        viz.film("no-such-run", "tokens", prompt="a")
    with pytest.raises(InputError, match="`runs` takes two to 4 runs; got 5"):
        viz.film(["a", "b", "c", "d", "e"])
