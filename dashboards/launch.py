"""Start the server of the dashboard in a process of its own, wait for its first answer, and open the page in a browser."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import sys
import threading
import time
import tomllib
import webbrowser
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

SETTINGS = Path(__file__).parents[1] / ".streamlit" / "config.toml"
PROG = "python -m dashboards"
ADDRESS = "127.0.0.1"
POLL_EVERY_S = 0.05
ANSWERS_WITHIN_S = 5.0


def prepare_server() -> subprocess.Popen[bytes]:
    """Start the process of the server, which imports what it needs and waits for `start_server`; without that it ends with this process.

    It writes to our standard error, but only what went wrong.
    """
    return subprocess.Popen(
        [sys.executable, "-m", "dashboards.server"],
        # It takes its settings from this pipe, and stops when our end closes, so also if this process is killed.
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        # Every visit runs in a thread of its own. With a heap for each, glibc keeps what has been freed in all of them.
        env={"MALLOC_ARENA_MAX": "2", **os.environ},
        # A group of its own: Ctrl-C reaches only this process, which terminates the server once and waits for it.
        start_new_session=True,
    )


def start_server(process: subprocess.Popen[bytes], port: int) -> None:
    """Let a prepared process serve."""
    if process.stdin is None:
        raise ValueError("the process has no standard input: make it with prepare_server()")
    with contextlib.suppress(BrokenPipeError):  # it has failed, and has said why
        process.stdin.write(json.dumps(server_settings(port)).encode() + b"\n")
        process.stdin.flush()


def wait_until_up(server: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until the server answers; return False if its process has ended instead."""
    while server.poll() is None:
        if _answers(port):
            return True
        time.sleep(POLL_EVERY_S)
    return False


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(ADDRESS, port, timeout=ANSWERS_WITHIN_S)  # unlike urllib, it asks no proxy
    try:
        connection.request("GET", "/_stcore/health")
        return connection.getresponse().read() == b"ok"
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def open_page(address: str) -> None:
    """Open the page in the reader's browser, if the machine has a screen or the environment names a browser."""
    has_screen = sys.platform in ("darwin", "win32") or {"DISPLAY", "WAYLAND_DISPLAY", "BROWSER"} & set(os.environ)
    if has_screen:
        # Some browsers keep their caller waiting until they are closed.
        threading.Thread(target=webbrowser.open, args=(address,), name="browser", daemon=True).start()


def server_settings(port: int) -> dict[str, Any]:
    """Read the settings of .streamlit/config.toml, which Streamlit looks for only in the working folder, and add what always holds."""
    always = {
        "server.address": ADDRESS,
        "server.port": port,
        "server.headless": True,  # the page is opened from here
        "server.showEmailPrompt": False,
        "server.enableCORS": True,
        "server.enableXsrfProtection": True,
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": False,
        "logger.hideWelcomeMessage": True,
        "logger.level": "error",
        "client.toolbarMode": "viewer",
        "client.showErrorDetails": "none",
    }
    file = tomllib.loads(SETTINGS.read_text(encoding="utf-8")) if SETTINGS.is_file() else {}
    return {**dict(_flat(file)), **always}


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
