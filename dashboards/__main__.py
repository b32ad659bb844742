"""python -m dashboards: open the dashboard in a browser, on this machine only."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from data.commands import run_command
from data.errors import InputError

PROG = "python -m dashboards"
APP = Path(__file__).with_name("app.py")
SERVER = APP.with_name("server.py")
SETTINGS = APP.parents[1] / ".streamlit" / "config.toml"
ADDRESS = "127.0.0.1"
# How long the server may take to end its jobs, which tidy up after themselves.
PATIENCE_S = 15.0


@dataclass(frozen=True)
class DashboardArguments:
    """Serve the dashboard at 127.0.0.1 until Ctrl-C."""

    port: int = 8501
    """Port to listen at."""
    open_browser: bool = True
    """Open the page in the browser."""
    demo: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Train a small run, demo-tiny, for trying things out; about ten seconds, unless it is there."""


def main(options: DashboardArguments) -> None:
    """Start Streamlit with the project's settings, from any working folder."""
    check_port(options.port)
    if options.demo:
        train_demo()
    command = [sys.executable, "-m", "streamlit", "run", str(SERVER), *flags(options)]
    # A process group of its own: Ctrl-C reaches only this process, which terminates the server once and waits for it.
    server = subprocess.Popen(command, start_new_session=True)
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    try:
        status = server.wait()
    except KeyboardInterrupt:
        server.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
            server.wait(PATIENCE_S)
        server.kill()
        print(f"{PROG}: stopped", file=sys.stderr)
        return
    if status > 0:
        raise SystemExit(status)


def flags(options: DashboardArguments) -> list[str]:
    """Convert the settings of .streamlit/config.toml into flags, since Streamlit reads the file only from the working folder."""
    always = {
        "server.address": ADDRESS,
        "server.enableCORS": True,
        "server.enableXsrfProtection": True,
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": False,
        "client.toolbarMode": "viewer",
        "client.showErrorDetails": "none",
    }
    chosen = {"server.port": options.port, "server.headless": not options.open_browser}
    file = tomllib.loads(SETTINGS.read_text(encoding="utf-8")) if SETTINGS.is_file() else {}
    settings = {**dict(_flat(file)), **always, **chosen}
    return [f"--{name}={str(value).lower() if isinstance(value, bool) else value}" for name, value in settings.items()]


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def check_port(port: int) -> None:
    """Check that a port can be listened at: that it is a port number, is not taken, and needs no more rights."""
    if not 1 <= port <= 65535:
        raise InputError(f"a port is between 1 and 65535; got {port}: leave `port` out for 8501")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if sys.platform != "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError as refusal:
            raise InputError(
                f"port {port} cannot be used ({refusal.strerror}): pass another, e.g. `port={port % 65535 + 1}`"
            ) from None


def train_demo() -> None:
    """Train the demo run with a progress bar in the terminal, unless it exists."""
    from dashboards import demo
    from data.runs import list_runs

    if demo.NAME in [run.name for run in list_runs()]:
        print(f"run {demo.NAME} is there already")
        return
    status = subprocess.run([sys.executable, "-m", "trainer", *demo.arguments(demo.default_corpus())]).returncode
    if status:
        raise SystemExit(status)


if __name__ == "__main__":
    run_command(main, DashboardArguments, prog=PROG)
