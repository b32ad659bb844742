"""The gallery: every script runs, makes its one picture, and touches nothing else."""

from __future__ import annotations

import ast
import re
import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.runs import Run
from tests.commands import ROOT

FOLDER = ROOT / "docs" / "gallery"
SCRIPTS = sorted(FOLDER.glob("*.py"))
MOST_LINES = 25


def sentence(script: Path) -> str:
    return " ".join((ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or "").split())


def stamps(folder: Path, leave_out: str = "") -> dict[Path, tuple[int, int]]:
    """Return size and time of every file below a folder, without what Python itself writes."""
    files = (path for path in folder.rglob("*") if path.is_file() and not {"__pycache__", leave_out} & set(path.parts))
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in files}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("script", SCRIPTS, ids=[script.stem for script in SCRIPTS])
def test_a_script_makes_its_one_picture_and_nothing_else(
    script: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    before = stamps(run.path, "projections"), stamps(FOLDER)
    runpy.run_path(str(script), run_name="__main__")
    assert {path.name for path in here.iterdir()} - {f"{script.stem}.png.json"} == {f"{script.stem}.png"}
    assert (stamps(run.path, "projections"), stamps(FOLDER)) == before
    assert [path.name for path in run.path.parent.iterdir()] == [run.name]
    with Image.open(here / f"{script.stem}.png") as picture:
        assert picture.width >= 1000
        pixels = np.asarray(picture.convert("L")).astype(int)
    body = pixels[pixels.shape[0] // 4 :]  # below the title
    drawn = np.abs(body - body[0, 0]) > 20
    assert 0.005 < drawn.mean() < 0.95
    assert drawn.any(axis=1).mean() > 0.5  # over most of the height


@pytest.mark.parametrize("script", SCRIPTS, ids=[script.stem for script in SCRIPTS])
def test_a_script_is_short_and_says_in_a_sentence_what_to_see(script: Path) -> None:
    assert len(script.read_text(encoding="utf-8").splitlines()) <= MOST_LINES
    assert sentence(script).endswith(".")
    assert ". " not in sentence(script)


@pytest.mark.parametrize("script", SCRIPTS, ids=[script.stem for script in SCRIPTS])
def test_a_script_needs_no_more_than_two_imports_of_ours(script: Path) -> None:
    ours = re.findall(
        r"^(?:import|from) (gptlab|data|trainer|probes|viz|dashboards)\b", script.read_text(encoding="utf-8"), re.M
    )
    assert 1 <= len(ours) <= 2


def test_the_readme_lists_each_script_with_its_sentence() -> None:
    listed = re.findall(r"^- \[(\w+)\]\(\1\.py\): (.+)$", (FOLDER / "README.md").read_text(encoding="utf-8"), re.M)
    assert len(listed) == len(SCRIPTS)
    assert dict(listed) == {script.stem: sentence(script) for script in SCRIPTS}
