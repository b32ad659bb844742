"""300 page visits in two tabs while a run trains: the server's memory, what its log says, and what is left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Error as PlaywrightError

from in_browser.serving import ROOT, served
from in_browser.slider import resident_mb
from tests.browser.visit import Visit, visit

N_VISITS = 300
WARM = 50
RELOAD_EVERY = 10
STAY_MS = 600
MOST_WAIT_MS = 5_000
AT_REST = "document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"
AFTER_S = 5.0


@dataclass(frozen=True)
class State:
    """What a server holds at a moment."""

    threads: int
    processes: int
    files: int


@dataclass(frozen=True)
class Visited:
    """What 300 visits came to."""

    memory_mb: list[float]
    """After each visit."""
    warm: State
    """After the visits that warm up."""
    last: State
    """After the last visit, both tabs closed."""
    log: str
    complaints: list[str]
    """Of the browser's console; a picture that was still to come when its page was left is one of them."""
    left_processes: int
    left_files: list[str]


def rows(browser: Any, runs: Path, shots: Path, text: Path) -> list[tuple[str, ...]]:
    """Visit the pages, and compare what is there afterwards with what was there after the first 50 visits."""
    found = visited(browser, runs, shots, text)
    late = found.memory_mb[WARM:]
    slope = float(np.polyfit(np.arange(len(late)), late, 1)[0])
    lines = [line for line in found.log.splitlines() if not line.startswith("GPTLab is at")]
    return [
        (
            f"memory after {WARM} visits {late[0]:.0f} MB, after {N_VISITS} {late[-1]:.0f} MB",
            f"{slope:+.3f} MB a visit",
            "< 0.1",
        ),
        ("lines in the server's log", str(len(lines)), "0"),
        *((line, "", "") for line in lines[:5]),
        ("complaints of the browser, such as pictures of a page that was left", str(len(found.complaints)), ""),
        ("threads", f"{found.warm.threads} -> {found.last.threads}", "no more"),
        ("processes below the server", f"{found.warm.processes} -> {found.last.processes}", "no more"),
        ("open files", f"{found.warm.files} -> {found.last.files}", "no more"),
        ("processes left when it has ended", str(found.left_processes), "0"),
        (f"files left in its temporary folder {' '.join(found.left_files[:3])}", str(len(found.left_files)), "0"),
    ]


def visited(browser: Any, runs: Path, shots: Path, text: Path) -> Visited:
    """Visit all pages in turn, in two tabs, mostly by the menu; now and then a page is loaded anew."""
    temporary = shots / "temporary"
    temporary.mkdir(exist_ok=True)
    log = shots / "visits.log"
    with training(runs, text), served(runs, log, TMPDIR=str(temporary)) as server:
        pid = server.server_pid
        memory: list[float] = []
        with visit(browser, server.address, shots) as one, visit(browser, server.address, shots) as other:
            for guest in (one, other):
                guest.page.goto(server.address)
                guest.page.wait_for_timeout(5 * STAY_MS)
            for i in range(N_VISITS):
                _go(one if i % 2 else other, i)
                memory.append(resident_mb(pid))
                if i + 1 == WARM:
                    warm = _state(pid)
                if i % 25 == 24:
                    print(f"visit {i + 1}: {memory[-1]:.0f} MB", _state(pid), file=sys.stderr)
            complaints = [*one.complaints, *other.complaints]
            one.complaints.clear()  # they are counted, and end nothing here
            other.complaints.clear()
        time.sleep(AFTER_S)
        last = _state(pid)
        group = os.getpgid(pid)
    time.sleep(1)
    left = [str(path.relative_to(temporary)) for path in temporary.rglob("*") if path.is_file()]
    return Visited(memory, warm, last, log.read_text(encoding="utf-8"), complaints, len(_of_group(group)), left)


def _go(guest: Visit, number: int) -> None:
    """Go to the next page by the menu, or load the one that is open anew, and stay a moment while it follows the run."""
    links = guest.page.get_by_test_id("stTopNavLink")
    if number % RELOAD_EVERY == RELOAD_EVERY - 1:
        guest.page.reload()
    elif links.count() == 0:
        guest.complaints.append(f"there is no menu at {guest.page.url}")
        guest.page.reload()
    else:
        links.nth((number // 2) % links.count()).click()
    guest.page.wait_for_timeout(STAY_MS)
    # A page about a run that is trained may be drawn anew all the time; it is left then as a reader would leave it.
    with contextlib.suppress(PlaywrightError):
        guest.page.wait_for_function(AT_REST, timeout=MOST_WAIT_MS)


def _state(pid: int) -> State:
    task = Path(f"/proc/{pid}")
    return State(
        threads=len(list((task / "task").iterdir())),
        processes=len(_of_group(os.getpgid(pid))) - 1,
        files=len(list((task / "fd").iterdir())),
    )


def _of_group(group: int) -> list[int]:
    """List the living processes of a process group; that of the server is its own."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found


@contextlib.contextmanager
def training(runs: Path, text: Path) -> Iterator[None]:
    """Train a tiny run slowly, for as long as the visits last."""
    options = [
        "--preset=tiny",
        f"--corpus={text}",
        "--run=live",
        "--steps=1000000",
        "--snapshot-every=200",
        "--eval-every=200",
    ]
    process = subprocess.Popen(
        ["nice", sys.executable, "-m", "trainer", "--threads=1", *options],
        env={**os.environ, "GPTLAB_RUNS": str(runs), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
