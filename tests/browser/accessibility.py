"""What axe-core finds wrong with a page, and what of it lies in markup of Streamlit that no page can change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa")
"""The rules of the levels A and AA of WCAG 2.1."""


@dataclass(frozen=True)
class Violation:
    """An element of a page that breaks a rule."""

    rule: str
    selector: str
    html: str
    why: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.selector}: {self.why}\n    {self.html}"


@dataclass(frozen=True)
class Exemption:
    """A rule that elements of Streamlit break, and the reason why they stay as they are."""

    rule: str
    selector: str
    """A pattern for the whole selector."""
    reason: str

    def covers(self, found: Violation) -> bool:
        return found.rule == self.rule and re.fullmatch(self.selector, found.selector) is not None


EXEMPTIONS: tuple[Exemption, ...] = ()


def violations(page: Page) -> list[Violation]:
    """Find all violations of the levels A and AA on a page as it stands, also within shadow roots, but for the exemptions."""
    return [found for found in all_violations(page) if not any(known.covers(found) for known in EXEMPTIONS)]


def all_violations(page: Page) -> list[Violation]:
    """Find all violations of the levels A and AA on a page, those of Streamlit's own markup too."""
    page.evaluate(_axe())
    result: dict[str, Any] = page.evaluate(
        "tags => axe.run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] })", list(TAGS)
    )
    return [
        Violation(
            rule["id"], " >> ".join(_flat(node["target"])), node["html"][:200], " ".join(node["failureSummary"].split())
        )
        for rule in result["violations"]
        for node in rule["nodes"]
    ]


def _flat(target: Any) -> Iterator[str]:
    """Yield the selectors of an element; those within a shadow root are a list of their own."""
    for part in target:
        if isinstance(part, str):
            yield part
        else:
            yield from _flat(part)


@lru_cache(maxsize=1)
def _axe() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
