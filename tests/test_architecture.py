"""Imports run one way, and what need not load torch does not."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.commands import ROOT, command, command_environment


def test_imports_keep_the_contracts_of_pyproject() -> None:
    pytest.importorskip("importlinter", reason="import-linter is not installed")
    script = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())"
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=command_environment(), capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("module", ["data", "trainer", "trainer.finetune", "viz.video", "viz.figures", "dashboards"])
def test_help_loads_nothing_heavy(module: str) -> None:
    """``--help`` answers at once because torch, pandas, matplotlib and their like are imported when they are needed."""
    args = [sys.executable, "-X", "importtime", "-m", module, "--help"]
    result = subprocess.run(args, cwd=ROOT, env=command_environment(), capture_output=True, text=True)
    assert result.returncode == 0
    assert "usage" in result.stdout
    loaded = {line.split("|")[-1].strip() for line in result.stderr.splitlines()}
    assert "tyro" in loaded
    assert not loaded & {"torch", "pandas", "xarray", "matplotlib", "sklearn", "openTSNE", "umap", "streamlit"}


def test_a_film_is_made_without_torch(run: object) -> None:
    script = (
        "import sys\n"
        "from viz.request import FilmRequest\n"
        "from viz.video import main\n"
        "main(FilmRequest(size='320x240', fps=2, hold=0.5, method='pca', format='gif'))\n"
        "assert 'torch' not in sys.modules\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=command_environment(), capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr


def test_a_mistake_leaves_no_traceback() -> None:
    result = command("viz.video", "--run", "../x")
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
