from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def data(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GPTLAB_")} | variables
    return subprocess.run(
        [sys.executable, "-m", "data", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder that has the novels (no hash is known of them) and another text that calls itself machado."""
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "machado-novels.txt").write_text("Casa velha\n")
    (folder / "machado.txt").write_text("another\n")
    return folder


def test_list_says_what_is_known_and_what_is_here(tmp_path: Path, folder: Path) -> None:
    done = data("list", GPTLAB_CACHE=str(tmp_path / "cache"), GPTLAB_DATA=str(folder))
    assert (done.returncode, done.stderr) == (0, "")
    lines = {line.split()[0]: line for line in done.stdout.splitlines()[1:6]}
    assert list(lines) == ["shakespeare", "training-plays", "tinyshakespeare", "machado", "machado-novels"]
    assert lines["shakespeare"].split()[1:4] == ["English", "4,784,844", "67"]
    assert lines["machado"].split()[1:4] == ["Portuguese", "1,724,227", "115"]
    assert lines["shakespeare"].rstrip().endswith("no")
    assert lines["machado"].rstrip().endswith("another text")
    assert lines["machado-novels"].rstrip().endswith("yes")
    assert "not pinned" in lines["machado-novels"]
    assert f"machado-novels: {folder / 'machado-novels.txt'}" in done.stdout
    assert not (tmp_path / "cache").exists()


def test_fetch_says_where_the_text_lies(tmp_path: Path, folder: Path) -> None:
    done = data("fetch", "machado-novels", "--corpus-dir", str(folder), GPTLAB_CACHE=str(tmp_path / "cache"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "machado-novels: 11 characters, 9 symbols"
    assert "no hash is known to check it by" in done.stdout
    assert done.stdout.splitlines()[-1] == str(folder / "machado-novels.txt")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fetch", "machdo"], "unknown corpus 'machdo'"),
        (["fetch", "machado", "--corpus-dir", "{folder}"], "is not the text known as machado"),
        (["list", "--corpus-dir", "{folder}/gone"], "is not a folder"),
        (
            ["fetch", "tinyshakespeare"],
            "cannot fetch tinyshakespeare; tried https://raw.githubusercontent.com/karpathy/char-rnn/master/",
        ),
        (["fetch"], "NAME"),
        (["steal", "machado"], "steal"),
    ],
)
def test_a_mistake_ends_in_one_line_and_status_2(
    tmp_path: Path, folder: Path, arguments: list[str], message: str
) -> None:
    cache = tmp_path / "cache"
    nowhere = "http://localhost:9"  # a proxy that nobody keeps: no address can be reached
    filled = [argument.format(folder=folder) for argument in arguments]
    done = data(*filled, GPTLAB_CACHE=str(cache), https_proxy=nowhere, HTTPS_PROXY=nowhere, no_proxy="", NO_PROXY="")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("python -m data: ")
    assert message in done.stderr
    assert not cache.exists() or not list(cache.iterdir())


def test_help_names_the_two_commands() -> None:
    done = data("--help")
    assert done.returncode == 0
    assert "list" in done.stdout
    assert "fetch" in done.stdout
