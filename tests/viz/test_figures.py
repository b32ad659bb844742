"""Stills for slides: every figure in every format, with text that can be searched and sizes that fit a slide."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.errors import InputError
from data.runs import Run
from viz.figures import FIGURES, Options, main
from viz.style import THEMES

NAMES = ("loss", "tokens", "positions")


def test_every_figure_is_written_in_every_format_with_its_sidecar(run: Run) -> None:
    main(Options(method="pca"))
    folder = run.path / "figures"
    wanted = {f"{name}.{suffix}{end}" for name in NAMES for suffix in ("png", "svg", "pdf") for end in ("", ".json")}
    assert {path.name for path in folder.iterdir()} == wanted
    for name in NAMES:
        assert len(json.loads((folder / f"{name}.png.json").read_text())["alt_text"]) > 60
        with Image.open(folder / f"{name}.png") as picture:
            assert picture.size == (1919, 1080)
        assert b"/FontFile2" in (folder / f"{name}.pdf").read_bytes()  # TrueType, embedded
    assert "training step" in (folder / "loss.svg").read_text()


def test_the_same_run_gives_the_same_figures(run: Run, tmp_path: Path) -> None:
    for name in ("a", "b"):
        main(Options(method="pca", out=tmp_path / name))
    for path in (tmp_path / "a").glob("*.[psv]*[!n]"):
        if path.suffix != ".json":
            assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_a_highlight_colours_one_map(run: Run, tmp_path: Path) -> None:
    main(Options(only=("tokens",), highlight=("vowels",), method="pca", format="png", theme="dark", out=tmp_path))
    with Image.open(tmp_path / "tokens-dark.png") as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    for color in (THEMES["dark"].palette[0], THEMES["dark"].background):
        wanted = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
        assert (np.abs(pixels - wanted).max(axis=-1) < 3).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (Options(only=("heads",)), "there is no figure 'heads'; there is loss, tokens, positions"),
        (Options(highlight=("vowels",)), "--highlight belongs to one map"),
        (Options(format="jpg"), "a figure is written as png, svg, pdf"),
        (Options(only=("positions",), highlight=("99",)), "no position '99'"),
    ],
)
def test_what_cannot_be_drawn_is_refused(run: Run, options: Options, message: str) -> None:
    with pytest.raises(InputError, match=message):
        main(options)
    assert not list((run.path / "figures").glob("*")) or "position" in message


def test_a_run_without_losses_says_so(run: Run) -> None:
    (run.path / "metrics.jsonl").unlink()
    with pytest.raises(InputError, match="has no losses to draw"):
        main(Options(only=("loss",)))


def test_every_figure_is_named_in_the_help() -> None:
    assert tuple(FIGURES) == NAMES
