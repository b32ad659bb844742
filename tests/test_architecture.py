"""Imports run one way, and what need not load torch does not."""

from __future__ import annotations

import ast
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


OWN_FILES = {
    "dashboards/document.py",
    "data/runs/run.py",  # run.json
    "viz/sidecar.py",
    "data/free_cores.py",  # a file of the system
    "dashboards/state/film_list.py",  # the sidecars of films
    "data/language/displayed_names.py",
    "data/language/messages.py",
    "data/language/pictures.py",
    "viz/player/words.py",
    "viz/explanations.py",
    "viz/player/bundle.py",
    "dashboards/state/language.py",
    "dashboards/frame/header.py",
    "dashboards/launch.py",  # these are parts of the package
}
"""Modules that read text which the toolkit wrote itself."""


def reads_text(call: ast.Call) -> bool:
    """Check whether a call reads a file as text: ``read_text`` of a path, or ``open`` and not of bytes or for writing."""
    if isinstance(call.func, ast.Attribute) and call.func.attr == "read_text":
        return True
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    modes = [
        each.value
        for each in (*call.args, *(keyword.value for keyword in call.keywords))
        if isinstance(each, ast.Constant)
    ]
    is_path = name == "open" and ast.unparse(call.func) not in ("os.open", "Image.open", "webbrowser.open")
    return is_path and not any(isinstance(mode, str) and set(mode) & set("bwax") and len(mode) < 4 for mode in modes)


def test_text_of_the_user_is_read_in_one_place() -> None:
    """Elsewhere a byte-order mark would be part of the text, and another encoding a traceback."""
    found = {
        str(path.relative_to(ROOT))
        for package in ("data", "trainer", "probes", "viz", "dashboards")
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and reads_text(node)
    }
    assert found <= OWN_FILES


def test_a_mistake_leaves_no_traceback() -> None:
    result = command("viz.video", "--run", "../x")
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
