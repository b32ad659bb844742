"""python -m dashboards: open the dashboard in a browser, on this machine only."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from data.cli import run as run_command

PROG = "python -m dashboards"
APP = Path(__file__).with_name("app.py")


@dataclass(frozen=True)
class Options:
    """Serve the dashboard at 127.0.0.1 until Ctrl-C."""

    port: int = 8501
    """Port to listen at."""
    open_browser: bool = True
    """Open the page in the browser."""


def main(options: Options) -> None:
    """Start Streamlit with the project's settings, wherever the command is called from."""
    settings = {
        "server.address": "127.0.0.1",
        "server.port": options.port,
        "server.headless": not options.open_browser,
        "browser.gatherUsageStats": False,
    }
    flags = [f"--{name}={str(value).lower()}" for name, value in settings.items()]
    subprocess.run([sys.executable, "-m", "streamlit", "run", str(APP), *flags], check=False)


if __name__ == "__main__":
    run_command(main, Options, prog=PROG)
