"""The dashboard as it is started by its command, over made runs, and a browser that visits it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data.runs import Run, create_run, write_snapshot
from tests.browser.visit import FLAGS, chromium, free_port, until_healthy

ROOT = Path(__file__).resolve().parents[2]
TITLE_OF_PLAYER = ".player[data-step]"
N_DIMS = 64


@dataclass(frozen=True)
class Served:
    """A dashboard that answers."""

    address: str
    command: subprocess.Popen[bytes]
    log: Path
    """What the command and the server have said."""

    @property
    def server_pid(self) -> int:
        """The process of the server, the command's only child."""
        return int(Path(f"/proc/{self.command.pid}/task/{self.command.pid}/children").read_text().split()[0])


def start(runs: Path, log: Path, port: int, **environment: str) -> subprocess.Popen[bytes]:
    """Start the command as a user does, without its browser."""
    path = os.pathsep.join(part for part in (str(ROOT), os.environ.get("PYTHONPATH", "")) if part)
    with log.open("wb") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "dashboards", f"--port={port}", "--no-open-browser"],
            env={**os.environ, "GPTLAB_RUNS": str(runs), "PYTHONPATH": path, **environment},
            stdout=said,
            stderr=said,
        )


@contextmanager
def served(runs: Path, log: Path, **environment: str) -> Iterator[Served]:
    """Serve a folder of runs, and stop the server at the end."""
    port = free_port()
    command = start(runs, log, port, **environment)
    try:
        until_healthy(port, command)
        yield Served(f"http://127.0.0.1:{port}", command, log)
    finally:
        stop(command)


def stop(command: subprocess.Popen[bytes]) -> None:
    """End the command, and wait until its server has ended too."""
    command.send_signal(signal.SIGTERM)
    command.wait(60)


@contextmanager
def opened_browser() -> Iterator[Any]:
    """Open a Chromium without a window."""
    from playwright.sync_api import sync_playwright

    found = chromium()
    if found is None:
        raise SystemExit("there is no Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser
        browser.close()


def made_table(folder: Path, name: str, n_tokens: int, n_snapshots: int) -> Run:
    """Write a run with a table of many tokens whose vectors wander, and no more."""
    symbols = "".join(_letters(n_tokens))
    info = {
        "parameters": n_tokens * N_DIMS,
        "tokenizer": {"kind": "char", "symbols": symbols},
        "tensors": {"token_table": "wte.weight", "position_table": None},
    }
    run = create_run(name, info, folder)
    random = np.random.default_rng(0)
    table = random.normal(size=(n_tokens, N_DIMS)).astype(np.float32)
    for i in range(n_snapshots):
        write_snapshot(run, 100 * i, {"wte.weight": table})
        table = (table + 0.05 * random.normal(size=table.shape)).astype(np.float32)
    return run


def _letters(n: int) -> Sequence[str]:
    """List as many letters as there are tokens: ideographs, then syllables, from the planes of Unicode that are full of them."""
    planes = ((0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0x3400, 0x4DBF), (0x20000, 0x2A6DF))
    return [chr(code) for first, last in planes for code in range(first, last + 1)][:n]
