"""The face: what a newcomer types, as the README shows it, and the console script."""

from __future__ import annotations

import pydoc
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

import gptlab
from data.runs import Run
from tests.commands import ROOT, command_environment
from viz.registry import FIGURES


def readme_code() -> Iterator[str]:
    """Yield the Python code blocks of the README."""
    yield from re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)


def test_the_readme_trains_measures_films_and_draws(
    text_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GPTLAB_RUNS", str(tmp_path / "runs"))
    (code,) = readme_code()
    assert '"tinyshakespeare"' in code
    small = code.replace('"tinyshakespeare"', f'"{text_file}", steps=3').replace(
        'highlight=["vowels", "digits"]', 'highlight=["vowels", "digits"], size="320x240", fps=2, hold=0.5'
    )
    exec(compile(small, "README.md", "exec"), {})
    written = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert written >= {"tokens.mp4", "tokens.mp4.json", "attention.svg", "attention.svg.json", "heads.csv"}
    assert (tmp_path / "attention.svg").read_text(encoding="utf-8").lstrip().startswith("<?xml")


@pytest.mark.parametrize("name", gptlab.__all__)
def test_every_name_of_the_face_is_there_and_documented(name: str) -> None:
    assert pydoc.getdoc(getattr(gptlab, name)).strip()


def test_help_lists_the_functions_with_their_first_lines() -> None:
    text = pydoc.plain(pydoc.render_doc(gptlab))
    for name in gptlab.__all__:
        assert re.search(rf"\b{name}\b", text), name
    assert "Film a run over its training" in text


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        gptlab.nothing  # noqa: B018


def test_importing_the_face_loads_nothing_heavy() -> None:
    script = "import sys, gptlab; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert not set(loaded.split()) & {"torch", "pandas", "xarray", "matplotlib", "sklearn", "numpy", "streamlit"}


def console(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "import gptlab; gptlab.main()", *arguments],
        cwd=ROOT,
        env=command_environment(**environment),
        capture_output=True,
        text=True,
        timeout=240,
    )


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", [name for name in gptlab.COMMANDS if name != "demo"])
def test_every_subcommand_shows_its_help_under_its_own_name(name: str) -> None:
    shown = console(name, "--help")
    assert shown.returncode == 0, shown.stderr
    assert f"usage: gptlab {name}" in shown.stdout


def test_a_subcommand_does_what_the_module_does(run: Run) -> None:
    printed = console("probe", "--measure", "position-structure")
    assert printed.returncode == 0, printed.stderr
    assert "toeplitz" in printed.stdout


def test_mistakes_name_the_command_that_was_called(run: Run) -> None:
    refused = console("film", "--fps", "0")
    assert refused.returncode == 2
    assert refused.stderr.startswith("gptlab film: ")
    unknown = console("flim")
    assert unknown.returncode == 2
    assert "there is no command 'flim'" in unknown.stderr


@pytest.fixture
def small_demo(text_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the demo small: three steps on a short text, a film of few frames, two figures."""
    monkeypatch.chdir(ROOT)
    # Beside other programs another number of threads may be chosen, which rounds differently.
    options = ("--preset", "tiny", "--corpus", str(text_file), "--steps", "3", "--threads", "1", "--run", "demo")
    monkeypatch.setattr(gptlab, "TRAIN_DEMO", ("trainer", *options))
    film = (*gptlab.DRAW_DEMO["film of the positions"], "--size", "320x240", "--fps", "2", "--hold", "0.5")
    figures = ("viz.figures", "--run", "demo", "--only", "positions", "--only", "loss", "--format", "png,svg")
    monkeypatch.setattr(gptlab, "DRAW_DEMO", {"film": film, "figures": figures})


def files_of(folder: Path) -> dict[str, bytes]:
    """Read the films, figures and snapshots of the demo run."""
    kinds = ("films", "figures", "snapshots")
    return {path.name: path.read_bytes() for kind in kinds for path in (folder / "demo" / kind).iterdir()}


def test_the_demo_makes_what_its_commands_make_one_after_another(
    small_demo: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    beside, after = tmp_path / "beside", tmp_path / "after"
    monkeypatch.setenv("GPTLAB_RUNS", str(beside))
    gptlab.main(["demo"])
    printed = capfd.readouterr()
    assert "figures: 4 files in " in printed.err
    assert f"Films:      {beside / 'demo' / 'films'}" in printed.out
    for command in (gptlab.TRAIN_DEMO, *gptlab.DRAW_DEMO.values()):
        environment = command_environment(GPTLAB_RUNS=str(after))
        subprocess.run([sys.executable, "-m", *command], cwd=ROOT, env=environment, check=True, capture_output=True)
    assert files_of(beside) == files_of(after)
    monkeypatch.setattr(gptlab, "DRAW_DEMO", {})
    before = (beside / "demo" / "metrics.jsonl").read_bytes()
    gptlab.main(["demo"])
    assert (beside / "demo" / "metrics.jsonl").read_bytes() == before, "it is resumed, and has nothing left to do"


def test_the_demo_draws_every_figure_that_is_drawn_without_a_request_for_it_once() -> None:
    commands = [command for command in gptlab.DRAW_DEMO.values() if command[0] == "viz.figures"]
    drawn = [name for command in commands for option, name in pairwise(command) if option == "--only"]
    assert sorted(drawn) == sorted(name for name, kind in FIGURES.items() if not kind.on_request)


def test_the_demo_ends_with_the_status_of_the_command_that_failed(
    small_demo: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GPTLAB_RUNS", str(tmp_path))
    wrong = {"a film": ("viz.video", "--run", "demo", "--fps", "0")}
    monkeypatch.setattr(gptlab, "DRAW_DEMO", wrong)
    with pytest.raises(SystemExit) as stop:
        gptlab.main(["demo"])
    assert stop.value.code == 2
    error = capfd.readouterr().err
    assert "python -m viz.video: " in error
    assert "a film: failed with exit status 2" in error
