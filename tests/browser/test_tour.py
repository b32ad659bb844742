"""The tour begins on the first visit only, its stops are addresses, and it can be left at any time."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.visit import Visit

PAGES = ("/", "/embeddings", "/attention", "/", "/generate")


def at_stop(guest: Visit, number: int) -> None:
    path = PAGES[number - 1]
    guest.page.wait_for_function(f"location.pathname === '{path}' && location.search.includes('tour={number}')")
    expect(guest.page.locator(".tour-card")).to_contain_text(f"Stop {number} of 5")


def test_it_begins_at_the_first_visit_and_leads_through_five_stops_and_back(guest: Visit) -> None:
    guest.open("")
    at_stop(guest, 1)
    assert guest.step() == 0
    for number in (2, 3, 4, 5):
        expect(guest.page.locator(".tour-card p")).not_to_contain_text("Measuring")
        guest.page.locator(".tour-card .next").click()
        at_stop(guest, number)
        guest.shot(f"tour-{number}")
    expect(guest.page.locator(".tour-card p")).to_contain_text("compete to come next")
    guest.page.locator(".tour-card .more").click()
    guest.page.wait_for_function("location.search.includes('temperature=1.5')")
    guest.page.go_back()
    guest.page.wait_for_function("location.search.includes('temperature=0.2')")
    guest.page.go_back()
    at_stop(guest, 4)
    guest.page.keyboard.press("Escape")
    expect(guest.page.locator(".tour-card")).to_have_count(0)
    guest.page.wait_for_function("!location.search.includes('tour')")
    guest.open("")  # again, in the same browser
    guest.step()
    expect(guest.page.locator(".tour-card")).to_have_count(0)


def test_it_does_not_begin_at_a_link_and_begins_from_the_header(guest: Visit) -> None:
    guest.open("attention", run="tiny")
    guest.step()
    expect(guest.page.locator(".tour-card")).to_have_count(0)
    guest.page.get_by_role("link", name="A tour of this run").click()
    at_stop(guest, 1)


def test_a_stop_can_be_shared_and_says_what_its_address_shows(guest: Visit) -> None:
    guest.open("embeddings", run="tiny", tour=2, lang="pt")
    card = guest.page.locator(".tour-card")
    expect(card).to_contain_text("Parada 2 de 5")
    expect(card.locator("p")).to_contain_text(re.compile(r"p [=<] 0,\d+"))
    guest.page.get_by_role("link", name="Filmes").click()  # elsewhere the tour has been left
    guest.settle()
    expect(card).to_have_count(0)
    assert "tour" not in guest.query()


def test_the_card_pushes_nothing(guest: Visit) -> None:
    guest.open("attention", run="tiny")
    guest.page.get_by_role(
        "button", name="Do not show this again"
    ).click()  # the sentence about the page, which the tour replaces
    guest.settle()
    guest.open("attention", run="tiny")
    guest.step()
    before = guest.player.bounding_box()
    guest.open("attention", run="tiny", tour=3)
    guest.step()
    expect(guest.page.locator(".tour-card")).to_be_visible()
    guest.until(lambda: guest.player.bounding_box() == before, lambda: f"{guest.player.bounding_box()}, not {before}")


def test_the_panels_reach_the_end_of_the_window_whatever_comes_above_them(guest: Visit) -> None:
    guest.page.set_viewport_size({"width": 1366, "height": 1000})  # below a certain height the panels shrink no further
    guest.open("attention", run="tiny")
    guest.step()
    panels = guest.player.locator(".panels")
    bottom = panels.evaluate("panels => Math.round(panels.getBoundingClientRect().bottom)")
    insert = """(height) => {
      const above = document.querySelector('[data-testid="stMain"] [data-testid="stVerticalBlock"]');
      above.insertAdjacentHTML("afterbegin", `<div id="above" style="flex: none; height: ${height}px"></div>`);
    }"""
    for change in (
        lambda: guest.page.evaluate(insert, 40),
        lambda: guest.page.evaluate("document.querySelector('#above').remove()"),
    ):
        change()
        guest.until(
            lambda: abs(panels.evaluate("panels => Math.round(panels.getBoundingClientRect().bottom)") - bottom) <= 1,
            lambda: (
                f"the panels end at {panels.evaluate('panels => panels.getBoundingClientRect().bottom')}, not {bottom}"
            ),
        )
