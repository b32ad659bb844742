"""What the first page needs is imported from the start of the application, in a thread of its own."""

from __future__ import annotations

import subprocess
import sys

from dashboards import warm_up
from dashboards.screens import SCREENS
from tests.commands import ROOT
from tests.conftest import command_environment

SCRIPT = """
import asyncio, sys, threading, time
from dashboards import warm_up
from dashboards.warm_up import LATER, MODULES, first_page_stands, warmed_up

async def application():
    async with warmed_up(None):
        return [thread for thread in threading.enumerate() if thread.name == "warm-up"]

warm_up.PAUSE_S = 0
[thread] = asyncio.run(application())
while not set(MODULES) <= set(sys.modules) or any(sys.modules[name].__spec__._initializing for name in MODULES):
    time.sleep(0.01)
heavy = {"torch", "matplotlib", "sklearn", "openTSNE", "umap", "xarray", "pandas"} & set(sys.modules)
assert not heavy, f"the first page waits for {heavy}"
first_page_stands.set()
thread.join()
assert set(LATER) <= set(sys.modules), set(LATER) - set(sys.modules)
"""


def test_the_first_page_is_imported_meanwhile_and_needs_nothing_heavy() -> None:
    assert warm_up.MODULES[-1] == f"dashboards.screens.{SCREENS[0]}_page"
    found = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, env=command_environment(), capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr
