"""Without a run the page says what to do, and trains a tiny one where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboards import __main__ as command
from dashboards import demo
from dashboards.compute.computation import Computation
from dashboards.document import APP
from dashboards.screens import first_visit_page
from data.runs import list_runs
from tests.conftest import made_text


@pytest.fixture(autouse=True)
def nothing_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No run, no network, and a corpus at hand only where a test puts one."""
    monkeypatch.setenv("GPTLAB_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("GPTLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("GPTLAB_DATA", raising=False)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    return tmp_path


def page() -> AppTest:
    return AppTest.from_file(str(APP), default_timeout=120).run()


def quick(monkeypatch: pytest.MonkeyPatch, corpus: Path) -> None:
    """Train the demo on another text, and for sixty steps only."""
    settings = ("--preset=tiny", f"--corpus={corpus}", f"--run={demo.NAME}")
    monkeypatch.setattr(demo, "arguments", lambda _: settings)


def test_the_page_says_what_one_will_see_and_what_to_do() -> None:
    at = page()
    assert not at.exception
    assert at.title[0].value == "Watch a GPT learn"
    assert at.code[0].value == first_visit_page.COMMAND
    assert at.button(key="first_train").label == "Train it now"


def test_a_tiny_run_is_trained_here_and_the_page_goes_on(
    nothing_yet: Path, monkeypatch: pytest.MonkeyPatch, computation: Computation
) -> None:
    corpus = nothing_yet / "made.txt"
    corpus.write_text(made_text(), encoding="utf-8")
    quick(monkeypatch, corpus)
    at = page()
    at.button(key="first_train").click().run()
    assert not at.exception
    job = computation.jobs.get(first_visit_page.KEY)
    assert job is not None
    assert job.wait(90).state == "done", job.status
    assert [run.name for run in list_runs()] == [demo.NAME]
    assert page().selectbox(key="run_choice").value == demo.NAME


def test_a_text_that_cannot_be_fetched_is_reported_in_a_line(computation: Computation) -> None:
    at = page()
    at.selectbox(key="first_corpus").set_value("machado").run()
    at.button(key="first_train").click().run()
    job = computation.jobs.get(first_visit_page.KEY)
    assert job is not None
    job.wait(90)
    at.run()
    assert not at.exception
    said = at.error[0].value.replace("\\", "")
    assert "cannot fetch machado" in said
    assert "put the file by hand" in said
    assert at.button(key="first_train"), "another text may be chosen"


def test_what_is_at_hand_is_offered_first(nothing_yet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert demo.local_corpora() == []
    assert demo.default_corpus() == "shakespeare"
    assert demo.choices("pt")[0] == "machado"
    monkeypatch.setattr(demo, "locate_corpus", lambda name: Path(name) if name == "machado-novels" else None)
    assert demo.choices("en")[0] == demo.default_corpus() == "machado-novels"
    monkeypatch.undo()
    monkeypatch.setenv("GPTLAB_DATA", str(nothing_yet / "nowhere"))
    assert demo.local_corpora() == []


@pytest.mark.slow
def test_the_demo_is_trained_once(
    nothing_yet: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    corpus = nothing_yet / "made.txt"
    corpus.write_text(made_text(), encoding="utf-8")
    quick(monkeypatch, corpus)
    command.train_demo()
    command.train_demo()
    said = capfd.readouterr()
    assert said.out.count("wrote") == 1
    assert said.out.endswith(f"run {demo.NAME} is there already\n")
