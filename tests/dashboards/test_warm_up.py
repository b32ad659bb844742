"""What the first page needs is imported from the start of the application, in a thread of its own."""

from __future__ import annotations

import subprocess
import sys

from dashboards import warm_up
from dashboards.screens import SCREENS
from tests.commands import ROOT
from tests.conftest import command_environment

SCRIPT = """
import asyncio, sys, threading
from dashboards.warm_up import MODULES, warmed_up

async def application():
    async with warmed_up(None):
        return [thread for thread in threading.enumerate() if thread.name == "warm-up"]

[thread] = asyncio.run(application())
thread.join()
assert set(MODULES) <= set(sys.modules), set(MODULES) - set(sys.modules)
drawing = {"torch", "matplotlib.axes", "sklearn", "openTSNE", "umap"} & set(sys.modules)
assert not drawing, f"the first page waits for {drawing}"
"""


def test_the_first_page_is_imported_meanwhile_and_needs_nothing_heavy() -> None:
    assert warm_up.MODULES[-1] == f"dashboards.screens.{SCREENS[0]}_page"
    found = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, env=command_environment(), capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr
