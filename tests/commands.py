"""Run commands as a user would, each in a process of its own, and check its status and output."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.conftest import command_environment

ROOT = Path(__file__).parent.parent


def command(module: str, *args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``python -m module args`` in the repository and return the finished process."""
    return subprocess.run(
        [sys.executable, "-m", module, *args],
        cwd=ROOT,
        env=command_environment(**environment),
        capture_output=True,
        text=True,
        timeout=240,
    )


def assert_mistake(result: subprocess.CompletedProcess[str], *parts: str) -> None:
    """Assert that a command reported a mistake in one line, with exit status 2 and without a traceback."""
    assert result.returncode == 2, result.stderr
    lines = [line for line in result.stderr.splitlines() if line.startswith("python -m") and ": warning: " not in line]
    assert len(lines) == 1, result.stderr
    assert "Traceback" not in result.stderr
    assert "`" not in lines[0], "it names an option that the command lacks"
    for part in parts:
        assert part in lines[0]
