"""The command ``python -m dashboards`` at work in a home of its own, and all that it says."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.browser.visit import free_port
from tests.commands import ROOT
from tests.conftest import command_environment

PATIENCE_S = 60.0


@dataclass
class Started:
    """The command at work: its process, and the end of the pipe or terminal that it writes everything to."""

    process: subprocess.Popen[bytes]
    output: int
    port: int
    said: str = ""

    @property
    def line(self) -> str:
        return f"GPTLab is at http://127.0.0.1:{self.port}\n"

    def until(self, text: str) -> str:
        """Read until a text is there; return all that was said so far."""
        while text not in self.said:
            assert self._read(), f"it ended and said: {self.said!r}"
        return self.said

    def rest(self) -> str:
        """Read until nobody writes any more; return all that was said."""
        while self._read():
            pass
        return self.said

    def _read(self) -> bool:
        try:
            got = os.read(self.output, 4096)
        except OSError:  # a terminal that nobody writes to any more
            return False
        self.said += got.decode().replace("\r\n", "\n")
        return bool(got)


@contextlib.contextmanager
def started(home: Path, *options: str, terminal: bool = False, **environment: str) -> Iterator[Started]:
    """Start the command in a home, with a terminal or with none."""
    port = free_port()
    output, end = pty.openpty() if terminal else os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "dashboards", f"--port={port}", *options],
        env=command_environment(
            **{"PYTHONPATH": str(ROOT), "HOME": str(home), "GPTLAB_RUNS": str(home / "runs"), **environment}
        ),
        stdin=end if terminal else subprocess.DEVNULL,
        stdout=end,
        stderr=end,
        cwd=home,  # the settings hold wherever it is called from
        start_new_session=True,
    )
    os.close(end)
    try:
        yield Started(process, output, port)
    finally:
        process.kill()
        process.wait()
        os.close(output)
