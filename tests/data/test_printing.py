"""Everything that commands print survives any encoding, and generated text leaves the terminal as it was."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from data.printing import print_any_text, terminal_text
from tests.commands import ROOT
from tests.conftest import command_environment

SCRIPTS = "東京 大阪 नमस्ते שלום سلام 🚀 “ã” →\t…\n\x1b[31m\x0c\u200b\u00ad"


@pytest.fixture(scope="module")
def runs_of_many_scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from trainer.config import preset, replace
    from trainer.session import start

    folder = tmp_path_factory.mktemp("scripts")
    (folder / "scripts.txt").write_text(SCRIPTS * 40, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GPTLAB_RUNS", str(folder / "runs"))
        start(replace(preset("tiny"), {"corpus": str(folder / "scripts.txt")}, "test"), "scripts").go(lambda *_: None)
    return folder / "runs"


COMMANDS = [
    ("trainer.generate", "--tokens", "40", "--samples", "2", "--temperature", "2"),
    ("probes", "--measure", "next-token", "--prompt", "東京"),
    ("probes", "--measure", "neighbours"),
    ("probes",),
    ("viz.figures", "--only", "next-token", "--format", "png", "--prompt", "東京"),
    ("viz.figures", "--only", "lens", "--prompt", "ß東"),
    ("trainer.generate", "--help"),
    ("trainer.generate", "--promt", "東"),
    ("data", "list"),
    ("gptlab", "東"),
]


# ASCII lacks most; what other encodings lack is tried without starting commands below.
@pytest.mark.sampled(6)
@pytest.mark.parametrize(
    "encoding", ["ascii", *(pytest.param(name, marks=pytest.mark.slow) for name in ("cp1252", "utf-8"))]
)
@pytest.mark.parametrize("args", COMMANDS, ids=" ".join)
def test_what_commands_print_survives_any_encoding(
    args: tuple[str, ...], encoding: str, runs_of_many_scripts: Path
) -> None:
    environment = command_environment(GPTLAB_RUNS=str(runs_of_many_scripts), PYTHONUTF8="0", PYTHONIOENCODING=encoding)
    done = subprocess.run([sys.executable, "-m", *args], cwd=ROOT, env=environment, capture_output=True, timeout=240)
    printed = done.stdout.decode(encoding) + done.stderr.decode(encoding)
    assert "Traceback" not in printed, printed
    assert done.returncode in (0, 2)
    lines = [line for line in done.stderr.decode(encoding).splitlines() if line.startswith(("python -m", "gptlab:"))]
    assert done.returncode == 0 or len(lines) == 1
    assert "---" not in "".join(lines)  # the frame of tyro's message


def test_what_an_encoding_lacks_is_written_as_code_points_and_all_else_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    for encoding, wanted in (
        ("ascii", "U+00E9 U+6771 U+D800"),
        ("cp1252", "é U+6771 U+D800"),
        ("utf-8", "é 東 U+D800"),
    ):
        raw = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
        print_any_text()
        print("é 東 \ud800", end="", flush=True)
        assert raw.getvalue() == wanted.encode(encoding)


def test_control_characters_do_not_reach_a_terminal_but_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "red \x1b[31m, back\b, bell\x07, \r\x9b over\tand\nout"
    assert terminal_text(text) == text
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert terminal_text(text) == "red U+001B[31m, backU+0008, bellU+0007, U+000DU+009B over\tand\nout"


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo-terminal")
def test_generated_text_cannot_recolour_the_terminal(runs_of_many_scripts: Path) -> None:
    parent, child = os.openpty()
    environment = command_environment(GPTLAB_RUNS=str(runs_of_many_scripts))
    args = [sys.executable, "-m", "trainer.generate", "--prompt", "\x1b[31m\x0c", "--tokens", "5"]
    done = subprocess.run(args, cwd=ROOT, env=environment, stdout=child, stderr=subprocess.PIPE, timeout=240)
    os.close(child)
    printed = os.read(parent, 4096).decode()
    os.close(parent)
    assert done.returncode == 0, done.stderr
    assert printed.startswith("U+001B[31mU+000C")
    assert "\x1b" not in printed
