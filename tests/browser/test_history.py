"""Every Back leads to another view: no entry of the history shows what the one after it shows."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from tests.browser.visit import Visit

Window = Callable[..., AbstractContextManager[Visit]]

# What is shown: the page's name in the bar above, and the choices and readouts below.
SHOWN = """() => [document.title, ...[...document.querySelectorAll(
  '[data-testid="stMain"] h3, [data-testid="stMain"] h4, [data-testid="stSidebar"] [aria-checked="true"]')]
  .map(element => element.textContent)].join(' | ')"""


def shown(guest: Visit) -> str:
    panels = guest.player.inner_text() if guest.player.count() else ""
    return f"{guest.page.evaluate(SHOWN)} {panels}"


def walk_back(guest: Visit, views: list[str]) -> None:
    """Go back through all views; each must differ from the one before."""
    for here, before in zip(reversed(views), reversed(views[:-1]), strict=False):
        guest.page.go_back()
        guest.settle()
        guest.until(lambda here=here: shown(guest) != here)  # type: ignore[misc]
        guest.until(
            lambda before=before: shown(guest) == before,
            lambda before=before: f"{shown(guest)!r} is shown, not {before!r}",
        )  # type: ignore[misc]


def visited(guest: Visit, names: tuple[str, ...]) -> list[str]:
    views = [shown(guest)]
    for name in names:
        guest.page.get_by_role("link", name=name, exact=True).click()
        guest.page.wait_for_function(f"document.title.startsWith('{name}')")
        guest.settle()
        guest.until(
            lambda: not guest.player.locator(".pending").filter(visible=True).count()
        )  # what is still measured comes later
        views.append(shown(guest))
    return views


def test_each_back_changes_what_is_shown(guest: Visit) -> None:
    guest.page.goto("about:blank")
    guest.open("")  # an address without fields: they are written into it
    guest.step()
    guest.page.wait_for_function("location.search.includes('run=')")
    views = visited(guest, ("Attention", "Films", "Figures", "Overview"))
    walk_back(guest, views)
    guest.page.go_back()
    guest.until(lambda: guest.page.url == "about:blank")


def test_a_link_to_the_overview_leaves_no_entry_that_leads_forward_again(guest: Visit) -> None:
    guest.page.goto("about:blank")
    guest.open("overview", run="tiny", step=8)
    assert guest.step() == 8
    views = visited(guest, ("Attention",))
    walk_back(guest, views)
    guest.page.go_back()
    guest.until(lambda: guest.page.url == "about:blank")


def test_a_choice_on_a_page_that_was_entered_without_fields_is_one_entry(window: Window) -> None:
    for name in ("films", "generate"):
        with window() as guest:
            guest.page.goto("about:blank")
            guest.open(name)
            guest.page.wait_for_function("location.search.includes('run=')")
            guest.page.go_back()
            guest.until(lambda: guest.page.url == "about:blank")
