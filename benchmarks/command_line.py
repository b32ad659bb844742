"""Time to the help text of every command, and to ``import gptlab``. Targets: under 1 s, and under 0.3 s."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
from tables import show

import gptlab

REPEATS = 5
MODULES = sorted({module for (module, *_), _ in gptlab.COMMANDS.values() if module != "demo"})
COMMANDS = (
    *(("-m", module, "--help") for module in MODULES),
    *(("-m", "gptlab", name, "--help") for name in gptlab.COMMANDS),
    ("-c", "import gptlab"),
    ("-c", "pass"),
)


def seconds(arguments: tuple[str, ...]) -> float:
    """Measure the wall time of a Python process."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    for command in COMMANDS:
        seconds(command)  # writes the byte code
    times = {command: [seconds(command) for _ in range(REPEATS)] for command in COMMANDS}
    rows = [(" ".join(("python", *command)), np.median(each), max(each)) for command, each in times.items()]
    show(f"Seconds a command takes, of {REPEATS}", ("command", "median", "slowest"), rows)


if __name__ == "__main__":
    main()
