"""The command starts the server without a question, says in one line where it answers, and leaves nothing behind."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from starlette.websockets import WebSocketDisconnected

from dashboards import __main__ as command
from dashboards import launch, server
from data.errors import InputError
from tests.commands import ROOT
from tests.dashboards.started import PATIENCE_S, started


def is_up(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex((launch.ADDRESS, port)) == 0


@pytest.mark.parametrize(
    ("terminal", "ended_by", "last_words"),
    [(False, signal.SIGTERM, ""), (True, signal.SIGINT, "python -m dashboards: stopped\n")],
)
def test_in_a_new_home_nothing_is_asked_and_one_line_is_said(
    tmp_path: Path, terminal: bool, ended_by: signal.Signals, last_words: str
) -> None:
    with started(tmp_path, terminal=terminal) as it:
        it.until("\n")
        assert is_up(it.port)
        it.process.send_signal(ended_by)
        assert it.rest() == it.line + last_words
        assert it.process.wait(PATIENCE_S) == 0
        assert not is_up(it.port)
    assert not (tmp_path / ".streamlit").exists()


@pytest.mark.slow
def test_credentials_that_cannot_be_read_raise_no_question(tmp_path: Path) -> None:
    settings = tmp_path / ".streamlit"
    settings.mkdir()
    (settings / "credentials.toml").write_text("not toml")
    (settings / "config.toml").write_text("[browser]\ngatherUsageStats = true\n[server]\nheadless = false\n")
    with started(tmp_path, terminal=True) as it:
        assert it.until("\n") == it.line
        it.process.send_signal(signal.SIGTERM)
        assert it.rest() == it.line
    assert (settings / "credentials.toml").read_text() == "not toml"


@pytest.mark.slow
def test_the_server_ends_with_the_command_however_that_ends(tmp_path: Path) -> None:
    with started(tmp_path) as it:
        it.until("\n")
        it.process.kill()
        assert it.rest() == it.line  # the server held the other end of the pipe
        assert not is_up(it.port)


@pytest.mark.slow
def test_ctrl_c_before_the_first_answer_ends_the_server_too(tmp_path: Path) -> None:
    with started(tmp_path) as it:
        children = Path(f"/proc/{it.process.pid}/task/{it.process.pid}/children")
        if not children.exists():
            pytest.skip("there is no /proc to look for the server in")
        while not children.read_text():
            time.sleep(0.01)
        it.process.send_signal(signal.SIGINT)
        assert it.rest() == "python -m dashboards: stopped\n"
        assert it.process.wait(PATIENCE_S) == 0


def test_a_server_that_fails_says_why_in_one_line(tmp_path: Path) -> None:
    broken = tmp_path / "streamlit"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise ImportError('half of it\\nis missing')")
    with started(tmp_path, PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT)])) as it:
        assert it.rest() == "python -m dashboards: the server has failed: half of it is missing\n"
        assert it.process.wait(PATIENCE_S) == 1


def test_a_signal_that_ends_the_server_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        command.report_end(-signal.SIGKILL)
    assert stop.value.code == 128 + signal.SIGKILL
    assert capfd.readouterr().err == "python -m dashboards: the server was ended by SIGKILL\n"
    command.report_end(-signal.SIGTERM)  # asked for


@pytest.mark.slow
def test_the_page_is_opened_once_the_server_answers(tmp_path: Path) -> None:
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f"#!/bin/sh\necho $1 > {opened}.part && mv {opened}.part {opened}\n")
    browser.chmod(0o755)
    with started(tmp_path, BROWSER=str(browser)) as it:
        it.until("\n")
        deadline = time.monotonic() + PATIENCE_S
        while not opened.exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert opened.read_text() == f"http://127.0.0.1:{it.port}\n"
        it.process.send_signal(signal.SIGTERM)
        assert it.rest() == it.line


def test_the_server_has_the_settings_of_the_project() -> None:
    settings = launch.server_settings(8765)
    assert (
        settings.items()
        >= {
            "server.address": "127.0.0.1",
            "server.port": 8765,
            "server.headless": True,
            "server.showEmailPrompt": False,
            "server.enableXsrfProtection": True,
            "server.enableCORS": True,
            "server.fileWatcherType": "none",
            "browser.gatherUsageStats": False,
            "client.toolbarMode": "viewer",
            "theme.dark.backgroundColor": "#0E1319",
        }.items()
    )


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


def test_a_tab_that_closes_early_is_no_error_and_anything_else_is(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("test of the server")
    log.addFilter(server._is_worth_a_line)
    for error in (WebSocketDisconnected("closed"), ValueError("ours")):
        log.error("Exception in ASGI application", exc_info=error)
    assert [str(record.exc_info[1]) for record in caplog.records if record.exc_info] == ["ours"]


def test_a_signal_while_the_demo_is_trained_ends_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    before, during = signal.getsignal(signal.SIGTERM), []
    monkeypatch.setattr(command, "prepare_server", lambda: process)
    monkeypatch.setattr(command, "check_port", lambda port: None)
    monkeypatch.setattr(command, "train_demo", lambda: during.append(signal.getsignal(signal.SIGTERM)))
    monkeypatch.setattr(command, "start_server", lambda process, port: None)
    monkeypatch.setattr(command, "wait_until_up", lambda process, port: False)
    try:
        command.main(command.DashboardArguments(demo=True))
        assert during == [before]  # which ends the process
        assert signal.getsignal(signal.SIGTERM) != before
    finally:
        signal.signal(signal.SIGTERM, before)
