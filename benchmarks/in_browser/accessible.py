"""Violations of WCAG 2.1, levels A and AA, that axe-core finds on each page in both themes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dashboards.screens import SCREENS
from in_browser.serving import Served
from tests.browser.accessibility import violations
from tests.browser.visit import visit


def rows(browser: Any, server: Served, shots: Path, run: str) -> list[tuple[str, ...]]:
    """Count them; what is exempt in markup of Streamlit is listed in tests/browser/accessibility.py."""
    return [
        (name, *(str(_count(browser, server, shots, run, name, theme)) for theme in ("light", "dark")), "0")
        for name in SCREENS
    ]


def _count(browser: Any, server: Served, shots: Path, run: str, name: str, theme: str) -> int:
    with visit(browser, server.address, shots, theme=theme) as guest:
        guest.open(name, run=run)
        return len(violations(guest.page))
