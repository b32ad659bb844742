"""Stills for slides: every figure in every format, with text that can be searched and sizes that fit a slide."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.errors import InputError
from data.runs import Run
from tests.commands import command
from viz.drawing.theme import THEMES
from viz.figures.__main__ import main
from viz.registry import FIGURES
from viz.request import FigureRequest

NAMES = (
    "loss",
    "tokens",
    "positions",
    "attention",
    "layer",
    "head",
    "heads",
    "next-token",
    "temperature",
    "trace",
    "lens",
    "context",
    "zero-shot",
    "token-spectrum",
    "position-spectrum",
    "position-table",
    "position-similarity",
)
"""What is drawn where nothing is chosen."""
POSTERS = ("poster", "token-poster")


@pytest.mark.slow
def test_every_figure_is_written_in_every_format_with_its_sidecar(run: Run) -> None:
    main(FigureRequest(method="pca"))
    folder = run.path / "figures"
    names = {name: f"{name}-pca" if name in ("tokens", "positions") else name for name in NAMES}
    wanted = {
        f"{name}.{suffix}{end}" for name in names.values() for suffix in ("png", "svg", "pdf") for end in ("", ".json")
    }
    assert {path.name for path in folder.iterdir()} == wanted
    for name in names.values():
        assert len(json.loads((folder / f"{name}.png.json").read_text())["alt_text"]) > 60
        with Image.open(folder / f"{name}.png") as picture:
            assert picture.size == (1920, 1080)
        assert b"/FontFile2" in (folder / f"{name}.pdf").read_bytes()  # TrueType, embedded
    assert "training step" in (folder / "loss.svg").read_text()


@pytest.mark.slow
def test_the_same_run_gives_the_same_figures(run: Run, tmp_path: Path) -> None:
    for name in ("a", "b"):
        main(FigureRequest(method="pca", only=("loss", "tokens", "head", "heads", "lens"), out=tmp_path / name))
    for path in (tmp_path / "a").glob("*.[psv]*[!n]"):
        if path.suffix != ".json":
            assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_a_highlight_colours_one_map(run: Run, tmp_path: Path) -> None:
    main(FigureRequest(only=("tokens",), highlight=("vowels",), method="pca", format="png", theme="dark", out=tmp_path))
    with Image.open(tmp_path / "tokens-pca-vowels-dark-run-tiny.png") as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    for color in (THEMES["dark"].palette[0], THEMES["dark"].background):
        wanted = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
        assert (np.abs(pixels - wanted).max(axis=-1) < 3).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (FigureRequest(only=("hats",)), "there is no figure 'hats'; there is loss, tokens, positions, attention"),
        (FigureRequest(highlight=("vowels",)), "`highlight` belongs to one map"),
        (FigureRequest(format="jpg"), "a figure is written as png, svg, pdf"),
        (FigureRequest(size="3:2"), "a slide is 16:9, 4:3, square, large, a3; got '3:2'"),
        (
            FigureRequest(only=("loss",), prompt="a"),
            "`prompt` does not concern loss: it belongs to `only=attention` or layer",
        ),
        (FigureRequest(only=("positions",), highlight=("99",)), "no position '99'"),
        (FigureRequest(only=("attention",), prompt=""), "the prompt is empty"),
        (FigureRequest(only=("head",), prompt="§"), "'§' .U.00A7. at position 0"),
        (FigureRequest(only=("lens",), prompt="a" * 40), "40 tokens, and the model sees at most 16: shorten it by 24"),
        (FigureRequest(only=("layer",), layer=2), "there is no layer 2: this model has layers 0 to 1"),
        (FigureRequest(only=("head",), head=-1), "there is no head -1: this model has heads 0 to 1"),
        (FigureRequest(only=("next-token",), step=7), "no snapshot of step 7"),
    ],
)
def test_what_cannot_be_drawn_is_refused_and_leaves_nothing(run: Run, options: FigureRequest, message: str) -> None:
    with pytest.raises(InputError, match=message):
        main(options)
    assert not list((run.path / "figures").glob("*"))


def test_what_does_not_apply_is_left_out_unless_asked_for(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    (run.path / "metrics.jsonl").unlink()
    with pytest.raises(InputError, match="has no losses to draw"):
        main(FigureRequest(only=("loss",)))
    about = dict(Run(run.path).info)
    del about["tensors"]["position_table"]
    (run.path / "run.json").write_text(json.dumps(about))
    capsys.readouterr()
    main(FigureRequest(method="pca", format="png", prompt="a"))  # the prompt concerns some of all figures
    told = capsys.readouterr()
    assert "not drawn (loss)" in told.err
    assert "no position table" in told.err
    sidecars = [json.loads(path.read_text())["options"] for path in (run.path / "figures").glob("*.png.json")]
    assert all(about["prompt"] == ("a" if "prompt" in FIGURES[about["only"][0]].fields else None) for about in sidecars)
    drawn = {about["only"][0] for about in sidecars}
    assert drawn == set(NAMES) - {"loss", "positions", "position-spectrum", "position-table", "position-similarity"}


def test_an_earlier_step_is_drawn_as_it_was(run: Run) -> None:
    main(FigureRequest(only=("next-token", "head"), step=20, format="png"))
    folder = run.path / "figures"
    assert "at step 20" in json.loads((folder / "next-token-step-20.png.json").read_text())["alt_text"]
    assert [s["step"] for s in json.loads((folder / "head-step-20.png.json").read_text())["snapshots"]] == [20]


def test_a_transparent_figure_has_no_ground(run: Run) -> None:
    main(FigureRequest(only=("attention",), format="png", transparent=True, size="square", theme="dark"))
    with Image.open(run.path / "figures" / "attention-dark-square-transparent.png") as picture:
        assert picture.size == (1080, 1080)
        assert picture.mode == "RGBA"
        assert np.asarray(picture)[0, 0, 3] == 0
        assert (np.asarray(picture)[..., 3] == 255).any()


def test_a_deck_holds_every_figure_and_film(run: Run) -> None:
    pptx = pytest.importorskip("pptx", reason="python-pptx is not installed")
    from viz import video
    from viz.request import FilmRequest

    video.main(FilmRequest(what="position-similarity", size="640x360", fps=2, hold=0.5, format="mp4"))
    main(FigureRequest(only=("loss", "heads"), deck=True, format="svg"))
    slides = list(pptx.Presentation(str(run.path / "figures" / "tiny.pptx")).slides)
    assert len(slides) == 4  # a title, a film, two figures
    assert any(shape.shape_type == pptx.enum.shapes.MSO_SHAPE_TYPE.MEDIA for shape in slides[1].shapes)
    assert "validation loss falls" in slides[2].notes_slide.notes_text_frame.text


def test_every_figure_is_named_in_the_help() -> None:
    assert tuple(FIGURES) == NAMES + POSTERS
    result = command("viz.figures", "--help")
    assert f"({', '.join(NAMES + POSTERS)})" in " ".join(result.stdout.replace("│", " ").split())
