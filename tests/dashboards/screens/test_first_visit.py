"""Without a run the page says what to do, and trains a tiny one where it stands."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboards import __main__ as command
from dashboards import demo
from dashboards.compute.computation import Computation
from dashboards.screens import first_visit_page
from data.errors import InputError
from data.runs import list_runs
from tests.conftest import command_environment, made_text


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
    return AppTest.from_file(str(command.APP), default_timeout=120).run()


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


def test_the_command_has_the_settings_of_the_project() -> None:
    flags = command.flags(command.DashboardArguments(port=8765, open_browser=False))
    for flag in (
        "--server.address=127.0.0.1",
        "--server.port=8765",
        "--server.headless=true",
        "--server.enableXsrfProtection=true",
        "--server.enableCORS=true",
        "--server.fileWatcherType=none",
        "--browser.gatherUsageStats=false",
        "--client.toolbarMode=viewer",
        "--theme.dark.backgroundColor=#0E1319",
    ):
        assert flag in flags


def test_a_port_that_is_taken_or_none_is_a_mistake() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(
            InputError, match=f"port {port} cannot be used .*: pass another, e.g. `port={port % 65535 + 1}`"
        ):
            command.check_port(port)
    with pytest.raises(InputError, match="between 1 and 65535; got 0"):
        command.check_port(0)


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


@pytest.mark.slow
def test_ctrl_c_ends_the_server_and_its_jobs_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "dashboards", f"--port={port}", "--no-open-browser"],
        env=command_environment(PYTHONPATH=str(command.APP.parents[1])),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,  # settings hold wherever it is called from
        restore_signals=True,
    )
    try:
        _until_healthy(port)
        server.send_signal(signal.SIGINT)
        _, complaint = server.communicate(timeout=30)
    finally:
        server.kill()
    assert server.returncode == 0
    assert complaint.splitlines()[-1] == "python -m dashboards: stopped"
    assert "Traceback" not in complaint
    with pytest.raises(OSError, match="refused"):
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://127.0.0.1:{port}/_stcore/health")


def _until_healthy(port: int) -> None:
    deadline = time.monotonic() + 60
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while True:
        try:
            with opener.open(f"http://127.0.0.1:{port}/_stcore/health") as answer:
                assert answer.read() == b"ok"
                return
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.2)
