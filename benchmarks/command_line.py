"""How long each command takes to explain itself. Target: under 1 s."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
from tables import show

COMMANDS = ("data", "trainer", "viz.video", "viz.figures", "dashboards")


def seconds(module: str) -> float:
    """Return the wall time of ``python -m module --help``."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-m", module, "--help"], check=True, capture_output=True)
    return time.perf_counter() - begun


def main() -> None:
    for module in COMMANDS:
        seconds(module)  # writes the byte code
    times = {module: [seconds(module) for _ in range(5)] for module in COMMANDS}
    rows = [(f"python -m {module} --help", np.median(values), max(values)) for module, values in times.items()]
    show("Time to the help text, seconds, of 5", ("command", "median", "slowest"), rows)


if __name__ == "__main__":
    main()
