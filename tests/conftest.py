"""Fixtures for all tests: a text, and a tiny run trained on it once per session."""

from __future__ import annotations

import os
import random
import shutil
import signal
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from data.runs import Run

SYLLABLES = ["ba", "co", "dé", "fi", "gu", "lha", "mo", "não", "pe", "ra", "si", "tu", "va", "xi", "zo", "çã"]
ENDS = [".", "!", "?", ";", ","]

settings.register_profile("gptlab", deadline=None)  # a busy machine is slow
settings.register_profile(
    "fuzz", deadline=None, max_examples=3000, database=None, suppress_health_check=list(HealthCheck)
)
settings.load_profile("gptlab")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A suite in the background of a script ignores Ctrl-C, and so would the commands that tests start and interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all but every n-th case of a test that is ``sampled(n)`` as slow; make test-slow tries the others."""
    seen: Counter[str] = Counter()
    for item in items:
        if mark := item.get_closest_marker("sampled"):
            test = item.nodeid.partition("[")[0]
            if seen[test] % mark.args[0]:
                item.add_marker(pytest.mark.slow)
            seen[test] += 1


def pytest_xdist_auto_num_workers() -> int:
    """Run one process of tests more than there are cores: the one with the browser mostly waits for it."""
    return (os.cpu_count() or 1) + 1


def made_text(characters: int = 6000, seed: int = 1) -> str:
    """Make a text with words, capitals, accents, digits, punctuation and line ends; the same seed gives the same text."""
    draw = random.Random(seed)
    words: list[str] = []
    while sum(map(len, words)) < characters:
        word = "".join(draw.choices(SYLLABLES, k=draw.randint(1, 4)))
        word = (
            word.capitalize() if draw.random() < 0.2 else str(draw.randint(0, 9999)) if draw.random() < 0.05 else word
        )
        words.append(word + draw.choice([" ", " ", " ", draw.choice(ENDS) + draw.choice([" ", "\n"])]))
    return "".join(words)[:characters]


@pytest.fixture(scope="session")
def text_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "made.txt"
    path.write_text(made_text(), encoding="utf-8")
    return path


def trained_with() -> dict[str, int]:
    """Read the seed and the number of threads that the tiny run is trained with, where the environment sets them."""
    variables = {"seed": "GPTLAB_TEST_SEED", "threads": "GPTLAB_TEST_THREADS"}
    return {field: int(os.environ[name]) for field, name in variables.items() if os.environ.get(name)}


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, text_file: Path) -> Path:
    """A folder of runs with one finished run of the tiny preset, shared by all tests; not to be modified.

    A tiny model trains to slightly other numbers on another processor. GPTLAB_TEST_SEED and GPTLAB_TEST_THREADS change them here, to find
    tests that depend on the very numbers.
    """
    from trainer.config import preset, replace
    from trainer.session import start

    folder = tmp_path_factory.mktemp("trained") / "runs"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GPTLAB_RUNS", str(folder))
        fields = {"corpus": str(text_file), **trained_with()}
        start(replace(preset("tiny"), fields, "test"), "tiny").go(lambda step, note: None)
    return folder


@pytest.fixture
def runs(tmp_path: Path, trained: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of runs for one test, with a copy of the tiny run; commands find it through the environment."""
    folder = tmp_path / "runs"
    shutil.copytree(trained, folder)
    monkeypatch.setenv("GPTLAB_RUNS", str(folder))
    return folder


@pytest.fixture
def run(runs: Path) -> Run:
    return Run(runs / "tiny")


def command_environment(**more: str) -> dict[str, str]:
    """Build the environment of a command started by a test: one thread, because tests run in parallel."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "120", **more}
