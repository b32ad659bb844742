"""The header: language, theme, the link to copy, and projector mode, on every page."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.visit import Visit


def test_it_names_the_product_and_the_run(guest: Visit) -> None:
    guest.open("films", run="tiny")
    expect(guest.page.get_by_test_id("frame-header").locator(".name")).to_have_text("GPTLabtiny")


def test_the_language_changes_and_the_view_stays(guest: Visit) -> None:
    guest.open("embeddings", run="tiny", method="pca", step=8)
    guest.page.get_by_role("button", name="Português").click()
    guest.address_says(lang="pt", run="tiny", method="pca", step="8")
    expect(guest.page.get_by_role("link", name="Visão geral")).to_be_visible()
    guest.page.get_by_role("button", name="English").click()
    expect(guest.page.get_by_role("link", name="Overview")).to_be_visible()


def test_the_theme_changes_on_all_pages_and_the_view_stays(guest: Visit) -> None:
    guest.open("embeddings", run="tiny", method="pca", step=8)
    guest.step()
    light = guest.player.evaluate("element => getComputedStyle(element).getPropertyValue('--background')")
    guest.page.get_by_role("button", name="Dark theme").click()
    guest.page.get_by_role("button", name="Light theme").wait_for()
    guest.settle(step=8)
    guest.address_says(run="tiny", method="pca", step="8")
    dark = guest.player.evaluate("element => getComputedStyle(element).getPropertyValue('--background')")
    assert dark != light
    guest.open("attention", run="tiny")
    expect(guest.page.get_by_role("button", name="Light theme")).to_be_visible()


def test_the_link_of_the_view_is_copied(guest: Visit) -> None:
    guest.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    guest.open("overview", run="tiny", step=8)
    guest.step()
    guest.page.keyboard.press("ArrowRight")
    guest.settle(step=16)
    guest.address_says(run="tiny", step="16")
    guest.page.get_by_role("button", name="Copy the link").click()
    expect(guest.page.get_by_text("Link copied")).to_be_visible()
    copied = guest.page.evaluate("navigator.clipboard.readText()")
    assert copied == guest.page.url
    assert copied.endswith("run=tiny&step=16")


def test_the_link_is_copied_where_the_clipboard_is_refused(guest: Visit) -> None:
    guest.open("overview", run="tiny")
    guest.page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('refused')); }")
    guest.page.get_by_role("button", name="Copy the link").click()
    expect(guest.page.get_by_text("Link copied")).to_be_visible()
