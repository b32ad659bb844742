"""Import what the first page needs while the browser loads it, so that it is drawn sooner."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import AsyncIterator
from importlib import import_module

# The script of the pages imports the first one before anything else of ours: two threads then never wait for each other.
MODULES = ("dashboards.page", "dashboards.screens.overview_page")


@contextlib.asynccontextmanager
async def warmed_up(_: object) -> AsyncIterator[dict[str, object]]:
    """Import in a thread of its own from the start of an application, which meanwhile answers."""
    threading.Thread(target=_import_all, name="warm-up", daemon=True).start()
    yield {}


def _import_all() -> None:
    with contextlib.suppress(Exception):  # the page itself will say so
        for name in MODULES:
            import_module(name)
