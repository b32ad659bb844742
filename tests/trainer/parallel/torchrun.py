"""Start real processes with torchrun, on this machine."""

from __future__ import annotations

import socket
import subprocess
import sys

from tests.commands import ROOT
from tests.conftest import command_environment

LONGEST_S = 240


def torchrun_command(*args: str, processes: int = 2) -> list[str]:
    """Build the command that starts ``-m args`` in some processes, which meet at a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    options = [f"--nproc-per-node={processes}", "--master-addr=127.0.0.1", f"--master-port={port}"]
    return [sys.executable, "-m", "torch.distributed.run", *options, "-m", *args]


def torchrun(*args: str, processes: int = 2, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``torchrun -m args`` in the repository and return the finished process."""
    return subprocess.run(
        torchrun_command(*args, processes=processes),
        cwd=ROOT,
        env=command_environment(**environment),
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
    )


def own_lines(output: str) -> list[str]:
    """Pick the lines that our command wrote from what torchrun writes around them."""
    return [line for line in output.splitlines() if line.startswith("python -m trainer")]
