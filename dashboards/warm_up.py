"""Import what the first page needs while the browser loads it, and what the others need once it stands."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import AsyncIterator
from importlib import import_module

from dashboards.screens import SCREENS

# The script of the pages imports the first one before anything else of ours: two threads then never wait for each other.
MODULES = ("dashboards.page", f"dashboards.screens.{SCREENS[0]}_page")
LATER = tuple(f"dashboards.screens.{name}_page" for name in SCREENS[1:])
PAUSE_S = 2.0
"""From the first page's end to the next import: the browser is still painting, and its first questions come first."""

first_page_stands = threading.Event()
"""Set when the script of the pages has come to its end."""


@contextlib.asynccontextmanager
async def warmed_up(_: object) -> AsyncIterator[dict[str, object]]:
    """Import in a thread of its own from the start of an application, which meanwhile answers."""
    threading.Thread(target=_import_all, name="warm-up", daemon=True).start()
    yield {}


def _import_all() -> None:
    with contextlib.suppress(Exception):  # the page itself will say so
        for name in MODULES:
            import_module(name)
        first_page_stands.wait()
        for name in LATER:
            time.sleep(PAUSE_S)
            import_module(name)
