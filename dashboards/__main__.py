"""python -m dashboards: open the dashboard in a browser, on this machine only."""

from __future__ import annotations

import signal
import sys

from dashboards.launch import ADDRESS, PROG, open_page, prepare_server, start_server, wait_until_up

# Its imports take a second, and this process needs half of that until it has read its options: they are done side by side.
server = prepare_server() if __name__ == "__main__" and not {"-h", "--help"} & set(sys.argv) else None
if server is not None and sys.platform != "win32":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # Ctrl-C waits for `main`, which ends the server

import contextlib  # noqa: E402
import os  # noqa: E402
import socket  # noqa: E402
import subprocess  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from typing import Annotated  # noqa: E402

import tyro  # noqa: E402

from data.commands import run_command  # noqa: E402
from data.errors import InputError  # noqa: E402

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
    """Start the server, from any working folder; say where it answers, and wait for its end."""
    process = server or prepare_server()
    try:
        if sys.platform != "win32":
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        check_port(options.port)
        check_folder()
        if options.demo:
            train_demo()
        # Until here SIGTERM ends this process, and the server with it.
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        start_server(process, options.port)
        if wait_until_up(process, options.port):
            address = f"http://{ADDRESS}:{options.port}"
            print(f"GPTLab is at {address}", flush=True)
            if options.open_browser:
                open_page(address)
        status = process.wait()
    except KeyboardInterrupt:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
            process.wait(PATIENCE_S)
        process.kill()
        print(f"{PROG}: stopped", file=sys.stderr)
        return
    report_end(status)


def report_end(status: int) -> None:
    """Exit with the status of a server that has failed; it has said why, unless a signal ended it."""
    if status > 0:
        raise SystemExit(status)
    if status < 0 and -status != signal.SIGTERM:
        print(f"{PROG}: the server was ended by {signal.Signals(-status).name}", file=sys.stderr)
        raise SystemExit(128 - status)


def check_folder() -> None:
    """Check that the runs lie on this machine; pages look at their files again and again."""
    folder = os.environ.get("GPTLAB_RUNS", "")
    if "://" in folder:
        raise InputError(f"the dashboard shows runs of this machine, and GPTLAB_RUNS is {folder}: set it to a folder")


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
