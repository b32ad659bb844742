"""The dashboard as a reader meets it: a server of its own, and a visit to its pages in a real browser."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from tests.commands import ROOT
from tests.conftest import command_environment

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_S = 60.0

# Quiet is: connected, no script at work, something drawn, and so for a while (a page that reruns by itself is not at its end between).
QUIET = """() => {
  const app = document.querySelector('[data-testid="stApp"]');
  const quiet = app?.dataset.testConnectionState === 'CONNECTED' && app.dataset.testScriptState === 'notRunning'
    && document.querySelector('[data-testid="stElementContainer"]')
    && !document.querySelector('[data-testid="stSkeleton"]');
  if (!quiet) window.quietSince = undefined;
  else window.quietSince ??= performance.now();
  return quiet && performance.now() - window.quietSince > 150;
}"""


def chromium() -> str | None:
    """Return where a Chromium is installed, None where none is."""
    return next((found for name in CHROMIUMS if (found := shutil.which(name))), None)


@contextlib.contextmanager
def served(runs: Path, **environment: str) -> Iterator[str]:
    """Serve the dashboard over a folder of runs, as ``python -m dashboards`` does; yield its address."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "dashboards", f"--port={port}", "--no-open-browser"],
        env=command_environment(PYTHONPATH=str(ROOT), GPTLAB_RUNS=str(runs), **environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=runs.parent,  # the settings hold wherever it is started
    )
    try:
        until_healthy(port, server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.send_signal(signal.SIGINT)
        try:
            server.wait(30)
        finally:
            server.kill()


def free_port() -> int:
    """Return a port that nobody listens at just now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def until_healthy(port: int, server: subprocess.Popen[bytes]) -> None:
    """Wait until the server answers."""
    deadline = time.monotonic() + PATIENCE_S
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while True:
        try:
            with opener.open(f"http://127.0.0.1:{port}/_stcore/health") as answer:
                if answer.read() == b"ok":
                    return
        except OSError:
            assert server.poll() is None, f"the server ended with status {server.returncode}"
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.1)


@dataclass
class Visit:
    """A tab of a browser at the dashboard; ``complaints`` collects what its console says is wrong, and what it asks of other machines."""

    page: Page
    address: str
    shots: Path
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        self.page.on("console", self._hear)
        self.page.on("request", self._mind)

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.complaints.append(f"{said.text} ({said.location['url']})")

    def _mind(self, request: Request) -> None:
        if urlsplit(request.url).scheme in ("http", "https", "ws") and urlsplit(request.url).hostname != "127.0.0.1":
            self.complaints.append(f"the page asks another machine: {request.url}")

    def open(self, path: str = "", **query: object) -> Page:
        """Go to a page, e.g. ``open("embeddings", run="tiny", step=20)``, and wait until it stands."""
        self.page.goto(f"{self.address}/{path}{'?' if query else ''}{urlencode(query)}")
        self.settle()
        return self.page

    def settle(self, step: int | None = None) -> None:
        """Wait until nothing is under way any more, and, if a step is given, until the slider stands there."""
        # Quiet that was before whatever has just been done does not count.
        self.page.evaluate("window.quietSince = undefined")
        self.page.wait_for_function(QUIET, polling=50)
        if step is not None:
            self.page.locator(f'.player[data-step="{step}"]').wait_for()

    @property
    def player(self) -> Locator:
        """The slider and its panels."""
        return self.page.get_by_test_id("player")

    @property
    def slider(self) -> Locator:
        """The track that the keys move."""
        return self.player.get_by_role("slider")

    def choose(self, option: str) -> None:
        """Press one of the few options that stand beside each other, and wait for what comes of it."""
        self.page.get_by_role("radio", name=option, exact=True).click()
        self.settle()

    def address_says(self, **query: str) -> None:
        """Wait until the address says just this, in whatever order."""
        wanted = json.dumps(dict(sorted(query.items())))
        try:
            self.page.wait_for_function(f"""() => {{
              const said = [...new URLSearchParams(location.search)].sort(([a], [b]) => (a < b ? -1 : 1));
              return JSON.stringify(Object.fromEntries(said)) === JSON.stringify({wanted});
            }}""")
        except Exception:
            assert self.query() == query, self.query()
            raise

    def next_frame(self) -> None:
        """Wait until what the last input asked for is painted."""
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def until(self, holds: Callable[[], bool], instead: Callable[[], str] = lambda: "it did not come about") -> None:
        """Wait for what the page shows in one of its next frames; ``instead`` says what came about otherwise."""
        last = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < last, instead()
            self.page.wait_for_timeout(20)

    def step(self) -> int:
        """Return where the slider stands, once something is painted."""
        self.page.locator(".player[data-step]").wait_for()
        return int(str(self.player.get_attribute("data-step")))

    def query(self) -> dict[str, str]:
        """Return what the address says."""
        said: dict[str, str] = self.page.evaluate("Object.fromEntries(new URLSearchParams(location.search))")
        return said

    def shot(self, name: str) -> Path:
        """Keep a picture of the window, outside the repository."""
        self.shots.mkdir(parents=True, exist_ok=True)
        path = self.shots / f"{name}.png"
        self.page.screenshot(path=path)
        return path


@contextlib.contextmanager
def visit(
    browser: Browser, address: str, shots: Path, size: tuple[int, int] = (1366, 768), theme: str = "light", **more: Any
) -> Iterator[Visit]:
    """Open a window of a size, as a reader with a light or dark theme; whatever its console complained of fails at the end.

    ``more`` are further properties of the browser, such as its ``locale``.
    """
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="no-preference",
        **more,
    )
    context.set_default_timeout(PATIENCE_S * 1000)
    try:
        guest = Visit(context.new_page(), address, shots)
        yield guest
        assert not guest.complaints, guest.complaints
    finally:
        context.close()


def shots_folder(otherwise: Path) -> Path:
    """Return where pictures of the pages are kept: ``$GPTLAB_SHOTS``, or a temporary folder."""
    return Path(os.environ.get("GPTLAB_SHOTS") or otherwise)
