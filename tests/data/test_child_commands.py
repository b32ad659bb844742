"""Commands side by side: each shows its progress and result, the first failure ends the others, and nothing is left running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from data.child_commands import ChildCommand, run_side_by_side
from tests.commands import ROOT

posix_only = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")

WRITER = """
import sys
from data.progress import progress_bar
with progress_bar("film", 3, "frame") as update:
    for done in range(3):
        update(done + 1)
print("wrote a.mp4")
print("wrote a.gif")
print("a remark", file=sys.stderr)
"""
FAILING = """
import os, sys, time
while not os.path.exists("started"):
    time.sleep(0.01)
sys.exit("no such thing")
"""
WAITING = """
import os, pathlib, time
try:
    pathlib.Path("pid").write_text(str(os.getpid()))
    pathlib.Path("pid").rename("started")
    time.sleep(600)
finally:
    pathlib.Path("tidied").touch()
"""


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lay three modules in the current folder: one writes, one fails once another has started, and one waits until it is ended."""
    for name, code in (("writing", WRITER), ("failing", FAILING), ("waiting", WAITING)):
        (tmp_path / f"{name}.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{ROOT}")
    return tmp_path


def wait_for(path: Path) -> None:
    until = time.monotonic() + 60
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.01)
    assert path.exists()


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_each_command_that_ends_is_summed_up_in_a_line(modules: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_side_by_side([ChildCommand("one", ("writing",)), ChildCommand("two", ("writing",))]) == 0
    printed = capfd.readouterr()
    assert printed.out == ""
    lines = printed.err.splitlines()
    assert lines[:2] == ["one: started", "two: started"]
    assert sorted(line.split(" in ")[0] for line in lines[2:]) == [
        "a remark",
        "a remark",
        "one: 2 files",
        "two: 2 files",
    ]


def test_a_program_that_follows_gets_the_records(
    modules: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPTLAB_PROGRESS", "lines")
    assert run_side_by_side([ChildCommand("one", ("writing",))]) == 0
    assert '"done": 3' in capfd.readouterr().err


@posix_only
def test_the_first_failure_gives_the_status_and_ends_the_others(
    modules: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_side_by_side([ChildCommand("waits", ("waiting",)), ChildCommand("fails", ("failing",))]) == 1
    assert (modules / "tidied").exists()
    assert not is_running(int((modules / "started").read_text()))
    assert capfd.readouterr().err.splitlines()[-2:] == ["no such thing", "fails: failed with exit status 1"]


@posix_only
@pytest.mark.parametrize(
    ("number", "whole_group", "status"), [(signal.SIGINT, True, 130), (signal.SIGTERM, False, 143)]
)
def test_a_signal_ends_all_of_them(modules: Path, number: int, whole_group: bool, status: int) -> None:
    script = (
        "from data.child_commands import *; from data.commands import one_line_mistakes\n"
        "with one_line_mistakes('demo'), ended_by_signals():\n"
        "    run_side_by_side([ChildCommand('waits', ('waiting',))])"
    )
    process = subprocess.Popen([sys.executable, "-c", script], start_new_session=True, stderr=subprocess.PIPE)
    wait_for(modules / "started")
    (os.killpg if whole_group else os.kill)(process.pid, number)
    _, error = process.communicate(timeout=60)
    assert process.returncode == status, error.decode()
    assert b"Traceback" not in error
    assert (modules / "tidied").exists()
    assert not is_running(int((modules / "started").read_text()))
