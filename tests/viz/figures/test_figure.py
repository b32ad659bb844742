"""Figures from Python: one call draws a figure, which shows itself in a notebook and is saved in any format with its sidecar."""

from __future__ import annotations

import html
import json
from pathlib import Path

import pytest

import viz
from data.errors import InputError
from data.runs import Run


def test_a_figure_is_saved_and_shows_itself(run: Run, tmp_path: Path) -> None:
    figure = viz.figure(run, "loss", theme="dark")
    figure.save(tmp_path / "loss.png", tmp_path / "deeper" / "loss.svg")
    assert (tmp_path / "loss.png").read_bytes() == figure._repr_png_()
    assert "training step" in (tmp_path / "deeper" / "loss.svg").read_text()
    assert html.escape(figure.alt_text, quote=True) in figure._repr_html_()
    record = json.loads((tmp_path / "loss.png.json").read_text())
    assert (record["run"], record["options"]["only"], record["options"]["theme"]) == (run.name, ["loss"], "dark")


def test_an_earlier_name_of_a_figure_is_known(run: Run) -> None:
    assert viz.figure(run, "similarity").request.file_name == "position-similarity"


def test_mistakes_are_told_before_a_run_is_read(run: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="choose one figure with `only`; there is loss, tokens"):
        viz.figure("no-such-run", "hats")
    with pytest.raises(InputError, match="`prompt` does not concern loss"):
        viz.figure("no-such-run", "loss", prompt="a")
    with pytest.raises(InputError, match=r"written as \.png, \.svg or \.pdf; got 'loss.jpg'"):
        viz.figure(run, "loss").save(tmp_path / "loss.jpg")
    assert not list(tmp_path.glob("*loss*"))
