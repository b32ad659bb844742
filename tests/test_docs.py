"""The pages of the documentation: links lead somewhere, and files, modules and commands that they name are there."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from tests.commands import ROOT

PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "benchmarks" / "README.md"]
LINK = re.compile(r"\]\((?!https?:)([^)#]+)[^)]*\)")
FILE = re.compile(r"`((?:data|trainer|probes|viz|dashboards|tests|benchmarks|docs)/[\w./-]+)`")
MODULE = re.compile(r"`~?((?:data|trainer|probes|viz|dashboards)(?:\.[a-z_]\w*)+)(?:\.\w+)?`")
COMMAND = re.compile(r"python -m ((?:data|trainer|probes|viz|dashboards)[\w.]*)")


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_what_a_page_refers_to_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    missing = [link for link in LINK.findall(text) if not (page.parent / link).exists()]
    missing += [name for name in FILE.findall(text) if not (ROOT / name).exists()]
    missing += [name for name in MODULE.findall(text) if not names_something(name)]
    missing += [name for name in COMMAND.findall(text) if importlib.util.find_spec(name) is None]
    assert not missing


def names_something(dotted: str) -> bool:
    """Return whether a dotted name is that of a module, or of something in a module."""
    module, _, name = dotted.rpartition(".")
    if is_module(dotted):
        return True
    return is_module(module) and hasattr(importlib.import_module(module), name)


def is_module(dotted: str) -> bool:
    try:
        return importlib.util.find_spec(dotted) is not None
    except ModuleNotFoundError:
        return False
